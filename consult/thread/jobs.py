"""Background work across features: erasures, a person's export, what forms keep no longer."""

import datetime as dt
from uuid import UUID

from consult.accounts import queries as accounts
from consult.core import queue
from consult.thread.services import erasure, person_export, retention


@queue.job("thread.erase_person")
def erase_person(*, agency_id: int, erasure_id: str, about: str, reason: str, by: str) -> None:
    erasure.carry_out(
        agency_id=agency_id,
        erasure_id=UUID(erasure_id),
        about=about,
        reason=reason,
        by=UUID(by) if by else None,
        now=dt.datetime.now(dt.UTC),
    )


@queue.job("thread.remove_files")
def remove_files(*, agency_id: int, locations: list[str]) -> None:
    erasure.remove_files(locations)


@queue.job("thread.build_person_export", retry=False)
def build_person_export(*, agency_id: int, export_id: str) -> None:
    """Not tried again by itself when it fails: its page says why. A killed worker's runs again."""
    person_export.build_person_export(agency_id=agency_id, export_id=UUID(export_id))


@queue.periodic("thread.apply_retention", "50 2 * * *")
def apply_retention() -> None:
    """A job for each agency, so that one that fails holds up no other."""
    for agency_id, _slug, _name in accounts.agencies():
        queue.enqueue("thread.apply_retention_of", agency_id=agency_id)


@queue.job("thread.apply_retention_of")
def apply_retention_of(*, agency_id: int) -> None:
    retention.apply_retention(agency_id=agency_id, now=dt.datetime.now(dt.UTC))
