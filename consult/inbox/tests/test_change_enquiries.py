"""One action on several: one request, one answer that says what was done and what was not."""

import datetime as dt
import json
from typing import Any

import pytest

from conftest import Cast, Database
from consult.inbox import services
from consult.inbox.tests.test_enquiry_list import fill

URL = "/a/inbox/change/"
PART = {"HX-Request": "true"}


@pytest.fixture
def five(database: Database, cast: Cast) -> None:
    fill(database, cast.a, 5)


def statuses(database: Database) -> list[str]:
    return [row[0] for row in database.ask("SELECT status FROM inbox_enquiry ORDER BY number")]


def said(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer["HX-Trigger"])["consult:said"]
    return found


@pytest.mark.parametrize(
    ("action", "became", "text"),
    [
        ("close", "closed", "2 closed."),
        ("wait", "waiting", "2 wait."),
        ("snooze", "snoozed", "2 put away."),
        ("spam", "spam", "2 are spam."),
    ],
)
def test_it_works(database: Database, cast: Cast, five: None, action: str, became: str, text: str) -> None:
    posted = {"action": action, "chosen": ["1:1", "3:1"], "until": "monday"}
    answer = cast.bob.client.post(URL, posted, headers=PART)
    assert said(answer)["text"] == text
    assert statuses(database) == [became, "open", became, "open", "open"]
    assert len(database.ask("SELECT 1 FROM accounts_audit WHERE data ? 'version'")) == 2
    # All of it is taken back at once.
    undo = said(answer)["undo"]
    assert said(cast.bob.client.post(undo["url"], undo["values"], headers=PART))["text"] == "2 undone."
    assert statuses(database) == ["open"] * 5


def test_assigning(database: Database, cast: Cast, five: None) -> None:
    posted = {"action": "assign", "chosen": ["2", "4"], "member": str(cast.alice.member_id)}
    assert said(cast.bob.client.post(URL, posted, headers=PART))["text"] == "2 assigned."
    assert database.ask("SELECT number FROM inbox_enquiry WHERE assignee_id IS NOT NULL ORDER BY 1") == [(2,), (4,)]
    foreign = {**posted, "member": str(cast.charlie.member_id)}
    assert cast.bob.client.post(URL, foreign, headers=PART).status_code == 400


def test_it_says_what_was_not_done(database: Database, cast: Cast, five: None) -> None:
    services.close_enquiry(agency_id=cast.a, number=2, by=None, now=dt.datetime.now(dt.UTC))
    services.confirm_spam(agency_id=cast.a, number=3, by=cast.alice.member_id, now=dt.datetime.now(dt.UTC), seen=1)
    posted = {"action": "close", "chosen": ["1:1", "2:2", "3:1", "99:1"]}
    answer = said(cast.bob.client.post(URL, posted, headers=PART))
    assert answer["text"].startswith("1 closed. As before, since it does not apply there: #2.")
    assert "#3 was changed meanwhile: Alice, " in answer["text"]
    assert answer["text"].endswith("Not found: #99.")
    assert answer["stays"]
    assert answer["undo"]["values"] == {"change": ["1:2"]}
    assert statuses(database) == ["closed", "closed", "spam", "open", "open"]


def test_without_scripts(database: Database, cast: Cast, five: None) -> None:
    posted = {"action": "close", "chosen": ["1:1"], "query": "view=unassigned&age=7d&before=x&evil=1"}
    answer = cast.bob.client.post(URL, posted)
    assert answer["Location"] == "/a/inbox/?view=unassigned&age=7d"
    assert "1 closed." in cast.bob.client.get(answer["Location"]).content.decode()
    assert "Nothing was chosen." in cast.bob.client.post(URL, {"action": "close"}, follow=True).content.decode()


def test_bad_input_changes_nothing(database: Database, cast: Cast, five: None) -> None:
    for posted in (
        {"action": "explode", "chosen": "1:1"},
        {"chosen": "1:1"},
        {"action": "close", "chosen": "x"},
        {"action": "close", "chosen": "1:1", "reason": "because"},
        {"action": "snooze", "chosen": "1:1"},
        {"action": "assign", "chosen": "1:1", "member": "me"},
        {"action": "close", "chosen": [str(n) for n in range(201)]},
    ):
        assert cast.bob.client.post(URL, posted).status_code == 400, posted
    assert statuses(database) == ["open"] * 5


def test_who_may_not(database: Database, cast: Cast, five: None) -> None:
    posted = {"action": "close", "chosen": ["1:1"]}
    for client, expected in ((cast.vera.client, 403), (cast.charlie.client, 404), (cast.stranger, 302)):
        assert client.post(URL, posted).status_code == expected
    assert cast.bob.client.get(URL).status_code == 405
    cast.charlie.client.post("/b/inbox/change/", posted)
    assert statuses(database) == ["open"] * 5
    assert 'id="bulk"' not in cast.vera.client.get("/a/inbox/").content.decode()
