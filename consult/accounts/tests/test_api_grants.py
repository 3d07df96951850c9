"""Programs signed in, as programs see them: whose, and their end."""

import uuid
from typing import Any

import pytest

from conftest import Cast, Database
from consult.accounts.tests import extension
from tests import api

PATH = "/api/v1/programs"


@pytest.fixture
def program(cast: Cast) -> api.Program:
    return api.of_member(cast.a, cast.alice.member_id)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, api.told(answer)["code"]


def ids(caller: api.Program) -> list[str]:
    return [each["id"] for each in api.told(caller.get(PATH))["items"]]


def test_whose_they_are(program: api.Program, cast: Cast) -> None:
    bobs, alices = (api.sign_in_program(cast, person.member_id) for person in (cast.bob, cast.alice))
    assert ids(program) == ids(api.of_agency(cast)) == [str(bobs), str(alices)]
    assert ids(api.of_member(cast.a, cast.bob.member_id)) == [str(bobs)]
    assert ids(api.of_agency(cast, "viewer", ("read",))) == []
    # Without the scope one manages nothing, whatever one's role.
    assert ids(api.of_member(cast.a, cast.alice.member_id, ("read",))) == [str(alices)]
    shown = api.told(program.get(f"{PATH}/{bobs}"))
    assert {name: shown[name] for name in ("client_id", "member_id", "scopes", "device", "address")} == {
        "client_id": extension.ID,
        "member_id": str(cast.bob.member_id),
        "scopes": ["read", "write"],
        "device": "Chrome 143, Linux",
        "address": "203.0.113.0",
    }


def test_signed_out(program: api.Program, cast: Cast, database: Database) -> None:
    signed_in = extension.sign_in(cast.bob.client)
    [id] = ids(program)
    for caller in (
        api.of_member(cast.a, cast.vera.member_id),
        api.of_member(cast.b, cast.charlie.member_id),
        api.of_agency(cast, "member", ("read", "write")),
    ):
        assert code(caller.delete(f"{PATH}/{id}")) == (404, "not_found")
    assert code(api.of_member(cast.a, cast.bob.member_id).delete(f"{PATH}/{id}")) == (403, "not_allowed")
    seen = program.get(f"{PATH}/{id}")["ETag"]
    assert extension.works(signed_in.access_token)
    assert extension.refresh(signed_in.refresh_token).status_code == 200
    assert code(program.delete(f"{PATH}/{id}", If_Match=seen)) == (412, "precondition_failed"), "it was used since"
    assert program.delete(f"{PATH}/{id}", If_Match="*").status_code == 204
    assert not extension.works(signed_in.access_token)
    assert ids(program) == []
    assert code(program.delete(f"{PATH}/{id}")) == (404, "not_found")
    assert database.ask("SELECT by_id FROM accounts_audit WHERE action = 'accounts.revoke_grant'") == [
        (cast.alice.member_id,)
    ]


def test_a_program_signs_itself_out(cast: Cast) -> None:
    signed_in = extension.sign_in(cast.vera.client)
    itself = api.Program(signed_in.access_token)
    [id] = ids(itself)
    assert api.told(itself.get("/api/v1/me"))["token_id"] == id
    assert itself.delete(f"{PATH}/{id}").status_code == 204
    assert itself.get("/api/v1/me").status_code == 401


def test_nothing_of_this_id(program: api.Program) -> None:
    for method in ("GET", "DELETE"):
        assert code(program.call(method, f"{PATH}/{uuid.uuid4()}")) == (404, "not_found")
