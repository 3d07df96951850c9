"""Reads of intake: sites, forms, and submissions as they arrived."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count

from consult.crm import queries as crm
from consult.intake import models, rules


@dataclasses.dataclass(frozen=True)
class Submitted:
    """A submission with what its form asked for when it was sent."""

    id: UUID
    form_id: UUID
    site_id: UUID
    receipt: str
    received_at: dt.datetime
    sender_name: str
    sender_email: str
    subject: str
    excerpt: str
    fields: list[tuple[str, str]]
    page_url: str
    origin: str
    signals: list[str]


@dataclasses.dataclass(frozen=True)
class FormLabel:
    """A form's and its site's name, for lists of other features."""

    form_name: str
    site_name: str
    notify_addresses: list[str]


def submissions(agency_id: int, ids: Iterable[UUID]) -> list[Submitted]:
    """Return these submissions, oldest first; unknown ids are left out."""
    found = list(
        models.Submission.objects.filter(agency_id=agency_id, id__in=list(ids))
        .select_related("form")
        .order_by("received_at", "id")
    )
    versions = {
        (version.form_id, version.version): version.fields
        for version in models.FormVersion.objects.filter(
            agency_id=agency_id, form_id__in={submission.form_id for submission in found}
        )
    }
    return [_submitted(row, versions[(row.form_id, row.form_version)]) for row in found]


def _submitted(row: models.Submission, definition: list[dict[str, Any]]) -> Submitted:
    labels = {field["name"]: field["label"] for field in definition}
    sender_name, sender_email = rules.sender(row.fields, definition)
    subject, excerpt = rules.gist(row.fields, definition)
    return Submitted(
        id=row.id,
        form_id=row.form_id,
        site_id=row.form.site_id,
        receipt=rules.pretty_receipt(row.receipt),
        received_at=row.received_at,
        sender_name=sender_name,
        sender_email=sender_email,
        subject=subject,
        excerpt=excerpt,
        fields=[(labels.get(name, name), value) for name, value in row.fields],
        page_url=row.page_url,
        origin=row.origin,
        signals=row.signals,
    )


def submission_by_receipt(agency_id: int, text: str) -> UUID | None:
    """Return the submission of a receipt however it was typed, or None."""
    found = models.Submission.objects.filter(agency_id=agency_id, receipt=rules.plain_receipt(text))
    return found.values_list("id", flat=True).first()


def form_labels(agency_id: int) -> Mapping[UUID, FormLabel]:
    """Return every form's label by id."""
    forms = models.Form.objects.filter(agency_id=agency_id).select_related("site")
    return {form.id: FormLabel(form.name, form.site.name, form.notify_addresses) for form in forms}


def sites(agency_id: int) -> list[dict[str, Any]]:
    """Return the agency's sites by name: id, name, url, client_name and their forms (id, name)."""
    clients = crm.client_names(agency_id)
    forms = models.Form.objects.filter(agency_id=agency_id).order_by("name")
    rows = models.Site.objects.filter(agency_id=agency_id).order_by("name", "id")
    return [
        {
            "id": site.id,
            "name": site.name,
            "url": site.url,
            "client_name": clients.get(site.client_id) if site.client_id else None,
            "forms": [{"id": form.id, "name": form.name, "key": form.key} for form in forms if form.site_id == site.id],
        }
        for site in rows
    ]


def site(agency_id: int, site_id: UUID) -> dict[str, Any] | None:
    """Return one site as in `sites`, or None."""
    return next((found for found in sites(agency_id) if found["id"] == site_id), None)


def form_page(agency_id: int, form_id: UUID) -> dict[str, Any] | None:
    """Return all that the page of a form shows, or None."""
    form = models.Form.objects.filter(agency_id=agency_id, id=form_id).select_related("site").first()
    if form is None:
        return None
    version = models.FormVersion.objects.get(agency_id=agency_id, form=form, version=form.version)
    post_url = f"{settings.CONSULT_EDGE_URL}/f/{form.key}"
    counted = models.Submission.objects.filter(agency_id=agency_id, form=form).aggregate(total=Count("id"))
    return {
        "id": form.id,
        "name": form.name,
        "site": {"id": form.site_id, "name": form.site.name, "url": form.site.url},
        "key": form.key,
        "version": form.version,
        "post_url": post_url,
        "hosted_url": post_url,
        "fields": version.fields,
        "honeypot": version.honeypot,
        "allowed_origins": form.allowed_origins,
        "redirect_targets": form.redirect_targets,
        "notify_addresses": form.notify_addresses,
        "snippet": snippet(post_url, version.fields, version.honeypot),
        "submissions_total": counted["total"],
    }


def snippet(post_url: str, fields: list[dict[str, Any]], honeypot: str) -> str:
    """Return the HTML that a developer pastes into a page; it needs no JavaScript."""
    lines = [f'<form action="{escape(post_url)}" method="post" accept-charset="utf-8">']
    lines += [f"  {_control(field)}" for field in fields]
    lines += [
        "  <!-- Invisible to people; whatever fills it is probably a program. -->",
        f'  <div hidden><input name="{escape(honeypot)}" tabindex="-1" autocomplete="off" aria-hidden="true"></div>',
        '  <button type="submit">Send</button>',
        "</form>",
    ]
    return "\n".join(lines)


AUTOCOMPLETE = {"email": "email", "tel": "tel", "name": "name"}


def _control(field: Mapping[str, Any]) -> str:
    name, label, required = (
        escape(field["name"]),
        escape(field["label"]),
        " required" if field["required"] else "",
    )
    match field["type"]:
        case "textarea":
            size = f'rows="6" maxlength="{field["max_length"]}"'
            return f'<label>{label} <textarea name="{name}" {size}{required}></textarea></label>'
        case "select":
            options = "".join(f"<option>{escape(option)}</option>" for option in field["options"])
            return f'<label>{label} <select name="{name}"{required}>{options}</select></label>'
        case "checkbox":
            return f'<label><input type="checkbox" name="{name}" value="yes"{required}> {label}</label>'
        case kind:
            auto = AUTOCOMPLETE.get(kind) or AUTOCOMPLETE.get(field["name"])
            filled = f' autocomplete="{auto}"' if auto else ""
            size = f'maxlength="{field["max_length"]}"'
            return f'<label>{label} <input type="{kind}" name="{name}" {size}{filled}{required}></label>'
