"""`python -m bench.profile_edge`: what one submission costs the edge, without server, network and database.

Prints microseconds of processor time for each request, and with `--table` where they go.
"""

import argparse
import asyncio
import cProfile
import pathlib
import pstats
import sys
import tempfile
import time
from collections.abc import Sequence

import uvloop

from edge import app, bounds, config, doors, files, http, log, spool
from edge.submission import Outcome, Submission

_KEY = "frm_" + "b" * 22
_BODY = (
    b'{"name":"Ada Lovelace","email":"ada12345@visitor.example","message":"Hello, I would like to book a table for '
    b'four on Friday evening, number 1-0-12345. Is there a vegan menu, and can we bring a dog?","hp_topic":""}'
)
_FORM = """{"key": "%s", "agency_id": 1, "version": 1, "name": "Contact",
    "site": {"name": "Bench", "url": "https://bench.example", "fallback_contact": ""},
    "fields": [{"name": "name", "label": "Name", "type": "text", "required": true, "max_length": 200},
               {"name": "email", "label": "E-mail", "type": "email", "required": true, "max_length": 320},
               {"name": "message", "label": "Message", "type": "textarea", "required": true, "max_length": 5000}],
    "honeypot": "hp_topic", "files": {}, "allowed_origins": [], "redirect_targets": [], "language": "en",
    "address_limit": "1000000/second", "form_limit": "1000000/second", "over_limit": "hold",
    "daily_cap": 2000000000, "proof_of_work": false, "secret": "0"}"""
_BATCH = 128


class _Headers:
    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def get(self, key: str, default: str | None = None) -> str | None:
        return self._values.get(key, default)


class _Scope:
    """What wrk sends, see post.lua."""

    method = "POST"
    path = f"/f/{_KEY}"
    query_string = ""
    client = "127.0.0.1:4444"
    headers: http.Headers = _Headers(
        {
            "host": "127.0.0.1",
            "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "accept": "application/json",
            "accept-language": "en-GB,en;q=0.8",
            "origin": "https://bench.example",
            "referer": "https://bench.example/contact",
            "content-type": "application/json",
            "content-length": str(len(_BODY)),
        }
    )


class _Exchange:
    """The server's side: hands out the body, takes the answer."""

    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self.answer = b""
        self._sent = 0

    async def __call__(self) -> bytes:
        # As many digits for ever, and never the same: a repetition is another, shorter way.
        self._sent += 1
        return _BODY.replace(b"12345", b"%05d" % (self._sent % 100_000))

    async def client_disconnect(self) -> None:
        await asyncio.Event().wait()

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.answer = body

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> "_Exchange":
        raise NotImplementedError

    async def send_bytes(self, data: bytes) -> None:
        raise NotImplementedError


class _Connection:
    """PostgreSQL that stores everything at once."""

    async def fetch(self, *arguments: object, timeout: float) -> list[object]:
        return []


async def _edge(folder: str, rows: list[Submission]) -> app.Edge:
    settings = config.load(
        {
            "EDGE_DATABASE_URL": "postgresql://nobody@127.0.0.1/none",
            "CONSULT_DATA_DIR": folder,
            "CONSULT_AGENCY_LIMIT": "1000000/second",
        }
    )
    told = log.Log("json", pathlib.Path("/dev/null").open("wb"))  # noqa: SIM115  as long as the process
    shelter = await spool.Spool.open(settings.spool_dir, bounds.DEFAULT, told)
    edge = app.Edge(settings, bounds.DEFAULT, told, shelter, files.open(settings.files_url))

    async def fetch(*_arguments: object) -> list[tuple[str]]:
        return [(_FORM % _KEY,)]

    async def put(row: Submission) -> Outcome:
        if len(rows) < _BATCH:
            rows.append(row)
        return Outcome("stored", row.receipt)

    edge.link.fetch = fetch  # type: ignore[method-assign, assignment]
    edge.store.put = put  # type: ignore[method-assign]
    return edge


async def _profile(requests: int, *, table: bool) -> None:
    rows: list[Submission] = []
    with tempfile.TemporaryDirectory() as folder:
        edge = await _edge(folder, rows)
        exchange = _Exchange()

        async def send(count: int) -> float:
            started = time.thread_time()
            for _ in range(count):
                await edge.__rsgi__(_Scope(), exchange)
            return (time.thread_time() - started) / count * 1e6

        await send(max(_BATCH, requests // 10))
        best = min([await send(requests) for _ in range(3)])
        say(f"{best:.1f} µs for each request, from the server's call to the answer, without the database")
        if set(exchange.statuses) != {201}:
            say(f"Not all were stored: {exchange.statuses}: {exchange.answer.decode()}")
        started = time.thread_time()
        for _ in range(100):
            await doors.accept(_Connection(), "bench/0", rows, seconds=1)  # type: ignore[arg-type]
        each = (time.thread_time() - started) / 100 / len(rows) * 1e6
        say(f"{each:.1f} µs for each row, for the batch's arrays ({len(rows)} rows)")
        if table:
            with cProfile.Profile() as profile:
                await send(requests)
            pstats.Stats(profile, stream=sys.stdout).sort_stats("tottime").print_stats(30)
        await edge.spool.close()


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.profile_edge", description="What a submission costs.")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--table", action="store_true", help="where the time goes (cProfile)")
    options = parser.parse_args(words)
    uvloop.run(_profile(options.requests, table=options.table))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
