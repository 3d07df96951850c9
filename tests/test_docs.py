"""The documents stand alone and are true: what they name exists, and what has to be in them is there."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ADRS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("sites/*.md"), ROOT / ".env.example"]
)
# Their paths are of this repository; sites/README.md speaks of the files of a site.
WITH_PATHS = [document for document in DOCUMENTS if document.suffix == ".md" and document.parent.name != "sites"]

HEADINGS = ["Context", "Decision", "Why", "What enforces it", "What was given up"]
ADR_LINES = 80

TOP = "consult|edge|bench|sites|assets|tests|docs|tools|requirements"
# `consult/core/live.py: nudge`, or a path alone; a path with a placeholder in it names no file.
NAMED = re.compile(rf"`((?:{TOP}|\.ci)/[\w./-]*|[\w.-]+\.(?:md|toml|py)|Makefile)(?:: ([\w.]+))?`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[\w-]*)?\)")
# The rooms' own names, of which every feature has some, and the files of a client's site.
ROOMS = {
    *(f"{room}.py" for room in ("urls", "admin", "middleware", "views", "api", "jobs", "forms", "services", "queries")),
    *(
        "reports.py",
        "models.py",
        "rules.py",
        "apps.py",
        "environment.py",
        "base.py",
        "dev.py",
        "prod.py",
        "test.py",
        "__init__.py",
    ),
}
PLACES = re.compile(r"(?<![\w.<>])/(?:root|home|tmp|work|Users|mnt|srv)(?:/|\b)")
REGISTRIES = re.compile(r"\b(?:pypi|pythonhosted|npmjs|yarnpkg|docker)\.(?:org|com|io)\b|\bregistry\.", re.IGNORECASE)


def named(document: Path) -> Iterator[tuple[str, str]]:
    """Yield (path, name in it or an empty string) for each file that a document speaks of."""
    for path, name in NAMED.findall(document.read_text(encoding="utf-8")):
        if path not in ROOMS:
            yield path, name


def is_defined(path: Path, name: str) -> bool:
    """Whether each part of a dotted name is defined in the file: Python, SQL, JavaScript or a named statement."""
    kinds = r"^\s*(?:async def|def|class|function|async function|export function|CREATE FUNCTION|const|--) +"
    text = path.read_text(encoding="utf-8")
    return all(
        re.search(rf"{kinds}{re.escape(part)}\b|^{re.escape(part)} *(?::[^=\n]+)?= ", text, re.MULTILINE)
        for part in name.split(".")
    )


def title(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", WITH_PATHS, ids=title)
def test_named_files_and_functions_exist(document: Path) -> None:
    missing = []
    for path, name in named(document):
        file = ROOT / path
        if not file.exists():
            missing.append(path)
        elif name and not is_defined(file, name):
            missing.append(f"{path}: {name}")
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=title)
def test_links_lead_into_the_repository(document: Path) -> None:
    for target in LINK.findall(document.read_text(encoding="utf-8")):
        if not target.startswith(("https://", "http://")):
            found = (document.parent / target).resolve()
            assert found.exists(), target
            assert found.is_relative_to(ROOT), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=title)
def test_no_machine_and_no_registry_is_named(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert PLACES.findall(text) == []
    assert REGISTRIES.findall(text) == []
    outside = [path for path in re.findall(r"(?:\.\./)+[\w-]+", text) if not (document.parent / path).exists()]
    assert outside == []


def test_every_decision_has_its_number_and_its_headings() -> None:
    numbers = [adr.name[:3] for adr in ADRS]
    assert len(numbers) == len(set(numbers))
    listed = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    for adr in ADRS:
        text = adr.read_text(encoding="utf-8")
        assert text.startswith(f"# ADR {adr.name[:3]}: "), adr.name
        assert re.search(r"^- Status: (accepted|superseded)", text, re.MULTILINE), adr.name
        assert re.search(r"^- Date: \d{4}-\d\d-\d\d$", text, re.MULTILINE), adr.name
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS, adr.name
        assert text.count("\n") <= ADR_LINES, f"{adr.name} is longer than a page"
        assert f"({adr.name})" in listed, adr.name


def test_decisions_that_are_cited_exist() -> None:
    known = {adr.name[:3] for adr in ADRS}
    for document in DOCUMENTS:
        cited = set(re.findall(r"\bADR (\d{3})\b", document.read_text(encoding="utf-8")))
        assert cited <= known, document.name


def features() -> list[str]:
    """Return the features from the highest to the lowest, as the import contract says."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    line = next(each["layers"] for each in contracts if each.get("containers") == ["consult"])
    return [name for name in line if (ROOT / "consult" / name / "apps.py").is_file()]


def test_the_map_has_every_feature_in_its_own_words() -> None:
    map = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
    assert f"`{' → '.join(features())}`" in map
    for folder in sorted((ROOT / "consult").iterdir()):
        if (folder / "apps.py").is_file():
            assert folder.name in features()
            sentence = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
            assert sentence, folder.name
            assert f"| `consult/{folder.name}/` | {sentence} |" in map


def test_the_map_has_every_room_of_core_machine_and_edge() -> None:
    map = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
    folders = (ROOT / "consult" / "core", ROOT / "consult" / "machine", ROOT / "edge")
    files = [file for folder in folders for file in folder.glob("*.py")]
    names = {title(file) for file in files if file.name not in ("__init__.py", "__main__.py", "apps.py")}
    assert {name for name in names if f"`{name}`" not in map} == set()


def test_the_walk_passes_functions() -> None:
    walk = (ROOT / "docs" / "map.md").read_text(encoding="utf-8").partition("## The walk of one enquiry")[2]
    steps = [line for line in walk.splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(step.split("|")[1]) for step in steps] == list(range(1, len(steps) + 1))
    assert len(steps) >= 12
    for step in steps:
        assert any(name for _path, name in NAMED.findall(step)), step


@pytest.mark.parametrize("document", WITH_PATHS, ids=title)
def test_commands_of_make_exist(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):.*## ", makefile, re.MULTILINE))
    text = document.read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    said = {
        *re.findall(r"`make ([a-z0-9-]+)", text),
        *re.findall(r"^(?:\w+=\S+ )*make ([a-z0-9-]+)", blocks, re.MULTILINE),
    }
    assert said <= targets
    if title(document) == "README.md":
        assert targets - said == {"help"}


def test_the_licence_is_the_one_that_is_said() -> None:
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "GNU AFFERO GENERAL PUBLIC LICENSE" in licence
    assert "13. Remote Network Interaction" in licence
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"] == "AGPL-3.0-or-later"
