"""Submissions become enquiries, in the order in which they came, each once."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from consult.accounts import services as accounts
from consult.core import live, tenancy
from consult.inbox import models, rules
from consult.inbox.services import changes, ledger, mails, states, words
from consult.intake import queries as intake


def receive_submissions(
    *, agency_id: int, submission_ids: Sequence[UUID], now: dt.datetime | None = None, judged: bool = False
) -> None:
    """Open or hold an enquiry for each submission that has none yet; a second run changes nothing.

    `judged`: also what came by the office's own door is held when it looks like spam: a mail that a stranger wrote.

    Whoever writes again after an answer, or while their enquiry is put away, brings that one back.
    """
    now = now or dt.datetime.now(dt.UTC)
    with tenancy.agency(agency_id):
        counter = mails.locked_counter(agency_id)
        arrived = intake.arrivals(agency_id, submission_ids)
        known = set(
            models.Enquiry.objects.filter(
                agency_id=agency_id, submission_id__in=[arrival.submission.id for arrival in arrived]
            ).values_list("submission_id", flat=True)
        )
        fresh = [arrival for arrival in arrived if arrival.submission.id not in known]
        if not fresh:
            return
        enquiries = [
            _enquiry(agency_id, number, arrival, now, judged=judged)
            for number, arrival in enumerate(fresh, start=counter.last_number + 1)
        ]
        counter.last_number += len(fresh)
        counter.save(update_fields=["last_number"])
        labels = intake.form_labels(agency_id)
        passed = [enquiry for enquiry in enquiries if enquiry.status == "open" and not enquiry.delivered_at]
        mails.promise(agency_id, passed, labels, now)
        # Enquiries are locked before words, as by whoever writes a note: nobody waits for who waits for them.
        _bring_back(agency_id, [enquiry for enquiry in enquiries if enquiry.status == "open"])
        models.Enquiry.objects.bulk_create(enquiries)
        words.remember(agency_id, {word for enquiry in enquiries for word in enquiry.words})
        models.Delivery.objects.bulk_create(
            line for pair in zip(enquiries, fresh, strict=True) for line in _first_lines(*pair, now)
        )
        accounts.record_each("inbox.open_enquiry", agency_id=agency_id, subject_ids=[each.id for each in enquiries])
        mails.enqueue_mails(passed, labels)
        told = [enquiry.id for enquiry in passed]
        accounts.notify(agency_id=agency_id, kind="new", feature="inbox", subject_ids=told, by=None, now=now)
        live.nudge_each(kind="enquiry", ids=[each.id for each in enquiries])


def _enquiry(agency_id: int, number: int, arrival: intake.Arrival, now: dt.datetime, *, judged: bool) -> models.Enquiry:
    submission = arrival.submission
    # A colleague has typed it in: that is no spam, and everybody has been told who has to be.
    typed = intake.TYPED_IN in submission.signals and not (judged and arrival.held)
    return models.Enquiry(
        agency_id=agency_id,
        number=number,
        submission_id=submission.id,
        form_id=submission.form_id,
        status="held" if arrival.held and not typed else "open",
        delivered_at=now if typed else None,
        score=arrival.score,
        reasons=arrival.reasons,
        sender_name=submission.sender_name,
        sender_email=submission.sender_email,
        subject=submission.subject,
        excerpt=submission.excerpt,
        words=rules.words(submission.sender_name, submission.sender_email, *(value for _, value in submission.fields)),
        signals=submission.signals,
        received_at=submission.received_at,
    )


def _bring_back(agency_id: int, news: Sequence[models.Enquiry]) -> None:
    """Open the enquiries of the same senders that wait or are put away."""
    by_sender = {each.sender_email.lower(): each for each in news if each.sender_email}
    if not by_sender:
        return
    away = models.Enquiry.objects.select_for_update().filter(
        agency_id=agency_id, sender_key__in=by_sender, status__in=("waiting", "snoozed")
    )
    for enquiry in away.order_by("id"):
        changes.change(
            "inbox.bring_back_enquiry",
            enquiry,
            by=None,
            values={**states.PLAIN, "status": "open"},
            data={"number": by_sender[enquiry.sender_key].number},
        )


def _first_lines(enquiry: models.Enquiry, arrival: intake.Arrival, now: dt.datetime) -> list[models.Delivery]:
    submission = arrival.submission
    waited = round((submission.stored_at - submission.received_at).total_seconds())
    spooled: dict[str, Any] = {"spooled_seconds": max(0, waited)} if submission.spooled else {}
    lines = [
        ledger.line(enquiry, "stored", submission.received_at, **spooled),
        ledger.line(enquiry, "scored", now, score=arrival.score),
    ]
    return [*lines, ledger.line(enquiry, "held", now, hold_score=arrival.hold_score)] if arrival.held else lines
