"""One enquiry as it was sent, and what was done with it."""

import datetime as dt
import re
from typing import Any

from conftest import Cast, Database, Enquiry
from consult.inbox import services


def test_it_shows_what_was_sent_in_its_order(database: Database, cast: Cast) -> None:
    submission_id, _outcome = database.submit(
        cast.key_a,
        ("name", "Ann"),
        ("message", "First line\nSecond line"),
        ("beans", "house"),
        ("beans", "espresso"),
        ("email", "ann@visitor.example"),
        page_url="https://a.example/kontakt",
        origin="https://a.example",
        signals=["foreign_origin"],
    )
    services.receive_submissions(agency_id=cast.a, submission_ids=[submission_id])
    text = cast.vera.client.get("/a/inbox/1/").content.decode()
    places = [text.index(part) for part in ("First line\nSecond line", "house", "espresso")]
    assert places == sorted(places)
    [(receipt,)] = database.ask("SELECT receipt FROM intake_submission")
    for part in (
        f"{receipt[:4]}-{receipt[4:8]}-{receipt[8:]}",
        str(submission_id),
        "mailto:ann@visitor.example",
        'href="https://a.example/kontakt"',
        "Site a",
        "Held with 50 points",
        "It was sent from an address that the form does not list.",
        "(+50)",
        "Arrived and was stored",
        "Scored 50 points",
        "Held, as this form holds from 50 points",
    ):
        assert part in text, part


def test_it_shows_what_was_done(cast: Cast, enquiry: Enquiry) -> None:
    cast.bob.client.post("/a/inbox/1/assign/", {"member": str(cast.alice.member_id)})
    cast.bob.client.post("/a/inbox/1/notes/", {"body": "Called back"})
    cast.alice.client.post("/a/inbox/1/close/")
    cast.alice.client.post("/a/inbox/1/reopen/")
    cast.alice.client.post("/a/inbox/1/assign/", {"member": ""})
    text = cast.vera.client.get("/a/inbox/1/").content.decode()
    said = (
        "Arrived and was stored",
        "Scored 0 points",
        "assigned it to Alice",
        "added a note",
        "closed it",
        "opened it again",
        "took it from",
    )
    history = text[text.index("history-title") :]
    places = [history.index(part) for part in said]
    assert places == sorted(places) or places == sorted(places, reverse=True)


def test_who_reads_gets_no_buttons(cast: Cast, enquiry: Enquiry) -> None:
    text = cast.vera.client.get("/a/inbox/1/").content.decode()
    for action in ("close", "reopen", "restore", "spam", "assign", "notes"):
        assert f"/a/inbox/1/{action}/" not in text
        assert (
            action in ("reopen", "restore")
            or f"/a/inbox/1/{action}/" in cast.bob.client.get("/a/inbox/1/").content.decode()
        )


def test_without_its_submission_it_is_still_an_enquiry(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    """Erased, or typed in from a phone call."""
    database.ask("UPDATE inbox_enquiry SET submission_id = NULL, form_id = NULL")
    assert cast.bob.client.get("/a/inbox/1/").status_code == 200
    assert cast.bob.client.get("/a/inbox/").status_code == 200


def test_a_number_that_is_not_there(cast: Cast, enquiry: Enquiry) -> None:
    for number in ("0", "99", "9" * 30):
        assert cast.bob.client.get(f"/a/inbox/{number}/").status_code == 404
        for action in ("close", "reopen", "restore", "spam", "assign", "notes"):
            assert cast.bob.client.post(f"/a/inbox/{number}/{action}/", {"body": "x"}).status_code == 404


def test_a_former_member_keeps_no_name(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.bob.client.post("/a/inbox/1/assign/", {"member": str(cast.bob.member_id)})
    cast.bob.client.post("/a/inbox/1/notes/", {"body": "Called back"})
    database.ask("DELETE FROM accounts_member WHERE id = %s", [cast.bob.member_id])
    text = cast.alice.client.get("/a/inbox/1/").content.decode()
    assert "Assigned it to a former member" in text
    assert "Called back" in text


def test_it_says_how_long_it_waited(database: Database, cast: Cast) -> None:
    received_at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=40)
    submission_id, _outcome = database.submit(cast.key_a, received_at=received_at)
    database.ask("UPDATE intake_submission SET spooled = true")
    services.receive_submissions(agency_id=cast.a, submission_ids=[submission_id])
    assert "Arrived, waited 40 s in the spool" in cast.vera.client.get("/a/inbox/1/").content.decode()


def test_it_says_who_opened_it_first(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    # Part of a page that is open already: nobody has opened anything.
    cast.alice.client.get("/a/inbox/1/", headers={"HX-Request": "true"})
    for person in (cast.vera, cast.bob, cast.vera):
        text = person.client.get("/a/inbox/1/").content.decode()
        assert text.count("opened it first") == 1
        assert re.search(r"Vera</span>\s*opened it first", text)
    assert database.ask("SELECT detail FROM inbox_delivery WHERE kind = 'opened'") == [
        ({"member": str(cast.vera.member_id)},)
    ]


def test_nothing_is_told_twice(cast: Cast, enquiry: Enquiry) -> None:
    for action in ("spam", "restore", "close", "reopen"):
        cast.bob.client.post(f"/a/inbox/1/{action}/")
    text = cast.vera.client.get("/a/inbox/1/").content.decode()
    history = text[text.index("history-title") :]
    assert history.count("<li") == 2 + 1 + 4
    assert "inbox." not in history


def test_an_enquiry_from_before_there_was_a_ledger(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    database.ask("DELETE FROM inbox_delivery")
    database.ask("UPDATE inbox_enquiry SET signals = %s, reasons = '[]'", ['["honeypot"]'])
    text = cast.vera.client.get("/a/inbox/1/").content.decode()
    assert "Opened from the form" in text
    assert "The hidden field was filled in" in text


def test_the_page_asks_a_fixed_number_of_questions(
    database: Database, cast: Cast, enquiry: Enquiry, django_assert_max_num_queries: Any
) -> None:
    cast.bob.client.get("/a/inbox/1/")
    database.ask(
        "INSERT INTO inbox_delivery (id, agency_id, created_at, enquiry_id, kind, address, detail, at)"
        " SELECT gen_random_uuid(), agency_id, now(), enquiry_id, 'failed', n || '@a.example', '{}', now()"
        " FROM inbox_delivery, generate_series(1, 50) n WHERE kind = 'stored'"
    )
    with django_assert_max_num_queries(22):
        assert cast.bob.client.get("/a/inbox/1/").content.decode().count("Could not reach") == 50
