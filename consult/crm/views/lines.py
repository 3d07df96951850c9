"""The timeline's lines in words."""

import dataclasses
import datetime as dt
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from consult.crm import queries

KINDS = {
    "crm.create_contact": gettext_noop("added the contact"),
    "crm.create_company": gettext_noop("added the company"),
    "crm.create_deal": gettext_noop("opened the deal"),
    "crm.win_deal": gettext_noop("won the deal"),
    "crm.lose_deal": gettext_noop("lost the deal"),
    "crm.reopen_deal": gettext_noop("opened the deal again"),
    "crm.merge_contacts": gettext_noop("merged a duplicate into the contact"),
    "crm.unmerge_contacts": gettext_noop("took a merge back: two contacts again"),
    "crm.add_note": gettext_noop("wrote a note"),
}
CHANGED = {
    "crm.update_contact": gettext_noop("changed the contact: %(what)s"),
    "crm.update_company": gettext_noop("changed the company: %(what)s"),
    "crm.update_deal": gettext_noop("changed the deal: %(what)s"),
}
FIELDS = {
    "name": gettext_noop("name"),
    "title": gettext_noop("title"),
    "emails": gettext_noop("e-mail addresses"),
    "phones": gettext_noop("phone numbers"),
    "phone": gettext_noop("phone"),
    "job_title": gettext_noop("job title"),
    "company_id": gettext_noop("company"),
    "contact_id": gettext_noop("contact"),
    "client_id": gettext_noop("client"),
    "owner_id": gettext_noop("owner"),
    "website": gettext_noop("website"),
    "address": gettext_noop("address"),
    "value_minor": gettext_noop("value"),
    "currency": gettext_noop("currency"),
    "expected_on": gettext_noop("expected close"),
    "custom": gettext_noop("own fields"),
}


@dataclasses.dataclass(frozen=True)
class Said:
    """A line as a page shows it; `about` names what it is about, where that is not the page's own subject."""

    text: str
    by: str
    at: dt.datetime
    note: str
    about: str
    href: str
    kind: str


def said(slug: str, lines: list[queries.Line], *, own: UUID, stages: dict[UUID, str]) -> list[Said]:
    """Return lines in words for the page of `own` in the agency of this slug."""
    return [_said(slug, line, own, stages) for line in lines]


def _said(slug: str, line: queries.Line, own: UUID, stages: dict[UUID, str]) -> Said:
    about, href = "", ""
    if line.deal_id and line.deal_id != own:
        about, href = line.deal_title, reverse("crm:deal_detail", args=[slug, line.deal_id])
    elif line.contact_id and not line.deal_id and line.company_id == own:
        about, href = line.contact_name, reverse("crm:contact_detail", args=[slug, line.contact_id])
    if line.kind == "crm.start_import":
        about, href = str(line.data["file"]), reverse("crm:import_detail", args=[slug, line.id])
    if isinstance(path := line.data.get("path"), str) and not line.kind.startswith("crm."):
        number = line.data.get("number")
        about, href = (f"#{number}" if number else _("Open")), f"/{slug}/{path}"
    return Said(_words(line, stages), line.by_name, line.at, line.note, about, href, line.kind)


def _words(line: queries.Line, stages: dict[UUID, str]) -> str:
    if line.kind in CHANGED:
        what = ", ".join(_(FIELDS[field]) if field in FIELDS else field for field in line.data.get("fields", []))
        return _(CHANGED[line.kind]) % {"what": what}
    if line.kind == "crm.move_deal":
        to, after = _stage(line.data, "stage", stages), duration(line.data.get("seconds", 0))
        return _("moved the deal to %(stage)s, after %(time)s in %(from)s") % {
            "stage": to,
            "time": after,
            "from": _stage(line.data, "from", stages),
        }
    if line.kind == "crm.start_import":
        return _("imported from a file, row %(row)d") % {"row": line.data["row"]}
    return _(KINDS[line.kind]) if line.kind in KINDS else str(line.data.get("text") or line.kind)


def _stage(data: dict[str, Any], name: str, stages: dict[UUID, str]) -> str:
    try:
        return stages.get(UUID(data[name]), _("a former stage"))
    except (KeyError, ValueError):
        return _("a former stage")


def duration(seconds: int) -> str:
    """Return a length of time in the largest unit that fits."""
    for unit, one, many in (
        (86_400, gettext_noop("%(n)d day"), gettext_noop("%(n)d days")),
        (3_600, gettext_noop("%(n)d hour"), gettext_noop("%(n)d hours")),
        (60, gettext_noop("%(n)d minute"), gettext_noop("%(n)d minutes")),
    ):
        if seconds >= unit:
            return ngettext(one, many, seconds // unit) % {"n": seconds // unit}
    return _("less than a minute")
