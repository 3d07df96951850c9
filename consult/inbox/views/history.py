"""What happened to an enquiry, in words."""

import datetime as dt
import uuid
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from consult.accounts import queries as accounts
from consult.inbox import queries, services

# What the delivery ledger tells in more words.
TOLD_BY_LEDGER = {
    "inbox.restore_enquiry",
    "inbox.confirm_spam",
    "inbox.retry_job",
    "inbox.retry_reply",
    "inbox.receive_mail",
    # Beside it stands that the change was taken back.
    "inbox.undo_reply",
}


def events(
    agency_id: int, enquiry_id: UUID, ledger: list[queries.Delivered], names: dict[UUID, str]
) -> list[dict[str, Any]]:
    """Return one history of what arrived, was delivered and was done: text, by, at, failed."""
    told = {*TOLD_BY_LEDGER, *(["inbox.open_enquiry"] if any(line.kind == "stored" for line in ledger) else [])}
    done = [
        {
            "text": said(row.action, row.data, names),
            "by": names.get(row.by_id, "") if row.by_id else "",
            "at": row.created_at,
        }
        for row in accounts.audit_of(agency_id, enquiry_id)
        if row.action not in told
    ]
    delivered = [
        {
            "text": _delivered(line),
            "by": _name(line.detail.get("member"), names),
            "at": line.at,
            "failed": line.kind in ("failed", "bounced"),
        }
        for line in ledger
    ]
    return sorted([*delivered, *done], key=lambda event: event["at"])


def _name(member: str | None, names: dict[UUID, str]) -> str:
    return names.get(uuid.UUID(member), _("A former member")) if member else ""


def _delivered(line: queries.Delivered) -> str:
    """Return a line of the ledger in words; one with a member begins with their name."""
    match line.kind:
        case "stored":
            if "spooled_seconds" not in line.detail:
                return _("Arrived and was stored")
            return _("Arrived, waited %(time)s in the spool") % {"time": _duration(line.detail["spooled_seconds"])}
        case "scored":
            return _("Scored %(points)s points") % {"points": line.detail.get("score", 0)}
        case "held":
            return _("Held, as this form holds from %(points)s points") % {"points": line.detail.get("hold_score", 0)}
        case "notified":
            return _("Notified %(address)s") % {"address": line.address}
        case "replied":
            return _("Replied automatically to %(address)s") % {"address": line.address}
        case "failed":
            return _("Could not reach %(address)s: %(why)s") % {"address": line.address, "why": _why(line)}
        case "retried":
            return _("tried again to reach %(address)s") % {"address": line.address}
        case "sent":
            return _("The reply to %(address)s went out") % {"address": line.address}
        case "bounced":
            return _("The mail to %(address)s came back%(status)s") % {
                "address": line.address,
                "status": f" ({line.detail['status']})" if line.detail.get("status") else "",
            }
        case "received":
            words = RECEIVED.get(line.detail.get("mail", ""), RECEIVED["answer"])
            return _(words) % {"address": line.address or _("somebody")}
        case "opened":
            return _("opened it first")
        case "restored":
            return _("restored it")
        case "confirmed_spam":
            return _("marked it as spam")
    return line.kind


RECEIVED = {
    "answer": gettext_noop("An answer came from %(address)s"),
    "auto": gettext_noop("A program answered for %(address)s"),
    "bounce": gettext_noop("A report on a mail came from %(address)s"),
}


def _duration(seconds: int) -> str:
    if seconds < 90:
        return _("%(n)s s") % {"n": seconds}
    return _("%(n)s min") % {"n": seconds // 60} if seconds < 5400 else _("%(n)s h") % {"n": seconds // 3600}


MAIL_ERRORS = {
    "recipient_refused": gettext_noop("the mail server takes nothing for this address"),
    "sender_refused": gettext_noop("the mail server takes nothing from our address"),
    "sign_in_refused": gettext_noop("the mail server does not let us sign in"),
    "message_refused": gettext_noop("the mail server refused the message"),
    "refused": gettext_noop("the mail server refused"),
    "disconnected": gettext_noop("the mail server hung up"),
    "not_trusted": gettext_noop("the mail server's certificate is not trusted"),
    "no_answer": gettext_noop("the mail server did not answer in time"),
    "not_reachable": gettext_noop("the mail server cannot be reached"),
    "files_away": gettext_noop("its files cannot be read"),
    "bounced": gettext_noop("it came back"),
}


def mail_error(detail: dict[str, Any]) -> str:
    text = _(MAIL_ERRORS.get(detail.get("error", ""), gettext_noop("an unexpected error; the log has it")))
    return f"{text} ({detail['code']})" if detail.get("code") else text


def _why(line: queries.Delivered) -> str:
    if line.tries == 1:
        return mail_error(line.detail)
    tries = ngettext("%(count)d try", "%(count)d tries", line.tries) % {"count": line.tries}
    return f"{mail_error(line.detail)}, {tries}"


def said(action: str, data: dict[str, Any], names: dict[UUID, str]) -> str:
    """Return what somebody did, in words that follow their name."""
    if action == "inbox.undo_change":
        return _("took back: %(what)s") % {"what": said(data["action"], data["before"], names)}
    if action == "inbox.assign_enquiry":
        who = data.get("member") or data.get("assignee_id")
        name = names.get(uuid.UUID(who), _("a former member")) if who else ""
        return _("assigned it to %(name)s") % {"name": name} if who else _("took it from its assignee")
    if action == "inbox.label_enquiry":
        return _labelled(data, names)
    if action == "inbox.close_enquiry":
        reason = data.get("after", {}).get("close_reason", "")
        return _("closed it: %(reason)s") % {"reason": _(REASONS[reason]).lower()} if reason else _("closed it")
    if action == "inbox.snooze_enquiry" and data.get("after", {}).get("snoozed_until"):
        until = dt.datetime.fromisoformat(data["after"]["snoozed_until"])
        return _("put it away until %(time)s") % {"time": moment(until)}
    if action == "inbox.bring_back_enquiry":
        return _("Open again, as the sender wrote once more: #%(n)s") % {"n": data.get("number", "")}
    return _(DID[action]) if action in DID else action


def _labelled(data: dict[str, Any], names: dict[UUID, str]) -> str:
    """Return which labels were given and taken; `names` holds those of labels as well, where somebody knows them."""
    if "after" not in data:
        return _("changed the labels")
    before, after = (set(data[side]["label_ids"]) for side in ("before", "after"))
    given, taken = (
        ", ".join(sorted(names.get(uuid.UUID(id), _("a former label")) for id in ids))
        for ids in (after - before, before - after)
    )
    if given and taken:
        return _("labelled it %(given)s instead of %(taken)s") % {"given": given, "taken": taken}
    return _("labelled it %(given)s") % {"given": given} if given else _("took the label %(taken)s") % {"taken": taken}


# Why something was closed, as people choose it.
REASONS = {
    "answered": gettext_noop("Answered"),
    "no_answer_needed": gettext_noop("Needs no answer"),
    "no_answer_came": gettext_noop("No answer came"),
    "duplicate": gettext_noop("Twice the same"),
    "not_for_us": gettext_noop("Not for us"),
}
DID = {
    "inbox.send_reply": gettext_noop("replied by e-mail"),
    "inbox.undo_reply": gettext_noop("took a reply back before it went out"),
    "inbox.discard_draft": gettext_noop("discarded the draft of a reply"),
    "inbox.receive_answer": gettext_noop("Open again, as the sender answered"),
    "inbox.bring_back_unsent": gettext_noop("Open again, as a reply did not arrive"),
    "inbox.open_enquiry": gettext_noop("Opened from the form"),
    "inbox.type_in_enquiry": gettext_noop("typed it in"),
    "inbox.reopen_enquiry": gettext_noop("opened it again"),
    "inbox.wait_enquiry": gettext_noop("answered, and waits for the sender"),
    "inbox.snooze_enquiry": gettext_noop("put it away"),
    "inbox.wake_enquiries": gettext_noop("Open again, as its time had come"),
    "inbox.confirm_spam": gettext_noop("marked it as spam"),
    "inbox.restore_enquiry": gettext_noop("restored it"),
    "inbox.convert_enquiry": gettext_noop("converted it"),
    "inbox.add_note": gettext_noop("added a note"),
    "inbox.release_enquiry": gettext_noop("Nobody has it any more: its assignee has left the agency"),
}


def moment(at: dt.datetime) -> str:
    """Return a moment in the reader's own time, without the year."""
    return date_format(timezone.localtime(at), "j M, H:i")


def conflict(raised: services.Conflict, names: dict[UUID, str]) -> str:
    """Return who did what meanwhile, in one sentence."""
    last = raised.changes[-1]
    who = names.get(last.by, _("a former member")) if last.by else _("Consult")
    what = said(last.action, last.data, names)
    return _("#%(n)s was changed meanwhile: %(who)s, %(time)s: %(what)s.") % {
        "n": raised.number,
        "who": who,
        "time": moment(last.at),
        "what": what,
    }
