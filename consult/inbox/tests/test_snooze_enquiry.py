"""Put away until a moment, and open again by itself."""

import datetime as dt

import psycopg
import pytest

from conftest import Cast, Database, Enquiry
from consult.inbox import rules, services
from tests import worker

URL = "/a/inbox/1/snooze/"
NOW = dt.datetime(2026, 3, 4, 15, 30, tzinfo=dt.UTC)


def status(database: Database, number: int = 1) -> str:
    return str(database.ask("SELECT status FROM inbox_enquiry WHERE number = %s", [number])[0][0])


@pytest.mark.parametrize(
    ("choice", "until"),
    [
        ("later", "2026-03-04T18:30"),
        ("tomorrow", "2026-03-05T08:00"),
        ("monday", "2026-03-09T08:00"),
        ("month", "2026-04-03T08:00"),
        ("2026-03-05", "2026-03-05T08:00"),
        ("2026-03-04", None),
        ("2025-12-31", None),
        ("2028-03-04", None),
        ("0001-01-01", None),
        ("", None),
        ("soon", None),
    ],
)
def test_when_it_ends(choice: str, until: str | None) -> None:
    expected = dt.datetime.fromisoformat(until).replace(tzinfo=dt.UTC) if until else None
    assert rules.snooze_until(choice, NOW) == expected


def test_it_works(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    day = (dt.datetime.now(dt.UTC) + dt.timedelta(days=3)).date()
    assert cast.bob.client.post(URL, {"day": day.isoformat(), "until": "later"})["Location"] == "/a/inbox/1/"
    [(found, until)] = database.ask("SELECT status, snoozed_until FROM inbox_enquiry")
    assert (found, until) == ("snoozed", dt.datetime.combine(day, dt.time(8), tzinfo=dt.UTC))
    assert 'id="enquiry-1"' in cast.vera.client.get("/a/inbox/?view=snoozed").content.decode()
    assert "put it away until" in cast.vera.client.get("/a/inbox/1/").content.decode()


def test_it_comes_back_by_itself(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    """Through the clock's job, as the worker's own role; the pages that are open hear of it."""
    services.snooze_enquiry(agency_id=cast.a, number=1, by=None, now=NOW, until=NOW + dt.timedelta(hours=1))
    [(id,)] = database.ask("SELECT id::text FROM inbox_enquiry")
    with psycopg.connect(database.urls["consult_edge"], autocommit=True) as edge:
        edge.execute("LISTEN consult_live")
        worker.tick("inbox.wake_enquiries")
        worker.run_jobs(database)
        heard = [note.payload for note in edge.notifies(timeout=0.3, stop_after=9)]
    assert status(database) == "open"
    assert heard == [f'{{"agency": {cast.a}, "kind": "enquiry", "id": "{id}"}}']
    assert database.ask("SELECT snoozed_until FROM inbox_enquiry") == [(None,)]
    [(by,)] = database.ask("SELECT by_id FROM accounts_audit WHERE action = 'inbox.wake_enquiries'")
    assert by is None
    assert "Open again, as its time had come" in cast.vera.client.get("/a/inbox/1/").content.decode()


def test_not_before_its_time_and_once(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    until = NOW + dt.timedelta(hours=1)
    services.snooze_enquiry(agency_id=cast.a, number=1, by=None, now=NOW, until=until)
    assert services.wake_enquiries(agency_id=cast.a, now=until - dt.timedelta(seconds=1)) == 0
    assert services.wake_enquiries(agency_id=cast.b, now=until) == 0
    assert status(database) == "snoozed"
    assert [services.wake_enquiries(agency_id=cast.a, now=until) for _ in range(2)] == [1, 0]


def test_a_snooze_lies_ahead(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    for posted in ({"until": "yesterday"}, {"day": "2020-01-01"}, {"day": "x"}, {}):
        assert cast.bob.client.post(URL, posted).status_code == 400
    with pytest.raises(services.NotAhead):
        services.snooze_enquiry(agency_id=cast.a, number=1, by=None, now=NOW, until=NOW)
    assert status(database) == "open"


def test_who_may_not(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    posted = {"until": "tomorrow"}
    for client, expected in ((cast.vera.client, 403), (cast.charlie.client, 404), (cast.stranger, 302)):
        assert client.post(URL, posted).status_code == expected
    assert cast.bob.client.get(URL).status_code == 405
    assert cast.bob.client.post("/a/inbox/99/snooze/", posted).status_code == 404
    assert status(database) == "open"
