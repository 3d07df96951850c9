"""Background work of the CRM: imports."""

import datetime as dt
from uuid import UUID

from consult.accounts import queries as accounts
from consult.core import queue
from consult.crm import services


@queue.job("crm.check_rows", retry=False)
def check_rows(*, agency_id: int, import_id: str) -> None:
    """Not tried again by itself when it fails: its page says why. A killed worker's runs again."""
    services.check_rows(agency_id=agency_id, import_id=UUID(import_id))


@queue.job("crm.run_import", retry=False)
def run_import(*, agency_id: int, import_id: str) -> None:
    services.run_import(agency_id=agency_id, import_id=UUID(import_id))


@queue.job("crm.take_back", retry=False)
def take_back(*, agency_id: int, import_id: str) -> None:
    services.take_back(agency_id=agency_id, import_id=UUID(import_id))


@queue.periodic("crm.forget_imports", "50 3 * * *")
def forget_imports() -> None:
    """Forget what stood where before old imports, abandoned ones, and files that nobody names."""
    now = dt.datetime.now(dt.UTC)
    for agency_id, _slug, _name in accounts.agencies():
        services.forget_imports(agency_id=agency_id, now=now)
    services.sweep_imports(now=now)
