"""Background work of accounts."""

import datetime as dt

from consult.accounts import queries, services
from consult.core import queue


@queue.periodic("accounts.sweep_idempotency_keys", "23 * * * *")
def sweep_idempotency_keys() -> None:
    now = dt.datetime.now(dt.UTC)
    for agency_id, _slug, _name in queries.agencies():
        services.sweep_idempotency_keys(agency_id=agency_id, now=now)
