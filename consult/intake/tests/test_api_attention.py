"""What is set aside, by program."""

import datetime as dt
import uuid
from typing import Any

import pytest

from conftest import Cast, Database
from consult.intake.tests.test_attention import packed
from tests import api

PATH = "/api/v1/attention"


@pytest.fixture
def program(cast: Cast) -> api.Program:
    return api.of_member(cast.a, cast.alice.member_id)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, api.told(answer)["code"]


def test_it_is_told_as_far_as_it_can_be_read(database: Database, cast: Cast, program: api.Program) -> None:
    content = packed()
    id = database.set_aside(cast.key_a, content, receipt="K7QF2M9X4TDA")
    [listed] = api.told(program.get(PATH))["items"]
    found = api.told(program.get(f"{PATH}/{id}"))
    assert found == {
        **listed,
        "fields": [{"label": "name", "value": "Ann <b>"}, {"label": "message", "value": "Please call"}],
        "page_url": "https://a.example/contact",
    }
    assert (listed["id"], listed["receipt"], listed["reason"]) == (str(id), "K7QF-2M9X-4TDA", "CheckViolationError")
    assert (listed["form_id"], listed["resolved_at"]) == (str(cast.form_a), None)
    raw = api.of_member(cast.a, cast.vera.member_id).get(f"{PATH}/{id}/raw")
    assert raw.content == content
    assert raw["Content-Type"] == "application/octet-stream"
    assert raw["Content-Disposition"] == 'attachment; filename="set-aside-K7QF2M9X4TDA.msgpack"'
    assert raw["X-Content-Type-Options"] == "nosniff"
    assert raw["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("content", [b"", b"\xc1", packed(fields="{}"), packed()[:-5]])
def test_bytes_that_cannot_be_read(database: Database, cast: Cast, program: api.Program, content: bytes) -> None:
    id = database.set_aside(cast.key_a, content)
    found = api.told(program.get(f"{PATH}/{id}"))
    assert (found["fields"], found["receipt"]) == ([], "K7QF-2M9X-4TDA")
    assert program.get(f"{PATH}/{id}/raw").content == content


def test_half_a_character_is_no_reason_to_show_nothing(database: Database, cast: Cast, program: api.Program) -> None:
    """JSON may name half of a surrogate pair: no UTF-8 holds it, and that may be why it lies here."""
    id = database.set_aside(cast.key_a, packed(fields=r'[["name", "A\ud83d"], ["\udc00", "\ud83d\ude00\u0000"]]'))
    found = api.told(program.get(f"{PATH}/{id}"))
    assert [(field["label"], field["value"]) for field in found["fields"]] == [("name", "A�"), ("�", "😀\0")]
    assert "A�" in cast.alice.client.get("/a/attention/").content.decode()


def test_resolved_and_taken_back(database: Database, cast: Cast, program: api.Program) -> None:
    now = dt.datetime.now(dt.UTC)
    first, second = (
        database.set_aside(cast.key_a, received_at=now - dt.timedelta(minutes=minutes)) for minutes in (5, 0)
    )

    def listed(query: str = "") -> list[str]:
        return [each["id"] for each in api.told(program.get(f"{PATH}{query}"))["items"]]

    assert listed() == [str(second), str(first)]
    seen = program.get(f"{PATH}/{first}")["ETag"]
    answer = program.post(f"{PATH}/{first}/resolve", If_Match=seen)
    assert answer.status_code == 200
    assert api.told(answer)["resolved_at"]
    assert code(program.post(f"{PATH}/{first}/reopen", If_Match=seen)) == (412, "precondition_failed")
    # A second time nothing happens: it stays as it was.
    assert program.post(f"{PATH}/{first}/resolve").content == answer.content
    assert (listed("?resolved=true"), listed("?resolved=false")) == ([str(first)], [str(second)])
    assert "Resolved lately" in cast.alice.client.get("/a/attention/").content.decode()
    assert api.told(program.post(f"{PATH}/{first}/reopen"))["resolved_at"] is None
    assert listed("?resolved=true") == []
    audit = database.ask("SELECT action, by_id FROM accounts_audit WHERE subject_id = %s ORDER BY created_at", [first])
    assert audit == [
        ("intake.resolve_set_aside", cast.alice.member_id),
        ("intake.reopen_set_aside", cast.alice.member_id),
    ]


def test_a_retry_resolves_once(database: Database, cast: Cast, program: api.Program) -> None:
    id = database.set_aside(cast.key_a)
    first = program.post(f"{PATH}/{id}/resolve", Idempotency_Key="one")
    program.post(f"{PATH}/{id}/reopen")
    again = program.post(f"{PATH}/{id}/resolve", Idempotency_Key="one")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert database.ask("SELECT resolved_at FROM intake_setaside") == [(None,)], "done once, and taken back since"


def test_who_may_not(database: Database, cast: Cast, program: api.Program) -> None:
    id = database.set_aside(cast.key_a, packed())
    for person in (cast.vera, cast.bob):
        caller = api.of_member(cast.a, person.member_id)
        assert caller.get(f"{PATH}/{id}").status_code == 200
        for act in ("resolve", "reopen"):
            assert code(caller.post(f"{PATH}/{id}/{act}")) == (403, "not_allowed")
    stranger = api.of_member(cast.b, cast.charlie.member_id)
    for caller, there in ((stranger, id), (program, uuid.uuid4())):
        for path in (f"{PATH}/{there}", f"{PATH}/{there}/raw"):
            assert code(caller.get(path)) == (404, "not_found")
        for act in ("resolve", "reopen"):
            assert code(caller.post(f"{PATH}/{there}/{act}")) == (404, "not_found")
    assert api.told(stranger.get(PATH))["items"] == []
    assert database.ask("SELECT resolved_at FROM intake_setaside") == [(None,)]
