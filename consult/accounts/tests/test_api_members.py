"""Members by program: roles and removal; and that no token reaches an owner."""

import uuid
from typing import Any

import pytest

from conftest import Cast, Database, Person
from consult.accounts.tests.test_change_role import at_once, make, roles
from tests import api


@pytest.fixture
def program(cast: Cast) -> api.Program:
    """Alice's: an owner's own token with all scopes."""
    return api.of_member(cast.a, cast.alice.member_id)


def at(member: Person | uuid.UUID) -> str:
    return f"/api/v1/members/{member.member_id if isinstance(member, Person) else member}"


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, api.told(answer)["code"]


def test_another_role(program: api.Program, cast: Cast, database: Database) -> None:
    answer = program.patch(at(cast.bob), {"role": "admin"})
    assert (answer.status_code, api.told(answer)["role"]) == (200, "admin")
    assert answer["ETag"] == program.get(at(cast.bob))["ETag"]
    assert cast.bob.client.get("/a/settings/").status_code == 200
    [(by, data, token_id)] = database.ask(
        "SELECT by_id, data, token_id FROM accounts_audit WHERE action = 'accounts.change_role'"
    )
    assert (by, data) == (cast.alice.member_id, {"before": {"role": "member"}, "after": {"role": "admin"}})
    assert token_id == uuid.UUID(api.told(program.get("/api/v1/me"))["token_id"])


def test_bad_input(program: api.Program, cast: Cast) -> None:
    for body, pointer in (
        ({"role": "owner"}, "/role"),
        ({"role": "king"}, "/role"),
        ({"role": None}, "/role"),
        ({}, "/role"),
        ({"role": "admin", "name": "x"}, ""),
    ):
        answer = program.patch(at(cast.bob), body)
        assert code(answer) == (422, "invalid"), body
        assert api.told(answer)["errors"][0]["pointer"] == pointer, body
    for nobody in (uuid.uuid4(), cast.charlie.member_id):
        assert code(program.patch(at(nobody), {"role": "viewer"})) == (404, "not_found")
        assert code(program.delete(at(nobody))) == (404, "not_found")
    assert roles(cast) == {"Alice": "owner", "Bob": "member", "Vera": "viewer"}


def test_no_token_reaches_an_owner(program: api.Program, cast: Cast, database: Database) -> None:
    """Also not an owner's: whoever finds it must not make themselves owner, nor put the owners out."""
    make(database, cast.bob, "owner")
    for caller in (program, api.of_agency(cast)):
        for owner in (cast.alice, cast.bob):
            assert code(caller.patch(at(owner), {"role": "viewer"})) == (403, "not_allowed")
            assert code(caller.delete(at(owner))) == (403, "not_allowed")
    assert roles(cast) == {"Alice": "owner", "Bob": "owner", "Vera": "viewer"}
    for path in ("members/transfer", f"members/{cast.bob.member_id}/transfer", "agency/close", "exports"):
        assert program.post(f"/api/v1/{path}", {}).status_code in (404, 405)


def test_who_may_not(cast: Cast, database: Database) -> None:
    for person in (cast.vera, cast.bob):
        caller = api.of_member(cast.a, person.member_id)
        assert code(caller.patch(at(cast.vera), {"role": "admin"})) == (403, "not_allowed")
        assert code(caller.delete(at(cast.vera))) == (403, "not_allowed")
    narrow = api.of_member(cast.a, cast.alice.member_id, ("read", "write"))
    assert code(narrow.delete(at(cast.bob))) == (403, "not_allowed")
    assert roles(cast) == {"Alice": "owner", "Bob": "member", "Vera": "viewer"}


def test_removal(program: api.Program, cast: Cast, database: Database) -> None:
    theirs = api.of_member(cast.a, cast.bob.member_id)
    assert theirs.get("/api/v1/me").status_code == 200
    answer = program.delete(at(cast.bob))
    assert (answer.status_code, answer.content) == (204, b"")
    assert theirs.get("/api/v1/me").status_code == 401
    assert cast.bob.client.get("/a/inbox/").status_code == 404
    assert api.told(program.get(at(cast.bob)))["has_left"] is True
    # Who has left has no place to change.
    assert code(program.delete(at(cast.bob))) == (404, "not_found")
    assert code(program.patch(at(cast.bob), {"role": "viewer"})) == (404, "not_found")


def test_what_was_changed_since_is_left_alone(program: api.Program, cast: Cast) -> None:
    seen = program.get(at(cast.bob))["ETag"]
    assert program.patch(at(cast.bob), {"role": "viewer"}, If_Match=seen).status_code == 200
    assert code(program.patch(at(cast.bob), {"role": "admin"}, If_Match=seen)) == (412, "precondition_failed")
    assert code(program.delete(at(cast.bob), If_Match=seen)) == (412, "precondition_failed")
    assert roles(cast)["Bob"] == "viewer"


def test_of_two_changes_at_once_one_is_refused(program: api.Program, cast: Cast) -> None:
    seen = program.get(at(cast.bob))["ETag"]
    answers: list[int] = []

    def change(role: str) -> None:
        answers.append(program.patch(at(cast.bob), {"role": role}, If_Match=seen).status_code)

    at_once(lambda: change("viewer"), lambda: change("admin"))
    assert sorted(answers) == [200, 412]


def test_an_admin_that_is_none_any_more(cast: Cast, database: Database) -> None:
    make(database, cast.bob, "admin")
    caller = api.of_member(cast.a, cast.bob.member_id)
    make(database, cast.bob, "member")
    assert code(caller.delete(at(cast.vera))) == (403, "not_allowed")
