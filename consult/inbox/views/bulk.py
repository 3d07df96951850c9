"""One action on the selected rows of the list, and taking back what was just done."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from consult.accounts import queries as accounts
from consult.inbox import forms, services
from consult.inbox.views import history
from consult.inbox.views.actions import is_part, say, undo_of

# The answer is told in a header, which proxies want short.
MOST_TOLD = 5


@require_POST
def change_enquiries(request: HttpRequest) -> HttpResponse:
    """Do one thing with all that were chosen; say in one answer what was done and what was not."""
    here = accounts.permit(request, "records.write")
    act, words = _action(request)
    by = here.member_id
    chosen = forms.chosen(request.POST.getlist("chosen"))
    if not chosen:
        return _answered(request, _("Nothing was chosen."), None)
    try:
        outcome = services.each(
            agency_id=here.agency_id,
            chosen=chosen,
            act=lambda number, seen: act(agency_id=here.agency_id, number=number, by=by, seen=seen),
        )
    except services.TooMany as error:
        raise BadRequest(_("At most 200 enquiries at once.")) from error
    except services.NoSuchMember as error:
        raise BadRequest(_("This agency has no such member.")) from error
    return _answered(request, _told(request, outcome, words(len(outcome.done))), outcome)


def _action(request: HttpRequest) -> tuple[Callable[..., services.Done], Callable[[int], str]]:
    """Return what was asked for, and how it is said of so many."""
    now = dt.datetime.now(dt.UTC)
    match request.POST.get("action", ""):
        case "close":
            act = partial(services.close_enquiry, now=now, reason=forms.reason(request.POST))
            return act, lambda n: ngettext("%d closed.", "%d closed.", n) % n
        case "reopen":
            return services.reopen_enquiry, lambda n: ngettext("%d opened again.", "%d opened again.", n) % n
        case "wait":
            return partial(services.wait_enquiry, now=now), lambda n: ngettext("%d waits.", "%d wait.", n) % n
        case "snooze":
            act = partial(services.snooze_enquiry, now=now, until=forms.until(request.POST))
            return act, lambda n: ngettext("%d put away.", "%d put away.", n) % n
        case "spam":
            return partial(services.confirm_spam, now=now), lambda n: ngettext("%d is spam.", "%d are spam.", n) % n
        case "restore":
            return partial(services.restore_enquiry, now=now), lambda n: ngettext("%d restored.", "%d restored.", n) % n
        case "assign":
            act = partial(services.assign_enquiry, member_id=forms.member(request.POST))
            return act, lambda n: ngettext("%d assigned.", "%d assigned.", n) % n
        case "label":
            act = partial(services.add_labels, ids=_label_ids(request, services.ensure_labels))
            return act, lambda n: ngettext("%d labelled.", "%d labelled.", n) % n
        case "unlabel":
            act = partial(services.take_labels, ids=_label_ids(request, services.known_labels))
            return act, lambda n: ngettext("The label is gone from %d.", "The label is gone from %d.", n) % n
        case _:
            raise BadRequest(_("There is no such action."))


def _label_ids(request: HttpRequest, named: Callable[[int, list[str]], set[UUID]]) -> set[UUID]:
    try:
        return named(accounts.here(request).agency_id, forms.labels(request.POST))
    except (services.TooManyLabels, ValueError) as error:
        raise BadRequest(forms.LABELS_WRONG) from error


@require_POST
def undo_changes(request: HttpRequest) -> HttpResponse:
    """Take back changes by the versions that they led to; the answer can be taken back in turn."""
    here = accounts.permit(request, "records.write")
    chosen = [(number, version) for number, version in forms.chosen(request.POST.getlist("change")) if version]
    if not chosen:
        return _answered(request, _("There is nothing to undo."), None)
    try:
        outcome = services.undo_changes(agency_id=here.agency_id, chosen=chosen, by=here.member_id)
    except services.TooMany as error:
        raise BadRequest(_("At most 200 enquiries at once.")) from error
    done = len(outcome.done)
    return _answered(request, _told(request, outcome, ngettext("%d undone.", "%d undone.", done) % done), outcome)


def _told(request: HttpRequest, outcome: services.Outcome, done: str) -> str:
    names = accounts.member_names(accounts.here(request).agency_id) if outcome.conflicts else {}
    parts = [done] if outcome.done else [_("Nothing was changed.")]
    if outcome.same:
        listed = ", ".join(f"#{number}" for number in outcome.same)
        parts.append(_("As before, since it does not apply there: %(list)s.") % {"list": listed})
    parts += [history.conflict(conflict, names) for conflict in outcome.conflicts[:MOST_TOLD]]
    if more := outcome.conflicts[MOST_TOLD:]:
        listed = ", ".join(f"#{conflict.number}" for conflict in more)
        parts.append(_("Changed meanwhile too: %(list)s.") % {"list": listed})
    if outcome.missing:
        parts.append(_("Not found: %(list)s.") % {"list": ", ".join(f"#{number}" for number in outcome.missing)})
    return " ".join(parts)


def _answered(request: HttpRequest, text: str, outcome: services.Outcome | None) -> HttpResponse:
    stays = outcome is None or bool(outcome.conflicts or outcome.missing)
    if is_part(request):
        undo = undo_of(request, outcome.done) if outcome and outcome.done else None
        return say(HttpResponse(status=200), text, undo=undo, stays=stays)
    (messages.warning if stays else messages.success)(request, text)
    if outcome and "query" not in request.POST and len(outcome.done) == 1:
        # From an enquiry's own page back to it.
        return redirect("inbox:enquiry_detail", accounts.here(request).slug, outcome.done[0].number)
    address = reverse("inbox:enquiry_list", args=[accounts.here(request).slug])
    return redirect(f"{address}?{forms.filters(forms.as_query(request.POST)).query()}")
