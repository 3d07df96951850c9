"""Keeps services running: starts them, notices deaths, restarts them, gives up loudly, stops in time."""

import contextlib
import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

from consult.machine import child as children
from consult.machine import local, processes
from consult.machine.service import Program, Service

RECORD = "processes.json"
# So many deaths of one service within so many seconds are no accident.
CRASHES = 5
CRASH_SECONDS = 30.0
BACKOFF_SECONDS = (0.1, 0.3, 0.8, 2.0, 5.0)
# Everything ends within 5 s of Ctrl-C: what takes requests first, then jobs, and the database with the rest.
STOP_SECONDS = 4.2
RANK_SECONDS = {0: 1.8, 1: 1.2}


class Stopped(Exception):
    """Somebody asked us to end: Ctrl-C, SIGTERM or SIGHUP."""


class Failed(Exception):
    """It cannot go on; the text says why, for the person at the terminal."""


class Signals:
    """Counts the requests to end, and wakes up when one comes or a child dies. One thread, no surprises."""

    ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self.requests = 0
        self._impatient = False
        self._bell, self._wire = socket.socketpair()
        for end in (self._bell, self._wire):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wire.fileno(), warn_on_full_buffer=False)
        for number in self.ENDING:
            signal.signal(number, self._request)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def pause(self, seconds: float) -> None:
        """Returns after `seconds`, or earlier when a signal came."""
        if select.select([self._bell], [], [], max(seconds, 0))[0]:
            with contextlib.suppress(BlockingIOError):
                while self._bell.recv(512):
                    pass

    def forget(self) -> None:
        """For a forked child: signals mean again what they usually mean."""
        signal.set_wakeup_fd(-1)
        for number in (*self.ENDING, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._bell.close()
        self._wire.close()

    @contextlib.contextmanager
    def impatience(self) -> Iterator[None]:
        """Inside, a request raises `Stopped` at once: for long work that may be cut off anywhere."""
        self._impatient = True
        try:
            yield
        finally:
            self._impatient = False

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requests += 1
        if self._impatient:
            raise Stopped


class Supervisor:
    """`say` prints one line for the person; `on_change` is called when a pid has changed."""

    def __init__(self, directory: Path, say: Callable[[str], None]) -> None:
        self.directory = directory
        self.services: list[Service] = []
        self.signals = Signals()
        self.say = say
        self.on_change: Callable[[], None] = lambda: None
        self._letting_go: list[Callable[[], None]] = [self.signals.forget]
        self._errands: list[tuple[Program, Callable[[int], None]]] = []

    @property
    def pids(self) -> dict[str, int]:
        """The running services' pids by name."""
        return {service.name: service.pid for service in self.services if service.pid}

    def let_go_in_children(self, action: Callable[[], None]) -> None:
        """Has `action` called at the beginning of each forked child."""
        self._letting_go.append(action)

    def program(
        self, name: str, target: Callable[[], object], *, rank: int = 0, needs: str = "", health: str = ""
    ) -> Program:
        """A program of ours, with its log in `<directory>/logs/<name>.log`; not begun yet."""
        log = self.directory / "logs" / f"{name}.log"
        program = Program(name, target, log, begin=self._become_child, rank=rank, needs=needs, health=health)
        program.on_record = self.record
        return program

    # --- starting ---

    def begin(self, *services: Service) -> None:
        """Starts services and watches them from now on; does not wait."""
        for service in services:
            self.services.append(service)
            service.begin()

    def wait_until_up(self, seconds: float, *services: Service) -> None:
        """Returns when all of these answer. Raises `Failed`, `Stopped`."""
        until = time.monotonic() + seconds
        while not all(service.up for service in services):
            if time.monotonic() > until:
                late = next(service for service in services if not service.up)
                raise Failed(f"{late.name} does not answer after {seconds:.0f} s.\n{late.tail()}")
            self.tick(quiet=True)
            self.pause(0.03)

    def run_once(self, name: str, target: Callable[[], object], seconds: float = 600) -> str:
        """Runs `target` in a forked child of its own and returns what it returns, as JSON text.

        Raises `Failed` with the end of its log, `Stopped`.
        """
        reading, writing = os.pipe()

        def report() -> None:
            os.close(reading)
            os.write(writing, json.dumps(target()).encode())

        program = self.program(name, report)
        ended: list[int] = []
        self.run_errand(program, ended.append)
        os.close(writing)
        with os.fdopen(reading, "rb") as answer:
            until = time.monotonic() + seconds
            while not ended and time.monotonic() < until:
                self.tick(quiet=True)
                self.pause(0.03)
            if not ended or ended[0] != 0:
                program.clear()
                raise Failed(f"{name} failed.\n{program.tail()}")
            return answer.read().decode()

    def run_errand(self, program: Program, done: Callable[[int], None]) -> None:
        """Begins something that ends by itself; `done` gets its exit status."""
        self._errands.append((program, done))
        program.begin()

    def pause(self, seconds: float) -> None:
        """Waits, at most `seconds`. Raises `Stopped` once somebody has asked us to end."""
        if not self.signals.requests:
            self.signals.pause(seconds)
        if self.signals.requests:
            raise Stopped

    # --- watching ---

    def watch(self) -> NoReturn:
        """Watches until somebody asks us to end (`Stopped`) or a service cannot be kept alive (`Failed`)."""
        while True:
            self.tick()
            settled = all(service.up for service in self.services)
            self.pause(1.0 if settled else 0.05)

    def tick(self, *, quiet: bool = False) -> None:
        """Looks at everything once and does what is due now."""
        for entry in list(self._errands):
            status = entry[0].ended()
            if status is not None:
                self._errands.remove(entry)
                entry[0].clear()
                self.record()
                entry[1](status)
        for service in self.services:
            if service.restart_at is not None:
                self._restart(service)
            elif (status := service.ended()) is not None:
                self._mourn(service, children.ending(status))
            elif not service.up and service.ready():
                service.up = True
                self.on_change()
                if service.deaths and not quiet:
                    self.say(f"{service.name} is back (pid {service.pid}).")

    def _mourn(self, service: Service, how: str) -> None:
        now = time.monotonic()
        service.clear()
        service.up = False
        if self._has_what_it_needs(service):
            service.deaths.append(now)
        recent = [at for at in service.deaths if now - at < CRASH_SECONDS]
        if len(recent) >= CRASHES:
            raise Failed(
                f"{service.name} {how}: {len(recent)} times within {CRASH_SECONDS:.0f} s, so it is not "
                f"restarted any more.\n{service.tail()}"
            )
        delay = BACKOFF_SECONDS[max(len(recent), 1) - 1]
        service.restart_at = now + delay
        self.say(f"{service.name} {how}; it starts again.")
        self.record()

    def _restart(self, service: Service) -> None:
        if time.monotonic() < (service.restart_at or 0) or not self._has_what_it_needs(service):
            return
        service.restart_at = None
        try:
            service.begin()
        except Exception as error:
            self._mourn(service, f"cannot start ({error})")
        self.on_change()

    def _has_what_it_needs(self, service: Service) -> bool:
        needed = next((other for other in self.services if other.name == service.needs), None)
        return needed is None or (needed.up and needed.ended() is None)

    # --- stopping ---

    def stop(self) -> None:
        """Ends everything within 5 s, by force where it must be; a further Ctrl-C makes it shorter."""
        asked = self.signals.requests
        end = time.monotonic() + STOP_SECONDS
        for program, _ in self._errands:
            program.ask()
        for rank in sorted({service.rank for service in self.services}):
            group = [service for service in self.services if service.rank == rank]
            for service in group:
                service.ask()
            until = min(end, time.monotonic() + RANK_SECONDS.get(rank, STOP_SECONDS))
            while any(service.ended() is None for service in group):
                if time.monotonic() >= until or self.signals.requests > asked:
                    break
                self.signals.pause(0.02)
            for service in group:
                service.clear()
        for program, _ in self._errands:
            program.clear()
        self.services.clear()
        self._errands.clear()
        (self.directory / RECORD).unlink(missing_ok=True)

    # --- what a successor has to know ---

    def record(self) -> None:
        """Writes down whom we started, for whoever comes after us if we are killed."""
        programs = [service for service in self.services if isinstance(service, Program)]
        programs += [program for program, _ in self._errands]
        living = [(program.name, program.child) for program in programs if program.child]
        entries = [{"name": name, "pid": child.pid, "born": child.born} for name, child in living]
        local.write_private(self.directory / RECORD, json.dumps(entries, indent=2) + "\n")

    def _become_child(self) -> None:
        for action in self._letting_go:
            action()


def end_survivors(directory: Path) -> list[str]:
    """Ends what a killed supervisor of this data directory left running. Returns the names of that."""
    path = directory / RECORD
    try:
        entries = json.loads(path.read_text())
        groups = [(str(entry["name"]), int(entry["pid"]), float(entry["born"])) for entry in entries]
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        groups = []
    left = [(name, pid, born) for name, pid, born in groups if processes.in_group(pid, born)]
    for number, seconds in ((signal.SIGTERM, 1.5), (signal.SIGKILL, 3.0)):
        for _, pid, born in left:
            processes.signal_each(processes.in_group(pid, born), number)
        if processes.wait_until(lambda: not any(processes.in_group(pid, born) for _, pid, born in left), seconds):
            break
    else:
        raise Failed(f"These do not end: {', '.join(f'{name} (group {pid})' for name, pid, _ in left)}.")
    path.unlink(missing_ok=True)
    return [name for name, _, _ in left]
