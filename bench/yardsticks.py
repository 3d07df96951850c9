"""What the database alone reaches: pgbench, one row a commit, and batches through the edge's own door."""

import asyncio
import datetime
import os
import re
import secrets
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import asyncpg
import msgspec

from bench import database, install, places
from edge import doors
from edge.submission import Submission

# Tried first, the best is taken: how many connections.
VARIANTS = {
    "pgbench": tuple({"connections": clients} for clients in (32, 16, 64, 128)),
    "batches": tuple({"connections": connections} for connections in (2, 1)),
}
BATCH = 256
_SECONDS_PER_STATEMENT = 30.0

_INSERT = """\
\\set n random(1, 2000000000)
INSERT INTO intake_submission (
    id, agency_id, created_at, form_id, form_version, receipt, received_at, fields, page_url, referrer, origin,
    remote_addr, user_agent, content_type, signals, digest, spooled)
VALUES (
    gen_random_uuid(), {agency}, now(), '{form}', 1, substr(md5(random()::text), 1, 12), now(),
    ('[["name","Ada Lovelace"],["email","ada' || :n::int || '@visitor.example"],["message","Hello, I would like to '
     'book a table for four on Friday evening, number ' || :n::int || '. Is there a vegan menu, and can we bring a '
     'dog?"]]')::jsonb,
    'https://bench.example/contact', 'https://bench.example/contact', 'https://bench.example', '127.0.0.1',
    'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'application/json', '[]',
    decode(md5(:n::int::text), 'hex'), false);
"""


class YardstickError(Exception):
    """pgbench did not do its work; the text says why."""


def pgbench(store: database.Database, *, clients: int, seconds: int) -> float:
    """Rows a second: one INSERT a transaction, prepared, over so many connections. Raises YardstickError."""
    agency, form = store.form()
    program = store.bin_dir / "pgbench"
    if not program.exists():
        install.apt("pgbench", "postgresql-contrib")
        program = Path(shutil.which("pgbench") or "pgbench")
    with tempfile.TemporaryDirectory(dir=places.CACHE) as folder:
        script = Path(folder) / "insert.sql"
        script.write_text(_INSERT.format(agency=agency, form=form))
        command = [str(program), "--no-vacuum", "--protocol=prepared", "--jobs=1", f"--client={clients}"]
        command += [f"--time={seconds}", f"--file={script}", store.peer_url]
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    sent = re.search(r"transactions actually processed: (\d+)", done.stdout)
    if sent and sent[1] == "0":
        return 0.0  # So many connections could not even be opened in that time.
    if done.returncode or not found or not sent:
        raise YardstickError(f"pgbench failed ({done.returncode}):\n{done.stdout}{done.stderr}")
    if int(sent[1]) != store.rows():
        raise YardstickError(f"pgbench says {sent[1]} rows, the table has {store.rows()}.")
    return float(found[1])


def batches(store: database.Database, *, connections: int, seconds: float) -> float:
    """Rows a second through the edge's door, `BATCH` rows a commit, over so many connections, without HTTP.

    Raises YardstickError.
    """
    sent, elapsed = asyncio.run(_batches(store, connections, seconds))
    if sent != store.rows():
        raise YardstickError(f"{sent} rows were sent in batches, the table has {store.rows()}.")
    return sent / elapsed


async def _batches(store: database.Database, connections: int, seconds: float) -> tuple[int, float]:
    agency, _form = store.form()
    pool = [await asyncpg.connect(store.edge_url) for _ in range(connections)]
    started = time.perf_counter()

    async def write(number: int, connection: asyncpg.Connection) -> int:
        sent = 0
        while time.perf_counter() - started < seconds:
            rows = [_row(agency) for _ in range(BATCH)]
            outcomes = await doors.accept(connection, f"bench/{number}", rows, seconds=_SECONDS_PER_STATEMENT)
            if any(outcome.kind != "stored" for outcome in outcomes):
                raise YardstickError(f"The door did not store: {outcomes[0]}")
            sent += BATCH
        return sent

    try:
        sent = sum(await asyncio.gather(*(write(number, connection) for number, connection in enumerate(pool))))
        return sent, time.perf_counter() - started
    finally:
        for connection in pool:
            await connection.close()


_FIELDS = msgspec.json.encode(
    [
        ["name", "Ada Lovelace"],
        ["email", "ada12345@visitor.example"],
        [
            "message",
            "Hello, I would like to book a table for four on Friday evening, number 1-0-12345. "
            "Is there a vegan menu, and can we bring a dog?",
        ],
    ]
).decode()


def _row(agency: int) -> Submission:
    id = secrets.token_bytes(16)
    return Submission(
        id=id,
        earlier=id[::-1],
        form_key=database.FORM_KEY,
        form_version=1,
        agency_id=agency,
        receipt=secrets.token_hex(6),
        received_at=datetime.datetime.now(datetime.UTC),
        digest=id,
        fields=_FIELDS,
        page_url="https://bench.example/contact",
        referrer="https://bench.example/contact",
        origin="https://bench.example",
        address="127.0.0.1",
        user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        content_type="application/json",
        signals="[]",
        request_id=id.hex(),
    )
