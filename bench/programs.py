"""The programs that are compared: how each is started, asked, measured and ended."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench import database, install, places, processor

_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_LOG_BYTES = 64 * 1024
_BODY = b'{"name":"Ada Lovelace","email":"ada@visitor.example","message":"Is anybody there?"}'


class ProgramError(Exception):
    """A program does not start; the text holds its log."""


type Variant = dict[str, int]


@dataclass(frozen=True)
class Program:
    """`command` and `environment` may hold {port}, {database} (its address), {data} (an own empty folder) and the names
    of a variant: the benchmark tries the variants first and takes the best, so that each runs as it runs best here.
    """

    name: str
    title: str
    command: tuple[str, ...]
    folder: Path
    install: Callable[[], None]
    variants: tuple[Variant, ...]
    environment: dict[str, str] = field(default_factory=dict)
    consult: bool = False


def _python(program: str) -> str:
    return str(places.VENV / "bin" / program)


CONSULT = Program(
    "consult",
    "Consult, one edge process",
    (sys.executable, "-m", "edge"),
    places.ROOT,
    lambda: None,
    # As delivered, with every feature on: there is nothing to set.
    ({},),
    {
        "EDGE_DATABASE_URL": "{database}",
        "CONSULT_EDGE_PORT": "{port}",
        "CONSULT_EDGE_URL": "http://127.0.0.1:{port}",
        "CONSULT_OFFICE_URL": "http://127.0.0.1:8000",
        "CONSULT_DATA_DIR": "{data}",
        # For one agency; the form's own limits are raised in its row. They are counted, they only never bite.
        "CONSULT_AGENCY_LIMIT": "1000000/second",
        "PYTHONPATH": str(places.ROOT),
    },
    consult=True,
)
HONO = Program(
    "hono",
    "Hono on Node, postgres.js",
    ("node", "hono.mjs"),
    places.NODE,
    install.node_peers,
    tuple({"connections": connections} for connections in (16, 8, 32, 64)),
    {"DATABASE_URL": "{database}", "PORT": "{port}", "NODE_ENV": "production", "PEER_POOL": "{connections}"},
)
FASTAPI = Program(
    "fastapi",
    "FastAPI on uvicorn, asyncpg",
    (
        *(
            _python("uvicorn"),
            "fastapi_asyncpg:app",
            "--host",
            "127.0.0.1",
            "--port",
            "{port}",
            "--workers",
            "{workers}",
        ),
        *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
    ),
    places.PEERS,
    install.python_peers,
    tuple({"workers": workers, "connections": each} for workers, each in ((1, 16), (1, 8), (1, 32), (2, 8), (2, 16))),
    {"DATABASE_URL": "{database}", "PEER_POOL": "{connections}"},
)
DRF = Program(
    "drf",
    "Django REST framework on gunicorn",
    (
        *(_python("gunicorn"), "drf:application", "--bind", "127.0.0.1:{port}", "--log-level", "warning"),
        *("--worker-class", "gthread", "--workers", "{workers}", "--threads", "{threads}", "--keep-alive", "75"),
    ),
    places.PEERS,
    install.python_peers,
    tuple({"workers": workers, "threads": threads} for workers, threads in ((2, 4), (2, 8), (3, 4), (4, 2))),
    {"DATABASE_URL": "{database}", "PEER_URLS": "drf"},
)
NINJA = Program(
    "ninja",
    "Django Ninja on Granian",
    (
        *(_python("granian"), "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}", "--no-ws"),
        *(
            "--workers",
            "{workers}",
            "--blocking-threads",
            "{threads}",
            "--backpressure",
            "256",
            "--log-level",
            "warning",
        ),
        "ninja_granian:application",
    ),
    places.PEERS,
    install.python_peers,
    tuple({"workers": workers, "threads": threads} for workers, threads in ((2, 4), (2, 2), (1, 4), (3, 2))),
    {"DATABASE_URL": "{database}", "PEER_URLS": "ninja_granian"},
)
ALL = (CONSULT, HONO, FASTAPI, DRF, NINJA)


def named(name: str) -> Program:
    return next(program for program in ALL if program.name == name)


class Running:
    """One started program. `port` is where it answers on 127.0.0.1."""

    def __init__(self, program: Program, variant: Variant, address: str, data: Path) -> None:
        self.program = program
        self.port = _free_port()
        filled = {"port": self.port, "database": address, "data": data} | variant
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(data), "PYTHONDONTWRITEBYTECODE": "1"}
        environment |= {name: value.format(**filled) for name, value in program.environment.items()}
        self.log = places.make(places.LOGS) / f"{program.name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [word.format(**filled) for word in program.command],
                cwd=program.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_ready(self) -> None:
        """Until it has stored one submission. Raises ProgramError."""
        deadline = time.monotonic() + _START_SECONDS
        status = 0
        while status != 201:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ProgramError(f"{self.program.title} does not start (last answer: {status}).\n{self.log_tail()}")
            time.sleep(0.1)
            status = self._post()

    def pss_bytes(self) -> int:
        """Memory of all its processes, what they share counted once (PSS; 0 where the system does not tell)."""
        first = psutil.Process(self.process.pid)
        return sum(_pss(process) for process in [first, *first.children(recursive=True)])

    def cpu_seconds(self) -> float:
        """Processor time of all its processes until now."""
        return processor.seconds(self.process.pid)

    def stop(self) -> None:
        """Ends it and whatever it has started."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def trim_log(self) -> None:
        """Keeps its end: the edge writes a line for each request."""
        with self.log.open("r+b") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_BYTES))
            end = log.read()
            log.seek(0)
            log.truncate()
            log.write(end)

    def log_tail(self, lines: int = 20) -> str:
        text = self.log.read_text(errors="replace")
        return "\n".join([f"Log: {self.log}", *(f"  {line}" for line in text.splitlines()[-lines:])])

    def _post(self) -> int:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            headers = {"Content-Type": "application/json", "Origin": "https://bench.example"}
            connection.request("POST", f"/f/{database.FORM_KEY}", _BODY, headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()


@contextlib.contextmanager
def running(program: Program, variant: Variant, store: database.Database) -> Iterator[Running]:
    """The program, ready to take submissions; ended afterwards. Raises ProgramError."""
    data = Path(tempfile.mkdtemp(dir=places.CACHE, prefix=database.DATA_PREFIX))
    store.fresh()
    started = Running(program, variant, store.edge_url if program.consult else store.peer_url, data)
    try:
        started.wait_ready()
        yield started
    finally:
        started.stop()
        started.trim_log()
        shutil.rmtree(data, ignore_errors=True)


def _pss(process: psutil.Process) -> int:
    try:
        return int(getattr(process.memory_full_info(), "pss", 0))
    except psutil.Error:
        return 0


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
