"""`pgrls lint` against the migrated schema: every warning is accepted with a reason, or fails."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from conftest import Database
from consult.core import grants

BASELINE = Path(__file__).with_name("pgrls_baseline.toml")


def lint(url: str) -> list[tuple[str, str]]:
    """Return (rule, object) of every warning and error."""
    program = Path(sys.executable).with_name("pgrls")
    done = subprocess.run(
        [program, "lint", "--database-url", url, "--format", "json", "--fail-on", "warning"],
        stdout=subprocess.PIPE,
        cwd=BASELINE.parent,
        check=False,
    )
    assert done.returncode in (0, 1)
    found = json.loads(done.stdout)["violations"]
    return [(each["rule_id"], each["location"]) for each in found if each["severity"] in ("warning", "error")]


def judge(found: Iterable[tuple[str, str]], accepted: list[dict[str, Any]]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return what no line of the baseline accepts, and the lines that nothing needs."""
    left, used = [], set()
    for rule, location in found:
        fits = [line for line in accepted if line["rule"] == rule and re.fullmatch(line["objects"], location)]
        used |= {line["rule"] for line in fits}
        if not fits and not (rule == "SEC001" and location.removeprefix("public.") in grants.GLOBAL_TABLES):
            left.append((rule, location))
    return left, [line["rule"] for line in accepted if line["rule"] not in used]


def test_nothing_is_left_beside_the_baseline(database: Database) -> None:
    accepted = tomllib.loads(BASELINE.read_text(encoding="utf-8"))["accepted"]
    assert all(len(line["reason"]) > 20 for line in accepted)
    assert judge(lint(database.urls["superuser"]), accepted) == ([], [])
    # And it can fail.
    for statement in (
        "CREATE TABLE canary (id int, agency_id bigint)",
        "ALTER TABLE crm_client NO FORCE ROW LEVEL SECURITY",
        "CREATE POLICY more ON inbox_note FOR SELECT TO consult_app USING (true)",
        "CREATE FUNCTION canary() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM crm_client'",
    ):
        database.ask(statement, role="consult_owner")
    left = judge(lint(database.urls["superuser"]), accepted)[0]
    objects = {location for _rule, location in left}
    assert {"public.canary", "public.crm_client", "public.inbox_note.more"} <= objects
    assert ("SEC014", "public.canary") in left
