"""docs/security.md keeps its word: each requirement has a row, each row a test or setting that exists, or a reason."""

import re
from pathlib import Path

from tests import asvs
from tests.test_settings_docs import edge, office

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "security.md"
ROW = re.compile(r"^\| ([\d., ()L]+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
NUMBER = re.compile(r"\d+\.\d+(?:\.\d+)?")


def rows(text: str) -> list[tuple[set[str], str, str]]:
    """Return (numbers, what holds, what shows it) of every row. A section stands for all of its requirements."""
    found = []
    for numbers, what, shown in ROW.findall(text):
        named: set[str] = set()
        for number in NUMBER.findall(numbers):
            section = asvs.REQUIREMENTS.get(number)
            named |= {f"{number}.{each}" for each in section.split()} if section else {number}
        found.append((named, what, shown))
    return found


def unproved(text: str) -> list[str]:
    """Return what is wrong with the third column: nothing named, or something named that is not there."""
    wrong = []
    for numbers, _what, shown in rows(text):
        named = re.findall(r"`([^`]+)`", shown)
        # `file: test`, of which a row may name several of one file.
        tests = re.findall(r"`([^`:]+\.py): (\w+)`", shown)
        wrong += [f"{sorted(numbers)}: {file} has no {test}" for file, test in tests if not has(file, test)]
        named = [name.partition(": ")[0] for name in named]
        files = [name for name in named if "/" in name or name.endswith((".md", ".toml", ".py"))]
        settings = [name for name in named if re.fullmatch(r"[A-Z][A-Z_]{5,}", name)]
        wrong += [f"{sorted(numbers)}: {name} is not there" for name in files if not (ROOT / name).exists()]
        wrong += [f"{sorted(numbers)}: no setting {name}" for name in settings if name not in office() | edge()]
        decided = re.findall(r"ADR (\d{3})", shown)
        if not (files or settings or decided or re.search(r"not yet: \S+ \S+", shown)):
            wrong.append(f"{sorted(numbers)}: neither a test, nor a setting, nor a reason")
    return wrong


def has(file: str, test: str) -> bool:
    """Whether the file holds a test of exactly this name."""
    path = ROOT / file
    return path.exists() and re.search(rf"^(async )?def {test}\(", path.read_text("utf-8"), re.MULTILINE) is not None


def test_every_requirement_has_its_row() -> None:
    named = set().union(*(numbers for numbers, _what, _shown in rows(DOCUMENT.read_text("utf-8"))))
    assert sorted(asvs.wanted() - named) == []
    level_3 = {"1.2.10"}
    assert sorted(named - asvs.wanted() - level_3) == []


def test_every_row_is_proved() -> None:
    assert unproved(DOCUMENT.read_text("utf-8")) == []


def test_the_test_can_fail() -> None:
    assert unproved("| 3.4.1 | Said | `tests/no_such_test.py` |") == ["['3.4.1']: tests/no_such_test.py is not there"]
    mine = "tests/test_security_docs.py"
    assert unproved(f"| 3.4.1 | Said | `{mine}: test_the_test_can_fail` |") == []
    assert unproved(f"| 3.4.1 | Said | `{mine}: test_the_test` |") == [f"['3.4.1']: {mine} has no test_the_test"]
    assert unproved("| 3.4.1 | Said | `CONSULT_NO_SUCH` |") == ["['3.4.1']: no setting CONSULT_NO_SUCH"]
    assert unproved("| 3.4.1 | Said | somehow |") == ["['3.4.1']: neither a test, nor a setting, nor a reason"]
    assert unproved("| 3.4.1 | Said | not yet: it is to come |") == []
    assert rows("| 8.3 | Said | x |")[0][0] == {"8.3.1"}


def test_what_is_tested_is_collected() -> None:
    """A named test file holds tests: an empty one would prove nothing."""
    text = DOCUMENT.read_text("utf-8")
    for name in set(re.findall(r"`((?:tests|consult|edge)/[\w/]*test_\w+\.py)`", text)):
        assert "def test_" in (ROOT / name).read_text("utf-8"), name
