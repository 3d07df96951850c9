"""Jobs that failed for good: listed for those who can do something, and tried once more."""

from typing import Any

import pytest

from conftest import Cast, Database
from consult.core import queue, tenancy
from consult.inbox.tests.conftest import Postbox, change_form
from tests import worker


def fail_for_good(database: Database) -> None:
    """Let the queue try for the last time."""
    database.ask("UPDATE procrastinate_jobs SET attempts = 10, scheduled_at = NULL WHERE status = 'todo'")
    worker.run_jobs(database)


@pytest.fixture
def failed(database: Database, cast: Cast, postbox: Postbox) -> int:
    """The id of agency A's job that could not tell team@a.example of enquiry 1."""
    change_form(cast, notify_addresses=["team@a.example"])
    postbox.refuse = {"team@a.example"}
    database.submit(cast.key_a, ("name", "Zoë"), ("subject", "Buns <b>"), ("message", "Two dozen"))
    worker.run_jobs(database)
    fail_for_good(database)
    with tenancy.agency(cast.a):
        [job] = queue.failed_jobs()
    return job.id


def test_it_says_what_failed_and_why(cast: Cast, failed: int) -> None:
    page = cast.alice.client.get("/a/jobs/").content.decode()
    for part in (
        "Tell people of an enquiry",
        "team@a.example",
        'href="/a/inbox/1/"',
        "Buns &lt;b&gt;",
        "The mail server takes nothing for this address (550)",
        f'action="/a/jobs/{failed}/retry/"',
    ):
        assert part in page, part
    inbox = cast.alice.client.get("/a/inbox/").content.decode()
    assert 'href="/a/jobs/"' in inbox
    assert 'tabular-nums">1</span></a>' in inbox


def test_one_that_works_the_second_time(database: Database, cast: Cast, failed: int, postbox: Postbox) -> None:
    postbox.refuse = set()
    assert cast.alice.client.post(f"/a/jobs/{failed}/retry/")["Location"] == "/a/jobs/"
    worker.run_jobs(database)
    assert len(postbox.to("team@a.example")) == 1
    page = cast.alice.client.get("/a/jobs/").content.decode()
    assert "Nothing has failed" in page
    assert "It is tried once more" in page
    history = cast.bob.client.get("/a/inbox/1/").content.decode()
    places = [history.index(text) for text in ("Could not reach team@", "tried again to reach team@", "Notified team@")]
    assert places == sorted(places)
    [(by, data)] = database.ask("SELECT by_id, data FROM accounts_audit WHERE action = 'inbox.retry_job'")
    assert (by, data) == (cast.alice.member_id, {"job": "inbox.notify_enquiry"})


def test_one_that_fails_again_is_listed_again(database: Database, cast: Cast, failed: int) -> None:
    assert "11 tries" in cast.alice.client.get("/a/jobs/").content.decode()
    cast.alice.client.post(f"/a/jobs/{failed}/retry/")
    worker.run_jobs(database)
    page = cast.alice.client.get("/a/jobs/").content.decode()
    assert f"/a/jobs/{failed}/retry/" in page
    assert "12 tries" in page


def test_a_second_click_does_nothing(database: Database, cast: Cast, failed: int) -> None:
    for _ in range(2):
        assert cast.alice.client.post(f"/a/jobs/{failed}/retry/").status_code == 302
    assert len(database.ask("SELECT 1 FROM accounts_audit WHERE action = 'inbox.retry_job'")) == 1
    for number in ("0", "99", "9" * 30):
        assert cast.alice.client.post(f"/a/jobs/{number}/retry/").status_code == 302


def test_who_may_not(database: Database, cast: Cast, failed: int) -> None:
    for client, expected in (
        (cast.bob.client, 403),
        (cast.vera.client, 403),
        (cast.charlie.client, 404),
        (cast.stranger, 302),
    ):
        assert client.get("/a/jobs/").status_code == expected
        assert client.post(f"/a/jobs/{failed}/retry/").status_code == expected
    assert cast.alice.client.get(f"/a/jobs/{failed}/retry/").status_code == 405
    for client in (cast.bob.client, cast.vera.client):
        assert "/a/jobs/" not in client.get("/a/inbox/").content.decode()


def test_another_agencys_job_is_none_of_ours(database: Database, cast: Cast, failed: int) -> None:
    assert "Nothing has failed" in cast.charlie.client.get("/b/jobs/").content.decode()
    assert cast.charlie.client.post(f"/b/jobs/{failed}/retry/").status_code == 302
    assert database.ask("SELECT status::text FROM procrastinate_jobs WHERE id = %s", [failed]) == [("failed",)]


def test_submissions_that_could_not_be_opened(database: Database, cast: Cast) -> None:
    """The job is listed with what it holds; nothing of it is lost."""
    database.submit(cast.key_a)
    database.ask("UPDATE procrastinate_jobs SET status = 'failed'")
    page = cast.alice.client.get("/a/jobs/").content.decode()
    assert "Open enquiries for what arrived" in page
    assert "1 submission" in page
    [(id,)] = database.ask("SELECT id FROM procrastinate_jobs WHERE status = 'failed'")
    cast.alice.client.post(f"/a/jobs/{id}/retry/")
    worker.run_jobs(database)
    assert 'id="enquiry-1"' in cast.alice.client.get("/a/inbox/").content.decode()


def test_a_long_list_asks_no_more_questions(
    database: Database, cast: Cast, failed: int, django_assert_max_num_queries: Any
) -> None:
    database.ask(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts)"
        " SELECT queue_name, task_name, args, status, attempts FROM procrastinate_jobs, generate_series(1, 60)"
        " WHERE status = 'failed'"
    )
    # The first page in five minutes also writes when somebody was here.
    cast.alice.client.get("/a/jobs/")
    # Two of the transaction, session, person, memberships, agency, jobs, enquiries with members and forms, failures.
    with django_assert_max_num_queries(12):
        page = cast.alice.client.get("/a/jobs/").content.decode()
    assert page.count("/retry/") == 61
