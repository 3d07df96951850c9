"""What `consult up` says to the person who started it: one line a step, with its time."""

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text


class Tolerant(Console):
    """A console whose reader may go away: what runs goes on."""

    def on_broken_pipe(self) -> None:
        """Rich would end the process here."""


class Terminal:
    """Lines on standard output. No spinner: that would need a thread, and the process forks."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Tolerant(highlight=False, soft_wrap=True)

    def print(self, what: RenderableType, end: str = "\n") -> None:
        """One renderable; a terminal that is gone (closed window) is no reason to fail."""
        with contextlib.suppress(OSError):
            self.console.print(what, end=end)

    @contextlib.contextmanager
    def step(self, doing: str) -> Iterator[list[str]]:
        """One step: what is being done, then that it was done and how long it took. What the caller puts into
        the list replaces the text of the finished line."""
        began = time.monotonic()
        done: list[str] = []
        if self.console.is_terminal:
            self.print(Text(f"  … {doing}", style="dim"), end="\r")
        try:
            yield done
        except BaseException:
            self._finish("✗", "red", doing, began)
            raise
        self._finish("✓", "green", done[0] if done else doing, began)

    def say(self, text: str) -> None:
        """One line with the time of day, for what happens later."""
        stamp = time.strftime("%H:%M:%S")
        self.print(Text.assemble((f"{stamp} ", "dim"), text))

    def fail(self, text: str) -> None:
        """Why it ends, at the very end."""
        head, _, rest = text.partition("\n")
        self.print(Text.assemble(("Error: ", "bold red"), (head, "bold")))
        if rest:
            self.print(Text(rest))

    def panel(self, title: str, rows: list[tuple[str, RenderableType]]) -> None:
        """A frame with one row for each (name, value)."""
        if not self.console.is_terminal:
            for name, value in rows:
                self.print(Text.assemble(f"  {name:<9} ", str(value)))
            return
        table = Table.grid(padding=(0, 2))
        for name, value in rows:
            table.add_row(Text(name, style="dim"), value)
        self.print(Panel(table, title=title, title_align="left", border_style="green", expand=False))

    def _finish(self, mark: str, style: str, text: str, began: float) -> None:
        if self.console.is_terminal:
            # Over the line that said what is being done.
            with contextlib.suppress(OSError):
                self.console.file.write("\r\x1b[2K")
        seconds = f"  {time.monotonic() - began:.1f} s"
        self.print(Text.assemble("  ", (mark, style), f" {text}", (seconds, "dim")))
