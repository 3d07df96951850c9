"""Background work of accounts."""

import datetime as dt

from consult.accounts import queries, services
from consult.core import queue


@queue.periodic("accounts.tend_keys", "*/10 * * * *")
def tend_keys() -> None:
    """Rotate the signing keys when it is time, and forget those that nothing needs any more."""
    services.tend_keys(now=dt.datetime.now(dt.UTC))


@queue.periodic("accounts.forget_grants", "20 3 * * *")
def forget_grants() -> None:
    """Delete codes, refresh tokens and sign-ins of programs that are long over."""
    now = dt.datetime.now(dt.UTC)
    for agency_id, _slug, _name in queries.agencies():
        services.forget_grants(agency_id=agency_id, now=now)


@queue.periodic("accounts.forget_unverified", "40 3 * * *")
def forget_unverified() -> None:
    """Delete sign-ups that nobody has verified."""
    services.forget_unverified(now=dt.datetime.now(dt.UTC))
