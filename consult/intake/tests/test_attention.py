"""What needs somebody's attention: what is set aside, and a count that does not add up."""

import datetime as dt
import uuid
from typing import Any

import msgspec
import pytest
from django.core import mail
from django.utils import timezone

from conftest import Cast, Database
from consult.core import tenancy
from consult.intake import reports, services
from edge import submission
from tests import worker

PAGE = "/a/attention/"
NOW = dt.datetime(2026, 3, 3, 12, 30, tzinfo=dt.UTC)
REPORT = "SELECT intake_report_v1(%s, 'host-1', now(), %s, %s, %s)"


def packed(**changes: Any) -> bytes:
    """What the edge keeps of a row, packed by the edge itself."""
    row = submission.Submission(
        id=uuid.uuid4().bytes,
        earlier=None,
        form_key="frm_x",
        form_version=1,
        agency_id=1,
        receipt="K7QF2M9X4TDA",
        received_at=NOW,
        digest=b"0" * 16,
        fields='[["name", "Ann <b>"], ["message", "Please call"]]',
        page_url="https://a.example/contact",
        referrer="",
        origin="",
        address="203.0.113.7",
        user_agent="",
        content_type="",
        signals="[]",
        request_id="",
    )
    return submission.pack(msgspec.structs.replace(row, **changes))


def test_what_is_set_aside_is_shown_and_resolved(database: Database, cast: Cast) -> None:
    id = database.set_aside(cast.key_a, packed(), receipt="K7QF2M9X4TDA")
    assert "rail-count" in cast.vera.client.get("/a/inbox/").content.decode()
    page = cast.vera.client.get(PAGE).content.decode()
    for shown in ("CheckViolationError", "A rule of the database", "K7QF-2M9X-4TDA", "Ann &lt;b&gt;", "Please call"):
        assert shown in page
    assert "Mark as resolved" not in page, "viewers read"
    raw = cast.vera.client.get(f"{PAGE}{id}/raw/")
    assert submission.unpack(raw.content).page_url == "https://a.example/contact"
    assert raw["Content-Disposition"] == 'attachment; filename="set-aside-K7QF2M9X4TDA.msgpack"'
    assert raw["Content-Type"] == "application/octet-stream"
    assert "Mark as resolved" in cast.alice.client.get(PAGE).content.decode()
    for _again in range(2):
        assert cast.alice.client.post(f"{PAGE}{id}/resolve/")["Location"] == PAGE
    page = cast.alice.client.get(PAGE).content.decode()
    assert "Resolved lately" in page
    assert "rail-count" not in page
    assert cast.alice.client.post(f"{PAGE}{id}/reopen/")["Location"] == PAGE
    assert database.ask("SELECT resolved_at FROM intake_setaside") == [(None,)]
    audit = database.ask("SELECT action, by_id FROM accounts_audit WHERE subject_id = %s ORDER BY created_at", [id])
    assert audit == [
        ("intake.resolve_set_aside", cast.alice.member_id),
        ("intake.reopen_set_aside", cast.alice.member_id),
    ]


def test_who_may_not(database: Database, cast: Cast) -> None:
    id = database.set_aside(cast.key_a, packed())
    for client, status in (
        (cast.vera.client, 403),
        (cast.bob.client, 403),
        (cast.charlie.client, 404),
        (cast.stranger, 302),
    ):
        for action in ("resolve", "reopen"):
            assert client.post(f"{PAGE}{id}/{action}/").status_code == status
    for action in ("resolve", "reopen"):
        assert cast.charlie.client.post(f"/b/attention/{id}/{action}/").status_code == 404
    assert cast.charlie.client.get(f"/b/attention/{id}/raw/").status_code == 404
    assert "K7QF" not in cast.charlie.client.get("/b/attention/").content.decode()
    assert database.ask("SELECT resolved_at FROM intake_setaside") == [(None,)]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xc1",
        b"\x90",
        msgspec.msgpack.encode({"fields": 1}),
        msgspec.msgpack.encode([1] * 18),
        msgspec.msgpack.encode([b"", None, *["{"] * 16]),
        msgspec.msgpack.encode([b"", None, *["[" * 50_000] * 16]),
        msgspec.msgpack.encode([b"", None, *["[[1, 2, 3], 4]"] * 16]),
        packed(fields="{}"),
        packed()[:-5],
    ],
)
def test_bytes_that_cannot_be_read(database: Database, cast: Cast, content: bytes) -> None:
    database.set_aside(cast.key_a, content, reason="Anything <else>")
    page = cast.alice.client.get(PAGE)
    assert page.status_code == 200
    assert "The database did not take it. (Anything &lt;else&gt;)" in page.content.decode()
    assert "The raw bytes hold it" in page.content.decode()


def check(cast: Cast, now: dt.datetime = NOW) -> None:
    services.check_conservation(agency_id=cast.a, now=now)


def test_the_count_of_each_form_and_day(database: Database, cast: Cast) -> None:
    late = NOW - dt.timedelta(days=1)
    for at in (NOW, NOW, late):
        database.submit(cast.key_a, received_at=at)
    database.submit(cast.key_b, received_at=NOW)
    database.set_aside(cast.key_a, received_at=NOW)
    ledger = f'[{{"form": "{cast.key_a}", "day": "2026-03-03", "accepted": 4, "spooled": 4}}]'
    database.ask(REPORT, ["spool-1", 4, NOW, ledger], role="consult_edge")

    def found() -> list[reports.Day]:
        with tenancy.agency(cast.a):
            return reports.conservation(cast.a, late.date())

    assert found() == [
        reports.Day(cast.form_a, NOW.date(), accepted=7, stored=2, spooled=4, set_aside=1),
        reports.Day(cast.form_a, late.date(), accepted=1, stored=1, spooled=0, set_aside=0),
    ]
    assert [day.difference for day in found()] == [0, 0]
    database.ask("DELETE FROM intake_submission WHERE received_at = %s", [late])
    assert [day.difference for day in found()] == [0, 1]


def test_a_difference_that_stays_is_told_once_a_day(database: Database, cast: Cast, settings: Any) -> None:
    database.submit(cast.key_a, received_at=NOW)
    check(cast)
    assert database.ask("SELECT count(*) FROM intake_alarm") == [(0,)], "nothing to remember while all is well"
    database.ask("UPDATE intake_tally SET accepted = 3")
    database.ask("DELETE FROM procrastinate_jobs")
    check(cast)
    assert worker.jobs(database) == [], "one look is none: a replay may be under way"
    assert reports_count(cast) == 0
    check(cast, NOW + dt.timedelta(minutes=5))
    found = {"confirmed": 1, "waiting": 0, "set_aside": 0}
    [(name, _status, arguments, _attempts)] = worker.jobs(database)
    assert name == "intake.tell_attention"
    assert {key: arguments[key] for key in found} == found
    assert arguments["member_id"] == str(cast.alice.member_id)
    assert reports_count(cast) == 1
    check(cast, NOW + dt.timedelta(hours=2))
    assert len(worker.jobs(database)) == 1
    check(cast, NOW + dt.timedelta(days=1))
    assert len(worker.jobs(database)) == 2
    # It heals: nothing is left of it.
    database.ask("UPDATE intake_tally SET accepted = 1")
    check(cast, NOW + dt.timedelta(days=1, minutes=5))
    assert reports_count(cast) == 0
    worker.run_jobs(database)
    sent = mail.outbox[0]
    assert sent.to == ["alice@example.com"]
    assert "does not add up: 1" in sent.body
    assert f"{settings.CONSULT_OFFICE_URL}/a/attention/" in sent.body


def reports_count(cast: Cast) -> int:
    with tenancy.agency(cast.a):
        return reports.attention_count(cast.a)


def test_what_is_set_aside_is_told_when_it_is_new(database: Database, cast: Cast) -> None:
    database.set_aside(cast.key_a)
    now = timezone.now()
    check(cast, now)
    assert len(worker.jobs(database)) == 1
    check(cast, now + dt.timedelta(days=1))
    assert len(worker.jobs(database)) == 1, "told already"
    database.set_aside(cast.key_a)
    database.ask("UPDATE intake_setaside SET created_at = %s WHERE created_at > %s", [now + dt.timedelta(hours=1), now])
    check(cast, now + dt.timedelta(days=1))
    assert [job[2]["set_aside"] for job in worker.jobs(database)] == [1, 2]


def test_a_spool_that_waits_is_told(database: Database, cast: Cast) -> None:
    ledger = f'[{{"form": "{cast.key_a}", "day": "2026-03-03", "accepted": 4, "spooled": 4}}]'
    database.ask(REPORT, ["spool-1", 9, NOW, ledger], role="consult_edge")
    check(cast, NOW + dt.timedelta(minutes=9))
    assert worker.jobs(database) == []
    check(cast, NOW + dt.timedelta(minutes=11))
    assert [job[2]["waiting"] for job in worker.jobs(database)] == [4], "its own, not those of other agencies"
    assert "4 submissions have waited" in cast.vera.client.get(PAGE).content.decode()
    assert "have waited" not in cast.charlie.client.get("/b/attention/").content.decode()


def test_the_jobs_run(database: Database, cast: Cast) -> None:
    old = timezone.now() - dt.timedelta(days=31)
    database.submit(cast.key_a, received_at=old, remote_addr="203.0.113.7")
    database.submit(cast.key_b, remote_addr="203.0.113.7")
    database.ask("DELETE FROM procrastinate_jobs")
    database.set_aside(cast.key_b)
    for name in ("intake.check_conservation", "intake.forget_addresses"):
        worker.tick(name)
    worker.run_jobs(database)
    # The first look tells of it by jobs of its own.
    worker.run_jobs(database)
    found = [row[0] for row in database.ask("SELECT remote_addr FROM intake_submission ORDER BY received_at")]
    assert found == ["203.0.113.0/24", "203.0.113.7"]
    assert [message.to for message in mail.outbox] == [["charlie@example.com"]]
