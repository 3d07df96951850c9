"""Blanking enquiries and what was written about them. Numbers, times, forms and what they became stay."""

import datetime as dt
import re
from collections.abc import Collection, Iterable
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.db import connection
from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Cast, Concat

from consult.core import erased, live, tenancy
from consult.inbox import models, rules
from consult.inbox.queries import held
from consult.intake import queries as intake


def erase_enquiries(*, agency_id: int, what: held.Held, addresses: Collection[str], now: dt.datetime) -> list[str]:
    """Blank enquiries with their notes, messages and mails; return where their files lie, which are not touched.

    What nobody has answered yet is closed. A second time changes nothing. Part of an erasure, which writes the audit.
    """
    with tenancy.agency(agency_id):
        rows = models.Enquiry.objects.filter(agency_id=agency_id, id__in=what.enquiries)
        found = list(rows.select_for_update().order_by("id").values_list("sender_key", "words"))
        known = {*addresses, *(address for address, _words in found if address)}
        words = {word for _address, each in found for word in each}
        known |= _correspondents(agency_id, what.messages)
        _blank(rows, now)
        models.Note.objects.filter(agency_id=agency_id, id__in=what.notes).update(body=erased.TEXT)
        locations = _erase_messages(agency_id, what.messages) + _erase_mails(agency_id, what.mails, now)
        for enquiry_id in what.elsewhere:
            words |= _found_again(agency_id, enquiry_id)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT inbox_erase_deliveries_v1(%s, %s)", [[*what.enquiries, *what.elsewhere], sorted(known)]
            )
        forget_words(agency_id, words)
        live.nudge_each(kind="enquiry", ids=what.enquiries)
    return locations


def _blank(rows: QuerySet[models.Enquiry], now: dt.datetime) -> None:
    waiting = rows.filter(status__in=("open", "waiting", "snoozed"))
    waiting.update(
        status="closed", closed_at=now, close_reason="no_answer_needed", waiting_since=None, snoozed_until=None
    )
    rows.filter(erased_at=None).update(
        sender_name=erased.NAME,
        sender_email="",
        subject="",
        excerpt="",
        words=[],
        reply_key="",
        erased_at=now,
        version=F("version") + 1,
    )


def _correspondents(agency_id: int, message_ids: Collection[UUID]) -> set[str]:
    """Whom these messages went to or came from; not the agency's own side of them."""
    rows = models.Message.objects.filter(agency_id=agency_id, id__in=message_ids)
    told = rows.values_list("direction", "from_address", "to_address")
    return {(theirs if direction == "in" else to).lower() for direction, theirs, to in told} - {""}


def _erase_messages(agency_id: int, ids: Collection[UUID]) -> list[str]:
    rows = models.Message.objects.filter(agency_id=agency_id, id__in=ids)
    attached = models.Attachment.objects.filter(agency_id=agency_id, message_id__in=ids).exclude(location="")
    locations = list(attached.values_list("location", flat=True))
    attached.update(name=erased.TEXT, location="")
    # What was never sent is not sent any more; a draft is nobody's any more.
    drafts = rows.filter(state="undone")
    models.Attachment.objects.filter(agency_id=agency_id, message_id__in=drafts.values("id")).delete()
    drafts.delete()
    rows.filter(state__in=("queued", "sending")).update(
        state="failed", due_at=None, detail={"error": "erased", "final": True}
    )
    rows.filter(direction="in").update(
        message_id=Concat(Value("<erased-"), Cast("id", CharField()), Value("@consult>"), output_field=CharField())
    )
    rows.update(
        subject="", text=erased.TEXT, html="", in_reply_to="", thread="", from_name="", from_address="", to_address=""
    )
    return locations


def _erase_mails(agency_id: int, ids: Collection[UUID], now: dt.datetime) -> list[str]:
    rows = models.Mail.objects.filter(agency_id=agency_id, id__in=ids)
    locations = list(rows.exclude(location="").values_list("location", flat=True))
    rows.filter(state__in=("waiting", "aside")).update(state="dropped", reason="erased", resolved_at=now)
    # The digest stays: the very same mail, fetched again, is known.
    rows.update(from_address="", subject="", location="")
    return locations


def _found_again(agency_id: int, enquiry_id: UUID) -> set[str]:
    """Let another's enquiry be found by what is left of it; return the words that it lost."""
    enquiry = models.Enquiry.objects.select_for_update().get(agency_id=agency_id, id=enquiry_id)
    sent = intake.submissions(agency_id, [enquiry.submission_id]) if enquiry.submission_id else []
    texts = [enquiry.sender_name, enquiry.sender_email, *(value for each in sent for _name, value in each.fields)]
    of = {"agency_id": agency_id, "enquiry_id": enquiry_id}
    texts += models.Note.objects.filter(**of).values_list("body", flat=True)
    for said in models.Message.objects.filter(**of).values_list("text", "from_address", "from_name"):
        texts += said
    before, enquiry.words = set(enquiry.words), rules.words(*texts)
    enquiry.save(update_fields=["words"])
    return before - set(enquiry.words)


def forget_words(agency_id: int, words: Iterable[str]) -> None:
    """Take words out of the agency's list by which nothing is found any more."""
    with tenancy.agency(agency_id), connection.cursor() as cursor:
        cursor.execute("SELECT inbox_forget_words_v1(%s)", [sorted(set(words))])


def erase_saved_views(*, agency_id: int, names: re.Pattern[str] | None) -> int:
    """Take what names the person out of saved views; return how many there were."""
    with tenancy.agency(agency_id):
        ids = held.saved_views_naming(agency_id, names)
        if names is None:
            return 0
        for view in models.SavedView.objects.select_for_update().filter(agency_id=agency_id, id__in=ids).order_by("id"):
            view.query = urlencode([pair for pair in parse_qsl(view.query) if not names.search(pair[1])])
            if names.search(view.name):
                # Unique among the member's.
                view.name = f"{erased.TEXT} {str(view.id)[-12:]}"
            view.save(update_fields=["query", "name"])
    return len(ids)
