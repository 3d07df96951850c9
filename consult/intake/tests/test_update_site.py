"""Changing a site, and how else to reach it."""

import psycopg

from conftest import Cast, Database

GOOD = {
    "name": "Roastery",
    "url": "https://roastery.example",
    "client_name": "Roastery Ltd",
    "fallback_contact": "1234",
}


def url(cast: Cast) -> str:
    return f"/a/sites/{cast.site_a}/edit/"


def test_it_works(database: Database, cast: Cast) -> None:
    assert 'value="Site a"' in cast.alice.client.get(url(cast)).content.decode()
    with psycopg.connect(database.urls["consult_edge"], autocommit=True) as edge:
        edge.execute("LISTEN consult_forms")
        assert cast.alice.client.post(url(cast), GOOD)["Location"] == f"/a/sites/{cast.site_a}/"
        assert [note.payload for note in edge.notifies(timeout=5, stop_after=1)] == [cast.key_a]
    [(form,)] = database.ask("SELECT intake_form_v2(%s)", [cast.key_a], role="consult_edge")
    assert form["site"] == {"name": "Roastery", "url": "https://roastery.example", "fallback_contact": "1234"}
    page = cast.vera.client.get(f"/a/sites/{cast.site_a}/").content.decode()
    for shown in GOOD.values():
        assert shown in page
    found = database.ask("SELECT by_id FROM accounts_audit WHERE action = 'intake.update_site'")
    assert found == [(cast.alice.member_id,)]
    # Back to the agency's own.
    cast.alice.client.post(url(cast), GOOD | {"client_name": "", "fallback_contact": ""})
    assert database.ask("SELECT client_id, fallback_contact FROM intake_site WHERE id = %s", [cast.site_a]) == [
        (None, "")
    ]


def test_bad_input_changes_nothing(database: Database, cast: Cast) -> None:
    for bad in ({"name": ""}, {"url": "nowhere"}, {"fallback_contact": "x" * 321}):
        answer = cast.alice.client.post(url(cast), GOOD | bad)
        assert answer.status_code == 422
        assert "Roastery Ltd" in answer.content.decode()
    assert database.ask("SELECT name FROM intake_site WHERE id = %s", [cast.site_a]) == [("Site a",)]


def test_who_may_not(database: Database, cast: Cast) -> None:
    for client, status in (
        (cast.vera.client, 403),
        (cast.bob.client, 403),
        (cast.charlie.client, 404),
        (cast.stranger, 302),
    ):
        assert client.post(url(cast), GOOD).status_code == status
    assert cast.charlie.client.post(url(cast).replace("/a/", "/b/"), GOOD).status_code == 404
    assert database.ask("SELECT count(*) FROM intake_site WHERE name = 'Roastery'") == [(0,)]
