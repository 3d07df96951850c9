"""Every icon that a template asks for is there."""

import re
from pathlib import Path

from consult.core.templatetags import icons

ROOT = Path(__file__).resolve().parents[2]
_USED = re.compile(r'<c-icon name="([^"{]+)"|{% icon "([^"]+)"|\bicon="([^"{]+)"')


def test_all_are_there() -> None:
    used: dict[str, Path] = {}
    for template in ROOT.rglob("templates/**/*.html"):
        for names in _USED.findall(template.read_text("utf-8")):
            used[next(filter(None, names))] = template
    assert len(used) > 30
    empty = icons.icon("no such icon")
    assert {name: file.name for name, file in used.items() if icons.icon(name) == empty} == {}


def test_classes_are_escaped() -> None:
    assert '<svg class="icon &quot;&gt;"' in icons.icon("check", '">')
    assert icons.icon("no such icon").endswith('focusable="false"></svg>')
