"""Invitations by program: what is sent, to whom, and that the link's secret is in no answer."""

import re
import uuid
from typing import Any

import pytest

from conftest import Cast, Database
from consult.accounts import services
from consult.inbox.tests.conftest import Postbox, postbox, text_of  # noqa: F401  a fixture
from tests import api, worker

PATH = "/api/v1/invitations"
ANN = {"email": "Ann@New.example", "role": "viewer", "days": 3}


@pytest.fixture
def program(cast: Cast) -> api.Program:
    return api.of_member(cast.a, cast.alice.member_id)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, api.told(answer)["code"]


def rows(database: Database) -> list[Any]:
    return database.ask("SELECT email, role, revoked_at IS NOT NULL FROM accounts_invitation ORDER BY created_at, id")


def test_it_arrives_and_its_secret_is_in_no_answer(
    program: api.Program,
    cast: Cast,
    database: Database,
    postbox: Postbox,  # noqa: F811
) -> None:
    made = program.post(PATH, ANN)
    invitation = api.told(made)
    assert (made.status_code, made["Location"]) == (201, f"{PATH}/{invitation['id']}")
    assert (invitation["email"], invitation["role"], invitation["sent_at"]) == ("ann@new.example", "viewer", None)
    assert invitation["invited_by_id"] == str(cast.alice.member_id)
    worker.run_jobs(database)
    [mail] = postbox.to("ann@new.example")
    [secret] = re.findall(r"/accounts/invitations/([^/\s]+)/", text_of(mail))
    shown = program.get(made["Location"])
    assert api.told(shown)["sent_at"]
    [(stored,)] = database.ask("SELECT token_hash FROM accounts_invitation")
    again = program.post(f"{PATH}/{invitation['id']}/resend")
    assert (again.status_code, api.told(again)["sent_at"]) == (200, None)
    assert cast.stranger.get(f"/accounts/invitations/{secret}/").status_code == 404, "the one before is dead"
    for answer in (made, shown, again, program.get(PATH)):
        assert secret not in answer.content.decode()
        assert stored not in answer.content.decode()
        assert "token" not in answer.content.decode()


def test_taken_back(program: api.Program, cast: Cast, database: Database) -> None:
    path = program.post(PATH, ANN)["Location"]
    assert program.delete(path).status_code == 204
    assert rows(database) == [("ann@new.example", "viewer", True)]
    for answer in (program.delete(path), program.get(path), program.post(f"{path}/resend")):
        assert code(answer) == (404, "not_found")
    assert api.told(program.get(PATH))["items"] == []


def test_bad_input(program: api.Program, database: Database) -> None:
    for wrong, pointer in (
        ({"email": ""}, "/email"),
        ({"email": "no address"}, "/email"),
        ({"email": "a@b.example, c@d.example"}, "/email"),
        ({"email": "a@b.example\r\nBcc: all@world.example"}, "/email"),
        ({"role": "owner"}, "/role"),
        ({"days": 0}, "/days"),
        ({"days": 31}, "/days"),
        ({"days": "7"}, "/days"),
    ):
        answer = program.post(PATH, {**ANN, **wrong})
        assert code(answer) == (422, "invalid"), wrong
        assert api.told(answer)["errors"][0]["pointer"] == pointer
    for there, detail in (("BOB@example.com", "in the agency already"),):
        answer = program.post(PATH, {**ANN, "email": there})
        assert code(answer) == (409, "conflict")
        assert detail in api.told(answer)["detail"]
    for act in ("", "/resend"):
        method = "POST" if act else "DELETE"
        assert code(program.call(method, f"{PATH}/{uuid.uuid4()}{act}")) == (404, "not_found")
    assert rows(database) == []


def test_as_many_as_a_day_allows(program: api.Program, cast: Cast, database: Database) -> None:
    for number in range(services.MOST_A_DAY):
        assert program.post(PATH, {"email": f"{number}@new.example"}).status_code == 201
    path = f"{PATH}/{api.told(program.get(PATH))['items'][0]['id']}"
    before = program.get(path)
    for answer in (program.post(PATH, ANN), program.post(f"{path}/resend")):
        assert code(answer) == (409, "conflict")
        assert "in a day" in api.told(answer)["detail"]
    assert len(rows(database)) == services.MOST_A_DAY
    assert program.get(path).content == before.content, "the link that is out still works"


def test_an_owners_invitation_is_the_owners_own(program: api.Program, cast: Cast, database: Database) -> None:
    cast.alice.client.post("/a/settings/people/invite/", {"email": "o@new.example", "role": "owner", "days": "7"})
    [invitation] = api.told(program.get(PATH))["items"]
    path = f"{PATH}/{invitation['id']}"
    assert code(program.post(f"{path}/resend")) == (403, "not_allowed")
    assert code(program.delete(path)) == (403, "not_allowed")
    # Nor is it made into another one.
    assert code(program.post(PATH, {"email": "O@new.example", "role": "viewer"})) == (403, "not_allowed")
    assert rows(database) == [("o@new.example", "owner", False)]


def test_the_agencys_token_is_nobody(cast: Cast, database: Database) -> None:
    agency = api.of_agency(cast)
    answer = agency.post(PATH, ANN)
    assert code(answer) == (403, "not_allowed")
    assert "by name" in api.told(answer)["detail"]
    # What others have sent it may take back.
    path = api.of_member(cast.a, cast.alice.member_id).post(PATH, ANN)["Location"]
    assert code(agency.post(f"{path}/resend")) == (403, "not_allowed")
    assert agency.delete(path).status_code == 204


def test_who_may_not(program: api.Program, cast: Cast, database: Database) -> None:
    path = program.post(PATH, ANN)["Location"]
    for person in (cast.bob, cast.vera):
        caller = api.of_member(cast.a, person.member_id)
        assert caller.get(path).status_code == 200
        for answer in (caller.post(PATH, ANN), caller.post(f"{path}/resend"), caller.delete(path)):
            assert code(answer) == (403, "not_allowed")
    stranger = api.of_member(cast.b, cast.charlie.member_id)
    for answer in (stranger.get(path), stranger.post(f"{path}/resend"), stranger.delete(path)):
        assert code(answer) == (404, "not_found")
    assert rows(database) == [("ann@new.example", "viewer", False)]


def test_a_retry_invites_once(program: api.Program, database: Database) -> None:
    first, second = (program.post(PATH, ANN, Idempotency_Key="ann") for _ in range(2))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert database.ask("SELECT count(*) FROM accounts_audit WHERE action = 'accounts.invite_member'") == [(1,)]
    assert code(program.post(PATH, {**ANN, "days": 4}, Idempotency_Key="ann")) == (422, "idempotency_key_reused")


def test_what_was_changed_since_is_left_alone(program: api.Program, database: Database) -> None:
    made = program.post(PATH, ANN)
    path, seen = made["Location"], made["ETag"]
    assert program.post(f"{path}/resend", If_Match=seen).status_code == 200
    assert code(program.post(f"{path}/resend", If_Match=seen)) == (412, "precondition_failed")
    assert code(program.delete(path, If_Match=seen)) == (412, "precondition_failed")
    assert rows(database) == [("ann@new.example", "viewer", False)]
