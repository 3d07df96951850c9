"""Background work of accounts: invitations, exports, an agency's end, keys and sign-ins of programs."""

import datetime as dt
from collections.abc import Callable
from uuid import UUID

from consult.accounts import queries, services
from consult.core import queue


@queue.job("accounts.send_invitation")
def send_invitation(*, agency_id: int, invitation_id: str) -> None:
    services.send_invitation(agency_id=agency_id, invitation_id=UUID(invitation_id))


@queue.job("accounts.tell_owners")
def tell_owners(*, agency_id: int, member_id: str, by: str) -> None:
    """One for each owner, so that one mail that fails repeats no other."""
    services.tell_owners(agency_id=agency_id, member_id=UUID(member_id), by=UUID(by))


@queue.job("accounts.build_export", retry=False)
def build_export(*, agency_id: int, export_id: str) -> None:
    """Not tried again by itself when it fails: its page says why, and offers it. A killed worker's runs again."""
    services.build_export(agency_id=agency_id, export_id=UUID(export_id))


@queue.periodic("accounts.find_due", "*/10 * * * *")
def find_due() -> None:
    """Agencies whose time of grace is over, and exports that nobody may have any more: a job for each agency."""
    for agency_id, what in services.due(now=dt.datetime.now(dt.UTC)):
        job = "accounts.delete_agency" if what == "close" else "accounts.delete_expired_exports"
        queue.enqueue(job, agency_id=agency_id)


@queue.job("accounts.delete_agency")
def delete_agency(*, agency_id: int) -> None:
    services.delete_agency(agency_id=agency_id, now=dt.datetime.now(dt.UTC))


@queue.job("accounts.delete_expired_exports")
def delete_expired_exports(*, agency_id: int) -> None:
    services.delete_expired_exports(agency_id=agency_id, now=dt.datetime.now(dt.UTC))


@queue.job("accounts.remove_files")
def remove_files(*, of: int) -> None:
    """Of no agency: the one whose files they were is gone."""
    services.remove_files(of=of)


@queue.periodic("accounts.sweep_logos", "40 3 * * *")
def sweep_logos() -> None:
    services.sweep_logos(now=dt.datetime.now(dt.UTC))


@queue.periodic("accounts.sweep_idempotency_keys", "23 * * * *")
def sweep_idempotency_keys() -> None:
    _in_each_agency(services.sweep_idempotency_keys)


@queue.periodic("accounts.tend_keys", "*/10 * * * *")
def tend_keys() -> None:
    """Rotate the signing keys when it is time, and forget those that nothing needs any more."""
    services.tend_keys(now=dt.datetime.now(dt.UTC))


@queue.periodic("accounts.forget_grants", "20 3 * * *")
def forget_grants() -> None:
    """Delete codes, refresh tokens and sign-ins of programs that are long over."""
    _in_each_agency(services.forget_grants)


def _in_each_agency(tidy: Callable[..., object]) -> None:
    now = dt.datetime.now(dt.UTC)
    for agency_id, _slug, _name in queries.agencies():
        tidy(agency_id=agency_id, now=now)


@queue.periodic("accounts.forget_unverified", "40 3 * * *")
def forget_unverified() -> None:
    """Delete sign-ups that nobody has verified."""
    services.forget_unverified(now=dt.datetime.now(dt.UTC))


@queue.job("accounts.mail_notifications")
def mail_notifications(*, agency_id: int, member_id: str) -> None:
    services.mail_notifications(agency_id=agency_id, member_id=UUID(member_id), now=dt.datetime.now(dt.UTC))


@queue.job("accounts.mail_digest")
def mail_digest(*, agency_id: int, member_id: str) -> None:
    services.mail_digest(agency_id=agency_id, member_id=UUID(member_id), now=dt.datetime.now(dt.UTC))


@queue.periodic("accounts.start_digests", "*/10 * * * *")
def start_digests() -> None:
    """It is morning somewhere: those whom it is get one e-mail of what they want to hear of daily."""
    now = dt.datetime.now(dt.UTC)
    for agency_id in queries.agencies_with_digests(now - services.LOST_AFTER):
        services.start_digests(agency_id=agency_id, now=now)


@queue.periodic("accounts.forget_notifications", "40 3 * * *")
def forget_notifications() -> None:
    now = dt.datetime.now(dt.UTC)
    for agency_id, _slug, _name in queries.agencies():
        services.forget_old(agency_id=agency_id, now=now)
