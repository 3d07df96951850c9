"""The CRM for programs: what the pages can, and what nobody means to send."""

import uuid
from typing import Any

import pytest

from conftest import Cast, Database
from consult.crm import services
from consult.crm.tests.conftest import Known, at_once
from tests import api


@pytest.fixture
def program(cast: Cast) -> api.Program:
    return api.of_member(cast.a, cast.alice.member_id)


def told(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return api.told(answer)


def pointer(answer: Any) -> str:
    [error] = told(answer, 422)["errors"]
    return str(error["pointer"])


def test_a_contact_from_first_to_last(program: api.Program, known: Known, database: Database) -> None:
    body = {
        "name": "Bea Braun",
        "emails": ["Bea@Rosa.example", "b@x.example"],
        "phones": ["+44 20 7946 0001"],
        "company_id": str(known.company_id),
        "labels": ["VIP", "Press"],
    }
    made = program.post("/api/v1/contacts", body)
    contact = told(made, 201)
    assert made["Location"] == f"/api/v1/contacts/{contact['id']}"
    assert contact["emails"] == ["bea@rosa.example", "b@x.example"]
    assert (contact["labels"], contact["custom"]) == (["Press", "VIP"], [])
    assert told(program.get(made["Location"])) == contact
    changed = told(program.patch(made["Location"], {"emails": ["b@x.example"], "labels": ["VIP"]}))
    assert changed == {**contact, "emails": ["b@x.example"], "labels": ["VIP"]}
    # What the body does not name stays; null takes away.
    assert told(program.patch(made["Location"], {"company_id": None})) == {**changed, "company_id": None}
    assert told(program.patch(made["Location"], {}))["phones"] == ["+44 20 7946 0001"]
    assert program.patch(made["Location"], {"name": "Late"}, If_Match=made["ETag"]).status_code == 412
    assert database.ask("SELECT count(*) FROM accounts_audit WHERE action = 'crm.update_contact'") == [(2,)]


def test_contacts_are_found(program: api.Program, known: Known, cast: Cast) -> None:
    def names(query: str) -> list[str]:
        return [each["name"] for each in told(program.get(f"/api/v1/contacts?{query}"))["items"]]

    services.set_labels(agency_id=cast.a, place="contact", id=known.contact_id, names=["VIP"], by=None)
    services.create_contact(agency_id=cast.a, name="Zoe", by=None)
    [label] = told(program.get("/api/v1/labels"))["items"]
    assert label["name"] == "VIP"
    assert names("") == ["Ann Müller", "Zoe"]
    for query in ("q=muller", f"company_id={known.company_id}", f"label_id={label['id']}", "q=020%207946%200000"):
        assert names(query) == ["Ann Müller"], query
    for query in ("q=%25", f"label_id={uuid.uuid4()}", f"client_id={uuid.uuid4()}"):
        assert names(query) == [], query


def test_an_address_that_is_known(program: api.Program, known: Known, database: Database) -> None:
    body = {"emails": ["ann+tag@rosa.example"], "unless_known": True}
    refused = told(program.post("/api/v1/contacts", body), 409)
    assert (refused["code"], str(known.contact_id) in refused["detail"]) == ("conflict", True)
    assert (
        told(program.post("/api/v1/contacts", {**body, "unless_known": False}), 201)["name"] == "ann+tag@rosa.example"
    )


def test_what_is_another_agencys_is_not_there(program: api.Program, cast: Cast, known: Known) -> None:
    theirs = services.create_company(agency_id=cast.b, name="Theirs", by=None)
    client = str(services.create_client(agency_id=cast.b, name="Their client"))
    person = services.create_contact(agency_id=cast.b, name="Their contact", by=None)
    deal = services.create_deal(agency_id=cast.b, title="Their deal", by=None)
    stage = told(api.of_member(cast.b, cast.charlie.member_id).get("/api/v1/stages"))["items"][0]["id"]
    field = services.create_field(agency_id=cast.b, place="contact", name="Size", kind="text", by=None)
    custom = [{"field_id": str(field), "value": "x"}]
    for path, body, at in (
        ("contacts", {"name": "x", "company_id": str(theirs)}, "/company_id"),
        ("contacts", {"name": "x", "client_id": client}, "/client_id"),
        ("contacts", {"name": "x", "custom": custom}, "/custom/0/field_id"),
        ("companies", {"name": "x", "client_id": client}, "/client_id"),
        ("deals", {"title": "x", "contact_id": str(person)}, "/contact_id"),
        ("deals", {"title": "x", "company_id": str(theirs)}, "/company_id"),
        ("deals", {"title": "x", "stage_id": stage}, "/stage_id"),
        ("deals", {"title": "x", "owner_id": str(cast.charlie.member_id)}, "/owner_id"),
        (f"contacts/{known.contact_id}/merge", {"other_id": str(person)}, "/other_id"),
        (f"deals/{known.deal_id}/move", {"stage_id": stage}, "/stage_id"),
    ):
        assert pointer(program.post(f"/api/v1/{path}", body)) == at, path
    for path, body, at in (
        (f"contacts/{known.contact_id}", {"company_id": str(theirs)}, "/company_id"),
        (f"contacts/{known.contact_id}", {"client_id": client}, "/client_id"),
        (f"companies/{known.company_id}", {"client_id": client}, "/client_id"),
        (f"deals/{known.deal_id}", {"contact_id": str(person)}, "/contact_id"),
        (f"deals/{known.deal_id}", {"company_id": str(theirs)}, "/company_id"),
        (f"deals/{known.deal_id}", {"owner_id": str(cast.charlie.member_id)}, "/owner_id"),
    ):
        assert pointer(program.patch(f"/api/v1/{path}", body)) == at, path
    for path in (f"contacts/{person}", f"companies/{theirs}", f"deals/{deal}", f"deals/{deal}/notes"):
        assert program.get(f"/api/v1/{path}").status_code == 404, path


def test_bad_values(program: api.Program, known: Known) -> None:
    for path, body, at in (
        ("contacts", {}, "/name"),
        ("contacts", {"name": "x", "emails": ["no address"]}, "/emails/0"),
        ("contacts", {"name": "x", "emails": [f"a@{'ﷺ' * 60}.com"]}, "/emails/0"),
        ("contacts", {"name": "x", "phones": ["12"]}, "/phones/0"),
        ("contacts", {"name": "x", "labels": ["a,b"]}, "/labels/0"),
        ("contacts", {"name": "x", "labels": ["\N{COMBINING ACUTE ACCENT}"]}, "/labels/0"),
        ("contacts", {"name": "x", "labels": ["x"] * 21}, "/labels"),
        ("companies", {"name": "x", "website": "javascript:alert(1)"}, "/website"),
        ("companies", {"name": "x", "website": "https://no host"}, "/website"),
        ("deals", {"title": "x", "value_minor": -1}, "/value_minor"),
        ("deals", {"title": "x", "value_minor": 10**16}, "/value_minor"),
        ("deals", {"title": "x", "value_minor": 1.5}, "/value_minor"),
        ("deals", {"title": "x", "value_minor": 1, "currency": "XXX"}, "/currency"),
        ("deals", {"title": "x", "expected_on": 5}, "/expected_on"),
        ("deals", {"title": "x", "expected_on": "2026-02-30"}, "/expected_on"),
        (f"deals/{known.deal_id}/lose", {"reason": "  "}, "/reason"),
        (f"contacts/{known.contact_id}/notes", {"body": " \n"}, "/body"),
        ("fields", {"place": "deal", "name": "x", "kind": "choice"}, "/options"),
        ("fields", {"place": "deal", "name": "x", "kind": "text", "options": ["a"]}, "/options"),
    ):
        assert pointer(program.post(f"/api/v1/{path}", body)) == at, (path, body)


def test_a_deal_from_first_to_last(program: api.Program, known: Known, cast: Cast) -> None:
    body = {"title": "Shop", "value_minor": 480_000, "contact_id": str(known.contact_id), "expected_on": "2027-01-31"}
    made = program.post("/api/v1/deals", body)
    deal = told(made, 201)
    assert (deal["company_id"], deal["currency"], deal["status"]) == (str(known.company_id), "EUR", "open")
    first, second, *_rest = told(program.get("/api/v1/stages"))["items"]
    assert (deal["stage_id"], second["position"]) == (first["id"], 2)
    address = made["Location"]
    moved = program.post(f"{address}/move", {"stage_id": second["id"]}, If_Match=made["ETag"])
    assert told(moved)["stage_id"] == second["id"]
    assert program.post(f"{address}/move", {"stage_id": first["id"]}, If_Match=made["ETag"]).status_code == 412
    changed = told(program.patch(address, {"title": "Big shop", "owner_id": str(cast.bob.member_id)}))
    assert (changed["title"], changed["value_minor"], changed["company_id"]) == (
        "Big shop",
        480_000,
        str(known.company_id),
    )
    lost = told(program.post(f"{address}/lose", {"reason": "Too dear"}))
    assert (lost["status"], lost["lost_reason"]) == ("lost", "Too dear")
    for end in ("win", "move"):
        sent = {"stage_id": first["id"]} if end == "move" else None
        assert told(program.post(f"{address}/{end}", sent), 409)["code"] == "conflict"
    assert told(program.post(f"{address}/reopen"))["lost_reason"] == ""
    assert told(program.post(f"{address}/win"))["status"] == "won"
    assert [each["title"] for each in told(program.get("/api/v1/deals?status=won"))["items"]] == ["Big shop"]
    unpriced = told(program.patch(address, {"value_minor": None}))
    assert (unpriced["value_minor"], unpriced["currency"]) == (None, "")


def test_own_fields(program: api.Program, known: Known) -> None:
    def field(kind: str, *options: str) -> str:
        body = {"place": "company", "name": f"A {kind}", "kind": kind, "options": options}
        return str(told(program.post("/api/v1/fields", body), 201)["id"])

    number, day, choice, text = field("number"), field("date"), field("choice", "Gold", "Tin"), field("text")
    address = f"/api/v1/companies/{known.company_id}"

    def keep(id: str, value: str) -> Any:
        return program.patch(address, {"custom": [{"field_id": id, "value": value}]})

    for id, good in ((number, "0"), (number, "-12.50"), (day, "2027-01-31"), (choice, "Tin"), (text, "x y")):
        assert {"field_id": id, "value": good} in told(keep(id, good))["custom"]
    for id, bad in (
        *((number, each) for each in ("NaN", "1e5", "Infinity", "٣", "1,5", "9" * 15, "--1")),
        *((day, each) for each in ("2027-02-30", "31.1.2027", "2027-01-31T00:00:00", "20270131")),
        *((choice, each) for each in ("gold", "Silver")),
    ):
        assert pointer(keep(id, bad)) == "/custom/0/value", bad
    # Empty takes it away, and the others stay.
    assert [own["field_id"] for own in told(keep(number, ""))["custom"]] == sorted((day, choice, text))
    assert told(program.post("/api/v1/fields", {"place": "company", "name": "A text", "kind": "text"}), 409)
    assert program.delete(f"/api/v1/fields/{choice}").status_code == 204
    assert program.delete(f"/api/v1/fields/{choice}").status_code == 404
    assert pointer(keep(choice, "Tin")) == "/custom/0/field_id"
    # What was filled in stays stored.
    assert {"field_id": choice, "value": "Tin"} in told(program.get(address))["custom"]


def test_a_merge_and_its_end(program: api.Program, known: Known, cast: Cast) -> None:
    other = services.create_contact(agency_id=cast.a, name="Anna", emails=["anna@x.example"], by=None)
    services.add_note(agency_id=cast.a, place="contact", id=other, body="Hers", by=None)
    address = f"/api/v1/contacts/{known.contact_id}"
    seen = program.get(address)["ETag"]
    merge = told(program.post(f"{address}/merge", {"other_id": str(other), "take": ["name"]}, If_Match=seen))
    assert program.post(f"{address}/merge", {"other_id": str(other)}, If_Match=seen).status_code == 412
    assert pointer(program.post(f"{address}/merge", {"other_id": str(other)})) == "/other_id"
    merged = told(program.get(f"/api/v1/contacts/{other}"))
    assert (merged["id"], merged["name"]) == (str(known.contact_id), "Anna")
    assert "anna@x.example" in merged["emails"]
    assert [note["body"] for note in told(program.get(f"{address}/notes"))["items"]] == ["Hers"]
    # Whoever changes the one that went changes the one that it is now.
    assert told(program.patch(f"/api/v1/contacts/{other}", {"job_title": "Owner"}))["id"] == str(known.contact_id)
    apart = told(program.post(f"{address}/unmerge/{merge['id']}"))
    assert apart["contact_id"] == str(other)
    assert told(program.get(f"/api/v1/contacts/{other}"))["name"] == "Anna"
    assert told(program.post(f"{address}/unmerge/{merge['id']}"), 409)["code"] == "conflict"


def test_merges_both_ways_at_once(program: api.Program, known: Known, cast: Cast, database: Database) -> None:
    """Of two who merge each into the other, one does it; nobody waits for ever, and nobody is merged in a ring."""
    other = services.create_contact(agency_id=cast.a, name="Anna", by=None)
    one, two = str(known.contact_id), str(other)
    answers = at_once(
        lambda: program.post(f"/api/v1/contacts/{one}/merge", {"other_id": two}).status_code,
        lambda: program.post(f"/api/v1/contacts/{two}/merge", {"other_id": one}).status_code,
    )
    assert sorted(map(str, answers)) == ["200", "422"]
    assert database.ask("SELECT count(*) FROM crm_contact WHERE merged_into_id IS NOT NULL") == [(1,)]


def test_a_key_makes_one(program: api.Program, database: Database) -> None:
    key = {"Idempotency_Key": "one"}
    first, again = (program.post("/api/v1/companies", {"name": "Once"}, **key) for _ in range(2))
    assert (told(first, 201), again["Location"]) == (told(again, 201), first["Location"])
    assert database.ask("SELECT count(*) FROM crm_company") == [(1,)]


def test_nothing_of_a_refused_request_is_kept(program: api.Program, database: Database) -> None:
    body = {"name": "Half", "labels": ["VIP"], "custom": [{"field_id": str(uuid.uuid4()), "value": "x"}]}
    assert pointer(program.post("/api/v1/contacts", body)) == "/custom/0/field_id"
    assert database.ask("SELECT (SELECT count(*) FROM crm_contact), (SELECT count(*) FROM crm_label)") == [(0, 0)]
