"""A database that is restored from before an erasure forgets the person again, and nobody else."""

import datetime as dt
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.db import connection
from django.test import override_settings

from conftest import Cast, Database
from consult import cli
from consult.core import database as consult_database
from consult.inbox import services as inbox
from consult.machine import postgres_cluster
from consult.thread.services import erasure, register
from consult.thread.tests import planted
from tests import worker


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    files = tmp_path / "files"
    files.mkdir()
    with override_settings(CONSULT_FILES_URL=files.as_uri(), CONSULT_MAIL_INBOUND="inbox@in.example"):
        yield files


def dump(cluster: postgres_cluster.Cluster, database: Database, path: Path) -> None:
    program = cluster.home.bin_dir / "pg_dump"
    subprocess.run(
        [program, "--enable-row-security", "--format", "custom", "--file", path, database.urls["consult_backup"]],
        check=True,
    )


@pytest.fixture
def restored(cluster: postgres_cluster.Cluster, database: Database) -> Iterator[Database]:
    """An empty database beside the test's own, to restore into."""
    name = f"{database.name}_restored"
    with psycopg.connect(cluster.url("superuser", "postgres"), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" OWNER consult_owner')
        yield Database(name, {role: cluster.url(role, name) for role in cluster.urls})
        connection.close()
        _point_at(database)
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def restore(cluster: postgres_cluster.Cluster, path: Path, into: Database) -> None:
    program = cluster.home.bin_dir / "pg_restore"
    subprocess.run([program, "--dbname", into.urls["superuser"], path], check=True)
    _point_at(into)


def _point_at(database: Database) -> None:
    consult_database.addresses["office"] = database.urls["consult_app"]
    consult_database.use("office")


def erase(database: Database, cast: Cast, her: planted.Planted) -> None:
    erasure.erase_person(
        agency_id=cast.a, contact_id=her.contact_id, reason="asked", typed=planted.NAME, by=cast.alice.member_id
    )
    worker.run_jobs(database)


def test_a_restored_dump_forgets_her_again(
    cluster: postgres_cluster.Cluster,
    database: Database,
    restored: Database,
    cast: Cast,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other, _outcome = database.submit(cast.key_a)
    inbox.receive_submissions(agency_id=cast.a, submission_ids=[other])
    her = planted.plant(database, cast, folder)
    # Sent, but no job has looked at it yet when the dump is made.
    pending, _outcome = database.submit(cast.key_a, ("name", planted.NAME), ("email", planted.ADDRESS))
    dump(cluster, database, tmp_path / "before.dump")
    inbox.receive_submissions(agency_id=cast.a, submission_ids=[pending])
    erase(database, cast, her)
    restore(cluster, tmp_path / "before.dump", restored)
    assert planted.SECRET_WORD in planted.traces(cluster, restored, folder)
    assert cli.main(["reapply-erasures"]) == 0
    assert "1 erasures in the register; 1 of them" in capsys.readouterr().out
    worker.run_jobs(restored)
    assert planted.traces(cluster, restored, folder) == set()
    assert restored.ask("SELECT sender_name FROM inbox_enquiry WHERE number = 1") == [("Ann",)]
    assert restored.ask("SELECT erased_at IS NULL FROM intake_submission WHERE id = %s", [pending]) == [(False,)]
    assert cli.main(["reapply-erasures"]) == 0
    assert "0 of them" in capsys.readouterr().out, "a second time finds nothing"


def test_a_restored_storage_is_told_by_a_copy(
    cluster: postgres_cluster.Cluster,
    database: Database,
    restored: Database,
    cast: Cast,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Files restored from before as well: the register that was there until then is given with --also."""
    her = planted.plant(database, cast, folder)
    dump(cluster, database, tmp_path / "before.dump")
    shutil.copytree(folder, tmp_path / "old")
    erase(database, cast, her)
    restore(cluster, tmp_path / "before.dump", restored)
    with override_settings(CONSULT_FILES_URL=(tmp_path / "old").as_uri()):
        assert cli.main(["reapply-erasures"]) == 0
        assert "0 erasures" in capsys.readouterr().out
        assert cli.main(["reapply-erasures", "--also", str(tmp_path / "nowhere")]) == 1
        assert cli.main(["reapply-erasures", "--also", str(folder)]) == 0
        worker.run_jobs(restored)
        assert planted.traces(cluster, restored, tmp_path / "old") == set()
        assert len(list((tmp_path / "old").glob("*/erasure/*"))) == 1


def test_the_register_tells_nobody_anything(database: Database, cast: Cast, folder: Path) -> None:
    her = planted.plant(database, cast, folder)
    erase(database, cast, her)
    [path] = folder.glob("*/erasure/*")
    sealed = path.read_text()
    assert sealed.startswith("enc:v1:")
    [entry] = register.entries(cast.a)
    assert entry.contacts
    assert entry.knows(planted.ADDRESS)
    assert not entry.knows("ann@visitor.example")
    assert planted.ADDRESS not in repr(entry)
    # Another key: what is sealed cannot be read, and it is said, and nothing is opened without it.
    before, fresh = settings.CONSULT_ENCRYPTION_KEYS, Fernet.generate_key().decode()
    with override_settings(CONSULT_ENCRYPTION_KEYS=[fresh]):
        with pytest.raises(register.Unreadable, match="erasure/"):
            list(register.entries(cast.a))
        assert cli.main(["reapply-erasures"]) == 1
    with override_settings(CONSULT_ENCRYPTION_KEYS=[fresh, *before]):
        assert erasure.reseal() == 1
        assert erasure.reseal() == 0
    with override_settings(CONSULT_ENCRYPTION_KEYS=[fresh]):
        assert [each.id for each in register.entries(cast.a)] == [entry.id]
        assert list(erasure.seals().values()) == [1]


def test_what_came_after_the_erasure_stays(database: Database, cast: Cast, folder: Path) -> None:
    her = planted.plant(database, cast, folder)
    erase(database, cast, her)
    fresh, _outcome = database.submit(
        cast.key_a, ("email", planted.ADDRESS), received_at=dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)
    )
    inbox.receive_submissions(agency_id=cast.a, submission_ids=[fresh])
    erasure.reapply_erasures(now=dt.datetime.now(dt.UTC))
    assert database.ask("SELECT erased_at FROM intake_submission WHERE id = %s", [fresh]) == [(None,)]
