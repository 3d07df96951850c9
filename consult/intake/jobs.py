"""Background work of intake: the conservation count, its alarm, forgetting addresses, sweeping files."""

import datetime as dt
from uuid import UUID

from consult.accounts import queries as accounts
from consult.core import queue
from consult.intake import services


@queue.periodic("intake.check_conservation", "*/5 * * * *")
def check_conservation() -> None:
    now = dt.datetime.now(dt.UTC)
    for agency_id, _slug, _name in accounts.agencies():
        services.check_conservation(agency_id=agency_id, now=now)


@queue.job("intake.tell_attention")
def tell_attention(*, agency_id: int, member_id: str, confirmed: int, waiting: int, set_aside: int) -> None:
    services.tell_attention(
        agency_id=agency_id, member_id=UUID(member_id), confirmed=confirmed, waiting=waiting, set_aside=set_aside
    )


@queue.job("intake.tell_forms")
def tell_forms(*, agency_id: int, member_id: str, forms: list[tuple[str, str, int]]) -> None:
    services.tell_forms(agency_id=agency_id, member_id=UUID(member_id), forms=forms)


@queue.periodic("intake.forget_addresses", "17 3 * * *")
def forget_addresses() -> None:
    services.forget_addresses(now=dt.datetime.now(dt.UTC))


@queue.periodic("intake.sweep_files", "20 3 * * *")
def sweep_files() -> None:
    services.sweep_files(now=dt.datetime.now(dt.UTC))
