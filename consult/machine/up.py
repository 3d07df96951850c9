"""`consult up`: the whole of Consult on one machine, from nothing to the printed addresses, until Ctrl-C."""

import contextlib
import gc
import json
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from consult.machine import (
    demo_site,
    local,
    postgres,
    postgres_cluster,
    postgres_home,
    processes,
    programs,
    service,
    static_site,
    supervisor,
    terminal,
)
from consult.machine.lock import Lock

HOST = "127.0.0.1"
RUN_FILE = "run.json"
UP_SECONDS = 60.0
PORTS = {
    "office": ("CONSULT_OFFICE_PORT", 8000),
    "edge": ("CONSULT_EDGE_PORT", 8787),
    "site": ("CONSULT_SITE_PORT", 4321),
}
DATABASES = {
    "DATABASE_URL": "consult_app",
    "WORKER_DATABASE_URL": "consult_worker",
    "MIGRATE_DATABASE_URL": "consult_owner",
    "BACKUP_DATABASE_URL": "consult_backup",
    "EDGE_DATABASE_URL": "consult_edge",
}


@dataclass
class Facts:
    """What `run.json` says; `sign_in` and `form` come from the demo's seed."""

    sign_in: str = ""
    form_key: str = ""
    site_is_built: bool = False


class Up:
    """One run. `main` is the only entrance."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.terminal = terminal.Terminal()
        self.ports = _ports()
        self.facts = Facts()
        self.supervisor = supervisor.Supervisor(directory, self.terminal.say)
        self.supervisor.on_change = self.write_run_file
        self.cluster: postgres_cluster.Cluster | None = None
        self.complete = False

    def local(self, name: str) -> str:
        """Where office, edge or site listen on this machine."""
        return f"http://{HOST}:{self.ports[name]}"

    def address(self, name: str) -> str:
        """The origin that the others use for it: the same, unless the environment names another."""
        return os.environ.get(f"CONSULT_{name.upper()}_URL") or self.local(name)

    # --- the steps ---

    def run(self) -> None:
        """All steps, then watching. Leaves by exception only."""
        began = time.monotonic()
        if ended := supervisor.end_survivors(self.directory):
            self.terminal.say(f"Ended what a killed run had left: {', '.join(ended)}.")
        (self.directory / RUN_FILE).unlink(missing_ok=True)
        self._check_ports()
        self._export_addresses()
        if not _given("DATABASE_URL"):
            self._start_postgres()
        else:
            _require_all_databases()
        with self.terminal.step("Loading the office"), self.supervisor.signals.impatience():
            programs.preload()
        self._wait_for_postgres()
        self._migrate_and_seed()
        self._start_programs()
        self.complete = True
        self.write_run_file()
        self._print_panel(time.monotonic() - began)
        self._build_site()
        self.supervisor.watch()

    def _check_ports(self) -> None:
        if len(set(self.ports.values())) < len(self.ports):
            names = ", ".join(variable for variable, _ in PORTS.values())
            raise supervisor.Failed(f"{names} have to differ: {self.ports}.")
        for name, port in self.ports.items():
            if _taken(port):
                who = processes.listener(port)
                raise supervisor.Failed(
                    f"Port {port}, for the {name}, is taken{f' by {who}' if who else ''}. "
                    f"End that, or set {PORTS[name][0]} to a free port."
                )

    def _export_addresses(self) -> None:
        """Settings read the environment; so do the edge and the demo's seed."""
        os.environ["CONSULT_DATA_DIR"] = str(self.directory)
        for name, (variable, _) in PORTS.items():
            os.environ[variable] = str(self.ports[name])
            os.environ[f"CONSULT_{name.upper()}_URL"] = self.address(name)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consult.settings.dev")

    def _start_postgres(self) -> None:
        with self.terminal.step("Starting PostgreSQL"):
            cluster = self.cluster = postgres_cluster.Cluster(self.directory)
            with Lock(self.directory / "postgres.lock"):
                users = postgres.claim(cluster, alone=True)
                if cluster.running_pid():
                    cluster.stop(fast_seconds=10.0)
                self.supervisor.let_go_in_children(users.abandon)
                self.supervisor.begin(service.Postgres(cluster))
                users.take(shared=True)
            for variable, role in DATABASES.items():
                if not _given(variable):
                    os.environ[variable] = cluster.url(role)

    def _wait_for_postgres(self) -> None:
        if self.cluster is None:
            return
        with self.terminal.step("Waiting for PostgreSQL") as done:
            self.supervisor.wait_until_up(postgres_cluster.START_SECONDS, *self.supervisor.services)
            self.cluster.prepare()
            done.append(f"PostgreSQL {self.cluster.version} on port {self.cluster.port}")

    def _migrate_and_seed(self) -> None:
        with self.terminal.step("Applying migrations") as done:
            self.supervisor.run_once("migrate", programs.migrate)
            done.append("Migrations applied")
        with self.terminal.step("Preparing the demo agency") as done:
            answer = json.loads(self.supervisor.run_once("seed", programs.seed))
            self.facts.sign_in = self.address("office") + answer["sign_in"]
            self.facts.form_key = answer["form_key"]
            done.append("Demo agency is there")

    def _start_programs(self) -> None:
        gc.collect()
        # The collector never looks at it again: looking would unshare it from the children.
        gc.freeze()
        database = "postgres" if self.cluster else ""
        make = self.supervisor.program
        wanted = [
            make(
                "office",
                lambda: programs.serve_office(os.environ.get("CONSULT_OFFICE_HOST") or HOST, self.ports["office"]),
                needs=database,
                health=f"{self.local('office')}/health/",
            ),
            make("edge", programs.become_edge, needs=database, health=f"{self.local('edge')}/health/"),
            make("worker", programs.work, rank=1, needs=database),
        ]
        with self.terminal.step("Starting office, edge and worker") as done:
            self.supervisor.begin(*wanted)
            if demo_site.folder(self.directory, self.form_post):
                self.start_site()
            self.supervisor.wait_until_up(UP_SECONDS, *self.supervisor.services)
            done.append("Office, edge and worker answer")

    def start_site(self) -> None:
        """Serves the built demo site from now on."""
        built = demo_site.folder(self.directory, self.form_post)
        if built:
            serve = lambda: static_site.serve(built, HOST, self.ports["site"])  # noqa: E731
            self.supervisor.begin(self.supervisor.program("site", serve, health=self.local("site")))
            self.facts.site_is_built = True

    def _build_site(self) -> None:
        if self.facts.site_is_built or not demo_site.can_build():
            return
        where = demo_site.target(self.directory)
        build = self.supervisor.program(
            "site-build", lambda: demo_site.build(where, self.address("edge"), self.facts.form_key)
        )

        def done(status: int) -> None:
            if status == 0 and demo_site.folder(self.directory, self.form_post):
                self.start_site()
                self.terminal.say(f"The demo site is built: {self.address('site')}")
            else:
                self.terminal.say(f"The demo site could not be built; everything else runs.\n{build.tail()}")
            self.write_run_file()

        self.terminal.say("Building the demo site in the background (once; needs npm).")
        self.supervisor.run_errand(build, done)

    # --- what is said ---

    @property
    def form_post(self) -> str:
        """Where the demo's form is posted to."""
        return f"{self.address('edge')}/f/{self.facts.form_key}"

    @property
    def mail(self) -> str | None:
        """Where the mails are shown that a development machine keeps; None when they are really sent."""
        production = os.environ.get("DJANGO_SETTINGS_MODULE") != "consult.settings.dev"
        return None if production or _given("EMAIL_URL") else f"{self.address('office')}/mail/"

    def write_run_file(self) -> None:
        """The same facts for scripts: `<data dir>/run.json`, there while everything runs."""
        if not self.complete:
            return
        values: dict[str, Any] = {
            "office": self.address("office"),
            "edge": self.address("edge"),
            "site": self.address("site") if self.facts.site_is_built else None,
            "sign_in": self.facts.sign_in,
            "mail": self.mail,
            "form": {"key": self.facts.form_key, "post": self.form_post},
            "database": _given("BACKUP_DATABASE_URL"),
            "pids": self.supervisor.pids,
        }
        local.write_private(self.directory / RUN_FILE, json.dumps(values, indent=2) + "\n")

    def _print_panel(self, seconds: float) -> None:
        site: str | Text = self.address("site")
        if not self.facts.site_is_built:
            site = "being built" if demo_site.can_build() else "not built: install Node.js with npm, then `make sites`"
        self.terminal.panel(
            f"Consult is ready ({seconds:.1f} s)",
            [
                ("Office", self.address("office")),
                ("Sign in", Text(self.facts.sign_in, style="bold")),
                ("Form", self.form_post),
                ("Demo site", site),
                *([("Mail", self.mail)] if self.mail else []),
                ("Data", f"{self.directory} (logs in logs/, addresses in {RUN_FILE})"),
                ("Stop", "Ctrl-C"),
            ],
        )


def main() -> int:
    """Runs until Ctrl-C (status 0) or until it cannot go on (status 1)."""
    os.umask(0o077)
    try:
        directory = local.data_dir()
    except OSError as error:
        terminal.Terminal().fail(f"The data directory cannot be used: {error}")
        return 1
    os.chdir(local.ROOT)
    lock = Lock(directory / "up.lock")
    if not lock.take():
        terminal.Terminal().fail(_already_running(directory))
        return 1
    lock.write(f"{os.getpid()}\n")
    return _run(directory, lock)


def _run(directory: Path, lock: Lock) -> int:
    try:
        up = Up(directory)
    except supervisor.Failed as error:
        terminal.Terminal().fail(str(error))
        return 1
    up.supervisor.let_go_in_children(lock.abandon)
    failure = ""
    try:
        up.run()
    except supervisor.Stopped:
        up.terminal.say("Stopping…")
    except (
        supervisor.Failed,
        programs.CannotLoad,
        postgres_cluster.PostgresError,
        postgres_home.HomeError,
        local.LocalError,
    ) as error:
        failure = "" if up.supervisor.signals.requests else str(error)
    finally:
        up.complete = False
        up.supervisor.stop()
        (directory / RUN_FILE).unlink(missing_ok=True)
    if failure:
        up.terminal.fail(failure)
        return 1
    up.terminal.say("Everything has ended.")
    return 0


def _already_running(directory: Path) -> str:
    pid = (directory / "up.lock").read_text().strip()
    where = ""
    with contextlib.suppress(OSError, ValueError, KeyError):
        where = f", {json.loads((directory / RUN_FILE).read_text())['office']}"
    return (
        f"Consult already runs with the data in {directory} (pid {pid}{where}). "
        "End it with Ctrl-C there, or set CONSULT_DATA_DIR and other ports for a second copy."
    )


def _ports() -> dict[str, int]:
    ports = {}
    for name, (variable, usual) in PORTS.items():
        value = os.environ.get(variable) or str(usual)
        if not value.isdigit() or not 0 < int(value) < 65536:
            raise supervisor.Failed(f"{variable} has to be a port number, 1 to 65535.")
        ports[name] = int(value)
    return ports


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    # Where a listener on all addresses does not keep us from binding to one of them (macOS).
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def _given(variable: str) -> str:
    """The value of a variable or of the file that it names; empty when there is none."""
    value = os.environ.get(variable, "")
    file = os.environ.get(f"{variable}_FILE", "")
    if value or not file:
        return value
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        raise supervisor.Failed(f"{variable}_FILE cannot be read: {error}") from error


def _require_all_databases() -> None:
    missing = [variable for variable in DATABASES if not _given(variable)]
    if missing:
        raise supervisor.Failed(
            f"DATABASE_URL is set, so PostgreSQL is yours; then {', '.join(missing)} have to be set as well, "
            "each with its role. Without DATABASE_URL a server is started for you."
        )
