"""The end of an agency: announced, taken back, and then complete; nothing else is touched."""

# Statements are put together from names of tables here: nobody else has a say in them.
# ruff: noqa: S608

import datetime as dt
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core import mail
from django.db import connection
from pytest_django import Settings

from conftest import Cast, Database
from consult.accounts import queries, services
from consult.accounts.tests.test_build_export import send_file
from consult.core import files, queue, tenancy
from tests import catalogue, s3, worker
from tests.test_tenancy_sql import both  # noqa: F401  a fixture

CLOSE, KEEP, DATA = "/a/settings/data/close/", "/a/settings/data/keep/", "/a/settings/data/"
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.CONSULT_FILES_URL = tmp_path.as_uri()
    return tmp_path


def closes_at(database: Database) -> dt.datetime | None:
    [(found,)] = database.ask("SELECT closes_at FROM accounts_agency WHERE slug = 'a'")
    return found  # type: ignore[no-any-return]


def make_due(database: Database) -> None:
    database.ask("UPDATE accounts_agency SET closes_at = now() - interval '1 second' WHERE slug = 'a'")


def counts(database: Database, agency_id: int) -> dict[str, int]:
    return {
        table: database.ask(f"SELECT count(*) FROM {table} WHERE {constraint.column} = {agency_id}")[0][0]
        for table, constraint in catalogue.isolated().items()
    }


def sweep(database: Database) -> None:
    worker.tick("accounts.find_due")
    worker.run_jobs(database)


def test_closing_and_taking_it_back(database: Database, cast: Cast) -> None:
    database.ask("UPDATE accounts_member SET role = 'owner' WHERE id = %s", [cast.bob.member_id])
    assert cast.alice.client.post(CLOSE, {"name": " agency  a "})["Location"] == DATA
    found = closes_at(database)
    assert found
    assert abs(found - dt.datetime.now(dt.UTC) - services.GRACE) < dt.timedelta(minutes=2)
    # Every page says so, to everybody; owners can take it back there.
    for person, button in ((cast.alice, True), (cast.bob, True), (cast.vera, False)):
        for path in ("/a/inbox/", "/a/sites/", "/a/settings/people/"):
            page = person.client.get(path).content.decode()
            assert "is going to be deleted on" in page
            assert ("Keep the agency" in page) == button
    assert "is going to be deleted" not in cast.charlie.client.get("/b/inbox/").content.decode()
    worker.run_jobs(database)
    assert sorted(message.to[0] for message in mail.outbox) == ["alice@example.com", "bob@example.com"]
    assert mail.outbox[0].subject == "Agency A is going to be deleted"
    assert "http://testserver/a/settings/data/" in str(mail.outbox[0].body)
    # Once more is no longer time.
    cast.bob.client.post(CLOSE, {"name": "Agency A"})
    assert closes_at(database) == found
    # Until then everything works, for visitors as well.
    _id, outcome = database.submit(cast.key_a)
    assert outcome == "stored"
    answer = cast.bob.client.post(KEEP, follow=True)
    assert "The agency stays." in answer.content.decode()
    assert closes_at(database) is None
    assert "is going to be deleted" not in answer.content.decode()
    told = database.ask("SELECT action, by_id FROM accounts_audit WHERE action ~ '(close|keep)_agency' ORDER BY id")
    assert told == [("accounts.close_agency", cast.alice.member_id), ("accounts.keep_agency", cast.bob.member_id)]


def test_who_may(database: Database, cast: Cast) -> None:
    database.ask("UPDATE accounts_member SET role = 'admin' WHERE id = %s", [cast.bob.member_id])
    for person, status in ((cast.vera, 403), (cast.bob, 403), (cast.charlie, 404)):
        assert person.client.post(CLOSE, {"name": "Agency A"}).status_code == status
        assert person.client.post(KEEP).status_code == status
    assert closes_at(database) is None


@pytest.mark.parametrize("typed", ["", "a", "Agency B", "Agency A\0", "x" * 5000])
def test_the_name_must_be_typed(database: Database, cast: Cast, typed: str) -> None:
    answer = cast.alice.client.post(CLOSE, {"name": typed})
    assert answer.status_code == 422
    assert "This is not the agency&#x27;s name." in answer.content.decode()
    assert closes_at(database) is None


def test_nothing_goes_before_its_time(database: Database, cast: Cast) -> None:
    services.close_agency(agency_id=cast.a, name="Agency A", by=cast.alice.member_id, now=NOW)
    before = counts(database, cast.a)
    sweep(database)
    assert counts(database, cast.a) == before
    # The door looks for itself, whoever asks it what.
    early = (NOW + services.GRACE - dt.timedelta(seconds=1)).isoformat()
    door = "SELECT accounts_delete_agency_v1(%s, %s)"
    assert database.ask(door, [cast.a, early], role="consult_worker") == [(False,)]
    assert database.ask(door, [cast.b, NOW + dt.timedelta(days=9999)], role="consult_worker") == [(False,)]
    for role in ("consult_app", "consult_edge", "consult_backup"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.ask(door, [cast.a, NOW], role=role)
    with psycopg.connect(database.urls["consult_worker"]) as direct:
        direct.execute("SELECT set_config('consult.agency', %s, true)", [str(cast.a)])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            direct.execute("DELETE FROM accounts_agency")


def test_everything_goes_and_nothing_else(both: Database, cast: Cast, folder: Path) -> None:  # noqa: F811
    send_file(both, cast, cast.a, cast.key_a, folder)
    theirs = send_file(both, cast, cast.b, cast.key_b, folder)
    worker.run_jobs(both)
    others, people = counts(both, cast.b), both.ask("SELECT * FROM accounts_user ORDER BY id")
    assert min(counts(both, cast.a).values()) > 0
    make_due(both)
    sweep(both)
    assert {table: count for table, count in counts(both, cast.a).items() if count} == {}
    assert counts(both, cast.b) == others
    assert both.ask("SELECT * FROM accounts_user ORDER BY id") == people
    # Nor do files and jobs stay.
    assert not (folder / str(cast.a)).exists()
    assert (folder / theirs).exists()
    # The one that did it is done with, which is a worker's own to say.
    left = both.ask("SELECT task_name FROM procrastinate_jobs WHERE args ->> 'agency_id' = %s", [str(cast.a)])
    assert left == [("accounts.delete_agency",)]
    # Its people are signed in, and in no agency.
    assert cast.alice.client.get("/a/inbox/").status_code == 404
    assert cast.alice.client.get("/accounts/agencies/").status_code == 200
    assert cast.charlie.client.get("/b/inbox/").status_code == 200
    _id, outcome = both.submit(cast.key_a)
    assert outcome != "stored"
    # Its name is free again, its number is not.
    assert services.create_agency(slug="a", name="Another", owner_id=cast.bob.user_id) > cast.b
    sweep(both)
    assert counts(both, cast.b) == others


def test_jobs_that_are_running_then_end_quietly(database: Database, cast: Cast) -> None:
    """They may have been taken out of the queue by another worker before the agency went."""
    id, _outcome = database.submit(cast.key_a)
    with tenancy.agency(cast.a):
        queue.enqueue("inbox.release_member", member_id=str(cast.bob.member_id))
        queue.enqueue("accounts.build_export", export_id=str(id))
        queue.enqueue("accounts.send_invitation", invitation_id=str(id))
        queue.enqueue("inbox.notify_enquiry", enquiry_id=str(id), address="team@a.example")
    held = database.ask("SELECT task_name, args FROM procrastinate_jobs ORDER BY id")
    make_due(database)
    sweep(database)
    assert [(name, status) for name, status, _arguments, _tries in worker.jobs(database)] == [
        ("accounts.delete_agency", "succeeded"),
        ("accounts.remove_files", "succeeded"),
    ]
    database.ask("DELETE FROM procrastinate_jobs")
    for name, arguments in held:
        database.ask(
            "INSERT INTO procrastinate_jobs (task_name, args, queue_name, status) VALUES (%s, %s, 'default', 'todo')",
            [name, psycopg.types.json.Jsonb(arguments)],
        )
    worker.run_jobs(database)
    assert {status for _name, status, _arguments, _tries in worker.jobs(database)} == {"succeeded"}
    assert mail.outbox == []


def test_files_go_when_the_process_dies_in_between(
    database: Database, cast: Cast, folder: Path, settings: Settings
) -> None:
    send_file(database, cast, cast.a, cast.key_a, folder)
    make_due(database)
    settings.CONSULT_FILES_URL = (folder / "not-there" / "x").as_uri()
    sweep(database)
    settings.CONSULT_FILES_URL = folder.as_uri()
    services.remove_files(of=cast.b)
    files.remove_agency(99)
    assert (folder / str(cast.a)).exists()
    services.remove_files(of=cast.a)
    assert not (folder / str(cast.a)).exists()


def test_files_in_a_bucket_go_too(
    database: Database, cast: Cast, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    with s3.serving() as running:
        settings.CONSULT_FILES_URL = running.url
        for agency_id in (cast.a, int(f"{cast.a}1")):
            with files.writing(files.new_location(agency_id, "logo")) as file:
                file.write(b"x")
        files.remove_agency(cast.a)
        [kept] = running.objects
        assert kept.startswith(f"kept/{cast.a}1/")


def test_taken_back_at_the_same_moment(database: Database, cast: Cast) -> None:
    """Whoever comes first has it: either all of it is there and stays, or all of it is gone."""
    make_due(database)
    start, ends = threading.Barrier(2), dict[str, Any]()

    def keep() -> None:
        try:
            connection.ensure_connection()
            start.wait()
            services.keep_agency(agency_id=cast.a, by=cast.alice.member_id)
            ends["kept"] = True
        except Exception as error:
            ends["kept"] = type(error).__name__
        finally:
            connection.close()

    def delete() -> None:
        start.wait()
        ends["deleted"] = database.ask(
            "SELECT accounts_delete_agency_v1(%s, now()) FROM set_config('consult.agency', %s, false)",
            [cast.a, str(cast.a)],
            role="consult_worker",
        )[0][0]

    threads = [threading.Thread(target=keep), threading.Thread(target=delete)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = database.ask("SELECT closes_at FROM accounts_agency WHERE slug = 'a'")
    assert left == ([] if ends["deleted"] else [(None,)])
    assert (counts(database, cast.a)["accounts_member"] == 0) == ends["deleted"]


def test_mail_of_one_that_was_taken_back_is_not_sent(database: Database, cast: Cast) -> None:
    cast.alice.client.post(CLOSE, {"name": "Agency A"})
    cast.alice.client.post(KEEP)
    worker.run_jobs(database)
    assert mail.outbox == []


def test_due_is_asked_by_the_worker_alone(database: Database, cast: Cast) -> None:
    make_due(database)
    assert database.ask("SELECT * FROM accounts_due_v1(now())", role="consult_worker") == [(cast.a, "close")]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.ask("SELECT * FROM accounts_due_v1(now())", role="consult_app")
    assert [place.slug for place in queries.memberships(cast.alice.user_id)] == ["a"]
