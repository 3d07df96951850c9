"""What the inbox holds of people: enquiries, notes, messages with attachments, mails as they came, saved views."""

import dataclasses
import datetime as dt
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Lower

from consult.inbox import models


@dataclasses.dataclass(frozen=True)
class Held:
    """Ids of what the inbox holds of a person, and what else their enquiries say of them."""

    enquiries: list[UUID]
    submissions: list[UUID]
    deals: set[UUID]
    companies: set[UUID]
    names: set[str]
    messages: list[UUID]
    mails: list[UUID]
    notes: list[UUID]
    # Apart from enquiries: of other people's, in which this one wrote or was written to.
    elsewhere: list[UUID]


def held(
    agency_id: int,
    *,
    contact_ids: Collection[UUID],
    addresses: Collection[str],
    enquiry_ids: Collection[UUID] = (),
    mail_ids: Collection[UUID] = (),
    before: dt.datetime | None = None,
) -> Held:
    """Return what is held of the person with these contacts (aliases among them) and addresses (small letters).

    An enquiry from one of the addresses that belongs to another contact is that one's.
    `enquiry_ids`, `mail_ids`: these as well. `before`: nothing that came later.
    """
    theirs = Q(contact_id__in=contact_ids) | Q(sender_key__in=addresses, contact_id=None) | Q(id__in=enquiry_ids)
    rows = models.Enquiry.objects.filter(agency_id=agency_id).filter(theirs).order_by("id")
    rows = rows.filter(received_at__lt=before) if before else rows
    found = list(rows.values_list("id", "submission_id", "deal_id", "company_id", "sender_name"))
    messages, mails, elsewhere = _mails(agency_id, [row[0] for row in found], addresses, before)
    return Held(
        enquiries=[row[0] for row in found],
        submissions=[row[1] for row in found if row[1]],
        deals={row[2] for row in found if row[2]},
        companies={row[3] for row in found if row[3]},
        names={row[4] for row in found if row[4]},
        messages=messages,
        mails=sorted({*mails, *_ids(models.Mail.objects.filter(agency_id=agency_id, id__in=mail_ids))}),
        notes=_ids(models.Note.objects.filter(agency_id=agency_id, enquiry_id__in=[row[0] for row in found])),
        elsewhere=elsewhere,
    )


def of_enquiries(agency_id: int, enquiry_ids: Collection[UUID]) -> Held:
    """Return what is held in these enquiries, whoever it is of."""
    rows = models.Enquiry.objects.filter(agency_id=agency_id, id__in=enquiry_ids).order_by("id")
    found = list(rows.values_list("id", "submission_id"))
    ids = [row[0] for row in found]
    messages, mails, _elsewhere = _mails(agency_id, ids, (), None)
    notes = _ids(models.Note.objects.filter(agency_id=agency_id, enquiry_id__in=ids))
    submissions = [row[1] for row in found if row[1]]
    return Held(ids, submissions, set(), set(), set(), messages, mails, notes, [])


def _ids(rows: Any) -> list[UUID]:
    return list(rows.order_by("id").values_list("id", flat=True))


def _mails(
    agency_id: int, enquiry_ids: Collection[UUID], addresses: Collection[str], before: dt.datetime | None
) -> tuple[list[UUID], list[UUID], list[UUID]]:
    old: dict[str, Any] = {"agency_id": agency_id, **({"created_at__lt": before} if before else {})}
    messages = models.Message.objects.filter(**old)
    of = Q(enquiry_id__in=enquiry_ids)
    if addresses:
        messages = messages.annotate(sender=Lower("from_address"), recipient=Lower("to_address"))
        of |= Q(sender__in=addresses, direction="in") | Q(recipient__in=addresses, direction="out")
    found = list(messages.filter(of).order_by("id").values_list("id", "enquiry_id"))
    ids = [row[0] for row in found]
    mails = models.Mail.objects.filter(**old).annotate(sender=Lower("from_address"))
    came = _ids(mails.filter(Q(message_id__in=ids) | Q(sender__in=addresses)))
    return ids, came, sorted({row[1] for row in found} - set(enquiry_ids))


def enquiries_of_submissions(agency_id: int, ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return the enquiry of each of these submissions that has one."""
    rows = models.Enquiry.objects.filter(agency_id=agency_id, submission_id__in=ids)
    return {of: id for of, id in rows.values_list("submission_id", "id") if of}


def held_back(agency_id: int, submission_ids: Collection[UUID]) -> set[UUID]:
    """Return those of these submissions that are held, or are spam."""
    rows = models.Enquiry.objects.filter(
        agency_id=agency_id, submission_id__in=submission_ids, status__in=("held", "spam")
    )
    return {id for id in rows.values_list("submission_id", flat=True) if id}


def contacts_of(agency_id: int, enquiry_ids: Collection[UUID]) -> set[UUID]:
    """Return the contacts that these enquiries have become."""
    rows = models.Enquiry.objects.filter(agency_id=agency_id, id__in=enquiry_ids, contact_id__isnull=False)
    return {id for id in rows.values_list("contact_id", flat=True) if id}


def saved_views_naming(agency_id: int, names: re.Pattern[str] | None) -> list[UUID]:
    """Return the saved views that name the person, in what they are called or look for."""
    if names is None:
        return []
    rows = models.SavedView.objects.filter(agency_id=agency_id).order_by("id").values_list("id", "name", "query")
    return [
        id
        for id, name, query in rows
        if names.search(name) or any(names.search(value) for _key, value in parse_qsl(query))
    ]


ENQUIRY = (
    *("id", "number", "status", "sender_name", "sender_email", "subject", "excerpt", "words", "signals", "score"),
    *("reasons", "received_at", "contact_id", "company_id", "deal_id", "submission_id", "closed_at", "close_reason"),
)
MESSAGE = (
    *("id", "enquiry_id", "direction", "state", "kind", "subject", "text", "html", "message_id", "from_name"),
    *("from_address", "to_address", "created_at", "sent_at"),
)


def records(agency_id: int, what: Held) -> dict[str, list[dict[str, Any]]]:
    """Return everything of `what` as it is stored, by what it is."""
    of: dict[str, Any] = {"agency_id": agency_id}
    deliveries = models.Delivery.objects.filter(**of, enquiry_id__in=what.enquiries).order_by("at", "id")
    attachments = models.Attachment.objects.filter(**of, message_id__in=what.messages).exclude(location="")
    mails = models.Mail.objects.filter(**of, id__in=what.mails).exclude(location="").order_by("id")
    enquiries = models.Enquiry.objects.filter(**of, id__in=what.enquiries).order_by("number")
    messages = models.Message.objects.filter(**of, id__in=what.messages).order_by("created_at", "id")
    notes = models.Note.objects.filter(**of, id__in=what.notes).order_by("id")
    return {
        "enquiries": list(enquiries.values(*ENQUIRY)),
        "deliveries": list(deliveries.values("enquiry_id", "kind", "address", "detail", "at")),
        "notes_on_enquiries": list(notes.values("id", "enquiry_id", "body", "created_at")),
        "messages": list(messages.values(*MESSAGE)),
        "attachments": list(
            attachments.order_by("id").values("id", "message_id", "name", "media_type", "size", "location")
        ),
        "mails": list(mails.values("id", "state", "from_address", "subject", "size", "created_at", "location")),
    }


def senders(agency_id: int, before: dt.datetime) -> set[str]:
    """Return the senders' addresses (small letters) of all enquiries from before a time."""
    rows = models.Enquiry.objects.filter(agency_id=agency_id, received_at__lt=before).exclude(sender_email="")
    return set(rows.values_list("sender_key", flat=True).distinct())


def mail_senders(agency_id: int, before: dt.datetime) -> set[str]:
    """Return the senders' addresses (small letters) of all mails that were kept before a time."""
    rows = models.Mail.objects.filter(agency_id=agency_id, created_at__lt=before).exclude(from_address="")
    return set(rows.annotate(sender=Lower("from_address")).values_list("sender", flat=True).distinct())


def not_erased(agency_id: int, ids: Collection[UUID]) -> list[UUID]:
    """Return which of these enquiries are there and not erased."""
    rows = models.Enquiry.objects.filter(agency_id=agency_id, id__in=ids, erased_at=None)
    return list(rows.order_by("id").values_list("id", flat=True))
