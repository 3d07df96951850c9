"""An enquiry becomes a contact, a company and a deal: all of it or nothing, and each once."""

import datetime as dt
import re
import threading
import uuid
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import queries as crm_queries
from consult.crm import services as crm
from consult.inbox import services

URL = "/a/inbox/1/convert/"
NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
SENT = (
    ("name", "Ann Smith"),
    ("email", "ann@visitor.example"),
    ("phone", "+44 20 7946 0000"),
    ("company", "Visitor Ltd"),
    ("subject", "A new website"),
    ("message", "By May, please"),
)
ALL = {
    "contact": "new", "contact_name": "Ann Smith", "email": "ann@visitor.example", "phone": "+44 20 7946 0000",
    "company": "new", "company_name": "Visitor Ltd", "deal": "on", "deal_title": "A new website",
}  # fmt: skip
PLAN = services.Plan(
    contact_name="Ann Smith", email="ann@visitor.example", company_name="Visitor Ltd", deal_title="A new website"
)


@pytest.fixture
def sent(database: Database, cast: Cast) -> UUID:
    submission_id, _outcome = database.submit(cast.key_a, *SENT)
    services.receive_submissions(agency_id=cast.a, submission_ids=[submission_id])
    return submission_id


def made(database: Database) -> tuple[int, int, int]:
    [found] = database.ask(
        "SELECT (SELECT count(*) FROM crm_contact), (SELECT count(*) FROM crm_company), (SELECT count(*) FROM crm_deal)"
    )
    return tuple(found)


def links(database: Database, number: int = 1) -> Any:
    return database.ask("SELECT contact_id, company_id, deal_id FROM inbox_enquiry WHERE number = %s", [number])[0]


def test_the_preview_says_what_will_be(database: Database, cast: Cast, sent: UUID) -> None:
    text = cast.bob.client.get(URL).content.decode()
    for value in ("Ann Smith", "ann@visitor.example", "+44 20 7946 0000", "Visitor Ltd", "A new website"):
        assert f'value="{value}"' in text, value
    assert re.search(r'name="contact" value="new" checked', text)
    assert made(database) == (0, 0, 0)


def test_it_works(database: Database, cast: Cast, sent: UUID) -> None:
    assert cast.bob.client.post(URL, ALL)["Location"] == "/a/inbox/1/?converted=2"
    contact_id, company_id, deal_id = links(database)
    with tenancy.agency(cast.a):
        contact = crm_queries.contact(cast.a, contact_id)
        deal = crm_queries.deal(cast.a, deal_id)
        lines = crm_queries.timeline(cast.a, contact_id=contact_id).lines
    assert (contact.name, contact.email, contact.company_id) == ("Ann Smith", "ann@visitor.example", company_id)
    assert (deal.title, deal.contact_id, deal.company_id) == ("A new website", contact_id, company_id)
    # Each carries where it came from.
    for table in ("crm_contact", "crm_company", "crm_deal"):
        assert database.ask(f"SELECT origin_submission_id FROM {table}") == [(sent,)]  # noqa: S608
    assert {line.kind for line in lines} >= {"inbox.open_enquiry", "inbox.convert_enquiry", "crm.create_contact"}
    # The enquiry leads to all three, and each page leads back.
    page = cast.vera.client.get("/a/inbox/1/").content.decode()
    assert "converted it" in page
    for kind, id in (("contacts", contact_id), ("companies", company_id), ("deals", deal_id)):
        assert f'href="/a/{kind}/{id}/"' in page
        assert "/a/inbox/1/" in cast.vera.client.get(f"/a/{kind}/{id}/").content.decode(), kind


def test_a_contact_that_is_known_is_offered_with_its_evidence(database: Database, cast: Cast, sent: UUID) -> None:
    known = crm.create_contact(agency_id=cast.a, name="Ann S.", by=None, emails=["ann+news@visitor.example"])
    company_id = crm.create_company(agency_id=cast.a, name="Visitor Ltd", by=None)
    text = cast.bob.client.get(URL).content.decode()
    assert re.search(rf'name="contact" value="{known}" checked', text)
    assert "same e-mail" in text
    assert re.search(rf'name="company" value="{company_id}" checked', text)
    cast.bob.client.post(URL, {"contact": str(known), "company": str(company_id), "offered": "1"})
    assert made(database) == (1, 1, 0)
    assert links(database) == (known, company_id, None)
    with tenancy.agency(cast.a):
        assert crm_queries.contact(cast.a, known).company_id == company_id


def test_a_second_time_adds_what_is_missing(database: Database, cast: Cast, sent: UUID) -> None:
    cast.bob.client.post(URL, {"contact": "new", "contact_name": "Ann", "email": "ann@visitor.example"})
    before = links(database)
    assert before[1:] == (None, None)
    cast.alice.client.post(URL, {**ALL, "contact_name": "Somebody else"})
    assert made(database) == (1, 1, 1)
    assert links(database)[0] == before[0]
    answer = cast.bob.client.post(URL, ALL, follow=True)
    assert "nothing was doubled" in answer.content.decode()
    assert made(database) == (1, 1, 1)
    assert len(database.ask("SELECT 1 FROM accounts_audit WHERE action = 'inbox.convert_enquiry'")) == 2


def test_two_at_once_make_one(database: Database, cast: Cast, sent: UUID) -> None:
    start, outcomes = threading.Barrier(2), list[Any]()

    def run() -> None:
        try:
            connection.ensure_connection()
            start.wait()
            done = services.convert_enquiry(agency_id=cast.a, number=1, plan=PLAN, by=None, now=NOW)
            outcomes.append(done.version)
        except BaseException as error:
            outcomes.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=str) == [2, None]
    assert made(database) == (1, 1, 1)


def test_all_of_it_or_nothing(database: Database, cast: Cast, sent: UUID) -> None:
    """The company is made before the contact: when that fails, it is not there either."""
    plan = services.Plan(contact_name="x" * 300, company_name="Visitor", deal_title="A website")
    with pytest.raises(ValueError, match="name"):
        services.convert_enquiry(agency_id=cast.a, number=1, plan=plan, by=None, now=NOW)
    assert made(database) == (0, 0, 0)
    assert links(database) == (None, None, None)
    assert database.ask("SELECT count(*) FROM crm_event") == [(0,)]


def test_who_became_a_contact_meanwhile_is_not_doubled(database: Database, cast: Cast, sent: UUID) -> None:
    """Bob's page was made before Alice added the same person: he is shown who it is."""
    crm.create_contact(agency_id=cast.a, name="Ann", by=None, emails=["ann@visitor.example"])
    answer = cast.bob.client.post(URL, {**ALL, "offered": "0"})
    assert answer.status_code == 422
    assert "became a contact just now" in answer.content.decode()
    assert made(database) == (1, 0, 0)
    # Who was shown them and wants another one all the same, gets it.
    cast.bob.client.post(URL, {**ALL, "offered": "1"})
    assert made(database)[0] == 2


def test_it_is_undone_by_unlinking(database: Database, cast: Cast, sent: UUID) -> None:
    page = cast.bob.client.post(URL, ALL, follow=True).content.decode()
    assert 'name="change" value="1:2"' in page
    assert cast.bob.client.post("/a/inbox/undo/", {"change": "1:2"})["Location"] == "/a/inbox/1/"
    assert links(database) == (None, None, None)
    assert made(database) == (1, 1, 1)


def test_a_merged_contact_is_the_one_that_it_is_now(database: Database, cast: Cast, sent: UUID) -> None:
    cast.bob.client.post(URL, {"contact": "new", "contact_name": "Ann", "email": "ann@visitor.example"})
    kept = crm.create_contact(agency_id=cast.a, name="Ann of old", by=None)
    crm.merge_contacts(agency_id=cast.a, keep_id=kept, alias_id=links(database)[0], take=(), by=None, now=NOW)
    assert f'href="/a/contacts/{kept}/"' in cast.vera.client.get("/a/inbox/1/").content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"contact": "x"},
        {"contact": str(uuid.uuid4())},
        {"company": str(uuid.uuid4())},
        {"contact": "new"},
        {"contact": "new", "contact_name": "Ann", "email": "nobody"},
        {"company": "new"},
        {"deal": "on"},
        {"contact": "new", "contact_name": "x" * 201},
    ],
)
def test_bad_input_makes_nothing(database: Database, cast: Cast, sent: UUID, wrong: dict[str, str]) -> None:
    answer = cast.bob.client.post(URL, wrong)
    assert answer.status_code == 422
    assert "Not saved yet" in answer.content.decode()
    assert made(database) == (0, 0, 0)


def test_another_agencys_contact_is_not_there(database: Database, cast: Cast, sent: UUID) -> None:
    foreign = crm.create_contact(agency_id=cast.b, name="Foreign", by=None)
    assert cast.bob.client.post(URL, {"contact": str(foreign)}).status_code == 422
    assert links(database) == (None, None, None)


def test_the_pages_that_are_open_hear_of_it(database: Database, cast: Cast, sent: UUID) -> None:
    with psycopg.connect(database.urls["consult_edge"], autocommit=True) as edge:
        edge.execute("LISTEN consult_live")
        cast.bob.client.post(URL, ALL)
        heard = {note.payload.split('"')[5] for note in edge.notifies(timeout=0.3, stop_after=9)}
    assert heard == {"enquiry", "contact", "company", "deal"}


def test_who_may_not(database: Database, cast: Cast, sent: UUID) -> None:
    for client, expected in ((cast.vera.client, 403), (cast.charlie.client, 404), (cast.stranger, 302)):
        assert client.get(URL).status_code == expected
        assert client.post(URL, ALL).status_code == expected
    assert cast.charlie.client.post("/b/inbox/1/convert/", ALL).status_code == 404
    assert cast.bob.client.post("/a/inbox/99/convert/", ALL).status_code == 404
    assert made(database) == (0, 0, 0)
    assert "/convert/" not in cast.vera.client.get("/a/inbox/1/").content.decode()
