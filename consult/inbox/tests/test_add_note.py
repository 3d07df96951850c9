import threading
from typing import Any

import pytest
from django.db import connection

from conftest import Cast, Database, Enquiry
from consult.inbox import services
from consult.inbox.services import words

URL = "/a/inbox/1/notes/"


def test_it_works(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    assert cast.bob.client.post(URL, {"body": "  Called back\n\nat noon  "})["Location"] == "/a/inbox/1/"
    assert database.ask("SELECT body, author_id, agency_id FROM inbox_note") == [
        ("Called back\n\nat noon", cast.bob.member_id, cast.a)
    ]
    [(data,)] = database.ask("SELECT data FROM accounts_audit WHERE action = 'inbox.add_note'")
    assert set(data) == {"note"}, "the audit does not repeat what was written"
    text = cast.vera.client.get("/a/inbox/1/").content.decode()
    assert "Called back\n\nat noon" in text


def test_it_answers_htmx_with_the_part(cast: Cast, enquiry: Enquiry) -> None:
    answer = cast.bob.client.post(URL, {"body": "One"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()
    assert "One" in answer.content.decode()


def test_an_empty_note_is_said_where_it_was_written(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    htmx = {"HX-Request": "true"}
    for headers, body in (({}, ""), (htmx, ""), (htmx, "   "), ({}, "\n\n")):
        answer = cast.bob.client.post(URL, {"body": body}, headers=headers)
        assert answer.status_code == 422
        text = answer.content.decode()
        assert ("<html" in text) is not bool(headers)
        assert "The note is empty." in text
        assert 'aria-invalid="true"' in text
    assert database.ask("SELECT 1 FROM inbox_note") == []


def test_notes_are_text(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.bob.client.post(URL, {"body": "<script>alert(1)</script>\0 & more"})
    text = cast.vera.client.get("/a/inbox/1/").content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;� &amp; more" in text


def test_they_stand_in_their_order(cast: Cast, enquiry: Enquiry) -> None:
    for body in ("First of all", "Second thought", "Third time"):
        cast.bob.client.post(URL, {"body": body})
    text = cast.bob.client.get("/a/inbox/1/").content.decode()
    places = [text.index(body) for body in ("First of all", "Second thought", "Third time")]
    assert places == sorted(places)


def test_each_enquiry_has_its_own(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    other, _outcome = database.submit(cast.key_a)
    services.receive_submissions(agency_id=cast.a, submission_ids=[other])
    cast.bob.client.post(URL, {"body": "About the first"})
    text = cast.bob.client.get("/a/inbox/2/").content.decode()
    assert "About the first" not in text
    assert "added a note" not in text


def test_who_may_not(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    for client, status in ((cast.vera.client, 403), (cast.charlie.client, 404), (cast.stranger, 302)):
        assert client.post(URL, {"body": "x"}).status_code == status
    assert cast.charlie.client.post("/b/inbox/1/notes/", {"body": "x"}).status_code == 404
    assert database.ask("SELECT 1 FROM inbox_note") == []
    with pytest.raises(services.NoSuchEnquiry):
        services.add_note(agency_id=cast.a, number=99, body="x", by=cast.bob.member_id)


def test_the_senders_own_news_at_the_same_moment(
    database: Database, cast: Cast, enquiry: Enquiry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A note with a word of the message that brings the enquiry back just now: neither waits for ever."""
    cast.bob.client.post("/a/inbox/1/wait/")
    fields = (("name", "Ann"), ("email", "ann@visitor.example"), ("message", "Xylophone"))
    news, _outcome = database.submit(cast.key_a, *fields)
    remembered, failed = threading.Event(), list[Exception]()
    remember = words.remember

    def slowly(agency_id: int, found: Any) -> None:
        remember(agency_id, found)
        if threading.current_thread() is not threading.main_thread():
            return
        remembered.set()
        # Until the note waits for what this transaction has taken.
        for _try in range(2_000):
            if writer.ident and database.ask("SELECT 1 FROM pg_locks WHERE NOT granted"):
                return

    def write() -> None:
        try:
            remembered.wait(30)
            services.add_note(agency_id=cast.a, number=1, body="Xylophone", by=cast.bob.member_id)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    monkeypatch.setattr(words, "remember", slowly)
    writer = threading.Thread(target=write)
    writer.start()
    services.receive_submissions(agency_id=cast.a, submission_ids=[news])
    writer.join()
    assert failed == []
    assert database.ask("SELECT status FROM inbox_enquiry ORDER BY number") == [("open",), ("open",)]
    assert database.ask("SELECT body FROM inbox_note") == [("Xylophone",)]
