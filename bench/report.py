"""The table that a person reads, and the file that a program reads."""

import statistics
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bench import programs

# How many times faster Consult has to be, and is meant to be.
BARS = {"hono": (3.0, 4.0), "fastapi": (5.0, 6.0), "drf": (15.0, 20.0), "pgbench": (1.7, 2.0)}
# Its 99th percentile at 64 connections: at most this part of Hono's.
P99_CONNECTIONS = 64
P99_PART = 0.5


class Measurement(msgspec.Struct, frozen=True):
    """One program in one round. Times are milliseconds; `connections` is 0 for yardsticks.

    `own_cpu`, `database_cpu`: processor time for each accepted submission, in microseconds, of the program and of
    PostgreSQL.
    """

    name: str
    connections: int
    round: int
    accepted_per_second: float
    p50: float | None = None
    p99: float | None = None
    memory_bytes: int | None = None
    idle_bytes: int | None = None
    own_cpu: float | None = None
    database_cpu: float | None = None


class Row(msgspec.Struct, frozen=True):
    """Medians over the rounds. `ratio`: how many times as much Consult accepts."""

    name: str
    title: str
    connections: int
    accepted_per_second: float
    lowest: float
    highest: float
    p50: float | None
    p99: float | None
    memory_bytes: int | None
    idle_bytes: int | None
    own_cpu: float | None
    database_cpu: float | None
    ratio: float | None


def rows(measured: list[Measurement], titles: dict[str, str], connections: int) -> list[Row]:
    """One for each program at this many connections, and one for each yardstick, in the order of `titles`."""
    found: list[Row] = []
    own = _rate(measured, "consult", connections)
    for name, title in titles.items():
        mine = [each for each in measured if each.name == name and each.connections in (connections, 0)]
        if not mine:
            continue
        rate = statistics.median(each.accepted_per_second for each in mine)
        found.append(
            Row(
                name,
                title,
                connections,
                rate,
                min(each.accepted_per_second for each in mine),
                max(each.accepted_per_second for each in mine),
                _median([each.p50 for each in mine]),
                _median([each.p99 for each in mine]),
                int(_median([each.memory_bytes for each in mine]) or 0) or None,
                int(_median([each.idle_bytes for each in mine]) or 0) or None,
                _median([each.own_cpu for each in mine]),
                _median([each.database_cpu for each in mine]),
                own / rate if own and rate and name != "consult" else None,
            )
        )
    return found


def show(console: Console, found: list[Row], connections: int, rounds: int) -> None:
    table = Table(title=f"{connections} connections, medians of {rounds}", title_justify="left")
    table.add_column("", no_wrap=True)
    for heading in (
        "accepted/s",
        "spread",
        "p50 ms",
        "p99 ms",
        "memory MB",
        "idle",
        "CPU µs",
        "PG µs",
        "Consult",
        "bar (aim)",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in found:
        table.add_row(
            row.title,
            f"{row.accepted_per_second:,.0f}",
            f"±{(row.highest - row.lowest) / 2 / max(row.accepted_per_second, 1):.0%}",
            _number(row.p50),
            _number(row.p99),
            f"{row.memory_bytes / 1e6:.0f}" if row.memory_bytes else "–",
            f"{row.idle_bytes / 1e6:.0f}" if row.idle_bytes else "–",
            _number(row.own_cpu),
            _number(row.database_cpu),
            f"{row.ratio:.2f} ×" if row.ratio else "–",
            _bar(row),
        )
    console.print(table)
    p99 = {row.name: row.p99 for row in found}
    own, other = p99.get("consult"), p99.get("hono")
    if connections == P99_CONNECTIONS and own and other:
        good = own <= other * P99_PART
        console.print(f"p99: {own / other:.2f} of Hono's; the bar is {P99_PART}. {'✓' if good else '✗'}")


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")


def titles() -> dict[str, str]:
    """All programs and yardsticks by their short names, in the table's order."""
    return {program.name: program.title for program in programs.ALL} | {
        "pgbench": "pgbench, one row a commit",
        "batches": "batches of 256, without HTTP",
    }


def _bar(row: Row) -> str:
    if row.name not in BARS or row.ratio is None:
        return "–"
    least, aim = BARS[row.name]
    return f"{least:g} ({aim:g}) {'✓' if row.ratio >= least else '✗'}"


def _rate(measured: list[Measurement], name: str, connections: int) -> float | None:
    return _median([m.accepted_per_second for m in measured if (m.name, m.connections) == (name, connections)])


def _median(values: list[float | None] | list[float] | list[int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}" if value < 100 else f"{value:,.0f}"
