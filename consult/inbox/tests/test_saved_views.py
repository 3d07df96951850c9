"""Filters kept under a name: one's own, or everybody's."""

import re
import uuid

from conftest import Cast, Database

SAVE = "/a/inbox/views/"


def shown(person: object) -> list[str]:
    text = person.client.get("/a/inbox/").content.decode()  # type: ignore[attr-defined]
    return re.findall(r'class="chip[^"]*"><a href="\?([^"]*)"', text)


def test_one_of_ones_own(database: Database, cast: Cast) -> None:
    posted = {"name": " Old ones ", "query": "view=unassigned&age=over7d&evil=<script>"}
    assert cast.bob.client.post(SAVE, posted)["Location"] == "/a/inbox/?view=unassigned&age=over7d"
    assert shown(cast.bob) == ["view=unassigned&amp;age=over7d"]
    assert shown(cast.alice) == []
    # The same name again: the new one instead of the old.
    cast.bob.client.post(SAVE, {"name": "Old ones", "query": "age=over30d"})
    assert shown(cast.bob) == ["view=open&amp;age=over30d"]
    [(id, name)] = database.ask("SELECT id, name FROM inbox_savedview")
    assert name == "Old ones"
    for other in (cast.alice.client, cast.vera.client):
        assert other.post(f"{SAVE}{id}/delete/").status_code == 404
    assert cast.bob.client.post(f"{SAVE}{id}/delete/")["Location"] == "/a/inbox/?view=open&age=over30d"
    assert shown(cast.bob) == []
    assert cast.bob.client.post(f"{SAVE}{id}/delete/").status_code == 404


def test_a_shared_one(database: Database, cast: Cast) -> None:
    cast.bob.client.post(SAVE, {"name": "Shop", "query": "view=waiting", "shared": "on"})
    assert shown(cast.alice) == shown(cast.vera) == ["view=waiting"]
    assert database.ask("SELECT action FROM accounts_audit WHERE by_id = %s", [cast.bob.member_id]) == [
        ("inbox.save_view",)
    ]
    # Who may only read keeps some for themselves.
    assert cast.vera.client.post(SAVE, {"name": "x", "query": "", "shared": "on"}).status_code == 403
    assert cast.vera.client.post(SAVE, {"name": "Mine", "query": "view=held"}).status_code == 302
    assert shown(cast.vera) == ["view=held", "view=waiting"]


def test_a_bad_name_is_said(database: Database, cast: Cast) -> None:
    for name in ("", "  ", "x" * 61, "\0"):
        answer = cast.bob.client.post(SAVE, {"name": name, "query": "age=7d"}, follow=True)
        assert "Not kept: a view needs a name" in answer.content.decode()
    assert database.ask("SELECT count(*) FROM inbox_savedview") == [(0,)]


def test_who_may_not(cast: Cast) -> None:
    gone = f"{SAVE}{uuid.uuid4()}/delete/"
    for url in (SAVE, gone):
        assert cast.charlie.client.post(url, {"name": "x"}).status_code == 404
        assert cast.stranger.post(url, {"name": "x"}).status_code == 302
        assert cast.bob.client.get(url).status_code == 405
