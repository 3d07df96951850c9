"""The one door to business data: a transaction that the database lets see a single agency."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection, transaction

_current: ContextVar[int | None] = ContextVar("consult_agency", default=None)


class WrongAgency(Exception):
    """Code already inside one agency tried to enter another."""


def current() -> int | None:
    """Return the id of the agency that this code is inside, or None."""
    return _current.get()


@contextmanager
def agency(agency_id: int) -> Iterator[None]:
    """Run the block in one transaction in which row-level security shows `agency_id` alone.

    Inside the same agency it is a savepoint; inside another it raises WrongAgency. Nothing slow
    (HTTP, mail) belongs into the block: it holds a transaction open.
    """
    inside = _current.get()
    if inside is not None:
        if inside != agency_id:
            raise WrongAgency(f"already inside agency {inside}")
        with transaction.atomic():
            yield
        return
    nested = connection.in_atomic_block
    with transaction.atomic(durable=True):
        _set(str(int(agency_id)))
        token = _current.set(agency_id)
        try:
            yield
        finally:
            _current.reset(token)
        if nested:
            # Only a test's outer transaction gets here; SET LOCAL would outlive this savepoint.
            _set("")


def _set(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL consult.agency = %s", [value])
