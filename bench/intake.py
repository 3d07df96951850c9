"""`make bench-intake`: how many submissions a second does the edge accept, beside others that do the same work?

One run, one machine, one durable PostgreSQL. Every program parses JSON, looks at the honeypot, knows the form, inserts
one row with the same columns into the same table and answers after the commit. What is counted is checked: after every
measurement the table must hold exactly as many rows as there were answers 2xx.
"""

import argparse
import os
import pathlib
import signal
import sys
import time
from collections.abc import Sequence

from rich.console import Console

from bench import database, facts, install, load, places, programs, report, yardsticks

_TRY_CONNECTIONS = 64
# A load average that other programs make.
_BUSY = 0.7
_WIDTH = 160


class Mismatch(Exception):
    """What was answered is not what is stored: the figure would be worth nothing."""


class Bench:
    """One run of all that was asked for."""

    def __init__(self, options: argparse.Namespace, store: database.Database, console: Console) -> None:
        self.options = options
        self.store = store
        self.console = console
        self.measured: list[report.Measurement] = []
        # What each peer and yardstick runs with.
        self.chosen: dict[str, programs.Variant] = {}

    def run(self) -> None:
        """All rounds; the order rotates, so that nobody always comes first. Raises what a program raises."""
        names = [name for name in report.titles() if name in self.options.only]
        for name in names:
            self._choose(name)
        for number in range(self.options.rounds):
            start = number % len(names)
            for name in names[start:] + names[:start]:
                if name in yardsticks.VARIANTS:
                    rate = self._reach(name, self.chosen[name], self.options.seconds)
                    self._note(report.Measurement(name, 0, number, rate))
                else:
                    self._program(programs.named(name), number)

    def _choose(self, name: str) -> None:
        """Tries the variants of one for a short time and keeps the best."""
        yardstick = yardsticks.VARIANTS.get(name)
        variants = yardstick or programs.named(name).variants
        if len(variants) > 1 and self.options.try_seconds:
            rates = [self._reach(name, variant, self.options.try_seconds) for variant in variants]
            self.chosen[name] = variants[rates.index(max(rates))]
            told = ", ".join(f"{_words(each)}: {rate:,.0f}/s" for each, rate in zip(variants, rates, strict=True))
            self.console.print(f"  tried    {name:8} {told}")
        else:
            self.chosen[name] = variants[0]

    def _reach(self, name: str, variant: programs.Variant, seconds: int) -> float:
        """Rows a second of a yardstick, or of a program with a short warm-up."""
        if name == "pgbench":
            self.store.fresh()
            return yardsticks.pgbench(self.store, clients=variant["connections"], seconds=seconds)
        if name == "batches":
            self.store.fresh()
            return yardsticks.batches(self.store, connections=variant["connections"], seconds=seconds)
        with programs.running(programs.named(name), variant, self.store) as running:
            load.post(running.port, connections=_TRY_CONNECTIONS, seconds=1)
            self.store.fresh()
            seen = load.post(running.port, connections=_TRY_CONNECTIONS, seconds=seconds)
            self._check(running, seen)
            return seen.accepted / seconds

    def _program(self, program: programs.Program, number: int) -> None:
        with programs.running(program, self.chosen[program.name], self.store) as running:
            idle = running.pss_bytes()
            load.post(running.port, connections=_TRY_CONNECTIONS, seconds=self.options.warm_up)
            for connections in self.options.connections:
                self._measure(running, connections, number, idle)

    def _measure(self, running: programs.Running, connections: int, number: int, idle: int) -> None:
        self.store.fresh()
        seconds = self.options.seconds
        own, database = running.cpu_seconds(), self.store.cpu_seconds()
        seen = load.post(running.port, connections=connections, seconds=seconds)
        own, database = running.cpu_seconds() - own, self.store.cpu_seconds() - database
        self._check(running, seen)
        found = report.Measurement(
            running.program.name,
            connections,
            number,
            seen.accepted / seconds,
            seen.p50 / 1000,
            seen.p99 / 1000,
            running.pss_bytes(),
            idle,
            own / max(seen.accepted, 1) * 1e6,
            database / max(seen.accepted, 1) * 1e6,
        )
        self._note(found)

    def _check(self, running: programs.Running, seen: load.Load) -> None:
        title = running.program.title
        if seen.refused or seen.broken or seen.sent != seen.answered:
            raise Mismatch(f"{title}: not every request was accepted: {seen}\n{running.log_tail()}")
        rows = self.store.rows()
        if rows != seen.accepted:
            raise Mismatch(f"{title}: {seen.accepted} answers 2xx, {rows} rows.\n{running.log_tail()}")
        if running.program.consult and self.store.counted() != rows:
            raise Mismatch(f"{title}: {rows} rows, but {self.store.counted()} are counted as accepted.")

    def _note(self, found: report.Measurement) -> None:
        self.measured.append(found)
        rest = f" at {found.connections}, p99 {found.p99:.1f} ms" if found.p99 is not None else ""
        self.console.print(f"  round {found.round + 1}  {found.name:8} {found.accepted_per_second:9,.0f}/s{rest}")

    def result(self, told: dict[str, object]) -> dict[str, object]:
        """All that a later reader needs, for JSON."""
        return {
            "facts": told,
            "options": {
                "seconds": self.options.seconds,
                "warm_up_seconds": self.options.warm_up,
                "rounds": self.options.rounds,
                "connections": self.options.connections,
            },
            "variants": self.chosen,
            "bars": report.BARS,
            "medians": [
                row for at in self.options.connections for row in report.rows(self.measured, report.titles(), at)
            ],
            "measurements": self.measured,
        }


def _options(words: Sequence[str]) -> argparse.Namespace:
    known = ",".join(report.titles())
    parser = argparse.ArgumentParser(prog="python -m bench.intake", description="Measure the intake beside its peers.")
    parser.add_argument("--only", type=_names, default=_names(known), help=f"some of {known}")
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement (10)")
    parser.add_argument("--warm-up", type=int, default=3, help="seconds before the first measurement of a program (3)")
    parser.add_argument("--rounds", type=int, default=3, help="how often all are measured (3)")
    parser.add_argument("--try-seconds", type=int, default=3, help="for each variant of a peer; 0: the first one (3)")
    parser.add_argument("--connections", type=_numbers, default=[64, 256], help="64,256")
    parser.add_argument("--json", type=pathlib.Path, default=places.RESULTS, help=f"where to ({places.RESULTS})")
    return parser.parse_args(words)


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = set(names) - set(report.titles())
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return names


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _words(variant: programs.Variant) -> str:
    return " ".join(f"{number} {name}" for name, number in variant.items())


def _install(names: Sequence[str]) -> None:
    install.load_generator()
    for step in dict.fromkeys(program.install for program in programs.ALL if program.name in names):
        step()


def main(words: Sequence[str]) -> int:
    options = _options(words)
    # Whoever ends this by a signal finds nothing left running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    if os.getloadavg()[0] > _BUSY:
        console.print(f"This machine is busy (load {os.getloadavg()[0]:.1f}): the figures will be worth little.")
    try:
        _install(options.only)
        began = time.monotonic()
        with database.running() as store:
            told = facts.facts(store)
            console.print(f"{told['cores']} × {told['processor']}, PostgreSQL {told['postgresql']}, {store.settings()}")
            bench = Bench(options, store, console)
            bench.run()
            for connections in options.connections:
                found = report.rows(bench.measured, report.titles(), connections)
                report.show(console, found, connections, options.rounds)
            report.write(options.json, bench.result(told))
    except (
        install.Missing,
        database.Busy,
        programs.ProgramError,
        load.LoadError,
        yardsticks.YardstickError,
        Mismatch,
    ) as error:
        console.print(f"FAILED: {error}", markup=False)
        return 1
    console.print(f"Written to {options.json} after {time.monotonic() - began:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
