"""The steps of the commands of make that check something, each with its time; one that fails ends it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv" / "bin"
OLD_POSTGRES = Path("/usr/lib/postgresql/15/bin")
# What speaks SQL of its own: catalogue, migrations, doors, and what of the edge stores, replays, looks up and listens.
EDGE_WITH_SQL = (
    *("accept_submission", "batching", "drainer", "faults", "forms", "health", "idempotency", "identity", "live"),
    *("receipts", "refuse_submission", "spool", "tokens", "upload_submission"),
)
ON_OLD_POSTGRES = (
    "tests/test_tenancy_catalogue.py",
    "tests/test_tenancy_sql.py",
    "tests/test_migrations.py",
    "tests/test_doors.py",
    "consult/inbox/tests/test_search.py",
    *(f"edge/tests/test_{name}.py" for name in EDGE_WITH_SQL),
)
# What drives browsers, and what counts on the whole machine while it breaks things: one after the other.
ALONE = ("tests/e2e", "tests/faults")
# Each process has a PostgreSQL of its own; more of them than this are in each other's way.
PROCESSES = min(os.cpu_count() or 1, 4)
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Missing(Exception):
    """Something that a step needs and that this run cannot install; the text says what to install."""


def run(*command: str | Path, folder: Path = ROOT, environment: dict[str, str] | None = None) -> Callable[[], None]:
    """Return a step that runs a program and fails when it does."""

    def step() -> None:
        subprocess.run([str(word) for word in command], cwd=folder, env=os.environ | (environment or {}), check=True)

    return step


def pytest(*arguments: str) -> Callable[[], None]:
    return run(BIN / "pytest", "-q", "--durations=5", *arguments)


def apt(program: str, package: str, *, found: Callable[[], bool]) -> None:
    """Install a Debian package when it is missing and we may; raise Missing when we may not."""
    if found():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
        subprocess.run(command, check=False, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
    if not found():
        raise Missing(f"{program} is missing. On Debian and Ubuntu: apt-get install {package}")


def prepare() -> None:
    """See that what the tests need and pip cannot install is there: npm, a Chromium, a Redis, a clock that jumps."""
    apt("npm", "npm", found=lambda: shutil.which("npm") is not None)
    apt("Redis", "redis-server", found=lambda: shutil.which("redis-server") is not None)
    clock()
    apt("Chromium", "chromium", found=lambda: any(shutil.which(name) for name in CHROMIUMS))


def clock() -> None:
    libraries = ("usr/lib/*/faketime/libfaketimeMT.*", "usr/local/lib/faketime/libfaketimeMT.*")
    apt("libfaketime", "libfaketime", found=lambda: any(any(Path("/").glob(pattern)) for pattern in libraries))


def npm(folder: str, *arguments: str) -> Callable[[], None]:
    return run("npm", *arguments, folder=ROOT / folder)


def old_postgres() -> None:
    if not OLD_POSTGRES.is_dir():
        sys.stdout.write(f"{OLD_POSTGRES} is not on this machine; only the embedded server was tested.\n")
        return
    run(BIN / "pytest", "-q", *ON_OLD_POSTGRES, environment={"CONSULT_TEST_POSTGRES": str(OLD_POSTGRES)})()


Steps = list[tuple[str, Callable[[], None]]]

CHECK: Steps = [
    ("Format", run(BIN / "ruff", "format", "--check", ".")),
    ("Lint", run(BIN / "ruff", "check", ".")),
    ("Types", run(BIN / "mypy", ".")),
    ("Import contracts", run(BIN / "lint-imports", "--no-logo")),
    (
        "Migrations fit the models",
        run(
            *(BIN / "python", "-W", "ignore", "manage.py", "makemigrations", "--check", "--dry-run"),
            environment={"DJANGO_SETTINGS_MODULE": "consult.settings.test"},
        ),
    ),
]
E2E: Steps = [
    ("Prerequisites", prepare),
    ("Sites: packages", npm("sites", "ci", "--no-progress")),
    ("Sites: build", npm("sites", "run", "build")),
    ("End to end in a browser", pytest("tests/e2e")),
]
TEST: Steps = [
    *CHECK,
    ("Prerequisites", prepare),
    ("Stylesheet: packages", npm("assets", "ci", "--no-progress")),
    ("Stylesheet: the committed one is current", npm("assets", "run", "check")),
    ("Sites: packages", npm("sites", "ci", "--no-progress")),
    ("Sites: types", npm("sites", "run", "check")),
    ("Sites: tests", npm("sites", "test")),
    ("Sites: build", npm("sites", "run", "build")),
    ("PostgreSQL 15", old_postgres),
    (
        "Tests, several at once",
        pytest(f"--numprocesses={PROCESSES}", "--dist=loadfile", *(f"--ignore={folder}" for folder in ALONE)),
    ),
    ("Tests, one after the other", pytest(*ALONE)),
]
FAULTS: Steps = [
    ("Prerequisites", clock),
    ("Faults, the long form", run(BIN / "pytest", "-v", "tests/faults", environment={"CONSULT_TEST_FAULTS": "long"})),
]
FUZZ: Steps = [
    (
        "The JSON API, fuzzed for long",
        run(
            BIN / "pytest",
            "-v",
            "tests/test_api_fuzz.py",
            "tests/test_api_corpus.py",
            environment={"CONSULT_TEST_FUZZ": "long"},
        ),
    ),
]
MENUS = {"check": CHECK, "test": TEST, "e2e": E2E, "faults": FAULTS, "fuzz": FUZZ}


def main(name: str) -> int:
    began = time.monotonic()
    times: list[str] = []
    for title, step in MENUS[name]:
        sys.stdout.write(f"\n── {title}\n")
        sys.stdout.flush()
        start = time.monotonic()
        try:
            step()
        except (subprocess.CalledProcessError, Missing, FileNotFoundError) as error:
            seconds = time.monotonic() - start
            sys.stdout.write("\n".join(["", *times, f"  ✗ {title}  {seconds:.1f} s", f"FAILED: {title}: {error}", ""]))
            return 1
        times.append(f"  ✓ {title}  {time.monotonic() - start:.1f} s")
    sys.stdout.write("\n".join(["", *times, f"All of `make {name}` passed in {time.monotonic() - began:.0f} s.", ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
