"""The dump of docs/operations.md: every agency's rows are in it, and nothing of what is short-lived and secret."""

import datetime as dt
import re
import shlex
import subprocess
from pathlib import Path

from conftest import Cast, Database, Enquiry
from consult.core import kv
from consult.machine import postgres_cluster
from tests import api

OPERATIONS = Path(__file__).resolve().parents[1] / "docs" / "operations.md"


def test_the_documented_dump(
    cluster: postgres_cluster.Cluster, database: Database, cast: Cast, enquiry: Enquiry, tmp_path: Path
) -> None:
    kv.put("github/1", b"gho_canary", expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
    answer = api.of_member(cast.a, cast.alice.member_id).post(
        "/api/v1/clients", {"name": "Kept client"}, Idempotency_Key="k1"
    )
    assert answer.status_code == 201
    database.submit(cast.key_b, ("message", "of the other agency"))
    secret_rows = [
        database.ask(f"SELECT row_to_json(t)::text FROM {table} t")[0][0]  # noqa: S608
        for table in ("core_kv", "accounts_idempotencykey")
    ]
    [command] = re.findall(r"^pg_dump .+$", OPERATIONS.read_text("utf-8"), re.MULTILINE)
    dump = tmp_path / "consult.dump"
    words = shlex.split(command.replace("consult.dump", str(dump)).replace("$BACKUP_DATABASE_URL", "URL"))
    words[-1] = database.urls["consult_backup"]
    programs = cluster.home.bin_dir
    subprocess.run([programs / words[0], *words[1:]], check=True)
    text = subprocess.run(
        [programs / "pg_restore", "--file", "-", dump], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    for kept in (
        "Kept client",
        "Hello there",
        "of the other agency",
        "alice@example.com",
        "CREATE TABLE public.core_kv",
    ):
        assert kept in text, kept
    sealed = [each for row in secret_rows for each in re.findall(r"enc:v1:[^\"]+", row)]
    assert len(sealed) >= 2, secret_rows
    assert [each for each in sealed if each in text] == []
