"""What is spam leaves the inbox, and can be had back."""

import pytest

from conftest import Cast, Database, Enquiry

URL = "/a/inbox/1/spam/"


def status(database: Database) -> str:
    return str(database.ask("SELECT status FROM inbox_enquiry")[0][0])


@pytest.mark.parametrize("before", ["open", "held"])
def test_it_works(database: Database, cast: Cast, enquiry: Enquiry, before: str) -> None:
    database.ask("UPDATE inbox_enquiry SET status = %s", [before])
    assert cast.bob.client.post(URL)["Location"] == "/a/inbox/1/"
    assert status(database) == "spam"
    [(by,)] = database.ask("SELECT by_id FROM accounts_audit WHERE action = 'inbox.confirm_spam'")
    assert by == cast.bob.member_id
    page = cast.bob.client.get("/a/inbox/1/").content.decode()
    assert page.count("marked it as spam") == 1
    assert "/a/inbox/1/restore/" in page
    # It is out of sight, but found.
    assert 'id="enquiry-1"' not in cast.bob.client.get("/a/inbox/").content.decode()
    for query in ("?view=spam", "?view=all", "?q=ann"):
        assert 'id="enquiry-1"' in cast.bob.client.get(f"/a/inbox/{query}").content.decode()


def test_twice_changes_nothing(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.bob.client.post(URL)
    cast.alice.client.post(URL)
    assert len(database.ask("SELECT 1 FROM accounts_audit WHERE action = 'inbox.confirm_spam'")) == 1
    assert len(database.ask("SELECT 1 FROM inbox_delivery WHERE kind = 'confirmed_spam'")) == 1


def test_a_closed_one_stays_closed(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.bob.client.post("/a/inbox/1/close/")
    cast.bob.client.post(URL)
    assert status(database) == "closed"


def test_what_is_spam_or_held_is_neither_closed_nor_opened_again(
    database: Database, cast: Cast, enquiry: Enquiry
) -> None:
    for before in ("held", "spam"):
        database.ask("UPDATE inbox_enquiry SET status = %s", [before])
        for action in ("close", "reopen"):
            assert cast.bob.client.post(f"/a/inbox/1/{action}/").status_code == 302
            assert status(database) == before


def test_it_answers_htmx_with_the_part(cast: Cast, enquiry: Enquiry) -> None:
    page = cast.bob.client.post(URL, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in page
    assert "/a/inbox/1/restore/" in page


def test_who_may_not(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    for client, expected in ((cast.vera.client, 403), (cast.charlie.client, 404), (cast.stranger, 302)):
        assert client.post(URL).status_code == expected
    assert cast.bob.client.get(URL).status_code == 405
    assert cast.bob.client.post("/a/inbox/99/spam/").status_code == 404
    assert cast.charlie.client.post("/b/inbox/1/spam/").status_code == 404
    assert status(database) == "open"
    assert "/spam/" not in cast.vera.client.get("/a/inbox/1/").content.decode()
