"""Reply templates: written, chosen, filled; what stands for nothing is said."""

from typing import Any

from conftest import Cast, Database, Enquiry
from consult.inbox import services
from tests import api

PAGE = "/a/settings/replies/"


def add(cast: Cast, body: str, name: str = "Thanks") -> Any:
    return cast.bob.client.post(PAGE, {"name": name, "body": body})


def test_it_is_written_changed_and_deleted(database: Database, cast: Cast) -> None:
    assert add(cast, "Dear {{ name }},\nthanks").status_code == 302
    [(id, body)] = database.ask("SELECT id, body FROM inbox_template")
    assert body == "Dear {{ name }},\nthanks"
    assert "Thanks" in cast.vera.client.get(PAGE).content.decode()
    cast.bob.client.post(f"{PAGE}{id}/", {"name": "Thank you", "body": "Dear {{first_name}}"})
    assert database.ask("SELECT name, body FROM inbox_template") == [("Thank you", "Dear {{first_name}}")]
    assert cast.vera.client.post(f"{PAGE}{id}/delete/").status_code == 403
    assert cast.charlie.client.post(f"/b/settings/replies/{id}/delete/").status_code == 404
    cast.bob.client.post(f"{PAGE}{id}/delete/")
    assert database.ask("SELECT 1 FROM inbox_template") == []


def test_what_stands_for_nothing_is_said(database: Database, cast: Cast) -> None:
    answer = add(cast, "Dear {{ nmae }}, {% if x %}")
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "{{ nmae }} stands for nothing. There are: {{ name }}" in text
    assert "Dear {{ nmae }}, {% if x %}</textarea>" in text
    assert add(cast, "").status_code == 422
    assert add(cast, "x", name="n" * 61).status_code == 422
    assert database.ask("SELECT 1 FROM inbox_template") == []
    assert add(cast, "One").status_code == 302
    again = add(cast, "Two")
    assert "a template of this name already" in again.content.decode()
    assert database.ask("SELECT body FROM inbox_template") == [("One",)]


def test_it_is_filled_below_what_was_written(database: Database, cast: Cast) -> None:
    fields = (("name", "Zoë {{ email }}"), ("email", "zoe@visitor.example"), ("message", "Hello"))
    submission_id, _outcome = database.submit(cast.key_a, *fields)
    services.receive_submissions(agency_id=cast.a, submission_ids=[submission_id])
    add(cast, "Dear {{ first_name }} ({{ name }}), #{{number}} of {{ site }}. {{ member }}, {{ agency }}")
    [(id,)] = database.ask("SELECT id FROM inbox_template")
    said = {"do": "insert", "template": str(id), "text": "First,"}
    answer = cast.bob.client.post("/a/inbox/1/reply/", said, headers={"HX-Request": "true"})
    # What a sender calls themselves is never a placeholder.
    filled = "First,\n\nDear Zoë (Zoë {{ email }}), #1 of Site a. Bob, Agency A"
    assert f"{filled}</textarea>" in answer.content.decode()
    assert database.ask("SELECT state, text FROM inbox_message") == [("undone", filled)]
    # One that is gone meanwhile takes nothing away.
    cast.bob.client.post(f"{PAGE}{id}/delete/")
    cast.bob.client.post("/a/inbox/1/reply/", {**said, "text": "Alone"})
    assert database.ask("SELECT text FROM inbox_message ORDER BY created_at DESC LIMIT 1") == [("Alone",)]


def test_programs_have_the_same(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    program = api.of_member(cast.a, cast.alice.member_id)
    made = api.told(program.post("/api/v1/templates", {"name": "Hi", "body": "Hi {{ name }}"}))
    refused = program.post("/api/v1/templates", {"name": "Ho", "body": "{{ x }}"})
    assert (refused.status_code, api.told(refused)["errors"][0]["pointer"]) == (422, "/body")
    assert program.post("/api/v1/templates", {"name": "Hi", "body": "x"}).status_code == 409
    assert [each["id"] for each in api.told(program.get("/api/v1/templates"))["items"]] == [made["id"]]


def test_programs_reply_and_take_it_back(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    program = api.of_member(cast.a, cast.alice.member_id)
    one = "/api/v1/enquiries/1/messages"
    sent = api.told(program.post(one, {"text": "On Tuesday"}))
    assert (sent["state"], sent["to_address"], sent["direction"]) == ("queued", "ann@visitor.example", "out")
    assert [each["id"] for each in api.told(program.get(one))["items"]] == [sent["id"]]
    assert api.told(program.get("/api/v1/enquiries/1"))["status"] == "waiting"
    assert api.told(program.post(f"{one}/{sent['id']}/undo"))["state"] == "undone"
    assert api.told(program.get("/api/v1/enquiries/1"))["status"] == "open"
    assert program.post(one, {"text": " \n"}).status_code == 422
    assert program.post(one, {"text": "x" * 50_001}).status_code == 422
    program.post("/api/v1/enquiries/1/spam")
    assert program.post(one, {"text": "x"}).status_code == 409
