"""ETags: what is unchanged is not sent again, and nobody's change is overwritten unseen."""

import threading
from typing import Any

import pytest
from django.db import connection

from conftest import Cast, Database, Enquiry
from consult.inbox import services as inbox
from tests import api


@pytest.fixture
def program(cast: Cast) -> api.Program:
    return api.of_member(cast.a, cast.alice.member_id)


def test_what_is_unchanged_is_not_sent_again(program: api.Program, enquiry: Enquiry) -> None:
    first = program.get("/api/v1/enquiries/1")
    assert first["Cache-Control"] == "private, no-cache"
    again = program.get("/api/v1/enquiries/1", If_None_Match=first["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert program.get("/api/v1/enquiries/1", If_None_Match=f'"other", W/{first["ETag"]}').status_code == 304
    closed = program.post("/api/v1/enquiries/1/close")
    assert closed["ETag"] != first["ETag"]
    after = program.get("/api/v1/enquiries/1", If_None_Match=first["ETag"])
    assert (after.status_code, after["ETag"], after.content) == (200, closed["ETag"], closed.content)


def test_a_change_of_what_was_changed_is_refused(program: api.Program, cast: Cast, enquiry: Enquiry) -> None:
    address = f"/api/v1/sites/{cast.site_a}"
    seen = program.get(address)["ETag"]
    changed = program.patch(address, {"name": "One"}, If_Match=seen)
    assert changed.status_code == 200
    lost = program.patch(address, {"name": "Two"}, If_Match=seen)
    assert (lost.status_code, api.told(lost)["code"]) == (412, "precondition_failed")
    assert api.told(program.get(address))["name"] == "One"
    # A weak tag never matches, * always does, and without If-Match nothing is asked.
    assert program.patch(address, {"name": "Two"}, If_Match=f"W/{changed['ETag']}").status_code == 412
    assert program.patch(address, {"name": "Three"}, If_Match="*").status_code == 200
    assert program.patch(address, {"name": "Four"}).status_code == 200
    # Changes of state too.
    seen = program.get("/api/v1/enquiries/1")["ETag"]
    assert program.post("/api/v1/enquiries/1/assign", {"member_id": str(cast.bob.member_id)}).status_code == 200
    assert program.post("/api/v1/enquiries/1/close", If_Match=seen).status_code == 412
    assert api.told(program.get("/api/v1/enquiries/1"))["status"] == "open"


def test_a_change_that_changes_nothing_writes_nothing(program: api.Program, cast: Cast, database: Database) -> None:
    address = f"/api/v1/forms/{cast.form_a}"
    before = program.get(address)
    same = program.patch(address, {})
    assert (same.status_code, same["ETag"]) == (200, before["ETag"])
    assert database.ask("SELECT count(*) FROM accounts_audit WHERE action = 'intake.update_form'") == [(0,)]


def test_of_two_changes_at_once_one_is_refused(program: api.Program, cast: Cast, database: Database) -> None:
    """The precondition is looked at under the row's lock: between the look and the change nobody gets in."""
    address = f"/api/v1/sites/{cast.site_a}"
    for round in range(5):
        seen = program.get(address)["ETag"]
        start = threading.Barrier(4)
        answers: list[Any] = []

        def change(name: str, seen: str = seen, start: threading.Barrier = start, answers: list[Any] = answers) -> None:
            try:
                start.wait()
                answers.append(program.patch(address, {"name": name}, If_Match=seen))
            finally:
                connection.close()

        threads = [threading.Thread(target=change, args=[f"Name {round} {number}"]) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
        [kept] = [api.told(answer)["name"] for answer in answers if answer.status_code == 200]
        assert api.told(program.get(address))["name"] == kept


def test_a_change_by_a_page_is_seen(program: api.Program, cast: Cast, enquiry: Enquiry) -> None:
    seen = program.get("/api/v1/enquiries/1")["ETag"]
    inbox.assign_enquiry(agency_id=cast.a, number=1, member_id=cast.bob.member_id, by=cast.alice.member_id)
    assert program.post("/api/v1/enquiries/1/close", If_Match=seen).status_code == 412
