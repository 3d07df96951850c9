"""The doors that the edge goes through: what they store, what they count, and what they enqueue."""

import dataclasses
import datetime as dt
import json
import threading
import uuid
from typing import Any

import psycopg
import pytest

from conftest import ACCEPT, Cast, Database
from consult.intake import rules
from consult.intake import services as intake
from tests import doors, worker
from tests.doors import NOW, Row, accept, set_aside, tally

TODAY = NOW.date()


def test_a_batch_may_hold_everything(database: Database, cast: Cast) -> None:
    old, first, second = Row(cast.key_a), Row(cast.key_a, request_id="one"), Row(cast.key_b, request_id="two")
    assert accept(database, old) == {}
    database.ask("DELETE FROM procrastinate_jobs")
    changed = dataclasses.replace(old, digest=b"1" * 16)
    answers = accept(database, first, old, Row("frm_nobody", request_id="lost"), second, first, changed)
    # The same id twice in one batch is one submission and its repetition.
    assert answers == {
        2: ("duplicate", old.receipt),
        3: ("unknown_form", None),
        5: ("duplicate", first.receipt),
        6: ("conflict", old.receipt),
    }
    stored = database.ask("SELECT id, agency_id, spooled FROM intake_submission")
    assert sorted(stored) == sorted([(old.id, cast.a, False), (first.id, cast.a, False), (second.id, cast.b, False)])
    # A job for each agency, with the ids of its own submissions and of their requests alone.
    jobs = [(name, arguments) for name, _status, arguments, _attempts in worker.jobs(database)]
    name = "inbox.receive_submissions"
    assert sorted(jobs, key=repr) == [
        (name, {"agency_id": cast.a, "submission_ids": [str(first.id)], "request_id": "one"}),
        (name, {"agency_id": cast.b, "submission_ids": [str(second.id)], "request_id": "two"}),
    ]
    assert tally(database) == [(cast.a, TODAY, "edge-1", 2, 0), (cast.b, TODAY, "edge-1", 1, 0)]


def test_one_job_for_each_agency_of_a_batch(database: Database, cast: Cast) -> None:
    rows = [Row(cast.key_a if number % 2 else cast.key_b, request_id=f"r{number}") for number in range(14)]
    accept(database, *rows)
    found = {arguments["agency_id"]: arguments for _n, _s, arguments, _a in worker.jobs(database)}
    assert len(worker.jobs(database)) == 2
    for agency_id, key in ((cast.a, cast.key_a), (cast.b, cast.key_b)):
        own = {str(row.id): row.request_id for row in rows if row.key == key}
        sent = found[agency_id]
        assert set(sent["submission_ids"]) == set(own)
        # A log line has room for five.
        requests = sent["request_id"].split(",")
        assert len(requests) == 5
        assert set(requests) <= set(own.values())
    worker.run_jobs(database)
    assert database.ask("SELECT agency_id, count(*), max(number) FROM inbox_enquiry GROUP BY 1 ORDER BY 1") == [
        (cast.a, 7, 7),
        (cast.b, 7, 7),
    ]


def test_a_batch_of_nothing_new_enqueues_no_job(database: Database, cast: Cast) -> None:
    row = Row(cast.key_a)
    accept(database, row)
    database.ask("DELETE FROM procrastinate_jobs")
    before = database.ask("SELECT * FROM intake_submission"), tally(database)
    again = dataclasses.replace(row, page_url="https://other.example")
    assert accept(database, again) == {1: ("duplicate", row.receipt)}
    assert accept(database, Row("frm_nobody")) == {1: ("unknown_form", None)}
    assert accept(database) == {}
    assert worker.jobs(database) == []
    assert (database.ask("SELECT * FROM intake_submission"), tally(database)) == before


def test_the_same_content_in_the_ten_minutes_before(database: Database, cast: Cast) -> None:
    first = Row(cast.key_a)
    accept(database, first)
    repeated = Row(cast.key_a, earlier=first.id)
    other = Row(cast.key_a, earlier=first.id, digest=b"1" * 16)
    keyed = Row(cast.key_a, earlier=uuid.uuid4())
    assert accept(database, repeated, other, keyed) == {1: ("duplicate", first.receipt)}
    assert {row[0] for row in database.ask("SELECT id FROM intake_submission")} == {first.id, other.id, keyed.id}
    assert tally(database) == [(cast.a, TODAY, "edge-1", 3, 0)]


def test_one_id_from_several_edges_at_once(database: Database, cast: Cast) -> None:
    """Each of them hears the same receipt, none an error, and one submission is there, counted once."""
    edges, rounds = 4, 100
    batches = [[Row(cast.key_a) for _ in range(3)] for _ in range(rounds)]
    together = threading.Barrier(edges)
    heard: list[tuple[str, str | None]] = []
    failed: list[str] = []

    def send(name: str) -> None:
        with psycopg.connect(database.urls["consult_edge"], autocommit=True) as edge:
            for batch in batches:
                together.wait(20)
                try:
                    found = edge.execute(ACCEPT, doors.parameters(name, False, batch, [])).fetchall()
                    heard.extend((outcome, receipt) for _position, outcome, receipt in found)
                except psycopg.Error as error:
                    failed.append(str(error))

    threads = [threading.Thread(target=send, args=(f"edge-{number}",)) for number in range(edges)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert {outcome for outcome, _receipt in heard} == {"duplicate"}
    assert len(heard) == (edges - 1) * rounds * 3
    assert database.ask("SELECT count(*) FROM intake_submission") == [(rounds * 3,)]
    assert sum(row[3] for row in tally(database)) == rounds * 3


def test_a_receipt_of_another_submission_is_an_error_and_no_loss(database: Database, cast: Cast) -> None:
    first = Row(cast.key_a)
    accept(database, first)
    same_receipt = Row(cast.key_a, id=uuid.UUID(int=first.id.int % 10**12))
    assert same_receipt.receipt == first.receipt
    with pytest.raises(psycopg.errors.UniqueViolation, match="receipt"):
        accept(database, Row(cast.key_a), same_receipt)
    assert database.ask("SELECT id FROM intake_submission") == [(first.id,)]
    assert tally(database) == [(cast.a, TODAY, "edge-1", 1, 0)]


def test_rows_from_a_spool(database: Database, cast: Cast) -> None:
    direct, first, second = Row(cast.key_a), Row(cast.key_a), Row(cast.key_a, fields='[["message", "Two"]]')
    accept(database, direct)
    ledger = [{"form": cast.key_a, "day": "2026-03-01", "accepted": 3, "spooled": 1}]
    # The answer to `direct` was lost, so it was spooled as well; the spool takes it out of its count then.
    assert accept(database, direct, first, source="spool-1", ledger=ledger) == {1: ("duplicate_direct", direct.receipt)}
    assert tally(database) == [(cast.a, TODAY, "edge-1", 1, 0), (cast.a, TODAY, "spool-1", 3, 1)]
    # The numbers are absolute: the same batch again, and then the last one, end where they should.
    ledger = [{"form": cast.key_a, "day": "2026-03-01", "accepted": 2, "spooled": 1}]
    assert accept(database, first, source="spool-1", ledger=ledger) == {1: ("duplicate", first.receipt)}
    ledger = [
        {"form": cast.key_a, "day": "2026-03-01", "accepted": 2, "spooled": 0},
        {"form": "frm_nobody", "day": "2026-03-01", "accepted": 9, "spooled": 9},
    ]
    assert accept(database, second, source="spool-1", ledger=ledger) == {}
    assert tally(database) == [(cast.a, TODAY, "edge-1", 1, 0), (cast.a, TODAY, "spool-1", 2, 0)]
    found = dict(database.ask("SELECT id, spooled FROM intake_submission"))
    assert found == {direct.id: False, first.id: True, second.id: True}


def test_what_is_accepted_is_counted_by_its_own_utc_day(database: Database, cast: Cast) -> None:
    late = dt.datetime(2026, 3, 1, 23, 59, 59, tzinfo=dt.UTC)
    night = late.astimezone(dt.timezone(dt.timedelta(hours=5)))
    rows = [Row(cast.key_a, received_at=at) for at in (late, night, late + dt.timedelta(seconds=2))]
    database.ask("ALTER DATABASE " + database.name + " SET timezone TO 'Asia/Tokyo'")
    accept(database, *rows)
    assert tally(database) == [
        (cast.a, TODAY, "edge-1", 2, 0),
        (cast.a, TODAY + dt.timedelta(days=1), "edge-1", 1, 0),
    ]


def test_files_come_with_their_submission(database: Database, cast: Cast) -> None:
    def files(count: int) -> str:
        return json.dumps(
            [
                {
                    "id": str(uuid.uuid4()),
                    "field": "cv",
                    "name": "Lebenslauf ü.pdf",
                    "media_type": "application/pdf",
                    "size": 5_000_000_000,
                    "sha256": "ab" * 32,
                    "location": f"2026/{number}",
                }
                for number in range(count)
            ]
        )

    first, plain, lost = Row(cast.key_a, files=files(2)), Row(cast.key_b), Row("frm_nobody", files=files(1))
    accept(database, first, plain, lost)
    # A repetition brings copies, another content under the same id its own: neither changes what is there.
    accept(database, dataclasses.replace(first, files=files(2)))
    accept(database, dataclasses.replace(first, files=files(1), digest=b"1" * 16))
    columns = "agency_id, submission_id, field, name, media_type, size, sha256, location"
    common = (cast.a, first.id, "cv", "Lebenslauf ü.pdf", "application/pdf", 5_000_000_000, "ab" * 32)
    assert database.ask(f"SELECT {columns} FROM intake_file ORDER BY location") == [  # noqa: S608
        (*common, "2026/0"),
        (*common, "2026/1"),
    ]


def test_of_twins_in_a_batch_the_first_ones_files_are_kept(database: Database, cast: Cast) -> None:
    """Those told that they repeat it have their files discarded by the edge: nothing here may point to them."""

    def files(*places: str) -> str:
        common = {"field": "cv", "name": "cv.pdf", "media_type": "application/pdf", "size": 5, "sha256": "ab" * 32}
        return json.dumps([{"id": str(uuid.uuid4()), **common, "location": place} for place in places])

    first = Row(cast.key_a, files=files("first/0", "first/1"))
    second, third = (dataclasses.replace(first, files=files(f"{name}/0", f"{name}/1")) for name in ("second", "third"))
    other = Row(cast.key_a, files=files("other/0"))
    answers = accept(database, first, second, other, third)
    assert answers == {2: ("duplicate", first.receipt), 4: ("duplicate", first.receipt)}
    assert database.ask("SELECT submission_id, location FROM intake_file ORDER BY location") == [
        (first.id, "first/0"),
        (first.id, "first/1"),
        (other.id, "other/0"),
    ]


def test_what_the_tables_do_not_take_is_set_aside(database: Database, cast: Cast) -> None:
    bad, gone, nobody = Row(cast.key_a), Row("frm_gone"), Row("frm_nobody")
    assert set_aside(database, bad) == {bad.id: True}
    assert set_aside(database, bad) == {bad.id: True}, "again is harmless"
    assert set_aside(database, gone, agency_id=cast.b) == {gone.id: False}
    assert set_aside(database, nobody) == {}, "neither form nor agency: nowhere to keep it"
    assert set_aside(database, nobody, agency_id=4711) == {}
    rows = database.ask("SELECT id, agency_id, form_id, form_key, receipt, received_at, reason, content, resolved_at"
                        " FROM intake_setaside ORDER BY agency_id")  # fmt: skip
    rest = (NOW, "CheckViolationError", b"\x92raw", None)
    assert rows == [
        (bad.id, cast.a, cast.form_a, cast.key_a, bad.receipt, *rest),
        (gone.id, cast.b, None, "frm_gone", gone.receipt, *rest),
    ]
    # It counts as accepted where there is a form to count it for.
    assert tally(database) == [(cast.a, TODAY, "edge-1", 1, 0)]
    spooled = Row(cast.key_a)
    ledger = [{"form": cast.key_a, "day": "2026-03-01", "accepted": 4, "spooled": 3}]
    assert set_aside(database, spooled, source="spool-1", ledger=ledger) == {spooled.id: True}
    assert tally(database)[1:] == [(cast.a, TODAY, "spool-1", 4, 3)]


def test_an_edge_tells_of_itself(database: Database, cast: Cast) -> None:
    statement = "SELECT intake_report_v1(%s, %s, %s, %s, %s, %s)"
    oldest = NOW + dt.timedelta(minutes=1)
    ledger = [{"form": cast.key_b, "day": "2026-03-01", "accepted": 5, "spooled": 5}]
    report = ("spool-1", "host-1", NOW, 5, oldest, json.dumps(ledger))
    database.ask(statement, report, role="consult_edge")
    columns = "source, host, started_at, spooled, oldest_at"
    assert database.ask(f"SELECT {columns} FROM intake_edge") == [("spool-1", "host-1", NOW, 5, oldest)]  # noqa: S608
    assert tally(database) == [(cast.b, TODAY, "spool-1", 5, 5)]
    [(seen,)] = database.ask("SELECT seen_at FROM intake_edge")
    database.ask(statement, ("spool-1", "host-1", oldest, 0, None, "[]"), role="consult_edge")
    assert database.ask(f"SELECT {columns} FROM intake_edge") == [("spool-1", "host-1", oldest, 0, None)]  # noqa: S608
    assert database.ask("SELECT seen_at > %s FROM intake_edge", [seen]) == [(True,)]
    assert tally(database) == [(cast.b, TODAY, "spool-1", 5, 5)]


def test_accepted_is_stored_and_spooled_and_set_aside(database: Database, cast: Cast) -> None:
    """The conservation count, over everything that happens on the way."""
    rows = [Row(cast.key_a) for _ in range(6)]
    accept(database, *rows[:3])
    accept(database, rows[0], rows[3], source="edge-2")
    set_aside(database, Row(cast.key_a), source="edge-2")
    ledger = [{"form": cast.key_a, "day": "2026-03-01", "accepted": 4, "spooled": 2}]
    accept(database, rows[4], rows[5], source="spool-1", ledger=ledger)
    assert database.ask(
        "SELECT sum(accepted), sum(spooled), (SELECT count(*) FROM intake_submission),"
        " (SELECT count(*) FROM intake_setaside) FROM intake_tally"
    ) == [(4 + 1 + 4, 2, 6, 1)]


def test_everything_that_came_is_kept_as_it_came(database: Database, cast: Cast) -> None:
    sent: dict[str, Any] = {
        "page_url": "https://a.example/kontakt?x=1",
        "referrer": "https://search.example/",
        "origin": "https://a.example",
        "user_agent": "Mozilla “5.0”",
        "content_type": "multipart/form-data",
    }
    row = Row(cast.key_a, address="2001:db8::1", signals='["cleaned", "honeypot"]', digest=b"d" * 16, **sent)
    accept(database, row)
    names = ["receipt", "received_at", "fields", "form_version", "form_id", "digest", "remote_addr", "signals", *sent]
    [found] = database.ask(f"SELECT {', '.join(names)} FROM intake_submission WHERE id = %s", [row.id])  # noqa: S608
    assert dict(zip(names, found, strict=True)) == {
        "receipt": row.receipt,
        "received_at": NOW,
        "fields": [["name", "Ann"], ["message", "Hello"]],
        "form_version": 1,
        "form_id": cast.form_a,
        "digest": b"d" * 16,
        "remote_addr": "2001:db8::1",
        "signals": ["cleaned", "honeypot"],
        **sent,
    }


def test_old_addresses_are_cut_short(database: Database, cast: Cast) -> None:
    intake_days = "UPDATE intake_form SET keep_address_days = %s WHERE key = %s"
    database.ask(intake_days, [7, cast.key_b])
    old, older = NOW - dt.timedelta(days=8), NOW - dt.timedelta(days=31)
    rows = {
        "203.0.113.77": "203.0.113.0/24",
        "2001:db8:1:2:3:4:5:6": "2001:db8:1::/48",
        "::1": "::/48",
        "unix": "",
        ":::": "::/48",
        "2001:db8:1::": "2001:db8:1::/48",
        "2001:db8::1": "2001:db8::/48",
        "": "",
    }
    accept(database, *(Row(cast.key_a, address=address, received_at=older) for address in rows))
    kept = Row(cast.key_a, address="203.0.113.78", received_at=old)
    sooner = Row(cast.key_b, address="203.0.113.79", received_at=old)
    accept(database, kept, sooner)

    def forget(limit: int) -> int:
        [(count,)] = database.ask("SELECT intake_forget_addresses_v1(%s, %s)", [NOW, limit], role="consult_worker")
        return int(count)

    assert [forget(3), forget(3), forget(3)] == [3, 3, 2]
    assert forget(100) == 0
    found = database.ask("SELECT remote_addr FROM intake_submission WHERE received_at = %s", [older])
    assert sorted(row[0] for row in found) == sorted(rows.values())
    rest = dict(database.ask("SELECT id, remote_addr FROM intake_submission WHERE received_at = %s", [old]))
    assert rest == {kept.id: "203.0.113.78", sooner.id: "203.0.113.0/24"}


def _edit(cast: Cast) -> None:
    intake.update_form(
        agency_id=cast.a,
        form_id=cast.form_a,
        name="Contact us",
        fields=[{"name": "why", "label": "Why", "type": "text", "required": True}],
        allowed_origins=["https://new.example"],
        redirect_targets=["https://new.example/thanks"],
        notify_addresses=[],
    )


def test_a_form_edited_meanwhile(database: Database, cast: Cast) -> None:
    _edit(cast)
    # The edge that has not heard of version 2 yet, the one that has, and one that claims what is not there.
    for sent, kept in ((1, 1), (2, 2), (7, 2)):
        row = Row(cast.key_a, version=sent)
        assert accept(database, row) == {}
        assert database.ask("SELECT form_version FROM intake_submission WHERE id = %s", [row.id]) == [(kept,)]


def test_the_form_as_the_edge_needs_it(database: Database, cast: Cast) -> None:
    database.ask("UPDATE intake_site SET fallback_contact = 'Call 1234' WHERE id = %s", [cast.site_a])
    _edit(cast)

    def ask(*arguments: object) -> dict[str, Any] | None:
        statement = f"SELECT intake_form_v2({', '.join(['%s'] * len(arguments))})"
        found: dict[str, Any] | None = database.ask(statement, arguments, role="consult_edge")[0][0]
        return found

    [(secret,)] = database.ask("SELECT secret FROM intake_form WHERE key = %s", [cast.key_a])
    now = dt.datetime.now(dt.UTC)
    accept(database, Row(cast.key_a, received_at=now), Row(cast.key_a, received_at=now - dt.timedelta(days=1)))
    form = ask(cast.key_a)
    assert form == {
        "key": cast.key_a,
        "agency_id": cast.a,
        "version": 2,
        "name": "Contact us",
        "site": {"name": "Site a", "url": "https://a.example", "fallback_contact": "Call 1234"},
        "fields": [
            {
                "name": "why",
                "label": "Why",
                "type": "text",
                "required": True,
                "required_since": 2,
                "options": [],
                "max_length": 500,
            },
        ],
        "honeypot": rules.HONEYPOT,
        "files": {},
        "allowed_origins": ["https://new.example"],
        "redirect_targets": ["https://new.example/thanks"],
        "language": "en",
        "address_limit": "20/minute",
        "form_limit": "600/minute",
        "over_limit": "hold",
        "daily_cap": 10_000,
        "proof_of_work": False,
        "secret": secret,
        "today": now.date().isoformat(),
        "accepted_today": 1,
    }
    assert len(secret) == 43
    # A page that still shows the first version; a version that never was.
    before = ask(cast.key_a, 1)
    assert before
    assert (before["version"], before["name"], len(before["fields"])) == (1, "Contact", 3)
    assert before["allowed_origins"] == ["https://new.example"]
    assert ask(cast.key_a, 7) == ask(cast.key_a, None) == form
    assert ask("frm_nobody") is None


def test_the_edge_hears_of_a_changed_form(database: Database, cast: Cast) -> None:
    with psycopg.connect(database.urls["consult_edge"], autocommit=True) as edge:
        edge.execute("LISTEN consult_forms")
        _edit(cast)
        intake.create_form(
            agency_id=cast.b, site_id=_site(database, cast.b), name="New", fields=rules.CONTACT_FIELDS, key="frm_new"
        )
        intake.update_site(
            agency_id=cast.a, site_id=cast.site_a, name="Renamed", url="https://a.example", fallback_contact="1234"
        )
        heard = [note.payload for note in edge.notifies(timeout=0.3, stop_after=9)]
    assert heard.count(cast.key_a) == 2
    assert heard.count("frm_new") == 1
    assert len(heard) == 3


def _site(database: Database, agency_id: int) -> uuid.UUID:
    found: uuid.UUID = database.ask("SELECT id FROM intake_site WHERE agency_id = %s", [agency_id])[0][0]
    return found


def test_a_plan_made_for_an_empty_table_does_not_read_the_whole_one_later(database: Database, cast: Cast) -> None:
    database.ask("VACUUM ANALYZE intake_submission")
    batches, each = 14, 50
    with psycopg.connect(database.urls["consult_edge"], autocommit=True) as edge:
        for number in range(batches):
            rows = [Row(cast.key_a, earlier=uuid.uuid4(), digest=bytes([number, n])) for n in range(each)]
            assert edge.execute(ACCEPT, doors.parameters("edge-1", False, rows, [])).fetchall() == []
        edge.execute("SELECT pg_stat_force_next_flush()")
    read = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'intake_submission'"
    # The whole one for each batch would be 4,550.
    assert database.ask(read)[0][0] < batches * each
