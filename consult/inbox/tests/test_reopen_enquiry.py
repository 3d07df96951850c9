import datetime as dt

import psycopg
import pytest

from conftest import Cast, Database, Enquiry
from consult.inbox import services

URL = "/a/inbox/1/reopen/"


def status(database: Database) -> str:
    return str(database.ask("SELECT status FROM inbox_enquiry")[0][0])


def test_it_works(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    services.close_enquiry(agency_id=cast.a, number=1, by=None, now=dt.datetime.now(dt.UTC))
    assert cast.bob.client.post(URL)["Location"] == "/a/inbox/1/"
    assert status(database) == "open"
    [(by,)] = database.ask("SELECT by_id FROM accounts_audit WHERE action = 'inbox.reopen_enquiry'")
    assert by == cast.bob.member_id


def test_an_open_one_stays_as_it_is(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.bob.client.post(URL)
    assert database.ask("SELECT 1 FROM accounts_audit WHERE action = 'inbox.reopen_enquiry'") == []


def test_who_may_not(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    services.close_enquiry(agency_id=cast.a, number=1, by=None, now=dt.datetime.now(dt.UTC))
    for client, expected in ((cast.vera.client, 403), (cast.charlie.client, 404), (cast.stranger, 302)):
        assert client.post(URL).status_code == expected
    assert status(database) == "closed"


def test_the_pages_that_are_open_hear_of_it(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    """A nudge carries ids alone, and only after the commit."""
    [(id,)] = database.ask("SELECT id::text FROM inbox_enquiry")
    with psycopg.connect(database.urls["consult_edge"], autocommit=True) as edge:
        edge.execute("LISTEN consult_live")
        cast.bob.client.post("/a/inbox/1/close/")
        with pytest.raises(services.NoSuchEnquiry):
            services.reopen_enquiry(agency_id=cast.a, number=99, by=None)
        cast.bob.client.post(URL)
        heard = [note.payload for note in edge.notifies(timeout=0.3, stop_after=9)]
    assert heard == [f'{{"agency": {cast.a}, "kind": "enquiry", "id": "{id}"}}'] * 2
