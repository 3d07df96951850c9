"""Reads of intake: sites, forms, and submissions as they arrived."""

import dataclasses
import datetime as dt
import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consult.crm import queries as crm
from consult.intake import models, rules

# The signal of what staff have typed in; no visitor can send one, since the edge makes them.
TYPED_IN = "typed_in"


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
    sender_phone: str
    sender_company: str
    subject: str
    excerpt: str
    fields: list[tuple[str, str]]
    # The same in the order of the form, what was sent several times in one, what it did not ask for at the end.
    answers: list[tuple[str, str]]
    page_url: str
    origin: str
    signals: list[str]
    # Whether and until when it waited in an edge's spool.
    spooled: bool
    stored_at: dt.datetime


@dataclasses.dataclass(frozen=True)
class Arrival:
    """A submission and what its score says: `reasons` as of rules.score, `held` by the form's own threshold."""

    submission: Submitted
    score: int
    reasons: list[dict[str, Any]]
    hold_score: int

    @property
    def held(self) -> bool:
        return self.score >= self.hold_score


@dataclasses.dataclass(frozen=True)
class FormLabel:
    """A form's and its site's name and whom it writes to, for other features."""

    form_name: str
    site_name: str
    notify_addresses: list[str]
    language: str = "en"
    auto_reply: bool = False
    auto_reply_text: str = ""


def submissions(agency_id: int, ids: Iterable[UUID]) -> list[Submitted]:
    """Return these submissions, oldest first; unknown ids are left out."""
    return [_submitted(row, definition) for row, definition in _rows(agency_id, ids)]


def arrivals(agency_id: int, ids: Iterable[UUID]) -> list[Arrival]:
    """Return these submissions with their scores, oldest first, in as many questions for 500 as for one."""
    rows = _rows(agency_id, ids)
    repeated = _repeated(agency_id, [row for row, _definition in rows])
    found = []
    for row, definition in rows:
        points, reasons = rules.score(
            row.signals, fields=row.fields, definition=definition, repeated=row.id in repeated
        )
        found.append(Arrival(_submitted(row, definition), points, reasons, row.form.hold_score))
    return found


def _rows(agency_id: int, ids: Iterable[UUID]) -> list[tuple[models.Submission, list[dict[str, Any]]]]:
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
    return [(row, versions[(row.form_id, row.form_version)]) for row in found]


REPEATS_AMONG = 200
REPEATS_WITHIN = dt.timedelta(days=1)
# What each form got lately: as many as the batch itself, and those before it.
RECENT = """
SELECT r.form_id, r.digest, r.received_at, r.id
  FROM unnest(%s::uuid[]) AS f (id)
 CROSS JOIN LATERAL (
    SELECT s.form_id, s.digest, s.received_at, s.id FROM intake_submission s
     WHERE s.agency_id = %s AND s.form_id = f.id AND s.received_at BETWEEN %s AND %s
     ORDER BY s.received_at DESC LIMIT %s) AS r
 ORDER BY r.received_at, r.id
"""


def _repeated(agency_id: int, rows: list[models.Submission]) -> set[UUID]:
    """Return the ids of those whose content the form got before: lately, and as another submission."""
    marked = [row for row in rows if row.digest]
    if not marked:
        return set()
    forms = list({row.form_id for row in marked})
    first, last = marked[0].received_at, marked[-1].received_at
    seen: dict[tuple[UUID, bytes], dt.datetime] = {}
    again = set()
    with connection.cursor() as cursor:
        cursor.execute(RECENT, [forms, agency_id, first - REPEATS_WITHIN, last, REPEATS_AMONG + len(marked)])
        for form_id, digest, received_at, id in cursor.fetchall():
            content = form_id, bytes(digest)
            before = seen.get(content)
            if before is not None and received_at - before <= REPEATS_WITHIN:
                again.add(id)
            seen[content] = received_at
    return again


def _submitted(row: models.Submission, definition: list[dict[str, Any]]) -> Submitted:
    labels = {field["name"]: field["label"] for field in definition}
    sender_name, sender_email = rules.sender(row.fields, definition)
    sender_phone, sender_company = rules.phone_and_company(row.fields, definition)
    subject, excerpt = rules.gist(row.fields, definition)
    return Submitted(
        id=row.id,
        form_id=row.form_id,
        site_id=row.form.site_id,
        receipt=rules.pretty_receipt(row.receipt),
        received_at=row.received_at,
        sender_name=sender_name,
        sender_email=sender_email,
        sender_phone=sender_phone,
        sender_company=sender_company,
        subject=subject,
        excerpt=excerpt,
        fields=[(labels.get(name, name), value) for name, value in row.fields],
        answers=_answers(row.fields, labels),
        page_url=row.page_url,
        origin=row.origin,
        signals=row.signals,
        spooled=row.spooled,
        stored_at=row.created_at,
    )


def _answers(fields: list[list[str]], labels: Mapping[str, str]) -> list[tuple[str, str]]:
    values: dict[str, list[str]] = {name: [] for name in labels}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    return [(labels.get(name, name), ", ".join(sent)) for name, sent in values.items() if sent]


@dataclasses.dataclass(frozen=True)
class File:
    """A file that came with a submission. `media_type` is what its first bytes look like."""

    id: UUID
    field: str
    name: str
    media_type: str
    size: int
    location: str

    @property
    def shown_type(self) -> str:
        """The type to serve it with: only what no browser runs goes by its own."""
        return self.media_type if self.media_type in rules.HARMLESS_TYPES else "application/octet-stream"


def files(agency_id: int, submission_id: UUID) -> list[File]:
    """Return the files of a submission in the order of their names."""
    rows = models.File.objects.filter(agency_id=agency_id, submission_id=submission_id).order_by("name", "id")
    return [_file(row) for row in rows]


def file(agency_id: int, file_id: UUID) -> File | None:
    row = models.File.objects.filter(agency_id=agency_id, id=file_id).first()
    return _file(row) if row else None


def _file(row: models.File) -> File:
    return File(row.id, row.field, rules.clean_file_name(row.name), row.media_type, row.size, row.location)


def file_ids(agency_id: int, ids: Iterable[str]) -> set[str]:
    """Return which of these ids are files' ids; anything else may stand among them."""
    asked = [UUID(id) for id in ids if rules.is_uuid(id)]
    return {
        str(id) for id in models.File.objects.filter(agency_id=agency_id, id__in=asked).values_list("id", flat=True)
    }


def submission_by_receipt(agency_id: int, text: str) -> UUID | None:
    """Return the submission of a receipt however it was typed, or None."""
    found = models.Submission.objects.filter(agency_id=agency_id, receipt=rules.plain_receipt(text))
    return found.values_list("id", flat=True).first()


def form_labels(agency_id: int) -> Mapping[UUID, FormLabel]:
    """Return every form's label by id."""
    forms = models.Form.objects.filter(agency_id=agency_id).select_related("site")
    return {
        form.id: FormLabel(
            form.name,
            form.site.name,
            form.notify_addresses,
            form.language,
            form.auto_reply,
            form.auto_reply_text,
        )
        for form in forms
    }


def sites(agency_id: int) -> list[dict[str, Any]]:
    """Return the agency's sites by name: id, name, url, client_id, client_name and their forms (id, name)."""
    clients = crm.client_names(agency_id)
    forms = models.Form.objects.filter(agency_id=agency_id).order_by("name")
    rows = models.Site.objects.filter(agency_id=agency_id).order_by("name", "id")
    return [
        {
            "id": site.id,
            "name": site.name,
            "url": site.url,
            "fallback_contact": site.fallback_contact,
            "client_id": site.client_id,
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
    chosen = rules.Settings(**{field.name: getattr(form, field.name) for field in dataclasses.fields(rules.Settings)})
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
        "files": version.files,
        "settings": chosen,
        "now": in_words(chosen, version.files, form),
        "allowed_origins": form.allowed_origins,
        "redirect_targets": form.redirect_targets,
        "notify_addresses": form.notify_addresses,
        "snippet": snippet(post_url, version.fields, version.honeypot, version=form.version, files=version.files),
        "examples": examples(post_url, version.fields, form.version),
        "submissions_total": counted["total"],
    }


def languages() -> list[tuple[str, str]]:
    """Return (code, name) of the languages that the edge has words for: one file each."""
    found = sorted(file.stem for file in (settings.ROOT / "edge" / "words").glob("*.toml"))
    return [(code, LANGUAGES.get(code, code)) for code in found]


LANGUAGES = {"de": "Deutsch", "en": "English", "es": "Español", "fr": "Français", "pt": "Português"}


def in_words(
    chosen: rules.Settings, files: Mapping[str, Any] | None = None, form: models.Form | None = None
) -> dict[str, str]:
    """Return what is set in each section of the form's settings, in a few words."""
    notified = len(form.notify_addresses) if form else 0
    told = ngettext("%d address is notified", "%d addresses are notified", notified) % notified
    targets, origins = (form.redirect_targets, form.allowed_origins) if form else ([], [])
    held = _("Held from %(points)d points · %(limit)s per address") % {
        "points": chosen.hold_score,
        "limit": rules.limit_words(chosen.address_limit),
    }
    return {
        "people": " · ".join(
            [
                told if notified else _("Nobody by mail; the inbox shows it"),
                *([_("automatic answer")] if chosen.auto_reply else []),
                LANGUAGES.get(chosen.language, chosen.language),
            ]
        ),
        "where": " · ".join(
            [
                targets[0] if targets else _("The built-in thank-you page"),
                *([ngettext("%d origin", "%d origins", len(origins)) % len(origins)] if origins else []),
            ]
        ),
        "files": files_in_words(files or {}),
        "spam": held + (" · " + _("proof of work") if chosen.proof_of_work else ""),
        "privacy": ngettext(
            "Senders' addresses are cut short after %d day",
            "Senders' addresses are cut short after %d days",
            chosen.keep_address_days,
        )
        % chosen.keep_address_days,
    }


def files_in_words(files: Mapping[str, Any]) -> str:
    """What files a form takes, in a few words."""
    if not files:
        return _("None")
    labels = [rules.FILE_KINDS[kind][0] for kind in rules.file_kinds(files["types"])]
    return _("Up to %(count)d, %(size)d MB each · %(kinds)s") % {
        "count": files["count"],
        "size": files["bytes"] // rules.MEGABYTE,
        "kinds": ", ".join(labels) if labels else _("anything"),
    }


def examples(post_url: str, fields: list[dict[str, Any]], version: int) -> dict[str, str]:
    """Return how a program sends the form: `curl` (a shell command) and `client` (JavaScript)."""
    sent = {field["name"]: _example(field) for field in fields if field["type"] != "file"}
    body = json.dumps({**sent, "_version": version}, ensure_ascii=False)
    shell = body.replace("'", "'\\''")
    return {
        "curl": (
            f"curl {post_url} \\\n  -H 'Content-Type: application/json' -H 'Accept: application/json' \\\n"
            f"  -H \"Idempotency-Key: $(uuidgen)\" \\\n  -d '{shell}'"
        ),
        "client": (
            f'const answer = await fetch("{post_url}", {{\n  method: "POST",\n'
            '  headers: { Accept: "application/json" },\n  body: new FormData(form),\n});\n'
            "const { receipt, errors } = await answer.json();"
        ),
    }


def _example(field: Mapping[str, Any]) -> str:
    if field["options"]:
        return str(field["options"][0])
    return {"email": "ann@example.com", "tel": "+44 20 7946 0000", "checkbox": "yes"}.get(field["type"], "…")


def snippet(
    post_url: str,
    fields: list[dict[str, Any]],
    honeypot: str,
    *,
    version: int = 1,
    files: Mapping[str, Any] | None = None,
) -> str:
    """Return the HTML that a developer pastes into a page; it needs no JavaScript."""
    files = files or {}
    encoding = ' enctype="multipart/form-data"' if files else ""
    lines = [f'<form action="{escape(post_url)}" method="post" accept-charset="utf-8"{encoding}>']
    lines += [f"  {_control(field, files)}" for field in fields]
    if files and not any(field["type"] == "file" for field in fields):
        lines.append(f"  {_control(FILES, files)}")
    lines += [
        "  <!-- Invisible to people; whatever fills it is probably a program. -->",
        f'  <div hidden><input name="{escape(honeypot)}" tabindex="-1" autocomplete="off" aria-hidden="true"></div>',
        f'  <input type="hidden" name="_version" value="{version}">',
        '  <button type="submit">Send</button>',
        "</form>",
    ]
    return "\n".join(lines)


# Stands in the snippet when a form takes files, but has no field of its own for them.
FILES = {"name": "files", "label": "Files", "type": "file", "required": False, "options": [], "max_length": 500}
AUTOCOMPLETE = {"email": "email", "tel": "tel", "name": "name"}


def _control(field: Mapping[str, Any], files: Mapping[str, Any]) -> str:
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
        case "checkbox" if field["options"]:
            boxes = "".join(
                f'\n    <label><input type="checkbox" name="{name}" value="{escape(option)}"> {escape(option)}</label>'
                for option in field["options"]
            )
            return f"<fieldset>\n    <legend>{label}</legend>{boxes}\n  </fieldset>"
        case "checkbox":
            return f'<label><input type="checkbox" name="{name}" value="yes"{required}> {label}</label>'
        case "file":
            accept = f' accept="{escape(",".join(files["types"]))}"' if files.get("types") else ""
            many = " multiple" if files.get("count", 1) > 1 else ""
            return f'<label>{label} <input type="file" name="{name}"{accept}{many}{required}></label>'
        case kind:
            auto = AUTOCOMPLETE.get(kind) or AUTOCOMPLETE.get(field["name"])
            filled = f' autocomplete="{auto}"' if auto else ""
            size = f'maxlength="{field["max_length"]}"'
            return f'<label>{label} <input type="{kind}" name="{name}" {size}{filled}{required}></label>'
