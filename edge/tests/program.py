"""The edge as a process of its own, and a gate between it and PostgreSQL that can be shut."""

import atexit
import contextlib
import itertools
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = {"accept": "text/html,application/xhtml+xml"}
OFFICE = "http://office.test:8000"


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _folder() -> str:
    """For one edge; there as long as this process, since a second edge may be given the same one."""
    made = tempfile.mkdtemp(prefix="edge-test-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


class Program:
    """One running edge. `lines` is its log."""

    def __init__(self, environ: dict[str, str], start: str = "-m edge") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(ROOT),
            "CONSULT_EDGE_PORT": str(self.port),
            "CONSULT_EDGE_URL": self.url,
            "CONSULT_OFFICE_URL": OFFICE,
            "CONSULT_DATA_DIR": _folder(),
            **environ,
        }
        self.start = start.split(" ", 1)
        self.lines: list[dict[str, Any]] = []
        self.raw: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    def launch(self) -> "Program":
        self.process = subprocess.Popen(
            [sys.executable, *self.start],
            cwd=ROOT,
            env=self.environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._listener = threading.Thread(target=self._listen, args=(self.process,), daemon=True)
        self._listener.start()
        return self

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self.raw.append(line)
                with contextlib.suppress(ValueError):
                    self.lines.append(json.loads(line))

    def wait_ready(self, seconds: float = 10) -> "Program":
        assert self.process is not None
        until(lambda: self.process is None or self.process.poll() is not None or _healthy(self.url), seconds)
        assert self.process.poll() is None, "".join(self.raw)
        return self

    def stop(self, number: int = signal.SIGTERM, seconds: float = 10) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.ended(seconds)

    def post_until_refused(self, key: str, fields: dict[str, str], told: list[str]) -> None:
        """Send one submission after another and note each receipt in `told`, until the connection fails."""
        with httpx.Client(base_url=self.url, timeout=10) as client:
            try:
                for number in itertools.count():
                    # Each with words of its own: the same ones again would be the same submission.
                    told_apart = {"_key": f"{threading.get_ident()}-{number}"}
                    answer = client.post(f"/f/{key}", json=fields | told_apart)
                    if answer.status_code == 201:
                        told.append(answer.json()["receipt"])
            except httpx.HTTPError:
                return

    def ended(self, seconds: float) -> int:
        """Waits for it to end by itself; gives the exit code."""
        assert self.process is not None
        code = self.process.wait(seconds)
        self._listener.join()
        return code

    def requests(self, request_id: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("request_id") == request_id]


def _healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/", timeout=1).status_code == 200
    except httpx.HTTPError:
        return False


def until(true: Callable[[], bool], seconds: float = 5) -> None:
    """Waits for a condition instead of for a time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


@contextlib.contextmanager
def running(edge_dsn: str, start: str = "-m edge", **environ: str) -> Iterator[Program]:
    program = Program({"EDGE_DATABASE_URL": edge_dsn, **environ}, start).launch()
    try:
        yield program.wait_ready()
    finally:
        if program.process is not None and program.process.poll() is None:
            program.stop(signal.SIGKILL)


def with_bounds(changes: str) -> str:
    """How to start an edge with other bounds: those that would take too long to wait for."""
    return (
        "-c import msgspec; from edge import app, bounds; "
        f"app.serve(limits=msgspec.structs.replace(bounds.DEFAULT, {changes}))"
    )


class Gate:
    """A way to PostgreSQL over TCP that tests can shut: connections break and new ones are refused."""

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        assert parts.hostname
        assert parts.port
        self._target = (parts.hostname, parts.port)
        self._port = free_port()
        self.dsn = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{self._port}").geturl()
        self._listener: socket.socket | None = None
        self._pairs: list[socket.socket] = []
        self.frozen = threading.Event()

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self._port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for end in self._pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._pairs.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection(self._target)
            except OSError:
                return
            self._pairs += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65_536):
                while self.frozen.is_set():
                    time.sleep(0.02)
                sink.sendall(chunk)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
