"""Adding a client's website."""

import re

from conftest import Cast, Database

URL = "/a/sites/new/"
GOOD = {"name": "Roastery", "url": "https://roastery.example", "client_name": "Roastery Ltd"}


def test_it_works(database: Database, cast: Cast) -> None:
    assert cast.alice.client.get(URL).status_code == 200
    answer = cast.alice.client.post(URL, GOOD)
    assert answer.status_code == 302
    [(id, agency_id, client)] = database.ask(
        "SELECT s.id, s.agency_id, c.name FROM intake_site s JOIN crm_client c ON c.id = s.client_id WHERE s.name = %s",
        ["Roastery"],
    )
    assert (agency_id, client) == (cast.a, "Roastery Ltd")
    assert answer["Location"] == f"/a/sites/{id}/"
    page = cast.vera.client.get(answer["Location"]).content.decode()
    assert "Roastery Ltd" in page
    assert "The site is added" in cast.alice.client.get(answer["Location"]).content.decode()
    audit = database.ask("SELECT action, by_id FROM accounts_audit WHERE subject_id = %s", [id])
    assert audit == [("intake.create_site", cast.alice.member_id)]
    assert "Roastery" in cast.vera.client.get("/a/sites/").content.decode()


def test_the_same_client_is_one_client(database: Database, cast: Cast) -> None:
    for name in ("One", "Two"):
        cast.alice.client.post(URL, GOOD | {"name": name})
    assert database.ask("SELECT count(*) FROM crm_client") == [(1,)]
    cast.alice.client.post(URL, GOOD | {"name": "Own", "client_name": ""})
    assert database.ask("SELECT client_id FROM intake_site WHERE name = 'Own'") == [(None,)]
    # Another agency's client of that name is another client.
    assert cast.charlie.client.post("/b/sites/new/", GOOD).status_code == 302
    assert sorted(database.ask("SELECT agency_id FROM crm_client")) == [(cast.a,), (cast.b,)]


BAD: list[dict[str, str]] = [
    {"name": ""},
    {"url": ""},
    {"url": "javascript:alert(1)"},
    {"url": "not an address"},
    {"name": "x" * 201},
    {"client_name": "x" * 201},
    {"name": "with\0zero"},
]


def test_bad_input_keeps_what_was_typed(database: Database, cast: Cast) -> None:
    for bad in BAD:
        sent = GOOD | bad
        answer = cast.alice.client.post(URL, sent)
        assert (bad, answer.status_code) == (bad, 422)
        text = answer.content.decode()
        for name, value in sent.items():
            assert not value or "\0" in value or f'value="{value}"' in text, name
        assert "field-error" in text
        assert re.search(r'aria-invalid="true"', text)
        assert database.ask("SELECT count(*) FROM intake_site WHERE agency_id = %s", [cast.a]) == [(1,)]


def test_an_address_without_its_scheme_is_https(database: Database, cast: Cast) -> None:
    cast.alice.client.post(URL, GOOD | {"url": "roastery.example"})
    assert database.ask("SELECT url FROM intake_site WHERE name = 'Roastery'") == [("https://roastery.example",)]


def test_who_may_not(database: Database, cast: Cast) -> None:
    for client, status in (
        (cast.vera.client, 403),
        (cast.bob.client, 403),
        (cast.charlie.client, 404),
        (cast.stranger, 302),
    ):
        assert client.post(URL, GOOD).status_code == status
    assert "may not change sites and forms" in cast.bob.client.get(URL).content.decode()
    assert database.ask("SELECT count(*) FROM intake_site") == [(2,)]


def test_names_are_shown_as_text(cast: Cast) -> None:
    cast.alice.client.post(URL, GOOD | {"name": "<script>alert(1)</script>", "client_name": "<b>"})
    text = cast.alice.client.get("/a/sites/").content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<b>" not in text
