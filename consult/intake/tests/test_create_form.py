"""A form on a site, with its fields."""

import re
from typing import Any

from conftest import Cast, Database

GOOD: dict[str, Any] = {
    "name": "Order",
    "allowed_origins": "https://Roastery.example\nhttps://www.roastery.example:8443/",
    "redirect_targets": "https://roastery.example/thanks/?a=1",
    "notify_addresses": "ann@roastery.example\n\nbob@roastery.example",
    "field-0-label": "Your name",
    "field-0-name": "name",
    "field-0-type": "text",
    "field-0-required": "on",
    "field-0-position": "2",
    "field-1-label": "Beans",
    "field-1-name": "",
    "field-1-type": "select",
    "field-1-options": "House\nEspresso, Decaf",
    "field-1-position": "1",
    "field-7-label": "",
    "field-7-name": "",
    "field-7-type": "text",
}


def url(cast: Cast) -> str:
    return f"/a/sites/{cast.site_a}/forms/new/"


def test_it_works(database: Database, cast: Cast) -> None:
    assert cast.alice.client.get(url(cast)).status_code == 200
    answer = cast.alice.client.post(url(cast), GOOD)
    assert answer.status_code == 302
    [(id, key, version, origins, targets, notified)] = database.ask(
        "SELECT id, key, version, allowed_origins, redirect_targets, notify_addresses FROM intake_form"
        " WHERE name = 'Order'"
    )
    assert answer["Location"] == f"/a/forms/{id}/"
    assert re.fullmatch("frm_[A-Za-z0-9]{22}", key)
    assert version == 1
    assert origins == ["https://roastery.example", "https://www.roastery.example:8443"]
    assert targets == ["https://roastery.example/thanks/?a=1"]
    assert notified == ["ann@roastery.example", "bob@roastery.example"]
    [(form,)] = database.ask("SELECT intake_form_v2(%s)", [key], role="consult_edge")
    assert form["fields"] == [
        {
            "name": "beans",
            "label": "Beans",
            "type": "select",
            "required": False,
            "options": ["House", "Espresso", "Decaf"],
            "max_length": 500,
        },
        {"name": "name", "label": "Your name", "type": "text", "required": True, "options": [], "max_length": 500}
        | {"required_since": 1},
    ]
    assert database.ask("SELECT action FROM accounts_audit WHERE subject_id = %s", [id]) == [("intake.create_form",)]
    assert database.submit(key)[1] == "stored"


BAD: list[tuple[dict[str, str], str]] = [
    ({"name": ""}, "This field is required"),
    ({"field-0-name": "9lives"}, "cannot be a field"),
    ({"field-0-name": "hp_topic"}, "cannot be a field"),
    ({"field-0-name": "beans"}, "Two fields are named"),
    ({"field-0-type": "video"}, "is no field type"),
    ({"field-1-options": ""}, "needs options"),
    ({"allowed_origins": "roastery.example"}, "is no origin"),
    ({"allowed_origins": "https://roastery.example/path"}, "is no origin"),
    ({"allowed_origins": "https://[::1"}, "is no origin"),
    ({"allowed_origins": "https://roastery.example:port"}, "is no origin"),
    ({"redirect_targets": "javascript:alert(1)"}, "is no web address"),
    ({"redirect_targets": "https://[::1/thanks"}, "is no web address"),
    ({"redirect_targets": "/thanks"}, "is no web address"),
    ({"notify_addresses": "ann@roastery.example\nnobody"}, "Enter a valid email address"),
    ({"notify_addresses": "ann@x.example\rBcc: all@x.example"}, "Enter a valid email address"),
]


def test_bad_input_keeps_what_was_typed(database: Database, cast: Cast) -> None:
    for bad, said in BAD:
        sent = GOOD | bad
        answer = cast.alice.client.post(url(cast), sent)
        text = answer.content.decode()
        assert (bad, answer.status_code) == (bad, 422)
        assert said in text, bad
        for typed in ("Your name", "Beans", "Espresso", "ann@"):
            assert typed in text or typed not in " ".join(sent.values())
        for part in ("allowed_origins", "redirect_targets", "name"):
            for line in sent[part].splitlines():
                assert line in text
        assert database.ask("SELECT count(*) FROM intake_form WHERE agency_id = %s", [cast.a]) == [(1,)]


def test_a_form_without_fields(cast: Cast) -> None:
    bare = {name: value for name, value in GOOD.items() if not name.startswith("field-")}
    answer = cast.alice.client.post(url(cast), bare)
    assert answer.status_code == 422
    assert "at least one field" in answer.content.decode()
    many = bare | {f"field-{number}-label": f"Field {number}" for number in range(51)}
    assert "at most 50" in cast.alice.client.post(url(cast), many).content.decode()
    most = bare | {f"field-{number}-label": f"Field {number}" for number in range(50)}
    assert cast.alice.client.post(url(cast), most).status_code == 302


def test_odd_bytes_are_no_error_of_ours(cast: Cast) -> None:
    """Postgres text and JSON hold no NUL."""
    for odd in ("\0", "a\0b", "😀", "‮"):
        for part in ("field-0-label", "field-0-name", "field-1-options", "field-0-position", "allowed_origins", "name"):
            assert cast.alice.client.post(url(cast), GOOD | {part: odd}).status_code in (302, 422), (part, odd)


def test_who_may_not(database: Database, cast: Cast) -> None:
    for client, status in (
        (cast.vera.client, 403),
        (cast.bob.client, 403),
        (cast.charlie.client, 404),
        (cast.stranger, 302),
    ):
        assert client.post(url(cast), GOOD).status_code == status
    # A site of another agency is not there.
    assert cast.charlie.client.post(url(cast).replace("/a/", "/b/"), GOOD).status_code == 404
    assert database.ask("SELECT count(*) FROM intake_form") == [(2,)]
