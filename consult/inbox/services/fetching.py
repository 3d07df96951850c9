"""Mail fetched from a mailbox: each stored as it came before it counts as fetched, so that none is lost or doubled."""

import datetime as dt
import time

import structlog

from consult.core import encryption, files, imap, tenancy
from consult.inbox import models
from consult.inbox.services import incoming, mailboxes

log = structlog.get_logger("consult.inbox")

# Of one run, which another one follows where there is more: a mailbox that nobody read for days takes several.
RUN_SECONDS, MOST_A_RUN = 150, 200
# The run of a killed worker is taken for over after that.
LEASE = dt.timedelta(seconds=RUN_SECONDS + 60)
MOST_LEFT = 100


def fetch_mails(*, agency_id: int, now: dt.datetime) -> None:
    """Store what is new in the agency's mailbox; nothing when it has none, or when a run is under way."""
    mailbox = _begin(agency_id, now)
    if mailbox is None:
        return
    error = "unexpected"
    try:
        account = imap.Account(
            mailbox.host, mailbox.port, mailbox.security, mailbox.user, _password(mailbox), mailbox.folder
        )
        with imap.opened(account, seconds=RUN_SECONDS) as folder:
            more = _read(mailbox, folder)
        error = ""
    except imap.Failed as failure:
        error = str(failure)
    except files.Away:
        error = "storage"
    except encryption.CannotOpen:
        error = "password"
    finally:
        after = dt.datetime.now(dt.UTC)
        if error:
            log.warning("mailbox not read", reason=error)
            mailboxes.failed(mailbox, error=error, now=after)
    if not error:
        mailboxes.done(mailbox, more=more, now=after)


def _begin(agency_id: int, now: dt.datetime) -> models.Mailbox | None:
    """Return the mailbox, taken for this run; None when there is none, it is not due, or another run has it."""
    with tenancy.agency(agency_id):
        mailbox = models.Mailbox.objects.select_for_update().filter(agency_id=agency_id, next_at__lte=now).first()
        if mailbox is None or (mailbox.busy_until and mailbox.busy_until > now):
            return None
        mailbox.busy_until = now + LEASE
        mailbox.save(update_fields=["busy_until"])
    return mailbox


def _password(mailbox: models.Mailbox) -> str:
    sealed, bound_to = mailbox.password_sealed, mailboxes.BOUND_TO.format(mailbox.id)
    return encryption.open_sealed(sealed, bound_to=bound_to).decode()


def _read(mailbox: models.Mailbox, folder: imap.Folder) -> bool:
    """Store the new mails of an open folder, oldest first. Return whether there are more. Raise imap.Failed, Away."""
    end = time.monotonic() + RUN_SECONDS * 0.8
    if mailbox.uid_validity is None:
        # What was there before it was connected is nobody's enquiry.
        _advance(mailbox, validity=folder.validity, last_uid=folder.next_uid - 1, left_uids=[])
    elif mailbox.uid_validity != folder.validity:
        # Every mail has another number now. Those that were fetched are known by their bytes.
        since = mailbox.connected_at.date() - dt.timedelta(days=1)
        _advance(mailbox, validity=folder.validity, last_uid=0, left_uids=[], since=since)
    fresh = folder.uids(mailbox.last_uid, since=mailbox.since_date)
    for count, uid in enumerate((*mailbox.left_uids, *fresh)):
        if count >= MOST_A_RUN or time.monotonic() > end:
            return True
        try:
            kept = _fetch(mailbox, folder, uid)
            left = [each for each in mailbox.left_uids if each != uid]
        except imap.NotGiven:
            if len(mailbox.left_uids) >= MOST_LEFT:
                raise imap.Failed("protocol") from None
            kept, left = 0, sorted({*mailbox.left_uids, uid})
        _advance(mailbox, last_uid=max(uid, mailbox.last_uid), left_uids=left, fetched=mailbox.fetched + kept)
    return False


def _fetch(mailbox: models.Mailbox, folder: imap.Folder, uid: int) -> int:
    """Store one mail; return how many are new by it. Raise imap.Failed, imap.NotGiven, files.Away."""
    size = folder.size(uid)
    if size is None:
        return 0  # moved or deleted meanwhile
    large = size > mailboxes.most_bytes()
    # A server may count the ends of lines otherwise than it sends them.
    raw = folder.head(uid) if large else folder.read(uid, most=mailboxes.most_bytes() * 2)
    if raw is None:
        return 0
    kept = incoming.keep_mail(hook_agency_id=mailbox.agency_id, raw=raw, reason="too_large" if large else "", any=True)
    return 0 if kept.known else 1


def _advance(
    mailbox: models.Mailbox,
    *,
    last_uid: int,
    left_uids: list[int],
    validity: int | None = None,
    since: dt.date | None = None,
    fetched: int | None = None,
) -> None:
    """Write down how far it came, after what was stored is committed: who dies before stores the same again."""
    values = {"last_uid": last_uid, "left_uids": left_uids, "fetched": mailbox.fetched if fetched is None else fetched}
    if validity is not None:
        values |= {"uid_validity": validity, "since_date": since}
    with tenancy.agency(mailbox.agency_id):
        # Connected to another folder meanwhile: then these numbers say nothing about it.
        models.Mailbox.objects.filter(
            agency_id=mailbox.agency_id, id=mailbox.id, connected_at=mailbox.connected_at
        ).update(**values)
    for name, value in values.items():
        setattr(mailbox, name, value)
