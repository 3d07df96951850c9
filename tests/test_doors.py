"""The doors that the edge goes through: what they store, what they enqueue, and that the edge's statements fit them."""

import datetime as dt
import json
import re
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from conftest import Cast, Database
from consult.accounts import services as accounts
from consult.intake import rules
from consult.intake import services as intake
from tests import worker

NOW = dt.datetime(2026, 3, 1, 12, 30, tzinfo=dt.UTC)
ACCEPT = """
    SELECT id, outcome FROM intake_accept_v1(
        %s::uuid[], %s, %s::int[], %s, %s::timestamptz[], %s::jsonb[], %s::jsonb[])
"""


def accept(
    database: Database, *rows: tuple[uuid.UUID, str], version: int = 1, meta: dict[str, Any] | None = None
) -> list[tuple[uuid.UUID, str]]:
    """Send one batch of (id, form key) as the edge does."""
    columns: Sequence[list[Any]] = [
        [id for id, _key in rows],
        [key for _id, key in rows],
        [version for _ in rows],
        [f"{id.int % 10**12:012d}" for id, _key in rows],
        [NOW for _ in rows],
        [json.dumps([["name", "Ann"], ["message", "Hello"]]) for _ in rows],
        [json.dumps(meta or {}) for _ in rows],
    ]
    return database.ask(ACCEPT, columns, role="consult_edge")


def test_a_batch_may_hold_everything(database: Database, cast: Cast) -> None:
    old, first, second, lost = (uuid.uuid4() for _ in range(4))
    assert accept(database, (old, cast.key_a)) == [(old, "stored")]
    database.ask("DELETE FROM procrastinate_jobs")
    batch = ((first, cast.key_a), (old, cast.key_a), (lost, "frm_nobody"), (second, cast.key_b), (first, cast.key_a))
    answers = accept(database, *batch, meta={"request_id": "request-1"})
    # The same id twice in one batch is one submission, and both senders' answer is that it is stored.
    assert answers == [
        (first, "stored"),
        (old, "duplicate"),
        (lost, "unknown_form"),
        (second, "stored"),
        (first, "stored"),
    ]
    stored = database.ask("SELECT id, agency_id FROM intake_submission ORDER BY received_at, id")
    assert sorted(stored) == sorted([(old, cast.a), (first, cast.a), (second, cast.b)])
    jobs = [(name, arguments) for name, _status, arguments, _attempts in worker.jobs(database)]
    assert sorted(jobs, key=repr) == sorted(
        [
            (
                "inbox.receive_submissions",
                {"agency_id": cast.a, "submission_ids": [str(first)], "request_id": "request-1"},
            ),
            (
                "inbox.receive_submissions",
                {"agency_id": cast.b, "submission_ids": [str(second)], "request_id": "request-1"},
            ),
        ],
        key=repr,
    )


def test_one_job_for_each_agency_of_a_batch(database: Database, cast: Cast) -> None:
    ids = [uuid.uuid4() for _ in range(6)]
    accept(database, *((id, cast.key_a if number % 2 else cast.key_b) for number, id in enumerate(ids)))
    found = {arguments["agency_id"]: arguments["submission_ids"] for _n, _s, arguments, _a in worker.jobs(database)}
    assert len(worker.jobs(database)) == 2
    assert {agency: len(sent) for agency, sent in found.items()} == {cast.a: 3, cast.b: 3}
    worker.run_jobs(database)
    assert database.ask("SELECT agency_id, count(*), max(number) FROM inbox_enquiry GROUP BY 1 ORDER BY 1") == [
        (cast.a, 3, 3),
        (cast.b, 3, 3),
    ]


def test_a_batch_of_nothing_new_enqueues_no_job(database: Database, cast: Cast) -> None:
    id = uuid.uuid4()
    accept(database, (id, cast.key_a))
    database.ask("DELETE FROM procrastinate_jobs")
    before = database.ask("SELECT * FROM intake_submission")
    assert accept(database, (id, cast.key_a), meta={"page_url": "https://other.example"}) == [(id, "duplicate")]
    assert accept(database, (uuid.uuid4(), "frm_nobody"))[0][1] == "unknown_form"
    assert accept(database) == []
    assert worker.jobs(database) == []
    assert database.ask("SELECT * FROM intake_submission") == before


def test_everything_that_came_is_kept_as_it_came(database: Database, cast: Cast) -> None:
    meta = {
        "page_url": "https://a.example/kontakt?x=1",
        "referrer": "https://search.example/",
        "origin": "https://a.example",
        "remote_addr": "2001:db8::1",
        "user_agent": "Mozilla “5.0”",
        "content_type": "multipart/form-data",
        "signals": ["honeypot", "cleaned"],
    }
    id = uuid.uuid4()
    accept(database, (id, cast.key_a), meta=meta)
    names = ["receipt", "received_at", "fields", "form_version", "form_id", *meta]
    [found] = database.ask(f"SELECT {', '.join(names)} FROM intake_submission WHERE id = %s", [id])  # noqa: S608
    assert dict(zip(names, found, strict=True)) == {
        "receipt": f"{id.int % 10**12:012d}",
        "received_at": NOW,
        "fields": [["name", "Ann"], ["message", "Hello"]],
        "form_version": 1,
        "form_id": cast.form_a,
        **meta,
    }
    # Nothing of it given: empty, not NULL.
    id = uuid.uuid4()
    accept(database, (id, cast.key_a))
    [found] = database.ask(f"SELECT {', '.join(meta)} FROM intake_submission WHERE id = %s", [id])  # noqa: S608
    assert found == ("", "", "", "", "", "", [])


def _edit(cast: Cast) -> None:
    intake.update_form(
        agency_id=cast.a,
        form_id=cast.form_a,
        name="Contact us",
        fields=[{"name": "why", "label": "Why", "type": "text", "required": True}],
        allowed_origins=["https://new.example"],
        redirect_targets=["https://new.example/thanks"],
        notify_addresses=[],
    )


def test_a_form_edited_meanwhile(database: Database, cast: Cast) -> None:
    _edit(cast)
    # The edge that has not heard of version 2 yet, the one that has, and one that claims what is not there.
    for sent, kept in ((1, 1), (2, 2), (7, 2)):
        id = uuid.uuid4()
        assert accept(database, (id, cast.key_a), version=sent) == [(id, "stored")]
        assert database.ask("SELECT form_version FROM intake_submission WHERE id = %s", [id]) == [(kept,)]


def test_the_form_as_the_edge_needs_it(database: Database, cast: Cast) -> None:
    _edit(cast)
    [(form,)] = database.ask("SELECT intake_form_v1(%s)", [cast.key_a], role="consult_edge")
    assert form == {
        "key": cast.key_a,
        "agency_id": cast.a,
        "form_id": str(cast.form_a),
        "version": 2,
        "name": "Contact us",
        "site": {"name": "Site a", "url": "https://a.example"},
        "fields": [
            {"name": "why", "label": "Why", "type": "text", "required": True, "options": [], "max_length": 500},
        ],
        "honeypot": rules.HONEYPOT,
        "allowed_origins": ["https://new.example"],
        "redirect_targets": ["https://new.example/thanks"],
    }
    assert database.ask("SELECT intake_form_v1('frm_nobody')", role="consult_edge") == [(None,)]


def test_the_edge_hears_of_a_changed_form(database: Database, cast: Cast) -> None:
    with psycopg.connect(database.urls["consult_edge"], autocommit=True) as edge:
        edge.execute("LISTEN consult_forms")
        _edit(cast)
        intake.create_form(
            agency_id=cast.b, site_id=_site(database, cast.b), name="New", fields=rules.CONTACT_FIELDS, key="frm_new"
        )
        database.ask("UPDATE intake_site SET name = 'Renamed' WHERE agency_id = %s", [cast.a])
        heard = [note.payload for note in edge.notifies(timeout=0.3, stop_after=9)]
    assert heard.count(cast.key_a) == 2
    assert heard.count("frm_new") == 1
    assert len(heard) == 3


def _site(database: Database, agency_id: int) -> uuid.UUID:
    found: uuid.UUID = database.ask("SELECT id FROM intake_site WHERE agency_id = %s", [agency_id])[0][0]
    return found


def test_the_edge_may_do_nothing_else(database: Database, cast: Cast) -> None:
    accounts.live_token(agency_id=cast.a, member_id=cast.alice.member_id, now=NOW)
    assert len(database.ask("SELECT kid, public_key FROM accounts_public_keys_v1()", role="consult_edge")) == 1
    for statement in (
        "SELECT * FROM accounts_memberships_v1(1)",
        "SELECT * FROM accounts_agencies_v1()",
        "SELECT procrastinate_notify_queue_job_inserted_v1()",
        "SELECT private_key_encrypted FROM accounts_signingkey",
        "INSERT INTO intake_submission DEFAULT VALUES",
        "SELECT * FROM procrastinate_jobs",
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
    assert executable == [("accounts_public_keys_v1",), ("intake_accept_v1",), ("intake_form_v1",)]


# --- the contract: what the edge's files say, prepared as the edge against what the migrations made ---


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
                # The right to a function is asked for when it runs. Nothing in, nothing stored.
                found = edge.execute(
                    "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = %s", [name]
                ).fetchone()
                assert found
                nothing = f"({', '.join(['NULL'] * found[0])})" if found[0] else ""
                edge.execute(f"EXECUTE {name}{nothing}")
                if name == "accept_submissions":
                    _send_prepared(edge)
            except psycopg.Error as error:
                faults[name] = str(error)
            edge.rollback()
    return faults


def _send_prepared(edge: psycopg.Connection) -> None:
    """The body of a function is looked at when it runs: send one submission, then take it back."""
    values = (
        f"'{uuid.uuid4()}'::uuid",
        f"'frm_{'a' * 22}'",
        "1",
        "'K7QF2M9X4TDA'",
        "now()",
        "'[]'::jsonb",
        "'{}'::jsonb",
    )
    arrays = ", ".join(f"ARRAY[{value}]" for value in values)
    found = edge.execute(f"EXECUTE accept_submissions({arrays})").fetchone()
    assert found
    assert found[1] == "stored"


def test_the_edges_statements_fit_the_schema(database: Database, cast: Cast) -> None:
    assert {"accept_submissions", "find_form", "list_public_keys"} <= set(statements())
    assert broken(database) == {}


# Done one after the other: what broke stays broken.
BREAKING = [
    ("REVOKE EXECUTE ON FUNCTION accounts_public_keys_v1 FROM consult_edge", "list_public_keys"),
    ("ALTER FUNCTION intake_form_v1(text) RENAME TO intake_form_v2", "find_form"),
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
            "REVOKE EXECUTE ON FUNCTION intake_accept_v1 FROM consult_edge",
            "GRANT EXECUTE ON FUNCTION intake_accept_v1 TO consult_edge",
        ),
    ):
        database.ask("ALTER TABLE intake_submission DROP COLUMN IF EXISTS weight")
        assert "accept_submissions" not in broken(database)
        database.ask(broke)
        assert "accept_submissions" in broken(database)
        database.ask(mended)
