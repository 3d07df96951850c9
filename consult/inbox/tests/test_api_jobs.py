"""Failed jobs by program: what failed, why, and once more."""

import datetime as dt
from typing import Any

import pytest

from conftest import Cast, Database
from consult.inbox.tests.conftest import Postbox
from consult.inbox.tests.test_job_list import fail_for_good, failed  # noqa: F401  a fixture
from tests import api, worker

PATH = "/api/v1/jobs"


@pytest.fixture
def program(cast: Cast) -> api.Program:
    return api.of_member(cast.a, cast.alice.member_id)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, api.told(answer)["code"]


def test_what_failed_and_why(program: api.Program, failed: int) -> None:  # noqa: F811
    [job] = api.told(program.get(PATH))["items"]
    assert job == api.told(program.get(f"{PATH}/{failed}"))
    assert dt.datetime.fromisoformat(job.pop("failed_at")) < dt.datetime.now(dt.UTC)
    assert job.pop("request_id") is not None
    assert job == {
        "id": failed,
        "name": "inbox.notify_enquiry",
        "enquiry_number": 1,
        "address": "team@a.example",
        "submission_ids": [],
        "error": "recipient_refused",
        "attempts": 11,
    }


def test_one_that_works_the_second_time(
    program: api.Program,
    database: Database,
    cast: Cast,
    failed: int,  # noqa: F811
    postbox: Postbox,
) -> None:
    postbox.refuse = set()
    seen = program.get(f"{PATH}/{failed}")["ETag"]
    for _retry in range(2):
        answer = program.post(f"{PATH}/{failed}/retry", If_Match=seen, Idempotency_Key="once")
        assert (answer.status_code, answer.content) == (204, b"")
    # With another key it is another request: there is nothing any more that has failed.
    assert code(program.post(f"{PATH}/{failed}/retry")) == (404, "not_found")
    worker.run_jobs(database)
    assert len(postbox.to("team@a.example")) == 1
    assert api.told(program.get(PATH))["items"] == []
    [(by, data)] = database.ask("SELECT by_id, data FROM accounts_audit WHERE action = 'inbox.retry_job'")
    assert (by, data) == (cast.alice.member_id, {"job": "inbox.notify_enquiry"})


def test_one_that_failed_again_since(
    program: api.Program,
    database: Database,
    failed: int,  # noqa: F811
) -> None:
    seen = program.get(f"{PATH}/{failed}")["ETag"]
    assert program.post(f"{PATH}/{failed}/retry", If_Match=seen).status_code == 204
    worker.run_jobs(database)
    assert api.told(program.get(f"{PATH}/{failed}"))["attempts"] == 12
    assert code(program.post(f"{PATH}/{failed}/retry", If_Match=seen)) == (412, "precondition_failed")


def test_what_it_held_is_told(program: api.Program, database: Database, cast: Cast) -> None:
    id, _outcome = database.submit(cast.key_a)
    [job_id] = api.fail_jobs(database)
    [job] = api.told(program.get(PATH))["items"]
    assert (job["name"], job["submission_ids"], job["enquiry_number"]) == ("inbox.receive_submissions", [str(id)], None)
    assert program.post(f"{PATH}/{job_id}/retry").status_code == 204
    worker.run_jobs(database)
    assert program.get("/api/v1/enquiries/1").status_code == 200


def test_who_may_not(program: api.Program, cast: Cast, failed: int, database: Database) -> None:  # noqa: F811
    for person in (cast.vera, cast.bob):
        caller = api.of_member(cast.a, person.member_id)
        for answer in (caller.get(PATH), caller.get(f"{PATH}/{failed}"), caller.post(f"{PATH}/{failed}/retry")):
            assert code(answer) == (403, "not_allowed")
    stranger = api.of_member(cast.b, cast.charlie.member_id)
    assert api.told(stranger.get(PATH))["items"] == []
    for caller, there in ((stranger, str(failed)), *((program, there) for there in ("0", "99", "9" * 30))):
        assert code(caller.get(f"{PATH}/{there}")) == (404, "not_found"), there
        assert code(caller.post(f"{PATH}/{there}/retry")) == (404, "not_found"), there
    assert database.ask("SELECT status::text FROM procrastinate_jobs WHERE id = %s", [failed]) == [("failed",)]
