from conftest import Cast, Database, Enquiry

URL = "/a/inbox/1/close/"


def test_it_works(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    response = cast.bob.client.post(URL)
    assert response.status_code == 302
    assert response["Location"] == "/a/inbox/1/"
    [(status, closed_at)] = database.ask("SELECT status, closed_at FROM inbox_enquiry")
    assert status == "closed"
    assert closed_at is not None
    [(by,)] = database.ask("SELECT by_id FROM accounts_audit WHERE action = 'inbox.close_enquiry'")
    assert by == cast.bob.member_id


def test_it_answers_htmx_with_the_part(cast: Cast, enquiry: Enquiry) -> None:
    response = cast.bob.client.post(URL, headers={"HX-Request": "true"})
    assert response.status_code == 200
    page = response.content.decode()
    assert "<html" not in page
    assert "/a/inbox/1/reopen/" in page


def test_closing_twice_changes_nothing(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.bob.client.post(URL)
    before = database.ask("SELECT closed_at FROM inbox_enquiry")
    cast.alice.client.post(URL)
    assert database.ask("SELECT closed_at FROM inbox_enquiry") == before
    assert len(database.ask("SELECT 1 FROM accounts_audit WHERE action = 'inbox.close_enquiry'")) == 1


def test_it_opens_again(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.bob.client.post(URL)
    assert cast.bob.client.post("/a/inbox/1/reopen/").status_code == 302
    assert database.ask("SELECT status, closed_at FROM inbox_enquiry") == [("open", None)]


def test_a_stranger_finds_nothing(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    assert cast.charlie.client.post(URL).status_code == 404
    assert cast.charlie.client.post("/b/inbox/1/close/").status_code == 404
    assert database.ask("SELECT status FROM inbox_enquiry") == [("open",)]


def test_a_viewer_may_not(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    assert cast.vera.client.post(URL).status_code == 403
    assert database.ask("SELECT status FROM inbox_enquiry") == [("open",)]


def test_it_rejects_get(cast: Cast, enquiry: Enquiry) -> None:
    assert cast.bob.client.get(URL).status_code == 405


def test_no_such_enquiry(cast: Cast, enquiry: Enquiry) -> None:
    assert cast.bob.client.post("/a/inbox/99/close/").status_code == 404
