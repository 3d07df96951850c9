"""The page of one enquiry. Its parts are what actions answer htmx with."""

import dataclasses
import datetime as dt
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from consult.accounts import queries as accounts
from consult.accounts import services as accounts_services
from consult.crm import queries as crm
from consult.inbox import forms, queries, rules, services
from consult.inbox.views import history


@require_GET
def enquiry_detail(request: HttpRequest, number: int) -> HttpResponse:
    return page(request, number, opening=not request.headers.get("HX-Request"))


def conversation(here: accounts.Membership, enquiry: queries.Detail, names: dict[UUID, str]) -> dict[str, Any]:
    """Return what the part of the mails shows: what was written, one's own draft, what a reply may begin with."""
    found = queries.messages(here.agency_id, enquiry.id, names)
    drafts = [each for each in found if each.state == "undone" and each.member_id == here.member_id]
    draft = drafts[-1] if drafts else None
    return {
        "mails": [
            dataclasses.replace(each, why=history.mail_error(each.detail) if each.detail else "")
            for each in found
            if each is not draft
        ],
        "draft": draft,
        "reply_to": rules.clean_address(enquiry.sender_email),
        "sender_domain": crm.company_domain(rules.clean_address(enquiry.sender_email)),
        "reply_subject": draft.subject if draft else f"Re: {enquiry.subject or _about(enquiry)}",
        "reply_text": draft.text if draft else "",
        "templates": queries.templates(here.agency_id) if accounts.may(here, "records.write") else [],
    }


def _about(enquiry: queries.Detail) -> str:
    return _("your message to %(site)s") % {"site": enquiry.site_name} if enquiry.site_name else _("your message")


def page(
    request: HttpRequest, number: int, *, part: str = "", status: int = 200, opening: bool = False, **more: Any
) -> HttpResponse:
    here = accounts.here(request)
    labels = crm.labels(here.agency_id)
    enquiry = queries.enquiry(here.agency_id, number, label_names=labels)
    if enquiry is None:
        raise Http404
    people = accounts.people(here.agency_id)
    members = [person for person in people if not person.has_left]
    names = {person.id: person.name for person in people}
    if opening and here.unread and here.member_id:
        accounts_services.read_notifications(
            agency_id=here.agency_id, member_id=here.member_id, now=dt.datetime.now(dt.UTC), subject_id=enquiry.id
        )
    ledger = queries.deliveries(here.agency_id, enquiry.id)
    if opening and not any(line.kind == "opened" for line in ledger):
        now = dt.datetime.now(dt.UTC)
        services.note_opened(agency_id=here.agency_id, enquiry_id=enquiry.id, by=here.member_id, now=now)
        ledger.append(queries.Delivered("opened", "", {"member": str(here.member_id)}, now))
    context = {
        "enquiry": enquiry,
        "members": members,
        "label_names": labels.values(),
        "labels_typed": ", ".join(enquiry.labels),
        "notes": queries.notes(here.agency_id, enquiry.id, names),
        "events": history.events(here.agency_id, enquiry.id, ledger, {**labels, **names}),
        "others": queries.others_of_sender(here.agency_id, enquiry.id, enquiry.sender_email),
        "converted": forms.version(request.GET.get("converted", "")),
        "links": queries.links(here.agency_id, enquiry),
        "reasons": [(reason, _(words)) for reason, words in history.REASONS.items()],
        "close_reason": _(history.REASONS[enquiry.close_reason]) if enquiry.close_reason else "",
        **conversation(here, enquiry, names),
        **more,
    }
    return render(request, f"inbox/enquiry_detail.html{part}", context, status=status)
