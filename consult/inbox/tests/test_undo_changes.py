"""Every action can be taken back, the taking back too; and nobody's change is lost under somebody else's."""

import datetime as dt
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from conftest import Cast, Database, Enquiry
from consult.inbox import services

URL = "/a/inbox/undo/"
PART = {"HX-Request": "true"}
COLUMNS = "status, assignee_id, closed_at, close_reason, waiting_since, snoozed_until, first_answer_at"


def row(database: Database, number: int = 1) -> Any:
    return database.ask(f"SELECT {COLUMNS} FROM inbox_enquiry WHERE number = {number}")[0]  # noqa: S608


def said(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer["HX-Trigger"])["consult:said"]
    return found


ACTIONS = [
    ("open", "close", {"reason": "answered"}),
    ("open", "wait", {}),
    ("open", "snooze", {"until": "monday"}),
    ("open", "spam", {}),
    ("open", "assign", {}),
    ("held", "restore", {}),
]


@pytest.mark.parametrize(("before", "action", "posted"), ACTIONS)
def test_it_works(
    database: Database, cast: Cast, enquiry: Enquiry, before: str, action: str, posted: dict[str, str]
) -> None:
    database.ask("UPDATE inbox_enquiry SET status = %s, delivered_at = now()", [before])
    was = row(database)
    values = {"member": str(cast.alice.member_id)} if action == "assign" else posted
    answer = cast.bob.client.post(f"/a/inbox/1/{action}/", {**values, "seen": "1"}, headers=PART)
    became = row(database)
    assert became != was
    undo = said(answer)["undo"]
    assert undo == {"url": URL, "values": {"change": ["1:2"]}}
    answer = cast.bob.client.post(undo["url"], undo["values"], headers=PART)
    assert row(database) == was
    assert "1 undone." in said(answer)["text"]
    assert "took back" in cast.vera.client.get("/a/inbox/1/").content.decode()
    # Undoing can be undone.
    again = said(answer)["undo"]
    cast.bob.client.post(again["url"], again["values"], headers=PART)
    assert row(database) == became


def test_it_takes_back_only_its_own(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.bob.client.post("/a/inbox/1/assign/", {"member": str(cast.bob.member_id)})
    cast.bob.client.post("/a/inbox/1/close/")
    cast.bob.client.post(URL, {"change": "1:2"})
    assert row(database)[:2] == ("closed", None)


def test_what_somebody_else_changed_since_stays(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.bob.client.post("/a/inbox/1/close/")
    cast.alice.client.post("/a/inbox/1/reopen/")
    cast.alice.client.post("/a/inbox/1/wait/")
    text = said(cast.bob.client.post(URL, {"change": "1:2"}, headers=PART))
    assert text["undo"] is None
    assert text["stays"]
    assert text["text"].startswith("Nothing was changed. #1 was changed meanwhile: Alice, ")
    assert row(database)[0] == "waiting"


def test_what_cannot_be_undone(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    for change in ("1:1", "1:99", "99:2"):
        assert "Not found" in said(cast.bob.client.post(URL, {"change": change}, headers=PART))["text"]
    for change in ("x", "1:x", "1:" + "9" * 30, "9" * 30):
        assert cast.bob.client.post(URL, {"change": change}).status_code == 400
    assert cast.bob.client.post(URL, {"change": ["1:2"] * 300}, headers=PART).status_code == 200
    assert cast.bob.client.post(URL, {"change": [f"{n}:2" for n in range(300)]}).status_code == 400
    assert database.ask("SELECT version FROM inbox_enquiry") == [(1,)]


# --- two people at once ---------------------------------------------------------------------------------------------


def test_the_second_sees_what_happened(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    """Both look at version 1; Alice closes it, and Bob's page is older than that."""
    cast.alice.client.post("/a/inbox/1/close/", {"seen": "1", "reason": "duplicate"})
    before = row(database)
    for action, posted in (("wait", {}), ("spam", {}), ("snooze", {"until": "monday"}), ("close", {})):
        page = cast.bob.client.post(f"/a/inbox/1/{action}/", {**posted, "seen": "1"})
        assert page.status_code == 409
        assert "Alice" in page.content.decode()
        assert "closed it: twice the same" in page.content.decode()
        part = cast.bob.client.post(f"/a/inbox/1/{action}/", {**posted, "seen": "1"}, headers=PART)
        assert part.status_code == 409
        assert 'data-status="closed"' in part.content.decode()
        assert said(part)["stays"]
    assert row(database) == before
    # Somebody else's assignee is another thing than the state.
    assert cast.bob.client.post("/a/inbox/1/assign/", {"seen": "1", "member": ""}).status_code == 302
    assert cast.bob.client.post("/a/inbox/1/reopen/", {"seen": "2"}).status_code == 302
    assert cast.bob.client.post("/a/inbox/1/close/", {"seen": "rubbish"}).status_code == 400


def test_a_race_has_one_winner(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    acts: list[Callable[[], services.Done]] = [
        lambda: services.close_enquiry(agency_id=cast.a, number=1, by=None, now=dt.datetime.now(dt.UTC), seen=1),
        lambda: services.wait_enquiry(agency_id=cast.a, number=1, by=None, now=dt.datetime.now(dt.UTC), seen=1),
        lambda: services.snooze_enquiry(
            agency_id=cast.a, number=1, by=None, now=dt.datetime.now(dt.UTC), until=until, seen=1
        ),
    ]
    start, outcomes = threading.Barrier(len(acts)), list[str]()

    def run(act: Callable[[], services.Done]) -> None:
        try:
            connection.ensure_connection()
            start.wait()
            act()
            outcomes.append("done")
        except services.Conflict as conflict:
            outcomes.append(f"after {conflict.changes[0].version}")
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["after 2", "after 2", "done"]
    assert database.ask("SELECT version FROM inbox_enquiry") == [(2,)]


def test_who_may_not(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.bob.client.post("/a/inbox/1/close/")
    for client, expected in ((cast.vera.client, 403), (cast.charlie.client, 404), (cast.stranger, 302)):
        assert client.post(URL, {"change": "1:2"}).status_code == expected
    assert cast.bob.client.get(URL).status_code == 405
    cast.charlie.client.post("/b/inbox/undo/", {"change": "1:2"})
    assert row(database)[0] == "closed"
