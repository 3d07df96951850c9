"""Answered: the next word is the sender's. Somebody who writes again brings their enquiry back."""

import datetime as dt

import pytest

from conftest import Cast, Database, Enquiry
from consult.inbox import services

URL = "/a/inbox/1/wait/"
NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def state(database: Database, number: int = 1) -> tuple[object, ...]:
    [row] = database.ask(
        "SELECT status, waiting_since IS NOT NULL, first_answer_at IS NOT NULL FROM inbox_enquiry WHERE number = %s",
        [number],
    )
    return tuple(row)


def test_it_works(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    assert cast.bob.client.post(URL, {"seen": "1"})["Location"] == "/a/inbox/1/"
    assert state(database) == ("waiting", True, True)
    [(by, version)] = database.ask(
        "SELECT by_id, data -> 'version' FROM accounts_audit WHERE action = 'inbox.wait_enquiry'"
    )
    assert (by, version) == (cast.bob.member_id, 2)
    assert 'id="enquiry-1"' in cast.vera.client.get("/a/inbox/?view=waiting").content.decode()
    assert 'id="enquiry-1"' not in cast.vera.client.get("/a/inbox/").content.decode()
    assert "answered, and waits for the sender" in cast.vera.client.get("/a/inbox/1/").content.decode()


def test_the_first_answer_stays_the_first(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    services.wait_enquiry(agency_id=cast.a, number=1, by=None, now=NOW)
    services.reopen_enquiry(agency_id=cast.a, number=1, by=None)
    services.close_enquiry(agency_id=cast.a, number=1, by=None, now=NOW + dt.timedelta(days=1), reason="answered")
    assert database.ask("SELECT first_answer_at, waiting_since FROM inbox_enquiry") == [(NOW, None)]


@pytest.mark.parametrize("away", ["waiting", "snoozed"])
def test_who_writes_again_brings_it_back(database: Database, cast: Cast, enquiry: Enquiry, away: str) -> None:
    if away == "waiting":
        services.wait_enquiry(agency_id=cast.a, number=1, by=None, now=NOW)
    else:
        services.snooze_enquiry(agency_id=cast.a, number=1, by=None, now=NOW, until=NOW + dt.timedelta(days=1))
    # Another sender, and one who is held: neither brings anything back.
    other, _outcome = database.submit(cast.key_a, ("name", "Zoe"), ("email", "zoe@visitor.example"), ("message", "Hi"))
    held, _outcome = database.submit(
        cast.key_a, ("email", "ann@visitor.example"), ("message", "Buy"), signals=["honeypot"]
    )
    services.receive_submissions(agency_id=cast.a, submission_ids=[other, held])
    assert state(database)[0] == away
    again, _outcome = database.submit(cast.key_a, ("email", "Ann@Visitor.example"), ("message", "One more thing"))
    services.receive_submissions(agency_id=cast.a, submission_ids=[again])
    assert state(database)[:2] == ("open", False)
    page = cast.vera.client.get("/a/inbox/1/").content.decode()
    assert "Open again, as the sender wrote once more: #4" in page
    # Each leads to the other.
    assert "/a/inbox/4/" in page
    assert "/a/inbox/1/" in cast.vera.client.get("/a/inbox/4/").content.decode()


def test_what_is_closed_stays_closed(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    services.close_enquiry(agency_id=cast.a, number=1, by=None, now=NOW)
    again, _outcome = database.submit(cast.key_a, ("email", "ann@visitor.example"), ("message", "One more thing"))
    services.receive_submissions(agency_id=cast.a, submission_ids=[again])
    assert state(database)[0] == "closed"


def test_who_may_not(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    for client, expected in ((cast.vera.client, 403), (cast.charlie.client, 404), (cast.stranger, 302)):
        assert client.post(URL).status_code == expected
    assert cast.bob.client.get(URL).status_code == 405
    assert cast.bob.client.post("/a/inbox/99/wait/").status_code == 404
    assert cast.charlie.client.post("/b/inbox/1/wait/").status_code == 404
    assert state(database)[0] == "open"
