"""A person is erased: of them nothing is found anywhere, and everything that is counted is still there."""

import datetime as dt
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from conftest import Cast, Database
from consult.core import files, tenancy
from consult.crm import queries as crm
from consult.crm import services as crm_services
from consult.inbox import queries as inbox_queries
from consult.inbox import services as inbox
from consult.intake import reports
from consult.machine import postgres_cluster
from consult.thread.queries import erasures
from consult.thread.queries import person as people
from consult.thread.services import erasure
from consult.thread.tests import planted
from tests import worker

NOW = dt.datetime.now(dt.UTC)
SUMS = (
    "SELECT count(*), array_agg(number ORDER BY number), array_agg(received_at ORDER BY number) FROM inbox_enquiry",
    "SELECT count(*), array_agg(received_at ORDER BY id), array_agg(receipt ORDER BY id) FROM intake_submission",
    "SELECT sum(accepted), sum(spooled) FROM intake_tally",
    "SELECT count(*), sum(size) FROM intake_file",
    "SELECT count(*) FROM intake_setaside",
    "SELECT array_agg(kind ORDER BY at, id), array_agg(at ORDER BY at, id) FROM crm_event",
    "SELECT count(*), sum(value_minor), array_agg(status), array_agg(contact_id) FROM crm_deal",
    "SELECT count(*), array_agg(kind ORDER BY id) FROM inbox_delivery",
    "SELECT count(*) FROM crm_contact",
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with override_settings(CONSULT_FILES_URL=tmp_path.as_uri(), CONSULT_MAIL_INBOUND="inbox@in.example"):
        yield tmp_path


def erase(database: Database, cast: Cast, contact_id: uuid.UUID) -> uuid.UUID:
    id = erasure.erase_person(
        agency_id=cast.a, contact_id=contact_id, reason="asked", typed=planted.NAME.lower(), by=cast.alice.member_id
    )
    worker.run_jobs(database)
    return id


def test_nothing_is_found_any_more_and_all_that_counts_stays(
    cluster: postgres_cluster.Cluster, database: Database, cast: Cast, folder: Path
) -> None:
    other, _outcome = database.submit(cast.key_a)
    inbox.receive_submissions(agency_id=cast.a, submission_ids=[other])
    her = planted.plant(database, cast, folder)
    assert planted.traces(cluster, database, folder) == set(planted.TRACES), "not everything was planted"
    before = [database.ask(statement) for statement in SUMS]
    words = database.ask("SELECT count(*) FROM inbox_word WHERE word = 'hello'")
    id = erase(database, cast, her.contact_id)
    assert planted.traces(cluster, database, folder) == set()
    assert [database.ask(statement) for statement in SUMS] == before
    assert database.ask("SELECT count(*) FROM inbox_word WHERE word = 'hello'") == words, "others are found as before"
    with tenancy.agency(cast.a):
        assert [day.difference for day in reports.conservation(cast.a, NOW.date() - dt.timedelta(days=2))] == [0]
        assert crm.contact(cast.a, her.alias_id).name == "Erased person"
        assert crm.deal(cast.a, her.deal_id).title == "Website for (erased)"
        done = erasures.erasure(cast.a, id)
    assert done
    assert (done.state, done.reason, done.counts["enquiries"]) == ("done", "asked", 2)
    assert {status for _name, status, _arguments, _attempts in worker.jobs(database)} == {"succeeded"}
    [(first, name, address)] = database.ask(
        "SELECT number, sender_name, sender_email FROM inbox_enquiry WHERE number = 1"
    )
    assert (first, name, address) == (1, "Ann", "ann@visitor.example")
    for path in (f"inbox/{her.number}/", f"contacts/{her.contact_id}/", f"deals/{her.deal_id}/", "inbox/?view=all"):
        assert cast.alice.client.get(f"/a/{path}").status_code == 200


def test_who_was_never_converted_is_found_by_address(database: Database, cast: Cast, folder: Path) -> None:
    submission_id, _outcome = database.submit(cast.key_a, ("name", "Ann"), ("email", "Ann@Visitor.example"))
    inbox.receive_submissions(agency_id=cast.a, submission_ids=[submission_id])
    with tenancy.agency(cast.a):
        person = people.find(cast.a, address=" ANN@visitor.example ")
        assert person.inbox.submissions == [submission_id]
        with pytest.raises(people.NoSuchPerson):
            people.find(cast.a, address="nobody@visitor.example")
        with pytest.raises(people.NoSuchPerson):
            people.find(cast.a, address="")
    for typed, reason, wrong in (("ann", "asked", erasure.NotConfirmed), ("ann@visitor.example", "", erasure.NoReason)):
        with pytest.raises(wrong):
            erasure.erase_person(
                agency_id=cast.a, address="ann@visitor.example", typed=typed, reason=reason, by=cast.alice.member_id
            )
    erasure.erase_person(
        agency_id=cast.a,
        address="ann@visitor.example",
        typed="Ann@visitor.example",
        reason="asked",
        by=cast.alice.member_id,
    )
    [(_name, _status, arguments, _attempts)] = [job for job in worker.jobs(database) if job[0] == "thread.erase_person"]
    assert "visitor" not in str(arguments)
    worker.run_jobs(database)
    [(fields, erased_at)] = database.ask("SELECT fields, erased_at FROM intake_submission")
    assert fields == []
    assert erased_at
    with tenancy.agency(cast.a), pytest.raises(people.NoSuchPerson):
        people.find(cast.a, address="ann@visitor.example")


def test_a_shared_address_takes_no_enquiry_of_another_contact(database: Database, cast: Cast, folder: Path) -> None:
    her = planted.plant(database, cast, folder)
    submission_id, _outcome = database.submit(cast.key_a, ("name", "Ben"), ("email", planted.ADDRESS))
    inbox.receive_submissions(agency_id=cast.a, submission_ids=[submission_id])
    ben = crm_services.create_contact(agency_id=cast.a, name="Ben", emails=[planted.ADDRESS], by=None)
    database.ask("UPDATE inbox_enquiry SET contact_id = %s WHERE submission_id = %s", [ben, submission_id])
    erase(database, cast, her.contact_id)
    assert database.ask("SELECT erased_at FROM intake_submission WHERE id = %s", [submission_id]) == [(None,)]
    assert database.ask("SELECT name FROM crm_contact WHERE id = %s", [ben]) == [("Ben",)]


def test_killed_in_between_it_goes_on(
    cluster: postgres_cluster.Cluster,
    database: Database,
    cast: Cast,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once before anything is blanked, and once before its files are gone."""
    her = planted.plant(database, cast, folder)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("consult.crm.services.erasure.erase_contacts", killed)
        erasure.erase_person(
            agency_id=cast.a, contact_id=her.contact_id, reason="asked", typed=planted.NAME, by=cast.alice.member_id
        )
        [(_name, _status, arguments, _attempts)] = [
            job for job in worker.jobs(database) if job[0] == "thread.erase_person"
        ]
        with pytest.raises(KeyboardInterrupt):
            _by_hand(cast, arguments)
    assert planted.SECRET_WORD in planted.traces(cluster, database, folder)
    assert len(list(folder.glob("*/erasure/*"))) == 1
    with monkeypatch.context() as patched:
        patched.setattr(files, "remove", killed)
        _by_hand(cast, arguments)
    assert planted.traces(cluster, database, folder) >= {planted.FILE_WORD}
    _by_hand(cast, arguments)
    worker.run_jobs(database)
    assert planted.traces(cluster, database, folder) == set()
    assert len(list(folder.glob("*/erasure/*"))) == 1
    assert database.ask("SELECT count(*) FROM accounts_audit WHERE action = 'thread.erase_person'") == [(1,)]


def _by_hand(cast: Cast, arguments: dict[str, str]) -> None:
    erasure.carry_out(
        agency_id=cast.a,
        erasure_id=uuid.UUID(arguments["erasure_id"]),
        about=arguments["about"],
        reason=arguments["reason"],
        by=cast.alice.member_id,
        now=dt.datetime.now(dt.UTC),
    )


def test_while_the_storage_is_away_nothing_is_erased(database: Database, cast: Cast, folder: Path) -> None:
    her = planted.plant(database, cast, folder)
    with override_settings(CONSULT_FILES_URL=(folder / "gone").as_uri()):
        erase(database, cast, her.contact_id)
    assert database.ask("SELECT erased_at FROM crm_contact WHERE id = %s", [her.contact_id]) == [(None,)]
    worker.make_due(database)
    worker.run_jobs(database)
    assert database.ask("SELECT erased_at IS NULL FROM crm_contact WHERE id = %s", [her.contact_id]) == [(False,)]


def test_what_comes_in_again_is_new(database: Database, cast: Cast, folder: Path) -> None:
    her = planted.plant(database, cast, folder)
    erase(database, cast, her.contact_id)
    submission_id, outcome = database.submit(cast.key_a, ("name", planted.NAME), ("email", planted.ADDRESS))
    assert outcome == "stored"
    inbox.receive_submissions(agency_id=cast.a, submission_ids=[submission_id])
    with tenancy.agency(cast.a):
        assert people.find(cast.a, address=planted.ADDRESS).inbox.submissions == [submission_id]
        to = inbox_queries.answer_address(cast.a, number=her.number)
    # An answer to what we wrote her then: it belongs to nothing any more, and is not lost.
    raw = f"From: {planted.ADDRESS}\r\nTo: {to}\r\nMessage-ID: <9@x.example>\r\n\r\nStill there?".encode()
    kept = inbox.keep_mail(hook_agency_id=cast.a, raw=raw)
    inbox.receive_mail(agency_id=cast.a, mail_id=kept.id, now=NOW)
    assert database.ask("SELECT state FROM inbox_mail WHERE id = %s", [kept.id]) == [("aside",)]
    erasure.reapply_erasures(now=dt.datetime.now(dt.UTC))
    [(name,)] = database.ask("SELECT sender_name FROM inbox_enquiry WHERE submission_id = %s", [submission_id])
    assert name == planted.NAME, "it came after the erasure"
