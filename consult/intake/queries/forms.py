"""Sites and forms as pages and mails show them."""

import dataclasses
import json
from collections.abc import Mapping
from html import escape
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consult.crm import queries as crm
from consult.intake import models, rules


@dataclasses.dataclass(frozen=True)
class FormLabel:
    """A form's and its site's name and whom it writes to, for other features."""

    form_name: str
    site_name: str
    notify_addresses: list[str]
    language: str = "en"
    auto_reply: bool = False
    auto_reply_text: str = ""
    site_id: UUID | None = None
    client_id: UUID | None = None


def form_labels(agency_id: int) -> Mapping[UUID, FormLabel]:
    """Return every form's label by id, in the order of sites and forms."""
    # Plain values: nearly every page asks for them, and rows of two tables take five times as long.
    columns = ("name", "site__name", "notify_addresses", "language", "auto_reply", "auto_reply_text", "site_id")
    forms = models.Form.objects.filter(agency_id=agency_id).order_by("site__name", "site_id", "name", "id")
    return {id: FormLabel(*rest) for id, *rest in forms.values_list("id", *columns, "site__client_id")}


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
        "privacy": " · ".join(_kept_words(chosen)),
    }


def _kept_words(chosen: rules.Settings) -> list[str]:
    """How long what is kept, each in a few words."""
    short = ngettext(
        "Senders' addresses are cut short after %d day",
        "Senders' addresses are cut short after %d days",
        chosen.keep_address_days,
    )
    days, held_days = chosen.keep_days or 0, chosen.keep_held_days or 0
    kept = ngettext("submissions are erased after %d day", "submissions are erased after %d days", days)
    held = ngettext("held ones after %d day", "held ones after %d days", held_days)
    return [
        short % chosen.keep_address_days,
        *([kept % days] if days else []),
        *([held % held_days] if held_days else []),
    ]


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
