"""What a form keeps no longer is erased by itself: content gone, counts and what became of it there."""

import datetime as dt
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import services as crm
from consult.inbox import services as inbox
from consult.intake import reports
from consult.intake.tests import test_file
from consult.thread.services import retention
from tests import worker

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    with override_settings(CONSULT_FILES_URL=tmp_path.as_uri()):
        yield tmp_path


def send(database: Database, cast: Cast, *, days: float, key: str = "", held: bool = False, **more: Any) -> uuid.UUID:
    """Let somebody send something so many days ago; `held`: it looks like spam."""
    id, outcome = database.submit(
        key or cast.key_a,
        ("name", f"Somebody {days}"),
        ("email", "x@visitor.example"),
        ("message", f"zeugma{int(days)}"),
        received_at=NOW - dt.timedelta(days=days),
        signals=["honeypot"] if held else [],
        **more,
    )
    assert outcome == "stored"
    inbox.receive_submissions(agency_id=cast.a if key in ("", cast.key_a) else cast.b, submission_ids=[id])
    return id


def keep(database: Database, cast: Cast, days: int | None, held_days: int | None = None) -> None:
    statement = "UPDATE intake_form SET keep_days = %s, keep_held_days = %s WHERE id = %s"
    database.ask(statement, [days, held_days, cast.form_a])


def kept(database: Database) -> set[uuid.UUID]:
    return {id for (id,) in database.ask("SELECT id FROM intake_submission WHERE erased_at IS NULL")}


def test_content_goes_and_counts_stay(database: Database, cast: Cast, folder: Path) -> None:
    file = test_file.row(cast.a)
    path = test_file.put(folder, file["location"])
    old, fresh = send(database, cast, days=31, files=[file]), send(database, cast, days=29)
    theirs = send(database, cast, days=300, key=cast.key_b)
    [(number,)] = database.ask("SELECT number FROM inbox_enquiry WHERE submission_id = %s", [old])
    inbox.add_note(agency_id=cast.a, number=number, body="zeugma noted", by=cast.alice.member_id)
    contact_id = crm.create_contact(agency_id=cast.a, name="Somebody", emails=["x@visitor.example"], by=None)
    database.ask("UPDATE inbox_enquiry SET contact_id = %s WHERE submission_id = %s", [contact_id, old])
    aside = database.set_aside(cast.key_a, b"raw bytes", received_at=NOW - dt.timedelta(days=31))
    tallies = database.ask("SELECT sum(accepted) FROM intake_tally")
    assert retention.apply_retention(agency_id=cast.a, now=NOW) == 0, "nothing by default"
    keep(database, cast, 30)
    worker.tick("thread.apply_retention")
    worker.run_jobs(database)
    assert kept(database) == {fresh, theirs}
    assert not path.exists()
    assert database.ask("SELECT content FROM intake_setaside WHERE id = %s", [aside]) == [(b"",)]
    said = database.ask(
        "SELECT number, status, sender_name, contact_id FROM inbox_enquiry WHERE submission_id = %s", [old]
    )
    assert said == [(number, "closed", "Erased person", contact_id)]
    assert database.ask("SELECT body FROM inbox_note") == [("(erased)",)]
    assert database.ask("SELECT count(*) FROM inbox_word WHERE word = 'zeugma31'") == [(0,)]
    assert database.ask("SELECT count(*) FROM inbox_word WHERE word = 'zeugma29'") == [(1,)]
    # What became of it is the agency's own record.
    assert database.ask("SELECT name, erased_at FROM crm_contact") == [("Somebody", None)]
    assert database.ask("SELECT sum(accepted) FROM intake_tally") == tallies
    with tenancy.agency(cast.a):
        days = reports.conservation(cast.a, (NOW - dt.timedelta(days=40)).date())
    assert [day.difference for day in days] == [0, 0]
    audit = database.ask("SELECT subject_id, data FROM accounts_audit WHERE action = 'thread.apply_retention'")
    assert audit == [(cast.form_a, {"submissions": 1, "enquiries": 1})]
    assert cast.vera.client.get(f"/a/inbox/{number}/").status_code == 200
    assert retention.apply_retention(agency_id=cast.a, now=NOW) == 0, "a second time finds nothing"


def test_held_ones_go_sooner(database: Database, cast: Cast) -> None:
    spam, fine = send(database, cast, days=8, held=True), send(database, cast, days=8)
    fresh_spam = send(database, cast, days=6, held=True)
    keep(database, cast, None, 7)
    assert retention.apply_retention(agency_id=cast.a, now=NOW) == 1
    assert kept(database) == {fine, fresh_spam}
    assert database.ask("SELECT status FROM inbox_enquiry WHERE submission_id = %s", [spam]) == [("held",)]


def test_many_go_in_batches_of_which_each_is_kept(
    database: Database, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [send(database, cast, days=40 + each, held=each % 2 == 0) for each in range(7)]
    keep(database, cast, None, 7)
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    assert retention.apply_retention(agency_id=cast.a, now=NOW) == 4
    keep(database, cast, 7)
    real = retention._erase
    calls: list[int] = []

    def dying(*arguments: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(retention, "_erase", dying)
    with pytest.raises(KeyboardInterrupt):
        retention.apply_retention(agency_id=cast.a, now=NOW)
    assert len(kept(database)) == 1
    monkeypatch.setattr(retention, "_erase", real)
    assert retention.apply_retention(agency_id=cast.a, now=NOW) == 1
    assert kept(database) & set(ids) == set()


def test_it_is_set_at_the_form_and_shown(database: Database, cast: Cast) -> None:
    address = f"/a/forms/{cast.form_a}/"
    sent = {"name": "Contact", "keep_days": "90", "keep_held_days": "14", "field-0-label": "E-mail"}
    assert cast.alice.client.post(f"{address}edit/", sent).status_code == 302
    page = cast.vera.client.get(address).content.decode()
    assert "submissions are erased after 90 days · held ones after 14 days" in page
    for wrong in ({"keep_days": "0"}, {"keep_days": "4000"}, {"keep_held_days": "x"}):
        assert cast.alice.client.post(f"{address}edit/", sent | wrong).status_code == 422
    # Left out it stays; emptied it ends.
    sent_again = {"name": "Contact", "keep_held_days": "", "field-0-label": "E-mail"}
    assert cast.alice.client.post(f"{address}edit/", sent_again).status_code == 302
    assert database.ask("SELECT keep_days, keep_held_days FROM intake_form WHERE id = %s", [cast.form_a]) == [
        (90, None)
    ]
