"""The office by itself: what a signed-in page costs, and how long the program needs to be there. `make bench-office`.

Over real HTTP, against Granian as in production (without TLS), with a real PostgreSQL. The figures that the project
promises stand beside the measured ones; the exit status is 1 when one is missed.
"""

import argparse
import datetime as dt
import json
import os
import pathlib
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing

import httpx
from rich.console import Console
from rich.table import Table

ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULTS = ROOT / "artifacts" / "bench-office.json"
Figure = dict[str, float | str | bool | None]

SEED = """
from consult.accounts import services
owner = services.create_user(email="bench@example.com", name="Bench", password="correct horse battery staple")
services.create_agency(slug="bench", name="Bench", owner_id=owner)
print(services.create_sign_in_link(email="bench@example.com"))
"""
# The tokens' own benchmark (bench/tokens.py) for the first agency's first member.
TOKENS = """
import json, django
django.setup()
from bench import tokens
from consult.accounts import queries
[(agency_id, *_)] = queries.agencies()
from consult.core import tenancy
with tenancy.agency(agency_id):
    [owner] = queries.members(agency_id)
print(json.dumps(tokens.verification(agency_id=agency_id, member_id=owner.id)))
"""
# A process of the office that counts its statements: in a header, since nobody else would know.
APPLICATION = """
import threading
from consult.wsgi import application as office
from django.db import connection

def application(environ, start):
    counted = [0]
    def count(execute, sql, params, many, context):
        counted[0] += 1
        return execute(sql, params, many, context)
    wrapper = connection.execute_wrapper(count)
    wrapper.__enter__()
    def started(status, headers, *rest):
        return start(status, [*headers, ("X-Statements", str(counted[0]))], *rest)
    try:
        return office(environ, started)
    finally:
        wrapper.__exit__(None, None, None)
"""
IMPORT = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"
OFFICE = "import django; django.setup(); from django.urls import get_resolver; get_resolver().url_patterns"


def main(arguments: list[str] | None = None) -> int:
    """Measure, print a table, write JSON; 1 when a figure is missed."""
    parser = argparse.ArgumentParser(prog="bench.office", description=__doc__)
    parser.add_argument("--requests", type=int, default=300, help="how many of each page (300)")
    parser.add_argument("--imports", type=int, default=7, help="how many fresh interpreters (7)")
    parser.add_argument("--json", type=pathlib.Path, default=RESULTS, help=f"where to ({RESULTS})")
    options = parser.parse_args(arguments)
    console = Console()
    from consult.machine import postgres

    with postgres.temporary() as cluster, tempfile.TemporaryDirectory(prefix="bench-office-") as folder:
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "consult.settings.dev",
            "CONSULT_DATA_DIR": folder,
            "CONSULT_LOG_FORMAT": "json",
            "DATABASE_URL": cluster.url("consult_app"),
            "WORKER_DATABASE_URL": cluster.url("consult_worker"),
            "MIGRATE_DATABASE_URL": cluster.url("consult_owner"),
        }
        _run(environ, "manage.py", "migrate", "--verbosity", "0")
        link = _run(environ, "-c", f"import django; django.setup(); {SEED.replace(chr(10), '; ').strip('; ')}")
        figures = [*_pages(environ, link.strip().splitlines()[-1], options.requests), _import(environ, options.imports)]
        figures += _tokens(environ)
    _show(console, figures)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({**_machine(), "figures": figures}, indent=2) + "\n", encoding="utf-8")
    console.print(f"Written to {options.json}.")
    return 0 if all(figure["good"] is not False for figure in figures) else 1


def _run(environ: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def _pages(environ: dict[str, str], link: str, requests: int) -> list[Figure]:
    """Time at the server, from its own log line; the statements, from its header."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = pathlib.Path(environ["CONSULT_DATA_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench_application.py").write_text(APPLICATION, encoding="utf-8")
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "bench_application:application"),
    ]
    with (folder / "office.log").open("w", encoding="utf-8") as log:
        office = subprocess.Popen(
            command, cwd=ROOT, env={**environ, "PYTHONPATH": f"{ROOT}:{folder}"}, stdout=log, stderr=log
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                _wait(client, office)
                client.get(link, follow_redirects=True)
                figures: list[Figure] = []
                for name, path in (("inbox, empty", "/bench/inbox/"), ("sites, empty", "/bench/sites/")):
                    for _ in range(30):
                        client.get(path).raise_for_status()
                    answers = [client.get(path).raise_for_status() for _ in range(requests)]
                    ids = {answer.headers["X-Request-ID"] for answer in answers}
                    statements = max(int(answer.headers["X-Statements"]) for answer in answers)
                    figures.append(_figure(f"{name}: SQL statements", statements, "", 12))
                    log.flush()
                    lines = (folder / "office.log").read_text("utf-8").splitlines()
                    told = [json.loads(line) for line in lines if line.startswith("{")]
                    times = [line["duration_ms"] for line in told if line.get("request_id") in ids]
                    figures.append(_figure(f"{name}: at the server, median", statistics.median(times), "ms", 25))
                    whole = [answer.elapsed.total_seconds() * 1000 for answer in answers]
                    figures.append(_figure(f"{name}: over HTTP, median", statistics.median(whole), "ms", None))
                    figures.append(
                        _figure(f"{name}: over HTTP, 95th", statistics.quantiles(whole, n=20)[-1], "ms", None)
                    )
                return figures
        finally:
            office.terminate()
            office.wait(30)


def _wait(client: httpx.Client, office: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and office.poll() is None:
        try:
            client.get("/health/").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The office did not come up.")


def _import(environ: dict[str, str], runs: int) -> Figure:
    """Django set up and every address known, in a fresh interpreter each time; the median, files being warm."""
    times = [float(_run(environ, "-c", IMPORT.format(OFFICE)).split()[-1]) for _ in range(runs + 1)][1:]
    return _figure("import of the office with its addresses", statistics.median(times), "s", 2.5)


def _tokens(environ: dict[str, str]) -> list[Figure]:
    """What believing a token costs. The key-value store is read by the sign-in with GitHub alone."""
    told = json.loads(_run(environ, "-c", TOKENS).splitlines()[-1])
    return [
        _figure("JWT verification, signature and claims", told["verify"], "µs", 150),
        _figure("of it: the library's ECDSA check alone", told["ecdsa"], "µs", None),
        _figure("JWT verification with its query", told["believe"], "µs", None),
    ]


def _figure(name: str, value: float, unit: str, limit: float | None) -> Figure:
    good = None if limit is None else value <= limit
    return {"name": name, "value": round(value, 2), "unit": unit, "limit": limit, "good": good}


def _machine() -> dict[str, object]:
    return {
        "measured_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _show(console: Console, figures: list[Figure]) -> None:
    table = Table("figure", "measured", "promised", "")
    for figure in figures:
        value = "not measured" if figure["value"] is None else f"{figure['value']:g} {figure['unit']}"
        limit = "" if figure["limit"] is None else f"≤ {figure['limit']:g} {figure['unit']}"
        table.add_row(str(figure["name"]), value, limit, {True: "✓", False: "✗", None: ""}[figure["good"]])  # type: ignore[index]
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
