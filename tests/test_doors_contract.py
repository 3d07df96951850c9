"""The edge's statements fit the doors that the migrations made, and its role may do nothing else."""

import json
import re
import uuid
from pathlib import Path

import psycopg
import pytest

from conftest import Cast, Database
from consult.accounts import services as accounts
from tests import doors

FILE = {"id": str(uuid.uuid4()), "field": "", "name": "", "media_type": "", "size": 0, "sha256": "", "location": ""}
KEY = f"frm_{'a' * 22}"
# What a statement is tried with; the others get NULL for everything.
SAMPLES = {
    "accept_submissions": doors.parameters("edge-1", False, [doors.Row(KEY, files=json.dumps([FILE]))], []),
    "set_aside": ("edge-1", False, [uuid.uuid4()], [KEY], [None], ["1"], [doors.NOW], ["Why"], [b"raw"], "[]"),
    "report": ("spool-1", "host-1", doors.NOW, 0, None, "[]"),
}


def statements() -> dict[str, str]:
    """Return the edge's statements by name, from its files: the edge itself is not imported here."""
    folder = Path(__file__).resolve().parents[1] / "edge" / "sql"
    text = "\n".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.sql")))
    parts = re.split(r"^-- (\w+): .*$", text, flags=re.MULTILINE)
    return {name: body.strip().rstrip(";") for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def broken(database: Database) -> dict[str, str]:
    """Return each statement that the edge cannot prepare and run, or that stores nothing, and why."""
    faults = {}
    with psycopg.connect(database.urls["consult_edge"]) as edge:
        for name, statement in statements().items():
            try:
                edge.execute(f"PREPARE {name} AS {statement}")
                # The right to a function is asked for when it runs, and so is what its body names.
                if name in SAMPLES:
                    # psycopg's own placeholders, in the order of the numbers. Taken back below.
                    edge.execute(re.sub(r"\$\d+", "%s", statement).encode(), SAMPLES[name])
                    continue
                found = edge.execute(
                    "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = %s", [name]
                ).fetchone()
                assert found
                nothing = f"({', '.join(['NULL'] * found[0])})" if found[0] else ""
                edge.execute(f"EXECUTE {name}{nothing}")
            except psycopg.Error as error:
                faults[name] = str(error)
            finally:
                edge.rollback()
    return faults


def test_the_edges_statements_fit_the_schema(database: Database, cast: Cast) -> None:
    assert {"accept_submissions", "find_form", "list_public_keys", "report", "set_aside"} <= set(statements())
    assert broken(database) == {}


# Done one after the other: what broke stays broken.
BREAKING = [
    ("REVOKE EXECUTE ON FUNCTION accounts_public_keys_v2 FROM consult_edge", "list_public_keys"),
    ("ALTER FUNCTION intake_form_v2(text, int) RENAME TO intake_form_v3", "find_form"),
    ("REVOKE EXECUTE ON FUNCTION intake_report_v1 FROM consult_edge", "report"),
    ("ALTER TABLE intake_submission ADD weight int NOT NULL", "accept_submissions"),
]


def test_the_contract_can_break(database: Database, cast: Cast) -> None:
    known: set[str] = set()
    for statement, name in BREAKING:
        database.ask(statement)
        known.add(name)
        assert set(broken(database)) == known, statement
    # Each other way to break the same statement, from a whole one.
    for broke, mended in (
        (
            "ALTER TABLE intake_submission RENAME origin TO source",
            "ALTER TABLE intake_submission RENAME source TO origin",
        ),
        (
            "REVOKE EXECUTE ON FUNCTION intake_accept_v2 FROM consult_edge",
            "GRANT EXECUTE ON FUNCTION intake_accept_v2 TO consult_edge",
        ),
    ):
        database.ask("ALTER TABLE intake_submission DROP COLUMN IF EXISTS weight")
        assert "accept_submissions" not in broken(database)
        database.ask(broke)
        assert "accept_submissions" in broken(database)
        database.ask(mended)


def test_the_edge_may_do_nothing_else(database: Database, cast: Cast) -> None:
    accounts.live_token(agency_id=cast.a, member_id=cast.alice.member_id, now=doors.NOW)
    assert len(database.ask("SELECT kid, public_key FROM accounts_public_keys_v2()", role="consult_edge")) == 2
    for statement in (
        "SELECT * FROM accounts_memberships_v2(1)",
        "SELECT * FROM accounts_agencies_v1()",
        "SELECT procrastinate_notify_queue_job_inserted_v1()",
        "SELECT private_key_sealed FROM accounts_signingkey",
        "INSERT INTO intake_submission DEFAULT VALUES",
        "SELECT * FROM procrastinate_jobs",
        "SELECT intake_ledger_v1('spool-1', '[]')",
        "SELECT intake_forget_addresses_v1(now(), 1)",
        "SELECT * FROM intake_edge",
        "SELECT nextval('accounts_user_id_seq')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.ask(statement, role="consult_edge")
    executable = database.ask(
        "SELECT p.oid::regproc::text FROM pg_proc p WHERE pronamespace = 'public'::regnamespace"
        " AND has_function_privilege(p.oid, 'EXECUTE')"
        " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') ORDER BY 1",
        role="consult_edge",
    )
    assert [row[0] for row in executable] == [
        "accounts_public_keys_v2",
        "intake_accept_v2",
        "intake_form_v2",
        "intake_report_v1",
        "intake_set_aside_v1",
    ]
