"""The same POST sent again: done once, answered each time as the first time."""

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from conftest import Cast, Database, Enquiry
from consult.accounts import jobs, services
from consult.accounts.services import repeats
from consult.core import tenancy
from tests import api

CLIENTS = "/api/v1/clients"


@pytest.fixture
def program(cast: Cast) -> api.Program:
    return api.of_member(cast.a, cast.alice.member_id)


def names(database: Database) -> list[str]:
    return [name for (name,) in database.ask("SELECT name FROM crm_client ORDER BY name")]


def test_it_is_done_once(program: api.Program, database: Database) -> None:
    first = program.post(CLIENTS, {"name": "One"}, Idempotency_Key="k1")
    again = program.post(CLIENTS, {"name": "One"}, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    for header in ("Location", "ETag", "Content-Type"):
        assert first[header] == again[header]
    assert names(database) == ["One"]
    assert len(database.ask("SELECT 1 FROM accounts_audit WHERE action = 'crm.create_client'")) == 1


def test_another_request_with_the_key_is_refused(program: api.Program, enquiry: Enquiry, database: Database) -> None:
    program.post(CLIENTS, {"name": "One"}, Idempotency_Key="k1")
    for path, body in ((CLIENTS, {"name": "Two"}), ("/api/v1/enquiries/1/close", None)):
        answer = program.post(path, body, Idempotency_Key="k1")
        assert (answer.status_code, api.told(answer)["code"]) == (422, "idempotency_key_reused")
    assert names(database) == ["One"]


def test_what_was_refused_may_be_tried_again(program: api.Program, database: Database) -> None:
    program.post(CLIENTS, {"name": "One"})
    assert program.post(CLIENTS, {"name": "One"}, Idempotency_Key="k1").status_code == 409
    assert program.post(CLIENTS, {"nam": "Two"}, Idempotency_Key="k1").status_code == 422
    assert database.ask("SELECT 1 FROM accounts_idempotencykey") == []
    assert program.post(CLIENTS, {"name": "Two"}, Idempotency_Key="k1").status_code == 201


def test_a_key_is_its_programs_own(program: api.Program, cast: Cast, database: Database) -> None:
    program.post(CLIENTS, {"name": "One"}, Idempotency_Key="k1")
    other = api.of_member(cast.a, cast.alice.member_id)
    assert other.post(CLIENTS, {"name": "Two"}, Idempotency_Key="k1").status_code == 201
    stranger = api.of_member(cast.b, cast.charlie.member_id)
    assert stranger.post(CLIENTS, {"name": "One"}, Idempotency_Key="k1").status_code == 201
    assert names(database) == ["One", "One", "Two"]


def test_a_secret_is_kept_sealed(program: api.Program, database: Database) -> None:
    body = {"name": "Nightly", "scopes": ["read"]}
    first = program.post("/api/v1/tokens", body, Idempotency_Key="k1")
    again = program.post("/api/v1/tokens", body, Idempotency_Key="k1")
    secret = api.told(first)["secret"]
    assert api.told(again)["secret"] == secret
    [(row,)] = database.ask("SELECT k::text FROM accounts_idempotencykey k")
    assert secret not in row
    assert "enc:v1:" in row


def test_what_one_may_no_longer_do_is_not_answered_again(program: api.Program, cast: Cast, database: Database) -> None:
    body = {"name": "Nightly", "scopes": ["read"]}
    assert program.post("/api/v1/tokens", body, Idempotency_Key="k1").status_code == 201
    database.ask("UPDATE accounts_member SET role = 'viewer' WHERE id = %s", [cast.alice.member_id])
    again = program.post("/api/v1/tokens", body, Idempotency_Key="k1")
    assert (again.status_code, api.told(again)["code"]) == (422, "idempotency_key_reused")
    assert "cst_" not in again.content.decode()


def test_keys_that_are_none(program: api.Program, database: Database) -> None:
    for key in ("", "x" * 256, "a\tb", "ä"):
        answer = program.post(CLIENTS, {"name": "One"}, Idempotency_Key=key)
        assert (answer.status_code, api.told(answer)["code"]) == (422, "bad_idempotency_key"), key
    assert names(database) == []


def test_of_many_at_once_one_does_it(program: api.Program, database: Database) -> None:
    start = threading.Barrier(6)
    answers: list[Any] = []

    def send() -> None:
        try:
            start.wait()
            answers.append(program.post(CLIENTS, {"name": "One"}, Idempotency_Key="k1"))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert names(database) == ["One"]


def test_the_second_does_not_wait_for_ever(
    program: api.Program, cast: Cast, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "PATIENCE_MS", 50)
    program.get("/api/v1/me")
    [(token_id,)] = database.ask("SELECT id FROM accounts_apitoken")
    claimed, done = threading.Event(), threading.Event()

    def first() -> None:
        try:
            with tenancy.agency(cast.a):
                services.claim_idempotency_key(
                    agency_id=cast.a, token_id=token_id, key="k1", request=b"", now=timezone.now()
                )
                claimed.set()
                done.wait(60)
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert claimed.wait(60)
    answer = program.post(CLIENTS, {"name": "One"}, Idempotency_Key="k1")
    done.set()
    thread.join()
    assert (answer.status_code, api.told(answer)["code"], answer["Retry-After"]) == (409, "in_progress", "1")
    assert names(database) == []


def test_after_a_day_it_is_forgotten(program: api.Program, database: Database) -> None:
    program.post(CLIENTS, {"name": "One"}, Idempotency_Key="k1")
    program.post(CLIENTS, {"name": "Two"}, Idempotency_Key="k2")
    database.ask("UPDATE accounts_idempotencykey SET created_at = now() - interval '24 hours 1 second'")
    assert program.post(CLIENTS, {"name": "Three"}, Idempotency_Key="k1").status_code == 201
    jobs.sweep_idempotency_keys()
    assert database.ask("SELECT key FROM accounts_idempotencykey") == [("k1",)]


def test_a_key_stays_until_then(cast: Cast, database: Database, program: api.Program) -> None:
    program.post(CLIENTS, {"name": "One"}, Idempotency_Key="k1")
    soon = timezone.now() + dt.timedelta(hours=23, minutes=59)
    assert services.sweep_idempotency_keys(agency_id=cast.a, now=soon) == 0
    assert services.sweep_idempotency_keys(agency_id=cast.a, now=soon + dt.timedelta(minutes=2)) == 1
