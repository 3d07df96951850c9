"""The machine's clock jumps: ten minutes ahead, a day back. Nothing hangs, nothing is lost, doubled or held for it."""

import pathlib

import pytest

from edge.tests import rows
from edge.tests.database import Database
from tests.faults import ledger
from tests.faults.conftest import Launch, Scale, Steady
from tests.faults.proxy import Proxy

LIBRARIES = ("usr/lib/*/faketime/libfaketimeMT.*", "usr/local/lib/faketime/libfaketimeMT.*")


class Clock:
    """What a program with this environment takes for the time of day; its timers (CLOCK_MONOTONIC) go on as ever."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._file = folder / "clock"
        self.jump(0)
        self.environ = {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }

    def jump(self, seconds: int) -> None:
        """So far from the real time, from now on."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+d}s\n")
        new.rename(self._file)


def _library() -> pathlib.Path:
    found = [path for pattern in LIBRARIES for path in pathlib.Path("/").glob(pattern)]
    assert found, "libfaketime is missing; `make test` installs it"
    return found[0]


@pytest.mark.parametrize("seconds", [600, -86_400], ids=["ten minutes ahead", "a day back"])
def test_it_jumps(
    proxy: Proxy,
    office: Database,
    launch: Launch,
    key: str,
    steady: Steady,
    scale: Scale,
    seconds: int,
    tmp_path: pathlib.Path,
) -> None:
    clock = Clock(tmp_path)
    edge = launch(proxy.url, **clock.environ)
    with steady(edge.url) as visitors:
        visitors.more(201, scale.many)
        clock.jump(seconds)
        visitors.more(201, scale.many)
        # And while rows wait in the spool: some are older than others that came before them.
        proxy.shut()
        visitors.more(202, scale.many)
        clock.jump(0)
        visitors.more(202, scale.many)
        clock.jump(seconds)
        visitors.more(202, scale.many)
        proxy.open()
        visitors.more(201, scale.many)
    assert not visitors.refused
    ledger.check(office, key, visitors)
    assert all(row.signals == [] for row in office.submissions(key))
    # It did jump: the rows say so.
    (span,) = office.fetch(
        "SELECT extract(epoch FROM max(received_at) - min(received_at))::int AS seconds FROM intake_submission"
        " WHERE form_id = (SELECT id FROM intake_form WHERE key = $1)",
        key,
    )
    assert abs(seconds) <= span["seconds"] <= abs(seconds) + 120
    assert len(rows.counts(office, key)) >= (2 if seconds < 0 else 1)
