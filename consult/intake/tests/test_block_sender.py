"""Blocking a sender: what comes from them is held with that as its reason; it can be undone, and nothing is lost."""

import json
import uuid

import pytest

from conftest import Cast, Database, Enquiry
from consult.accounts import services as accounts
from consult.inbox import services as inbox
from consult.intake import rules, services

URL = "/a/settings/blocked/"
HTMX = {"HX-Request": "true"}


def send(database: Database, cast: Cast, email: str) -> None:
    id, _outcome = database.submit(cast.key_a, ("email", email), ("message", f"Hello {uuid.uuid4()}"))
    inbox.receive_submissions(agency_id=cast.a, submission_ids=[id])


def statuses(database: Database) -> list[str]:
    return [status for (status,) in database.ask("SELECT status FROM inbox_enquiry ORDER BY number")]


def test_it_works(database: Database, cast: Cast) -> None:
    answer = cast.bob.client.post(URL, {"sender": " Ann@Visitor.Example", "reason": " Sells  leads "}, follow=True)
    assert "ann@visitor.example" in answer.content.decode()
    assert "Sells leads" in cast.vera.client.get(URL).content.decode()
    accounts.choose_notifications(agency_id=cast.a, member_id=cast.alice.member_id, chosen={"new": "app"})
    for email in ("ann@visitor.example", "ANN@visitor.example", "bea@visitor.example"):
        send(database, cast, email)
    assert statuses(database) == ["held", "held", "open"]
    [(reasons,)] = database.ask("SELECT reasons FROM inbox_enquiry WHERE number = 1")
    assert reasons == [{"code": "blocked", "points": 100}]
    assert database.ask("SELECT count(*) FROM accounts_notification") == [(1,)], "nobody is told of what is held"
    assert "The sender is blocked." in cast.vera.client.get("/a/inbox/1/").content.decode()
    # It is not lost.
    cast.bob.client.post("/a/inbox/1/restore/")
    assert statuses(database)[0] == "open"


def test_held_whatever_the_form_says(database: Database, cast: Cast) -> None:
    services.block_sender(agency_id=cast.a, sender="visitor.example", by=None)
    database.ask("UPDATE intake_form SET hold_score = 1000")
    send(database, cast, "ann@mail.visitor.example")
    send(database, cast, "ann@evisitor.example")
    assert statuses(database) == ["held", "open"]


def test_another_agencys_block_is_not_ours(database: Database, cast: Cast) -> None:
    services.block_sender(agency_id=cast.b, sender="ann@visitor.example", by=None)
    send(database, cast, "ann@visitor.example")
    assert statuses(database) == ["open"]


def test_from_an_enquiry_and_back(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    page = cast.bob.client.get("/a/inbox/1/").content.decode()
    assert 'name="sender" value="ann@visitor.example"' in page
    answer = cast.bob.client.post(URL, {"sender": "ann@visitor.example", "reason": "Spam"}, headers=HTMX)
    undo = json.loads(answer["HX-Trigger"])["consult:said"]["undo"]
    answer = cast.bob.client.post(undo["url"], undo["values"], headers=HTMX)
    assert database.ask("SELECT 1 FROM intake_block") == []
    undo = json.loads(answer["HX-Trigger"])["consult:said"]["undo"]
    cast.bob.client.post(undo["url"], undo["values"], headers=HTMX)
    assert database.ask("SELECT sender, reason, by_id FROM intake_block") == [
        ("ann@visitor.example", "Spam", cast.bob.member_id)
    ]
    assert statuses(database) == ["open"], "what has come before stays as it is"
    audit = database.ask("SELECT action, data FROM accounts_audit WHERE action ~ 'block_sender' ORDER BY id")
    assert [action for action, _data in audit] == [
        "intake.block_sender",
        "intake.unblock_sender",
        "intake.block_sender",
    ]
    assert "visitor" not in str(audit)


@pytest.mark.parametrize(
    ("sender", "said"),
    [
        ("", "neither an e-mail address"),
        ("nonsense", "neither an e-mail address"),
        ("two words@visitor.example", "neither an e-mail address"),
        ("@gmail.com", "Many people have an address there"),
        ("GMail.com", "Many people have an address there"),
        ("x" * 400, "neither an e-mail address"),
    ],
)
def test_bad_input_is_said_and_kept(database: Database, cast: Cast, sender: str, said: str) -> None:
    answer = cast.bob.client.post(URL, {"sender": sender, "reason": "Because"})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert 'value="Because"' in answer.content.decode()
    assert database.ask("SELECT 1 FROM intake_block") == []


def test_who_may_not(database: Database, cast: Cast) -> None:
    id = services.block_sender(agency_id=cast.a, sender="@visitor.example", by=None)
    for client, status in ((cast.vera.client, 403), (cast.charlie.client, 404), (cast.stranger, 302)):
        assert client.post(URL, {"sender": "a@b.example"}).status_code == status
        assert client.post(f"{URL}{id}/unblock/").status_code == status
    assert cast.charlie.client.post(f"/b/settings/blocked/{id}/unblock/").status_code == 404
    assert database.ask("SELECT sender FROM intake_block") == [("@visitor.example",)]


def test_what_is_blocked_by_what() -> None:
    assert rules.block_keys("Ann@Mail.Example.com") == ["ann@mail.example.com", "@mail.example.com", "@example.com"]
    assert rules.block_keys("no address") == rules.block_keys("@example.com") == []
    assert rules.blockable("ann@bücher.example") == "ann@xn--bcher-kva.example"
