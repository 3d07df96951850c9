"""The housekeeping of core itself."""

import datetime as dt

from consult.core import kv, queue


@queue.periodic("core.forget_expired_values", cron="*/10 * * * *")
def forget_expired_values() -> None:
    """Delete the short-lived values whose time is over."""
    kv.forget_expired(now=dt.datetime.now(dt.UTC))
