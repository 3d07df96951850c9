"""Contacts: who is listed, found and filtered, page by page."""

import re
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import services
from consult.crm.tests.conftest import Known


def fill(database: Database, agency_id: int, count: int, *, same_name: bool = False) -> None:
    database.ask(
        "INSERT INTO crm_contact (id, agency_id, created_at, name, normal_name, search, job_title, custom, version)"
        " SELECT gen_random_uuid(), %s, now(), name, name, name, '', '{}', 1"
        " FROM (SELECT CASE WHEN %s THEN 'same' ELSE 'person ' || lpad(n::text, 4, '0') END AS name"
        " FROM generate_series(1, %s) n) t",
        [agency_id, same_name, count],
    )


def names(client: Client, query: str = "", slug: str = "a") -> list[str]:
    answer = client.get(f"/{slug}/contacts/{query}")
    assert answer.status_code == 200
    return re.findall(r"data-open>([^<]+)</a>", answer.content.decode())


def test_it_lists_by_name_and_links(cast: Cast, known: Known) -> None:
    services.create_contact(agency_id=cast.a, name="Zoë", by=None)
    services.create_contact(agency_id=cast.a, name="", emails=["bee@x.example"], by=None)
    assert names(cast.vera.client) == ["Ann Müller", "bee@x.example", "Zoë"]
    text = cast.vera.client.get("/a/contacts/").content.decode()
    for shown in (f'href="/a/contacts/{known.contact_id}/"', "ann@rosa.example", "Rosa GmbH"):
        assert shown in text
    # Who only reads is shown no way to write.
    assert "/contacts/new/" not in text
    assert "/contacts/new/" in cast.bob.client.get("/a/contacts/").content.decode()
    assert names(cast.charlie.client, slug="b") == []


def test_search_finds_by_everything_that_is_shown(cast: Cast, known: Known) -> None:
    services.create_contact(agency_id=cast.a, name="Other", by=None, emails=["o@other.example"])
    for text in (
        "ann",
        "MULLER",
        "müller",
        "rosa.ex",
        "ann@gmail.com",
        "rosa gmbh",
        "7946 0000",
        "+44 20 7946",
        "02079460000",
    ):
        assert names(cast.vera.client, f"?find={quote(text)}") == ["Ann Müller"], text
    for text in ("zebra", "100%", "a_n", "'; --", "\\", "x" * 3000):
        assert names(cast.vera.client, f"?find={quote(text)}") == [], text
    assert names(cast.vera.client, "?find=%00ann") == ["Ann Müller"]


def test_filters_narrow(cast: Cast, known: Known) -> None:
    client_id = services.ensure_client(agency_id=cast.a, name="Roastery")
    other = services.create_contact(agency_id=cast.a, name="Ben", by=None, client_id=client_id)
    services.set_labels(agency_id=cast.a, place="contact", id=other, names=["VIP"], by=None)
    with tenancy.agency(cast.a):
        [label_id] = services_labels(cast.a)
    bob = cast.bob.client
    assert names(bob, f"?label={label_id}") == ["Ben"]
    assert names(bob, f"?client={client_id}") == ["Ben"]
    assert names(bob, f"?company={known.company_id}") == ["Ann Müller"]
    assert names(bob, f"?company={known.company_id}&label={label_id}") == []
    # An unreadable filter is none.
    assert names(bob, "?label=x&client=&company=1") == ["Ann Müller", "Ben"]


def services_labels(agency_id: int) -> list[str]:
    from consult.crm import queries

    return [str(id) for id in queries.labels(agency_id)]


@pytest.mark.parametrize("same_name", [False, True])
def test_pages_hold_everybody_once(database: Database, cast: Cast, same_name: bool) -> None:
    fill(database, cast.a, 107, same_name=same_name)
    seen: list[str] = []
    query = "?label="
    for expected in (50, 50, 7):
        text = cast.bob.client.get(f"/a/contacts/{query}").content.decode()
        rows = re.findall(r'id="contact-([0-9a-f-]{36})"', text)
        assert len(rows) == expected
        seen += rows
        more = re.search(r'href="(\?[^"]*after=[^"]+)"', text)
        query = more[1].replace("&amp;", "&") if more else ""
    assert query == ""
    assert len(set(seen)) == 107


def test_an_unreadable_cursor_is_the_first_page(database: Database, cast: Cast) -> None:
    fill(database, cast.a, 2)
    for cursor in ("x", "é", "%00", "=" * 9, "W10", "WzEsMl0", "WyJhIiwieCJd", "e30", "bnVsbA", "W" * 4000):
        assert len(names(cast.bob.client, f"?after={cursor}")) == 2, cursor


def test_the_number_of_queries_does_not_grow(database: Database, cast: Cast, known: Known) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            cast.bob.client.get("/a/contacts/")
        return len(asked)

    few = count()
    for number in range(20):
        made = services.create_contact(
            agency_id=cast.a, name=f"N{number}", by=None, company_name=f"C{number}", emails=[f"{number}@x.example"]
        )
        services.set_labels(agency_id=cast.a, place="contact", id=made, names=[f"L{number}"], by=None)
    assert count() <= few + 2
    assert few <= 18
