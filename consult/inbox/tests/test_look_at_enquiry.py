"""Who else has an enquiry open: told in place, without a table, and only to this agency."""

import json
from typing import Any

import psycopg
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import Cast, Database, Enquiry

URL = "/a/inbox/1/looking/"


def look(person: Any, doing: str = "looking") -> str:
    return str(person.client.post(URL, {"doing": doing}).content.decode())


def test_it_works(cast: Cast, enquiry: Enquiry) -> None:
    cache.clear()
    assert "is looking" not in look(cast.bob)
    assert "Bob is looking at it too" in look(cast.vera)
    assert "Vera is looking at it too" in look(cast.bob)
    look(cast.vera, "writing")
    text = look(cast.bob)
    assert "Vera is writing a reply" in text
    assert "Bob" not in text
    look(cast.vera, "gone")
    assert "Vera" not in look(cast.bob)


def test_only_what_changes_is_told_to_others(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cache.clear()
    with psycopg.connect(database.urls["superuser"], autocommit=True) as listening:
        listening.execute("LISTEN consult_live")
        for doing in ("looking", "looking", "writing", "writing", "gone"):
            look(cast.bob, doing)
        told = [json.loads(notice.payload) for notice in listening.notifies(timeout=2, stop_after=3)]
        more = list(listening.notifies(timeout=0.2))
    assert [set(each) for each in told] == [{"agency", "kind", "id"}] * 3
    assert {each["kind"] for each in told} == {"looking"}
    assert more == []


def test_it_asks_little(cast: Cast, enquiry: Enquiry) -> None:
    cache.clear()
    look(cast.vera)
    look(cast.bob)
    with CaptureQueriesContext(connection) as asked:
        look(cast.bob)
    assert len(asked) <= 16, [query["sql"][:80] for query in asked]


def test_bad_input(cast: Cast, enquiry: Enquiry) -> None:
    assert cast.bob.client.post(URL, {"doing": "dancing"}).status_code == 400
    assert cast.bob.client.post("/a/inbox/99/looking/").status_code == 404
    assert cast.charlie.client.post(URL).status_code == 404
    assert cast.charlie.client.post("/b/inbox/1/looking/").status_code == 404
