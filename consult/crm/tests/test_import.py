"""Imports: what a file does to contacts and companies, and that a second run does nothing twice."""

import contextlib
import uuid
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from pytest_django import Settings

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import queries, services
from consult.crm.services import import_runs
from consult.crm.tests import importing
from consult.crm.tests.conftest import Known
from consult.crm.tests.importing import PEOPLE


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.CONSULT_FILES_URL = tmp_path.as_uri()
    return tmp_path


def contacts(cast: Cast) -> dict[str, queries.Contact]:
    with tenancy.agency(cast.a):
        return {each.name: each for each in queries.contacts_after(cast.a, None, 1000)}


def companies(cast: Cast) -> dict[str, queries.Company]:
    with tenancy.agency(cast.a):
        return {each.name: each for each in queries.companies_after(cast.a, None, 1000)}


def test_columns_are_guessed_in_german_and_english(database: Database, cast: Cast) -> None:
    of = importing.look(cast, importing.upload(cast, PEOPLE))
    assert (of.encoding, of.delimiter, of.has_header) == ("utf-8", ";", True)
    assert of.mapping == ["name", "emails", "phones", "company", "job_title"]
    english = "First Name,Last Name,E-mail 1 - Value,E-mail 2 - Value,Phone 1 - Value,Notes\nA,B,a@b.example,,,\n"
    of = importing.look(cast, importing.upload(cast, english))
    assert of.mapping == ["first_name", "last_name", "emails", "emails", "phones", ""]


def test_a_check_says_what_would_be_done_and_does_nothing(
    database: Database, cast: Cast, known: Known, folder: Path
) -> None:
    before = database.ask("SELECT count(*) FROM crm_contact")
    of = importing.check(database, cast, importing.upload(cast, PEOPLE))
    assert (of.state, of.total) == ("checked", 4)
    assert of.counts == {"known": 1, "new": 2, "failed": 1}
    with tenancy.agency(cast.a):
        [row] = queries.import_rows(cast.a, of.id, "failed")
    assert (row.line, row.issues) == (4, [{"column": "E-Mail", "code": "email", "value": "ben@@new"}])
    assert database.ask("SELECT count(*) FROM crm_contact") == before


def test_a_run_adds_changes_and_leaves_out(database: Database, cast: Cast, known: Known, folder: Path) -> None:
    of = importing.whole(database, cast, PEOPLE)
    assert (of.state, of.error, of.counts) == ("done", "", {"known": 1, "new": 2, "failed": 1})
    people = contacts(cast)
    assert set(people) == {"Ann Müller", "Ben", "Cleo"}
    assert people["Ann Müller"].id == known.contact_id
    assert people["Ann Müller"].job_title == "Owner"
    assert people["Cleo"].phone == "030 1234567"
    assert people["Ben"].company_name == people["Cleo"].company_name == "New Ltd"
    assert list(companies(cast)) == ["Rosa GmbH", "New Ltd"]
    # The file is gone when it is not needed any more.
    assert (of.location, [each for each in folder.rglob("*") if each.is_file()]) == ("", [])
    # Found as everybody is.
    with tenancy.agency(cast.a):
        assert [row.name for row in queries.contacts(cast.a, search="1234567").contacts] == ["Cleo"]
        [line] = queries.timeline(cast.a, contact_id=people["Cleo"].id).lines
        assert (line.kind, line.by_name, line.data) == ("crm.start_import", "Bob", {"file": "people.csv", "row": 5})
    actions = database.ask("SELECT action FROM accounts_audit WHERE subject_id = %s ORDER BY id", [of.id])
    assert [each for (each,) in actions] == [
        "crm.create_import",
        "crm.check_import",
        "crm.start_import",
        "crm.finish_import",
    ]


def test_who_is_known_may_be_left_alone(database: Database, cast: Cast, known: Known) -> None:
    of = importing.whole(database, cast, PEOPLE, on_known="skip")
    assert of.counts == {"skipped": 1, "new": 2, "failed": 1}
    assert contacts(cast)["Ann Müller"].job_title == ""


def test_the_same_file_again_changes_nothing(database: Database, cast: Cast, known: Known) -> None:
    importing.whole(database, cast, PEOPLE)
    of = importing.whole(database, cast, PEOPLE)
    assert of.counts == {"skipped": 3, "failed": 1}
    assert len(contacts(cast)) == 3


def test_somebody_twice_in_a_file_becomes_one(database: Database, cast: Cast) -> None:
    text = "name,email,phone\nAnn,ann@x.example,\nAnn,ann+shop@x.example,020 7946 0000\n"
    import_id = importing.upload(cast, text)
    assert importing.check(database, cast, import_id).counts == {"new": 1, "known": 1, "repeated": 1}
    assert importing.run(database, cast, import_id).counts == {"new": 1, "known": 1}
    [ann] = contacts(cast).values()
    assert (ann.emails, ann.phones) == (["ann@x.example", "ann+shop@x.example"], ["020 7946 0000"])


def test_duplicates_are_suggested_and_not_merged(database: Database, cast: Cast, known: Known) -> None:
    text = "name,phone,company\nA. Müller,+442079460000,\nANN MULLER,,Rosa\n"
    import_id = importing.upload(cast, text)
    of = importing.check(database, cast, import_id)
    assert of.counts == {"new": 2, "similar": 2}
    with tenancy.agency(cast.a):
        rows = queries.import_rows(cast.a, of.id, "similar")
    assert [(row.line, row.about, row.by) for row in rows] == [(2, "Ann Müller", "phone"), (3, "Ann Müller", "company")]
    assert importing.run(database, cast, import_id).counts["new"] == 2
    assert len(contacts(cast)) == 3


def test_own_fields_labels_and_clients(database: Database, cast: Cast) -> None:
    size, since = (
        services.create_field(agency_id=cast.a, place="contact", name=name, kind=kind, by=None)
        for name, kind in (("Size", "number"), ("Since", "date"))
    )
    client_id = services.create_client(agency_id=cast.a, name="The Daily Grind")
    text = "Name;Tags;Size;Since;Client\nAnn;VIP, Warm;12,5;31.01.2026;the daily grind\nBen;;x;2026-02-30;Nobody\n"
    of = importing.whole(database, cast, text)
    assert of.counts == {"new": 1, "failed": 1}
    ann = contacts(cast)["Ann"]
    assert (ann.labels, ann.client_id) == (["VIP", "Warm"], client_id)
    assert ann.custom == {str(size): "12.5", str(since): "2026-01-31"}
    with tenancy.agency(cast.a):
        [row] = queries.import_rows(cast.a, of.id, "failed")
    assert [each["code"] for each in row.issues] == ["number", "date", "client"]


def test_companies(database: Database, cast: Cast, known: Known) -> None:
    text = (
        "Firma;Webseite;Telefon;Straße;PLZ;Ort\n"
        "rosa gmbh;https://rosa.example;+44 1;High St 1;AB1;London\n"
        "Rosa Ltd;www.rosa.example;;;;\n"
        "Acme;acme.example;;;;\n"
        ";x;;;;\n"
        "Bad;no website;;;;\n"
    )
    import_id = importing.upload(cast, text, place="company")
    of = importing.check(database, cast, import_id)
    assert of.mapping == ["name", "website", "phone", "address", "address", "address"]
    assert of.counts == {"known": 1, "new": 2, "similar": 1, "failed": 2}
    assert importing.run(database, cast, import_id).counts == {"known": 1, "new": 2, "failed": 2}
    firms = companies(cast)
    assert firms["Rosa GmbH"].address == "High St 1\nAB1\nLondon"
    assert firms["Acme"].website == "https://acme.example"
    assert importing.undo(database, cast, import_id).undone == {"removed": 2, "restored": 1}
    assert list(companies(cast)) == ["Rosa GmbH"]
    assert companies(cast)["Rosa GmbH"].address == ""


# --- dying ----------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone at this line."""


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("where", ["before the rows", "after the rows", "at the end"])
def test_a_worker_may_die_at_any_line(database: Database, cast: Cast, at: int, where: str) -> None:
    """No row twice, none lost: what was not committed is done again, what was is not."""
    text = "name,email\n" + "".join(f"P{number},p{number}@x.example\n" for number in range(11))
    import_id = importing.upload(cast, text)
    with mock.patch.object(import_runs, "BATCH", 3):
        importing.check(database, cast, import_id)
        importing.act(cast, "start_import", import_id)
        calls = iter(range(1, 100))
        real = import_runs._run

        def dying(batch: Any, rows: Any) -> None:
            number = next(calls)
            if number == at and where == "before the rows":
                raise Killed
            real(batch, rows)
            if number == at and where == "after the rows":
                raise Killed

        ends = mock.patch.object(import_runs._Walk, "_end", side_effect=Killed)
        ending = ends if where == "at the end" else contextlib.nullcontext()
        with mock.patch.object(import_runs, "_run", dying), ending, contextlib.suppress(Killed):
            services.run_import(agency_id=cast.a, import_id=import_id)
        # The rescued job; and once more, as a queue may.
        services.run_import(agency_id=cast.a, import_id=import_id)
        services.run_import(agency_id=cast.a, import_id=import_id)
    of = importing.look(cast, import_id)
    assert (of.state, of.counts, of.position) == ("done", {"new": 11}, 12)
    assert sorted(contacts(cast)) == sorted(f"P{number}" for number in range(11))


def test_two_workers_at_once_do_no_row_twice(database: Database, cast: Cast) -> None:
    from consult.crm.tests.conftest import at_once

    text = "name\n" + "".join(f"P{number}\n" for number in range(900))
    import_id = importing.upload(cast, text)
    importing.check(database, cast, import_id)
    importing.act(cast, "start_import", import_id)
    work = [lambda: services.run_import(agency_id=cast.a, import_id=import_id)] * 2
    assert at_once(*work) == [None, None]
    # Where one was stopped by the other in the middle, its job goes on.
    services.run_import(agency_id=cast.a, import_id=import_id)
    assert importing.look(cast, import_id).counts == {"new": 900}
    assert database.ask("SELECT count(*) FROM crm_contact") == [(900,)]


# --- taking it back -------------------------------------------------------------------------------------------------


def test_all_of_it_is_taken_back(database: Database, cast: Cast, known: Known) -> None:
    before = {
        table: database.ask(f"SELECT to_jsonb(t) - 'version' FROM {table} t ORDER BY id")  # noqa: S608 (our tables)
        for table in ("crm_contact", "crm_company", "crm_email", "crm_phone", "crm_labelling", "crm_deal")
    }
    of = importing.whole(database, cast, PEOPLE + "Cleo C;cleo@new.example;;;Boss\n")
    assert of.counts == {"known": 2, "new": 2, "failed": 1}
    of = importing.undo(database, cast, of.id)
    assert (of.state, of.undone) == ("undone", {"removed": 2, "restored": 2, "companies": 1})
    assert before == {
        table: database.ask(f"SELECT to_jsonb(t) - 'version' FROM {table} t ORDER BY id")  # noqa: S608
        for table in before
    }


def test_what_somebody_has_worked_with_stays(database: Database, cast: Cast, known: Known) -> None:
    of = importing.whole(database, cast, PEOPLE)
    people = contacts(cast)
    services.add_note(agency_id=cast.a, place="contact", id=people["Ben"].id, body="Called", by=None)
    ann = people["Ann Müller"]
    services.update_contact(
        agency_id=cast.a,
        contact_id=ann.id,
        by=None,
        name=ann.name,
        emails=ann.emails,
        phones=ann.phones,
        job_title="Founder",
        company_id=ann.company_id,
    )
    of = importing.undo(database, cast, of.id)
    assert of.undone == {"removed": 1, "kept": 2, "companies_kept": 1}
    people = contacts(cast)
    assert sorted(people) == ["Ann Müller", "Ben"]
    assert people["Ann Müller"].job_title == "Founder"
    with tenancy.agency(cast.a):
        kept = queries.import_rows(cast.a, of.id, "kept")
    assert [(row.line, row.about) for row in kept] == [(2, "Ann Müller"), (3, "Ben")]


def test_taking_back_goes_on_after_a_worker_died(database: Database, cast: Cast) -> None:
    from consult.crm.services import import_undo

    text = "name,email\n" + "".join(f"P{number},p{number}@x.example\n" for number in range(11))
    of = importing.whole(database, cast, text)
    importing.act(cast, "undo_import", of.id)
    calls = iter(range(100))
    real = import_undo._take_back

    def dying(*args: Any) -> str:
        if next(calls) == 5:
            raise Killed
        return real(*args)

    with mock.patch.object(import_undo, "BATCH", 2):
        with mock.patch.object(import_undo, "_take_back", dying), pytest.raises(Killed):
            services.take_back(agency_id=cast.a, import_id=of.id)
        assert 0 < len(contacts(cast)) < 11
        services.take_back(agency_id=cast.a, import_id=of.id)
    assert (importing.look(cast, of.id).undone, contacts(cast)) == ({"removed": 11}, {})


def test_a_run_that_stopped_goes_on_or_is_taken_back(database: Database, cast: Cast) -> None:
    text = "name\n" + "".join(f"P{number}\n" for number in range(9))
    import_id = importing.upload(cast, text)
    with mock.patch.object(import_runs, "BATCH", 3):
        importing.check(database, cast, import_id)
        importing.act(cast, "start_import", import_id)
        calls = iter(range(100))
        real = import_runs._run

        def failing(batch: Any, rows: Any) -> None:
            if next(calls) == 1:
                raise RuntimeError("bad luck")
            real(batch, rows)

        with mock.patch.object(import_runs, "_run", failing), pytest.raises(RuntimeError):
            services.run_import(agency_id=cast.a, import_id=import_id)
        of = importing.look(cast, import_id)
        assert (of.state, of.error, of.position) == ("failed", "unexpected", 4)
        assert importing.run(database, cast, import_id).counts == {"new": 9}
    assert importing.undo(database, cast, import_id).undone == {"removed": 9}


def test_steps_in_the_wrong_order_are_refused(database: Database, cast: Cast) -> None:
    import_id = importing.upload(cast, PEOPLE)
    for name in ("start_import", "undo_import"):
        with pytest.raises(services.WrongState):
            importing.act(cast, name, import_id)
    with pytest.raises(services.BadMapping):
        importing.act(cast, "check_import", import_id, mapping=["name"], on_known="update")
    with pytest.raises(services.BadMapping):
        importing.act(cast, "check_import", import_id, mapping=["name", "name", "", "", ""], on_known="update")
    importing.check(database, cast, import_id)
    importing.run(database, cast, import_id)
    for name in ("start_import", "discard_import"):
        with pytest.raises(services.WrongState):
            importing.act(cast, name, import_id)
    with pytest.raises(services.NoSuchImport):
        importing.act(cast, "start_import", uuid.uuid4())


def test_discarding_leaves_nothing(database: Database, cast: Cast, folder: Path) -> None:
    import_id = importing.upload(cast, PEOPLE)
    importing.check(database, cast, import_id)
    importing.act(cast, "discard_import", import_id)
    assert database.ask("SELECT count(*) FROM crm_import") == database.ask("SELECT count(*) FROM crm_importrow")
    assert [each for each in folder.rglob("*") if each.is_file()] == []


def test_what_was_before_is_forgotten_after_a_month(database: Database, cast: Cast, known: Known) -> None:
    of = importing.whole(database, cast, PEOPLE)
    later = importing.now() + import_runs.UNDO_LIFE
    services.forget_imports(agency_id=cast.a, now=later)
    assert database.ask("SELECT count(*) FROM crm_importrow WHERE changes <> '{}' OR issues <> '[]'") == [(0,)]
    with pytest.raises(services.WrongState):
        services.undo_import(agency_id=cast.a, import_id=of.id, by=None, now=later)
