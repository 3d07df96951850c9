"""Writes of the inbox, by noun. Each one also writes its audit row and nudges the open pages, in one transaction."""

from consult.inbox.models import CLOSE_REASONS
from consult.inbox.services.arrivals import receive_submissions
from consult.inbox.services.bulk import Outcome, TooMany, each, undo_changes
from consult.inbox.services.changes import (
    Change,
    Conflict,
    Done,
    NoSuchChange,
    NoSuchEnquiry,
    lock_enquiry,
    undo_change,
)
from consult.inbox.services.convert import KnownMeanwhile, NothingChosen, NotThere, Plan, convert_enquiry
from consult.inbox.services.ledger import note_opened
from consult.inbox.services.mails import NoSuchJob, NotSent, notify_enquiry, reply_to_sender, retry_job
from consult.inbox.services.notes import EmptyNote, add_note
from consult.inbox.services.saved_views import NoName, NoSuchView, TooLong, delete_view, save_view
from consult.inbox.services.states import (
    NoSuchMember,
    NoSuchReason,
    NotAhead,
    assign_enquiry,
    close_enquiry,
    confirm_spam,
    release_member,
    reopen_enquiry,
    restore_enquiry,
    snooze_enquiry,
    wait_enquiry,
    wake_enquiries,
)
from consult.inbox.services.typed import AnotherSubmission, NoSuchForm, NothingTyped, type_in_enquiry

__all__ = [
    "CLOSE_REASONS",
    "AnotherSubmission",
    "Change",
    "Conflict",
    "Done",
    "EmptyNote",
    "KnownMeanwhile",
    "NoName",
    "NoSuchChange",
    "NoSuchEnquiry",
    "NoSuchForm",
    "NoSuchJob",
    "NoSuchMember",
    "NoSuchReason",
    "NoSuchView",
    "NotAhead",
    "NotSent",
    "NotThere",
    "NothingChosen",
    "NothingTyped",
    "Outcome",
    "Plan",
    "TooLong",
    "TooMany",
    "add_note",
    "assign_enquiry",
    "close_enquiry",
    "confirm_spam",
    "convert_enquiry",
    "delete_view",
    "each",
    "lock_enquiry",
    "note_opened",
    "notify_enquiry",
    "receive_submissions",
    "release_member",
    "reopen_enquiry",
    "reply_to_sender",
    "restore_enquiry",
    "retry_job",
    "save_view",
    "snooze_enquiry",
    "type_in_enquiry",
    "undo_change",
    "undo_changes",
    "wait_enquiry",
    "wake_enquiries",
]
