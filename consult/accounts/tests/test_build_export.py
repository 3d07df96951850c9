"""An export has everything of the agency, nothing of others and no secret; it is bounded, and leaves one file."""

import datetime as dt
import io
import json
import tracemalloc
import uuid
import zipfile
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.apps import apps
from pytest_django import Settings

from conftest import Cast, Database
from consult.accounts import models, queries, services
from consult.accounts.services import exports
from consult.core import files, isolation, tenancy
from consult.inbox import services as inbox
from tests import catalogue, s3, worker

DATA = "/a/settings/data/"
EXPORTS = f"{DATA}exports/"
NOW = dt.datetime.now(dt.UTC)
CV = b"%PDF-1.7 " + bytes(range(256)) * 100


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.CONSULT_FILES_URL = tmp_path.as_uri()
    return tmp_path


def send_file(database: Database, cast: Cast, agency_id: int, key: str, folder: Path, content: bytes = CV) -> str:
    """A submission with a file; return the file's location."""
    id = str(uuid.uuid4())
    location = f"{agency_id}/2026-11/{id}"
    file = {"id": id, "field": "cv", "name": "../../cv.pdf", "media_type": "application/pdf", "size": len(content)}
    submission_id, _outcome = database.submit(key, files=[file | {"sha256": "0" * 64, "location": location}])
    inbox.receive_submissions(agency_id=agency_id, submission_ids=[submission_id])
    path = folder / location
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return location


def build(database: Database, cast: Cast) -> Any:
    """Ask for an export as Alice, let the worker build it, and return the answer to her download."""
    assert cast.alice.client.post(EXPORTS)["Location"] == DATA
    worker.run_jobs(database)
    [export, *_] = in_a(cast)
    return cast.alice.client.get(f"{EXPORTS}{export.id}/")


def in_a(cast: Cast) -> list[queries.Export]:
    with tenancy.agency(cast.a):
        return queries.exports(cast.a)


def opened(content: bytes) -> tuple[zipfile.ZipFile, dict[str, Any]]:
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return archive, json.loads(archive.read("README.json"))


def rows(archive: zipfile.ZipFile, table: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(f"data/{table}.jsonl").splitlines()]


def test_everything_is_in_it_and_nothing_of_others(database: Database, cast: Cast, folder: Path) -> None:
    mine = send_file(database, cast, cast.a, cast.key_a, folder)
    theirs = send_file(database, cast, cast.b, cast.key_b, folder)
    database.set_aside(cast.key_a, b"\x90\x00\xff")
    answer = build(database, cast)
    content = answer.getvalue()
    archive, manifest = opened(content)
    assert answer["Content-Disposition"] == f'attachment; filename="a-{dt.datetime.now(dt.UTC):%Y-%m-%d}.zip"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert int(answer["Content-Length"]) == len(content)
    # Every isolated table, so those of features to come as well.
    told = {table["table"]: table for table in manifest["tables"]}
    assert told.keys() == {*catalogue.isolated(), exports.PEOPLE}
    for name, constraint in catalogue.isolated().items():
        found = rows(archive, name)
        [(count,)] = database.ask(f"SELECT count(*) FROM {name} WHERE {constraint.column} = {cast.a}")  # noqa: S608
        assert len(found) == told[name]["rows"], name
        # What was written while it was built may be missing: its own audit rows are not.
        assert len(found) >= count - (name == "accounts_audit"), name
        columns = dict(
            database.ask(
                "SELECT attname, attgenerated = '' FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
                [name],
            )
        )
        # What the database makes of the others need not be there: it is no data of anybody.
        called = {
            str(field.column): field.attname
            for table in isolation.isolated_tables()
            if table.name == name
            for field in table.model._meta.concrete_fields
        }
        written = {called.get(column, column) for column, is_written in columns.items() if is_written}
        everywhere = {called.get(column, column) for column in columns}
        assert written <= {*told[name]["columns"], *told[name]["left_out"]} <= everywhere, name
        for row in found:
            assert row.keys() == set(told[name]["columns"])
            assert row[constraint.column] == cast.a
    assert rows(archive, "intake_setaside")[0]["content"] == "kAD/"
    assert {person["email"] for person in rows(archive, exports.PEOPLE)} == {
        "alice@example.com",
        "bob@example.com",
        "vera@example.com",
    }
    assert archive.read(f"files/{mine}") == CV
    assert (manifest["files"], manifest["missing_files"]) == (1, [])
    everything = b"".join(archive.read(name) for name in archive.namelist())
    for foreign in (b"charlie", b"Agency B", theirs.encode(), cast.key_b.encode()):
        assert foreign not in everything
    # Names that visitors give are no paths here.
    assert all(name.startswith(("data/", "files/1/")) or name == "README.json" for name in archive.namelist())


def test_no_secret_is_in_it(database: Database, cast: Cast) -> None:
    _id, token = services.create_api_token(
        agency_id=cast.a, name="Own", scopes=["read"], by=cast.alice.member_id, member_id=cast.alice.member_id
    )
    services.invite_member(agency_id=cast.a, email="x@y.example", role="viewer", by=cast.alice.member_id, now=NOW)
    archive, _manifest = opened(build(database, cast).getvalue())
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    secrets = [
        row[0]
        for row in database.ask(
            "SELECT token_hash FROM accounts_apitoken UNION SELECT token_hash FROM accounts_invitation "
            "UNION SELECT secret FROM intake_form UNION SELECT password FROM accounts_user "
            "UNION SELECT location FROM accounts_export"
        )
    ]
    assert len(secrets) >= 7
    for secret in [token, *secrets]:
        assert secret not in everything


SECRET_NAMES = ("hash", "secret", "password", "private", "encrypted", "token", "sealed", "cipher", "location")
# Columns named like secrets that are none: why.
NO_SECRETS = {
    ("accounts_audit", "token_id"): "Which token, not the token.",
    ("accounts_idempotencykey", "token_id"): "Which token, not the token.",
    ("accounts_idempotencykey", "request_hash"): "Of method, address and body: nothing can be got with it.",
    ("intake_file", "location"): "Leads to the file that is in the export as well.",
    ("inbox_attachment", "location"): "The same.",
    ("inbox_mail", "location"): "The same.",
    ("crm_import", "location"): "The same.",
}


def test_every_column_that_sounds_like_a_secret_is_one_or_says_why_not() -> None:
    odd = [
        (table.name, field.column)
        for table in isolation.isolated_tables()
        for field in table.model._meta.concrete_fields
        if any(name in str(field.column) for name in SECRET_NAMES)
        and field.attname not in table.secrets
        and (table.name, field.column) not in NO_SECRETS
    ]
    assert odd == []
    for table in isolation.isolated_tables():
        columns = {field.attname for field in table.model._meta.concrete_fields}
        assert table.secrets <= columns, table.name
        assert set(table.files) <= columns, table.name
        # A file is in the export, or it is told to nobody.
        if "location" in columns:
            assert "location" in {*table.secrets, *table.files}, table.name


def test_a_row_never_comes_after_what_it_refers_to() -> None:
    order = [table.name for table in isolation.isolated_tables()]
    assert len(order) == len(set(order)) == len(catalogue.isolated())
    assert order[-1] == "accounts_agency"
    for table in isolation.isolated_tables():
        for target in table.targets - {table.name}:
            assert order.index(table.name) < order.index(target), (table.name, target)
    assert {table.model for table in isolation.isolated_tables()} <= set(apps.get_models())


def test_who_may(database: Database, cast: Cast) -> None:
    database.ask("UPDATE accounts_member SET role = 'admin' WHERE id = %s", [cast.bob.member_id])
    download = f"{EXPORTS}{services.start_export(agency_id=cast.a, by=cast.alice.member_id, now=NOW)}/"
    assert cast.alice.client.get(download).status_code == 404, "not ready"
    worker.run_jobs(database)
    for person, status in ((cast.vera, 403), (cast.bob, 403), (cast.charlie, 404)):
        for answer in (person.client.get(DATA), person.client.post(EXPORTS), person.client.get(download)):
            assert answer.status_code == status
    assert cast.charlie.client.get(download.replace("/a/", "/b/")).status_code == 404
    assert cast.stranger.get(download).status_code == 302
    answer = cast.alice.client.get(download)
    assert (answer.status_code, answer.getvalue()[:2]) == (200, b"PK")
    assert database.ask("SELECT by_id FROM accounts_audit WHERE action = 'accounts.download_export'") == [
        (cast.alice.member_id,)
    ]


def test_a_second_request_waits_for_the_first(database: Database, cast: Cast) -> None:
    first = services.start_export(agency_id=cast.a, by=cast.alice.member_id, now=NOW)
    assert services.start_export(agency_id=cast.a, by=cast.alice.member_id, now=NOW) == first
    page = cast.alice.client.get(DATA).content.decode()
    assert "Waiting for its turn" in page
    assert 'hx-trigger="every 2s"' in page
    part = cast.alice.client.get(DATA, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="exports"')
    # One whose job was lost holds up nobody for ever.
    later = NOW + exports.LOST_AFTER + dt.timedelta(minutes=1)
    assert services.start_export(agency_id=cast.a, by=cast.alice.member_id, now=later) != first
    worker.run_jobs(database)
    assert 'hx-trigger="every 2s"' not in cast.alice.client.get(DATA).content.decode()


def test_a_job_that_died_runs_again_and_leaves_one_file(database: Database, cast: Cast, folder: Path) -> None:
    send_file(database, cast, cast.a, cast.key_a, folder)
    export_id = services.start_export(agency_id=cast.a, by=cast.alice.member_id, now=NOW)

    class Killed(BaseException):
        """Nothing of ours handles it. (What SIGKILL leaves among the unfinished files is swept after a day.)"""

    def die(*_: Any) -> Any:
        raise Killed

    for place in ("_write_people", "_finish"):
        with mock.patch.object(exports, place, die), pytest.raises(Killed):
            services.build_export(agency_id=cast.a, export_id=export_id)
        assert in_a(cast)[0].state == "running"
    services.build_export(agency_id=cast.a, export_id=export_id)
    assert in_a(cast)[0].state == "ready"
    assert len(list((folder / str(cast.a) / "export").iterdir())) == 1
    assert list((folder / ".incoming").iterdir()) == []
    # Once it is ready another run changes nothing.
    before = in_a(cast)[0]
    services.build_export(agency_id=cast.a, export_id=export_id)
    assert in_a(cast)[0] == before


def test_storage_that_is_away(database: Database, cast: Cast, settings: Settings, folder: Path) -> None:
    settings.CONSULT_FILES_URL = (folder / "not-there").as_uri()
    cast.alice.client.post(EXPORTS)
    worker.run_jobs(database)
    assert [(export.state, export.error) for export in in_a(cast)] == [("failed", "storage")]
    assert "The storage for files did not answer" in cast.alice.client.get(DATA).content.decode()
    # Admins see the failed job, and may try it again.
    assert "Build an export" in cast.alice.client.get("/a/jobs/").content.decode()
    settings.CONSULT_FILES_URL = folder.as_uri()
    answer = build(database, cast)
    assert answer.status_code == 200
    answer.close()


def test_a_file_that_is_gone_is_said(database: Database, cast: Cast, folder: Path) -> None:
    location = send_file(database, cast, cast.a, cast.key_a, folder)
    (folder / location).unlink()
    _archive, manifest = opened(build(database, cast).getvalue())
    assert (manifest["files"], manifest["missing_files"]) == (0, [location])


def test_it_goes_after_a_week(database: Database, cast: Cast, folder: Path) -> None:
    build(database, cast).close()
    [export] = in_a(cast)
    assert export.expires_at
    assert abs(export.expires_at - dt.datetime.now(dt.UTC) - services.EXPORT_LIFE) < dt.timedelta(minutes=2)
    worker.tick("accounts.find_due")
    worker.run_jobs(database)
    assert in_a(cast)[0].state == "ready"
    database.ask("UPDATE accounts_export SET expires_at = now() - interval '1 second'")
    assert cast.alice.client.get(f"{EXPORTS}{export.id}/").status_code == 404, "before the sweep comes round"
    worker.tick("accounts.find_due")
    worker.run_jobs(database)
    assert in_a(cast)[0].state == "expired"
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert "Deleted after seven days" in cast.alice.client.get(DATA).content.decode()


def test_memory_stays_bounded(database: Database, cast: Cast, folder: Path) -> None:
    """Sixty megabytes of a file and twelve of rows, with less than twelve more of memory."""
    import random

    noise = random.Random(1)  # noqa: S311  no secret
    location = send_file(database, cast, cast.a, cast.key_a, folder)
    with (folder / location).open("wb") as file:
        for _ in range(60):
            file.write(noise.randbytes(1024 * 1024))
    database.ask(
        "INSERT INTO accounts_audit (id, agency_id, created_at, action, data, origin)"
        " SELECT gen_random_uuid(), %s, now(), 'tests.fill', jsonb_build_object('x', repeat('y', 4000)), ''"
        " FROM generate_series(1, 3000)",
        [cast.a],
    )
    export_id = services.start_export(agency_id=cast.a, by=cast.alice.member_id, now=NOW)
    tracemalloc.start()
    try:
        services.build_export(agency_id=cast.a, export_id=export_id)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert in_a(cast)[0].size > 60 * 1024 * 1024
    assert peak < 12 * 1024 * 1024, f"{peak / 1e6:.1f} MB"


def test_progress_is_told(database: Database, cast: Cast) -> None:
    export_id = services.start_export(agency_id=cast.a, by=cast.alice.member_id, now=NOW)
    seen: list[tuple[int, int]] = []
    real = exports._Progress.add

    def add(self: Any, count: int) -> None:
        real(self, count)
        seen.append((in_a(cast)[0].done, in_a(cast)[0].total))

    with mock.patch.object(exports, "SAY_EVERY_SECONDS", 0), mock.patch.object(exports._Progress, "add", add):
        services.build_export(agency_id=cast.a, export_id=export_id)
    done = [done for done, _total in seen]
    assert done == sorted(done)
    assert 0 < done[0] < done[-1] == in_a(cast)[0].total


def test_in_a_bucket(database: Database, cast: Cast, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    with s3.serving() as running:
        settings.CONSULT_FILES_URL = running.url
        _archive, manifest = opened(build(database, cast).getvalue())
        assert manifest["agency"]["slug"] == "a"
        [key] = running.objects
        assert key.startswith(f"kept/{cast.a}/export/")
        with tenancy.agency(cast.a):
            location = models.Export.objects.get().location
        files.remove(location)
        assert running.objects == {}
        with pytest.raises(files.Missing):
            files.read(location)
