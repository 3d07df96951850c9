"""What was held becomes an enquiry like any other, delivered once."""

import datetime as dt
import threading

import psycopg
import pytest
from django.db import connection

from conftest import Cast, Database, Enquiry
from consult.inbox import services
from consult.inbox.tests.conftest import Postbox, change_form
from tests import worker

URL = "/a/inbox/1/restore/"


@pytest.fixture
def held(database: Database, cast: Cast) -> Enquiry:
    """An enquiry of agency A that fell into the honeypot; its form writes to team@a.example."""
    change_form(cast, notify_addresses=["team@a.example"], auto_reply=True)
    submission_id, _outcome = database.submit(cast.key_a, signals=["honeypot"])
    services.receive_submissions(agency_id=cast.a, submission_ids=[submission_id])
    assert status(database) == "held"
    return Enquiry(1, submission_id)


def status(database: Database) -> str:
    return str(database.ask("SELECT status FROM inbox_enquiry")[0][0])


def test_it_is_delivered_like_any_other(database: Database, cast: Cast, held: Enquiry, postbox: Postbox) -> None:
    worker.run_jobs(database)
    assert postbox.arrived == []
    assert cast.bob.client.post(URL)["Location"] == "/a/inbox/1/"
    assert status(database) == "open"
    worker.run_jobs(database)
    assert sorted(to for to, _message in postbox.arrived) == ["ann@visitor.example", "team@a.example"]
    [(by,)] = database.ask("SELECT by_id FROM accounts_audit WHERE action = 'inbox.restore_enquiry'")
    assert by == cast.bob.member_id
    page = cast.vera.client.get("/a/inbox/1/").content.decode()
    assert page.count("restored it") == 1
    assert "Notified team@a.example" in page


def test_it_is_delivered_once(database: Database, cast: Cast, held: Enquiry, postbox: Postbox) -> None:
    for _ in range(2):
        cast.bob.client.post(URL)
    worker.run_jobs(database)
    # Spam after all, and again not.
    cast.bob.client.post("/a/inbox/1/spam/")
    cast.alice.client.post(URL)
    worker.run_jobs(database)
    assert len(postbox.arrived) == 2
    assert status(database) == "open"
    assert len(database.ask("SELECT 1 FROM accounts_audit WHERE action = 'inbox.restore_enquiry'")) == 2


def test_two_members_at_once_deliver_it_once(database: Database, cast: Cast, held: Enquiry) -> None:
    start, failures = threading.Barrier(2), list[BaseException]()

    def restore() -> None:
        try:
            connection.ensure_connection()
            start.wait()
            services.restore_enquiry(agency_id=cast.a, number=1, by=None, now=dt.datetime.now(dt.UTC))
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=restore) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    names = [name for name, *_rest in worker.jobs(database) if name != "inbox.receive_submissions"]
    assert sorted(names) == ["inbox.notify_enquiry", "inbox.reply_to_sender"]


def test_what_was_open_before_is_not_delivered_again(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    change_form(cast, notify_addresses=["team@a.example"])
    cast.bob.client.post("/a/inbox/1/spam/")
    cast.bob.client.post(URL)
    assert status(database) == "open"
    assert [name for name, *_rest in worker.jobs(database)] == ["inbox.receive_submissions"]


def test_it_answers_htmx_with_the_part(cast: Cast, held: Enquiry) -> None:
    page = cast.bob.client.post(URL, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in page
    # What takes it back.
    assert "/a/inbox/1/spam/" in page
    assert URL not in page


@pytest.mark.parametrize("other", ["open", "closed"])
def test_what_is_not_held_stays_as_it_is(database: Database, cast: Cast, enquiry: Enquiry, other: str) -> None:
    database.ask("UPDATE inbox_enquiry SET status = %s", [other])
    cast.bob.client.post(URL)
    assert status(database) == other
    assert database.ask("SELECT 1 FROM inbox_delivery WHERE kind = 'restored'") == []


def test_who_may_not(database: Database, cast: Cast, held: Enquiry) -> None:
    for client, expected in ((cast.vera.client, 403), (cast.charlie.client, 404), (cast.stranger, 302)):
        assert client.post(URL).status_code == expected
    assert cast.bob.client.get(URL).status_code == 405
    assert cast.bob.client.post("/a/inbox/99/restore/").status_code == 404
    assert cast.charlie.client.post("/b/inbox/1/restore/").status_code == 404
    assert status(database) == "held"
    # Who may not is not offered it.
    for path in ("/a/inbox/1/", "/a/inbox/?view=held"):
        assert "/restore/" in cast.bob.client.get(path).content.decode()
        assert "/restore/" not in cast.vera.client.get(path).content.decode()


def test_the_pages_that_are_open_hear_of_it(database: Database, cast: Cast, held: Enquiry) -> None:
    [(id,)] = database.ask("SELECT id::text FROM inbox_enquiry")
    with psycopg.connect(database.urls["consult_edge"], autocommit=True) as edge:
        edge.execute("LISTEN consult_live")
        cast.bob.client.post(URL)
        cast.bob.client.post("/a/inbox/1/spam/")
        heard = [note.payload for note in edge.notifies(timeout=0.3, stop_after=9)]
    assert heard == [f'{{"agency": {cast.a}, "kind": "enquiry", "id": "{id}"}}'] * 2
