"""The one door to business data."""

import threading

import pytest
from django.db import DatabaseError, connection, transaction

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import models as crm_models
from consult.crm import services as crm


def setting() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('consult.agency', true), '')")
        return str(cursor.fetchone()[0])


def names() -> set[str]:
    return set(crm_models.Client.objects.values_list("name", flat=True))


def lose(agency_id: int) -> None:
    """Write something and fail."""
    with tenancy.agency(agency_id):
        crm.ensure_client(agency_id=agency_id, name="Lost")
        raise ZeroDivisionError


def test_inside_and_outside(database: Database, cast: Cast) -> None:
    assert tenancy.current() is None
    with tenancy.agency(cast.a):
        assert (tenancy.current(), setting()) == (cast.a, str(cast.a))
        assert connection.in_atomic_block
    assert (tenancy.current(), setting()) == (None, "")
    assert not connection.in_atomic_block


def test_it_is_one_transaction(database: Database, cast: Cast) -> None:
    with pytest.raises(ZeroDivisionError):
        lose(cast.a)
    assert database.ask("SELECT name FROM crm_client") == []
    assert tenancy.current() is None


def test_inside_the_same_agency_it_is_a_savepoint(database: Database, cast: Cast) -> None:
    with tenancy.agency(cast.a):
        crm.ensure_client(agency_id=cast.a, name="Kept")
        with pytest.raises(ZeroDivisionError):
            lose(cast.a)
        assert names() == {"Kept"}
        assert (tenancy.current(), setting()) == (cast.a, str(cast.a))
    assert database.ask("SELECT name FROM crm_client") == [("Kept",)]


def test_another_agency_is_refused_and_does_no_harm(database: Database, cast: Cast) -> None:
    with tenancy.agency(cast.a):
        with pytest.raises(tenancy.WrongAgency):
            crm.ensure_client(agency_id=cast.b, name="Foreign")
        crm.ensure_client(agency_id=cast.a, name="Own")
    assert database.ask("SELECT agency_id, name FROM crm_client") == [(cast.a, "Own")]


def test_it_is_the_outermost_transaction(database: Database, cast: Cast) -> None:
    """Otherwise “committed” would not be true when the block ends."""
    with transaction.atomic(), pytest.raises(RuntimeError), tenancy.agency(cast.a):
        pass
    assert tenancy.current() is None


def test_inside_a_tests_transaction_nothing_outlives_the_block(database: Database, cast: Cast) -> None:
    """SET LOCAL outlives a savepoint; Django's TestCase runs everything in one transaction."""
    outer = transaction.atomic()
    outer._from_testcase = True  # type: ignore[attr-defined]
    with outer:
        with tenancy.agency(cast.a):
            crm.ensure_client(agency_id=cast.a, name="One")
        assert setting() == ""
        with tenancy.agency(cast.b):
            assert names() == set()
        with pytest.raises(DatabaseError), transaction.atomic():
            names()


def test_threads_are_apart(database: Database, cast: Cast) -> None:
    seen: list[int | None] = []
    with tenancy.agency(cast.a):
        other = threading.Thread(target=lambda: seen.append(tenancy.current()))
        other.start()
        other.join()
        assert tenancy.current() == cast.a
    assert seen == [None]


def test_only_a_number_is_an_agency(database: Database, cast: Cast) -> None:
    for bad in ("1'; DROP TABLE crm_client; --", "", None):
        with pytest.raises((TypeError, ValueError)), tenancy.agency(bad):  # type: ignore[arg-type]
            pass
        assert tenancy.current() is None
    with tenancy.agency(4711):
        assert names() == set()
