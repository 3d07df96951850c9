"""What is said stays readable, and a terminal that goes away ends nothing."""

import io

import pytest
from rich.console import Console

from consult.machine import terminal


class Closed(io.StringIO):
    """Nobody reads this any more."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def spoken(console_file: io.StringIO) -> terminal.Terminal:
    return terminal.Terminal(Console(file=console_file, highlight=False, soft_wrap=True))


def test_step_says_what_was_done_and_how_long() -> None:
    file = io.StringIO()
    with spoken(file).step("Doing it") as done:
        done.append("It is done")
    assert file.getvalue() == "  ✓ It is done  0.0 s\n"


def test_failed_step_says_what_failed() -> None:
    file = io.StringIO()
    with pytest.raises(RuntimeError), spoken(file).step("Doing it"):
        raise RuntimeError
    assert file.getvalue() == "  ✗ Doing it  0.0 s\n"


def test_brackets_are_text_and_reasons_come_last() -> None:
    file = io.StringIO()
    spoken(file).fail("It broke [here].\n  line [1]")
    assert file.getvalue() == "Error: It broke [here].\n  line [1]\n"


def test_closed_reader_ends_nothing() -> None:
    speaker = terminal.Terminal(terminal.Tolerant(file=Closed()))
    speaker.say("Is anybody there?")
    with speaker.step("Going on"):
        pass
