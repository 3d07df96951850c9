"""What the e-mails of the inbox say."""

import functools
import tomllib
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from consult.accounts import queries as accounts
from consult.inbox import models
from consult.inbox.queries.enquiries import rows
from consult.intake import queries as intake


def notification(agency_id: int, enquiry_id: UUID) -> dict[str, Any]:
    """Return all that the e-mail about a new enquiry says, its subject among it."""
    row = models.Enquiry.objects.get(agency_id=agency_id, id=enquiry_id)
    [shown] = rows(agency_id, [row])
    sent = intake.submissions(agency_id, [row.submission_id]) if row.submission_id else []
    who = shown.sender_name or shown.sender_email or _("somebody")
    what = f"#{shown.number} {shown.subject}" if shown.subject else _("Enquiry #%(n)s") % {"n": shown.number}
    return {
        "subject": _("[%(site)s] %(what)s from %(who)s") % {"site": shown.site_name, "what": what, "who": who},
        "enquiry": shown,
        "who": who,
        "submission": sent[0] if sent else None,
        "link": f"{settings.CONSULT_OFFICE_URL}/{accounts.agency_slug(agency_id)}/inbox/{shown.number}/",
    }


WORDS = Path(__file__).resolve().parents[1] / "words"


@functools.cache
def reply_words(language: str) -> dict[str, str]:
    """Return the words of automatic replies in a language, in English when there is no file for it."""
    named = WORDS / f"{language}.toml"
    path = named if language.isalpha() and named.exists() else WORDS / "en.toml"
    return {name: str(text) for name, text in tomllib.loads(path.read_text("utf-8")).items()}


def reply(agency_id: int, enquiry_id: UUID) -> dict[str, Any]:
    """Return all that the automatic reply to an enquiry says. Nothing of it is the sender's own."""
    row = models.Enquiry.objects.get(agency_id=agency_id, id=enquiry_id)
    label = intake.form_labels(agency_id)[row.form_id] if row.form_id else intake.FormLabel("", "", [])
    sent = intake.submissions(agency_id, [row.submission_id]) if row.submission_id else []
    words = {name: text.replace("{site}", label.site_name) for name, text in reply_words(label.language).items()}
    return {
        "subject": words["subject"],
        "words": words,
        "text": label.auto_reply_text.strip() or words["text"],
        "language": label.language,
        "site_name": label.site_name,
        "receipt": sent[0].receipt if sent else "",
    }
