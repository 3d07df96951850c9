"""The inbox's actions for programs."""

import datetime as dt
from typing import Any

import pytest

from conftest import Cast, Database, Enquiry
from consult.crm import services as crm
from consult.crm.tests.conftest import at_once
from tests import api

ONE = "/api/v1/enquiries/1"


@pytest.fixture
def program(cast: Cast) -> api.Program:
    return api.of_member(cast.a, cast.alice.member_id)


def told(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return api.told(answer)


def pointer(answer: Any) -> str:
    [error] = told(answer, 422)["errors"]
    return str(error["pointer"])


def test_a_state_after_the_other(program: api.Program, enquiry: Enquiry) -> None:
    waiting = told(program.post(f"{ONE}/wait"))
    assert waiting["status"] == "waiting"
    assert waiting["waiting_since"] == waiting["first_answer_at"] is not None
    until = (dt.datetime.now(dt.UTC) + dt.timedelta(days=3)).replace(microsecond=0)
    away = told(program.post(f"{ONE}/snooze", {"until": until.isoformat()}))
    assert (away["status"], away["waiting_since"]) == ("snoozed", None)
    assert dt.datetime.fromisoformat(away["snoozed_until"]) == until
    closed = program.post(f"{ONE}/close", {"reason": "duplicate"})
    assert (told(closed)["status"], told(closed)["close_reason"]) == ("closed", "duplicate")
    assert program.post(f"{ONE}/reopen", If_Match=closed["ETag"]).status_code == 200
    assert program.post(f"{ONE}/wait", If_Match=closed["ETag"]).status_code == 412
    # Without a body: for no reason.
    assert told(program.post(f"{ONE}/close"))["close_reason"] == ""


def test_what_is_no_moment_and_no_reason(program: api.Program, enquiry: Enquiry) -> None:
    now = dt.datetime.now(dt.UTC)
    for until in (
        "tomorrow",
        5,
        "2027-01-31",
        "2027-01-31T08:00:00",
        now.isoformat(),
        (now + dt.timedelta(days=400)).isoformat(),
        "9999-12-31T23:59:59-23:59",
        None,
    ):
        assert pointer(program.post(f"{ONE}/snooze", {"until": until})) == "/until", until
    assert pointer(program.post(f"{ONE}/close", {"reason": "bored"})) == "/reason"
    assert told(program.get(ONE))["status"] == "open"


def test_an_enquiry_is_converted_once(program: api.Program, enquiry: Enquiry, cast: Cast, database: Database) -> None:
    plan = {"contact_name": "Ann", "email": "ann@rosa.example", "company_name": "Rosa GmbH", "deal_title": "New shop"}
    answers = at_once(*[lambda: program.post(f"{ONE}/convert", plan).status_code] * 3)
    assert answers == [200, 200, 200]
    made = (
        "SELECT (SELECT count(*) FROM crm_contact), (SELECT count(*) FROM crm_company), (SELECT count(*) FROM crm_deal)"
    )
    assert database.ask(made) == [(1, 1, 1)]
    linked = told(program.get(ONE))
    assert told(program.get(f"/api/v1/deals/{linked['deal_id']}"))["contact_id"] == linked["contact_id"]
    assert told(program.get(f"/api/v1/contacts/{linked['contact_id']}"))["company_id"] == linked["company_id"]


def test_what_no_enquiry_is_converted_to(
    program: api.Program, enquiry: Enquiry, cast: Cast, database: Database
) -> None:
    theirs = str(crm.create_contact(agency_id=cast.b, name="Theirs", by=None))
    crm.create_contact(agency_id=cast.a, name="Ann", emails=["ann@rosa.example"], by=None)
    for body in ({}, {"contact_id": theirs}, {"company_id": theirs}, {"contact_id": theirs, "deal_title": "x"}):
        assert pointer(program.post(f"{ONE}/convert", body)) == "", body
    assert pointer(program.post(f"{ONE}/convert", {"contact_name": "x", "email": "no address"})) == "/email"
    known = {"contact_name": "Ann", "email": "ann@rosa.example", "company_name": "Not kept"}
    assert told(program.post(f"{ONE}/convert", known), 409)["code"] == "conflict"
    assert database.ask("SELECT count(*) FROM crm_company WHERE agency_id = %s", [cast.a]) == [(0,)]
    assert told(program.post(f"{ONE}/convert", {**known, "even_if_known": True}))["company_id"]


def test_what_staff_were_told(program: api.Program, cast: Cast, database: Database) -> None:
    body = {"form_id": str(cast.form_a), "channel": "phone", "message": "Call ann@rosa.example back"}
    answers = [program.post("/api/v1/enquiries", body, Idempotency_Key="one") for _ in range(2)]
    first, again = (told(answer, 201) for answer in answers)
    assert first == again
    assert (first["number"], first["sender_email"]) == (1, "ann@rosa.example")
    assert answers[0]["Location"] == ONE
    assert told(program.get(ONE)) == first
    assert database.ask("SELECT count(*) FROM intake_submission") == [(1,)]
    for change, at in (
        ({"form_id": str(cast.form_b)}, "/form_id"),
        ({"message": "  "}, "/message"),
        ({"message": "Nobody in particular"}, "/message"),
        ({"channel": "pigeon"}, "/channel"),
        ({"email": "no address"}, "/email"),
        ({"message": "x" * 20_001}, "/message"),
    ):
        assert pointer(program.post("/api/v1/enquiries", {**body, **change})) == at, change
    assert database.ask("SELECT count(*) FROM intake_submission") == [(1,)]
