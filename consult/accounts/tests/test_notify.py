"""What members are told of: who, how, in their list and by e-mail, at once and in the morning, once."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.core import mail

from conftest import Cast, Database, Enquiry
from consult.accounts import rules, services
from consult.core import tenancy
from consult.inbox import services as inbox
from tests import worker

NOW = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)


def told(database: Database) -> list[Any]:
    return database.ask("SELECT member_id, kind, by_id, mail, read_at IS NULL FROM accounts_notification ORDER BY id")


def choose(cast: Cast, person: Any, **chosen: str) -> None:
    services.choose_notifications(agency_id=cast.a, member_id=person.member_id, chosen=chosen)


def assign(cast: Cast, to: Any, by: Any) -> None:
    inbox.assign_enquiry(agency_id=cast.a, number=1, member_id=to.member_id, by=by.member_id)


def test_whoever_is_given_one_is_told(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.alice.client.post("/a/inbox/1/assign/", {"member": str(cast.bob.member_id)})
    assert told(database) == [(cast.bob.member_id, "assigned", cast.alice.member_id, "", True)]
    page = cast.bob.client.get("/a/sites/").content.decode()
    assert 'data-unread="1"' in page
    assert "data-unread" not in cast.alice.client.get("/a/sites/").content.decode()
    listed = cast.bob.client.get("/a/notifications/").content.decode()
    assert "Alice gave you" in listed
    assert 'href="/a/inbox/1/"' in listed
    # Opening what it is about has read it.
    cast.bob.client.get("/a/inbox/1/")
    assert "data-unread" not in cast.bob.client.get("/a/notifications/count/").content.decode()
    assert mail.outbox == []


def test_nobody_is_told_of_what_they_did_or_did_not_want(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    assign(cast, cast.bob, cast.bob)
    choose(cast, cast.bob, assigned="none")
    assign(cast, cast.alice, cast.alice)
    assign(cast, cast.bob, cast.alice)
    assert told(database) == []


def test_the_same_again_is_new_again(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    for _time in range(2):
        assign(cast, cast.bob, cast.alice)
        cast.bob.client.post("/a/notifications/read/")
        assign(cast, cast.vera, cast.alice)
    assign(cast, cast.bob, cast.alice)
    assert [row for row in told(database) if row[0] == cast.bob.member_id] == [
        (cast.bob.member_id, "assigned", cast.alice.member_id, "", True)
    ]


def test_new_ones_for_those_who_want_that(database: Database, cast: Cast) -> None:
    choose(cast, cast.bob, new="mail")
    choose(cast, cast.vera, new="app")
    ids = [database.submit(cast.key_a, ("message", f"n{n}"))[0] for n in range(3)]
    held, _outcome = database.submit(cast.key_a, ("message", "spam"), signals=["honeypot"])
    inbox.receive_submissions(agency_id=cast.a, submission_ids=[*ids, held])
    assert sorted(row[0] for row in told(database)) == sorted([cast.bob.member_id, cast.vera.member_id] * 3)
    database.ask("UPDATE procrastinate_jobs SET scheduled_at = NULL")
    worker.run_jobs(database)
    assert [message.to for message in mail.outbox if "3 things" in message.subject] == [["bob@example.com"]]
    # What was held is told of when it is restored.
    inbox.restore_enquiry(agency_id=cast.a, number=4, by=cast.vera.member_id, now=NOW)
    assert len(told(database)) == 7


def test_a_mention_in_a_note(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.alice.client.post("/a/inbox/1/notes/", {"body": "Ask @bob, not @Bobby or x@bob. @Alice knows <@nonsense>"})
    [(body,)] = database.ask("SELECT body FROM inbox_note")
    assert body == f"Ask <@{cast.bob.member_id}>, not @Bobby or x@bob. <@{cast.alice.member_id}> knows <@nonsense>"
    assert told(database) == [(cast.bob.member_id, "mentioned", cast.alice.member_id, "due", True)]
    page = cast.vera.client.get("/a/inbox/1/").content.decode()
    assert 'class="mention">@Bob<' in page
    assert "&lt;@nonsense&gt;" in page
    # It is a name, whatever it is by then.
    database.ask("UPDATE accounts_user SET name = 'Robert' WHERE id = %s", [cast.bob.user_id])
    assert 'class="mention">@Robert<' in cast.vera.client.get("/a/inbox/1/").content.decode()
    database.ask("UPDATE procrastinate_jobs SET scheduled_at = NULL")
    worker.run_jobs(database)
    [message] = mail.outbox
    assert message.to == ["bob@example.com"]
    assert "Alice mentioned you in #1" in str(message.body)
    services.mail_notifications(agency_id=cast.a, member_id=cast.bob.member_id, now=NOW)
    assert len(mail.outbox) == 1


def test_what_is_read_or_no_longer_theirs_is_not_mailed(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    choose(cast, cast.bob, assigned="mail")
    assign(cast, cast.bob, cast.alice)
    cast.bob.client.get("/a/inbox/1/")
    services.mail_notifications(agency_id=cast.a, member_id=cast.bob.member_id, now=NOW)
    inbox.assign_enquiry(agency_id=cast.a, number=1, member_id=None, by=None)
    assign(cast, cast.bob, cast.alice)
    services.remove_member(
        agency_id=cast.a, member_id=cast.bob.member_id, by=cast.alice.member_id, by_role="owner", now=NOW
    )
    services.mail_notifications(agency_id=cast.a, member_id=cast.bob.member_id, now=NOW)
    assert told(database) == []
    assert mail.outbox == []


def test_what_could_not_be_sent_is_due_again(
    database: Database, cast: Cast, enquiry: Enquiry, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(cast, cast.bob, assigned="mail")
    assign(cast, cast.bob, cast.alice)

    def refuse(message: Any) -> None:
        raise OSError("no server")

    with monkeypatch.context() as broken:
        broken.setattr("consult.core.mail.send", refuse)
        with pytest.raises(OSError, match="no server"):
            services.mail_notifications(agency_id=cast.a, member_id=cast.bob.member_id, now=NOW)
    assert told(database)[0][3] == "due"
    services.mail_notifications(agency_id=cast.a, member_id=cast.bob.member_id, now=NOW)
    assert (told(database)[0][3], len(mail.outbox)) == ("sent", 1)


def test_a_killed_worker_leaves_nothing_behind(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    choose(cast, cast.bob, assigned="mail")
    assign(cast, cast.bob, cast.alice)
    database.ask("DELETE FROM procrastinate_jobs")
    database.ask("UPDATE accounts_notification SET mail = 'sending', mailed_at = now() - interval '1 hour'")
    long_ago = "now() - interval '10 minutes'"
    assert database.ask(f"SELECT accounts_digests_v1({long_ago})", role="consult_worker") == [(cast.a,)]
    services.start_digests(agency_id=cast.a, now=dt.datetime.now(dt.UTC))
    worker.run_jobs(database)
    assert [message.to for message in mail.outbox] == [["bob@example.com"]]


def test_the_morning_comes_once_a_day_in_ones_own_zone(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    choose(cast, cast.bob, assigned="daily")
    database.ask("UPDATE accounts_user SET time_zone = 'America/New_York' WHERE id = %s", [cast.bob.user_id])
    assign(cast, cast.bob, cast.alice)
    # 2 March: seven in New York is twelve in UTC.
    for moment, due in ((NOW - dt.timedelta(minutes=1), False), (NOW, True), (NOW, False)):
        found = services.start_digests(agency_id=cast.a, now=moment)
        assert found == ([cast.bob.member_id] if due else [])
    worker.run_jobs(database)
    worker.run_jobs(database)
    assert [message.subject for message in mail.outbox] == ["1 thing since yesterday · Agency A"]
    # What comes after it waits for the next one.
    inbox.assign_enquiry(agency_id=cast.a, number=1, member_id=None, by=None)
    assign(cast, cast.bob, cast.alice)
    assert services.start_digests(agency_id=cast.a, now=NOW + dt.timedelta(hours=5)) == []
    assert services.start_digests(agency_id=cast.a, now=NOW + dt.timedelta(hours=24)) == [cast.bob.member_id]


def test_choosing(database: Database, cast: Cast) -> None:
    url = "/a/notifications/choose/"
    page = cast.vera.client.post(url, {"new": "daily", "assigned": "none"}, follow=True).content.decode()
    assert "Saved: from now on" in page
    assert database.ask(
        "SELECT hears_new, hears_assigned, hears_mentioned FROM accounts_member WHERE id = %s", [cast.vera.member_id]
    ) == [("daily", "none", "mail")]
    assert cast.vera.client.post(url, {"new": "pigeon"}).status_code == 400
    assert cast.charlie.client.post(url, {"new": "none"}).status_code == 404
    assert database.ask("SELECT count(*) FROM accounts_audit WHERE action = 'accounts.choose_notifications'") == [(1,)]


def test_nobody_reads_anothers(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    assign(cast, cast.bob, cast.alice)
    cast.alice.client.post("/a/notifications/read/")
    [(id,)] = database.ask("SELECT id FROM accounts_notification")
    services.read_notifications(agency_id=cast.a, member_id=cast.alice.member_id, now=NOW, ids=[id])
    assert told(database)[0][4]
    assert "gave you" not in cast.alice.client.get("/a/notifications/").content.decode()


def test_old_ones_go(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    assign(cast, cast.bob, cast.alice)
    with tenancy.agency(cast.a):
        services.notify(
            agency_id=cast.a, kind="assigned", feature="inbox", subject_ids=[uuid.uuid4()], by=None, now=NOW
        )
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=31)
    assert services.forget_old(agency_id=cast.a, now=later) == 3, "nobody has read those for three months"
    cast.bob.client.post("/a/notifications/read/")
    assert services.forget_old(agency_id=cast.a, now=later) == 1
    assert told(database) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("@Ann Lee", "<2>"),
        ("@ann", "@ann"),
        ("@Annabel x", "<3> x"),
        ("(@bo)", "(<4>)"),
        ("@Bo\u00a0said", "<4>\u00a0said"),
        ("@ANN   LEE!", "<2>!"),
        ("@@Bo a@Bo.example", "@@Bo a@Bo.example"),
    ],
)
def test_names_in_a_text(text: str, told: str) -> None:
    ids = {number: uuid.UUID(int=number) for number in (1, 2, 3, 4)}
    names = {ids[1]: "Ann Fox", ids[2]: "Ann Lee", ids[3]: "Annabel", ids[4]: "Bo"}
    found, who = rules.mention(text, names)
    for number, id in ids.items():
        assert (f"<@{id}>" in found) == (id in who)
        found = found.replace(f"<@{id}>", f"<{number}>")
    assert found == told
