"""One contact, one company and one deal of agency A."""

import dataclasses
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from conftest import Cast, Database
from consult.crm import services


@dataclasses.dataclass(frozen=True)
class Known:
    """Ann Müller (ann@rosa.example) of Rosa GmbH, and the deal “New shop” of EUR 4,800 with her."""

    contact_id: uuid.UUID
    company_id: uuid.UUID
    deal_id: uuid.UUID


@pytest.fixture
def known(database: Database, cast: Cast) -> Known:
    common: dict[str, Any] = {"agency_id": cast.a, "by": cast.bob.member_id}
    company_id = services.create_company(name="Rosa GmbH", website="https://rosa.example", **common)
    contact_id = services.create_contact(
        name="Ann Müller",
        emails=["ann@rosa.example", "ann@gmail.com"],
        phones=["+44 20 7946 0000"],
        company_id=company_id,
        **common,
    )
    deal_id = services.create_deal(title="New shop", contact_id=contact_id, value_minor=480_000, **common)
    return Known(contact_id, company_id, deal_id)


def at_once(*work: Callable[[], object]) -> list[object]:
    """Do all of it at the same time, each with a connection of its own; return results and exceptions."""
    start, results = threading.Barrier(len(work)), list[object]()

    def run(each: Callable[[], object]) -> None:
        try:
            connection.ensure_connection()
            start.wait()
            results.append(each())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(each,)) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def refused(cast: Cast, path: str, data: dict[str, str] | None = None) -> list[int]:
    """Return what Vera (who may only read), Charlie (a stranger) and nobody get for a POST to /a/…."""
    everybody = (cast.vera.client, cast.charlie.client, cast.stranger)
    return [client.post(f"/a/{path}", data or {}).status_code for client in everybody]


NOT_ALLOWED = [403, 404, 302]


def audit(database: Database, action: str) -> list[Any]:
    """Return (by, subject) of an action's audit rows."""
    return database.ask(
        "SELECT by_id, subject_id FROM accounts_audit WHERE action = %s ORDER BY created_at, id", [action]
    )
