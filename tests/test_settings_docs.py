"""Every variable that the programs read is documented, and nothing is documented that they do not read."""

import re
from pathlib import Path

from consult.settings.environment import Environment

ROOT = Path(__file__).resolve().parents[1]
# Read outside the two lists: by Django, by the tests, by the client sites' build, by tools.
BESIDE = {
    "DJANGO_SETTINGS_MODULE",
    "CONSULT_TEST_POSTGRES",
    "CONSULT_TEST_FAULTS",
    "CONSULT_TEST_FUZZ",
    "PUBLIC_CONSULT_EDGE_URL",
    "PUBLIC_CONSULT_FORM_KEY",
    "PYTHON",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
}


def office() -> set[str]:
    return set(Environment.model_fields)


def edge() -> set[str]:
    """Return what the edge's reader is asked for: `read.text("NAME", …)`, `read.port("NAME", …)` …"""
    return set(re.findall(r'\bread\.\w+\(\s*"([A-Z][A-Z0-9_]+)"', (ROOT / "edge/config.py").read_text("utf-8")))


def rows(text: str) -> set[str]:
    """Return the names in the first column of the tables."""
    return {name for line in text.splitlines() for name in re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \|", line)}


def assigned(text: str) -> set[str]:
    return set(re.findall(r"^#?\s?([A-Z][A-Z0-9_]+)=", text, flags=re.MULTILINE))


def test_the_lists_are_what_the_programs_read() -> None:
    assert {"EDGE_DATABASE_URL", "CONSULT_EDGE_HOST", "CONSULT_EDGE_PORT"} <= edge()
    assert {"SECRET_KEY", "DATABASE_URL"} <= office()


def test_settings_md_has_a_row_for_each() -> None:
    text = (ROOT / "docs/settings.md").read_text("utf-8")
    assert rows(text) - BESIDE == office() | edge()
    for name in office() | edge() | (BESIDE - {"PYTHON"}):
        assert f"`{name}`" in text, name
    assert rows("| `NEW_ONE` | meaning |\n") == {"NEW_ONE"}


def test_the_example_names_each() -> None:
    text = (ROOT / ".env.example").read_text("utf-8")
    assert assigned(text) - BESIDE == office() | edge()
    # Nothing in it is on, and nothing looks like a real secret.
    assert not re.search(r"^[A-Z]", text, flags=re.MULTILINE)
    assert assigned("#NEW_ONE=1\n") == {"NEW_ONE"}
