"""The mailbox from which an agency's mail is fetched: connected, tried, given up."""

import datetime as dt
from uuid import UUID

from django.conf import settings

from consult.accounts import services as accounts
from consult.core import encryption, imap, live, queue, tenancy
from consult.inbox import models, queries, rules

# Beside the kinds of core.imap: ours.
MAILBOX_ERRORS = (*imap.KINDS, "storage", "left", "password", "unexpected")
BOUND_TO = "inbox_mailbox.password_sealed/{}"
LONGEST_WAIT = dt.timedelta(minutes=30)


class NoMailbox(Exception):
    """The agency has connected no mailbox."""


class NoPassword(Exception):
    """A new mailbox, or one at another place, needs its password."""


class BadMailbox(ValueError):
    """A value that no mailbox has; the message names the field."""


def connect_mailbox(
    *,
    agency_id: int,
    address: str,
    plus: bool,
    host: str,
    port: int,
    security: str,
    user: str,
    password: str,
    folder: str,
    by: UUID | None,
    now: dt.datetime,
) -> UUID:
    """Keep where the mailbox is, and have it tried at once; what comes of that stands with it.

    Mail is fetched that arrives from now on. An empty password keeps the one that is there, for the same host and user:
    else whoever changes the host would be sent it. Raise NoPassword, BadMailbox.
    """
    _check(address, host, port, security, user, password, folder)
    with tenancy.agency(agency_id):
        mailbox = models.Mailbox.objects.select_for_update().filter(agency_id=agency_id).first()
        known = mailbox is not None
        if mailbox is None:
            mailbox = models.Mailbox(agency_id=agency_id)
        place, before = (host, port, security, user), (mailbox.host, mailbox.port, mailbox.security, mailbox.user)
        if not password and (not known or place != before):
            raise NoPassword
        if not known or (host, user, folder) != (mailbox.host, mailbox.user, mailbox.folder):
            # Another folder counts its mails by itself.
            mailbox.uid_validity, mailbox.last_uid, mailbox.left_uids = None, 0, []
            mailbox.since_date, mailbox.connected_at, mailbox.checked_at, mailbox.fetched = None, now, None, 0
        mailbox.address, mailbox.plus, mailbox.folder = address, plus, folder
        mailbox.host, mailbox.port, mailbox.security, mailbox.user = place
        if password:
            mailbox.password_sealed = encryption.seal(password.encode(), bound_to=BOUND_TO.format(mailbox.id))
        mailbox.error, mailbox.failed_at, mailbox.fails, mailbox.next_at = "", None, 0, now
        mailbox.busy_until = None
        mailbox.save()
        queue.enqueue("inbox.fetch_mails")
        accounts.record(
            "inbox.connect_mailbox",
            agency_id=agency_id,
            by=by,
            subject_id=mailbox.id,
            data={"host": host, "port": port},
        )
    return mailbox.id


def _check(address: str, host: str, port: int, security: str, user: str, password: str, folder: str) -> None:
    texts = {"address": address, "host": host, "user": user, "password": password, "folder": folder}
    for name, text in texts.items():
        # A line break would end a command of IMAP's and begin another one.
        if len(text) > 320 or any(not sign.isprintable() for sign in text):
            raise BadMailbox(name)
    if rules.clean_address(address) != address:
        raise BadMailbox("address")
    if not rules.is_host(host):
        raise BadMailbox("host")
    if not 1 <= port <= 65535:
        raise BadMailbox("port")
    if security not in models.SECURITY:
        raise BadMailbox("security")
    if not user:
        raise BadMailbox("user")
    if not folder or len(folder) > 200:
        raise BadMailbox("folder")


def disconnect_mailbox(*, agency_id: int, by: UUID | None) -> None:
    """Forget the mailbox and its password; what was fetched stays. Raise NoMailbox."""
    with tenancy.agency(agency_id):
        mailbox = _locked(agency_id)
        accounts.record("inbox.disconnect_mailbox", agency_id=agency_id, by=by, subject_id=mailbox.id)
        mailbox.delete()


def check_mailbox(*, agency_id: int, now: dt.datetime) -> None:
    """Have the mailbox looked into at once, whatever its next time is. Raise NoMailbox."""
    with tenancy.agency(agency_id):
        mailbox = _locked(agency_id)
        mailbox.next_at = now
        mailbox.save(update_fields=["next_at"])
        queue.enqueue("inbox.fetch_mails")


def _locked(agency_id: int) -> models.Mailbox:
    found = models.Mailbox.objects.select_for_update().filter(agency_id=agency_id).first()
    if found is None:
        raise NoMailbox
    return found


def renew_hook(*, agency_id: int, by: UUID | None, now: dt.datetime) -> None:
    """Give the agency's hook another secret; the one before it is believed for queries.HOOK_OVERLAP."""
    with tenancy.agency(agency_id):
        first = models.Hook(agency_id=agency_id, generation=0, renewed_at=now)
        models.Hook.objects.bulk_create([first], ignore_conflicts=True)
        hook = models.Hook.objects.select_for_update().get(agency_id=agency_id)
        hook.generation, hook.renewed_at = hook.generation + 1, now
        hook.save()
        accounts.record("inbox.renew_hook", agency_id=agency_id, by=by, subject_id=hook.id)


def most_bytes() -> int:
    """Return how large a mail may be to be fetched whole."""
    return int(settings.CONSULT_MAIL_LIMIT_BYTES)


# --- told by the job ------------------------------------------------------------------------------------------------


def failed(read: models.Mailbox, *, error: str, now: dt.datetime) -> None:
    """Write down that it could not be read, and wait longer each time: servers lock out who keeps on trying."""
    with tenancy.agency(read.agency_id):
        mailbox = _still(read)
        if mailbox is None:
            return
        mailbox.error, mailbox.failed_at, mailbox.busy_until = error, mailbox.failed_at or now, None
        mailbox.next_at = now + min(dt.timedelta(minutes=2 ** min(mailbox.fails, 5)), LONGEST_WAIT)
        mailbox.fails += 1
        mailbox.save(update_fields=["error", "failed_at", "busy_until", "next_at", "fails"])
        live.nudge(kind="mailbox", id=mailbox.id)


def done(read: models.Mailbox, *, more: bool, now: dt.datetime) -> None:
    """Write down that it was read; `more`: not to its end, so that it goes on at once."""
    with tenancy.agency(read.agency_id):
        mailbox = _still(read)
        if mailbox is None:
            return
        news = mailbox.checked_at is None or mailbox.error
        mailbox.checked_at, mailbox.busy_until, mailbox.fails = now, None, 0
        # Some mails the server lists and does not hand out: they are asked for again each time.
        left = bool(mailbox.left_uids)
        mailbox.error, mailbox.failed_at = ("left", mailbox.failed_at or now) if left else ("", None)
        mailbox.next_at = now if more else now + queries.FETCH_EVERY
        if not more:
            mailbox.since_date = None
        mailbox.save()
        if more:
            queue.enqueue("inbox.fetch_mails")
        if news:
            live.nudge(kind="mailbox", id=mailbox.id)


def _still(read: models.Mailbox) -> models.Mailbox | None:
    """Return the mailbox that was read, locked; None when it was disconnected meanwhile, or is another one now."""
    found = models.Mailbox.objects.select_for_update().filter(
        agency_id=read.agency_id, id=read.id, connected_at=read.connected_at
    )
    return found.first()
