"""The hottest reads use their index under row-level security, in a database that holds enough to make it matter."""

# Statements are put together from names of tables and columns here: nobody else has a say in them.
# ruff: noqa: S608

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from conftest import Database, _point_at
from consult.accounts import queries as accounts
from consult.accounts import reports as accounts_reports
from consult.core import tenancy
from consult.inbox import models as inbox_models
from consult.inbox import queries as inbox
from consult.inbox import rules as inbox_rules
from consult.inbox.queries import lists as inbox_lists
from consult.intake import queries as intake
from consult.intake import reports
from consult.machine import postgres_cluster
from tests import crowd

# Tables that grow with what agencies do; a scan of a whole one is a page that gets slower with every other agency.
BIG = {
    "accounts_member",
    "accounts_agency",
    "accounts_audit",
    "accounts_apitoken",
    "accounts_authorizationcode",
    "accounts_grant",
    "accounts_invitation",
    "accounts_refreshtoken",
    "inbox_enquiry",
    "inbox_note",
    "intake_submission",
    "intake_form",
    "intake_formversion",
    "intake_site",
    "intake_setaside",
    "intake_tally",
}
AGENCY = 1100


@pytest.fixture(scope="module")
def filled(cluster: postgres_cluster.Cluster, template: str, django_db_blocker: DjangoDbBlocker) -> Iterator[Database]:
    name = "test_query_plans"
    with psycopg.connect(cluster.url("superuser", "postgres"), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy OWNER consult_owner')
        with psycopg.connect(cluster.url("superuser", name)) as direct:
            # Filling checks each foreign key row by row; that is not what is asked here.
            direct.execute("SET session_replication_role = replica")
            direct.execute(crowd.fill(agencies=200, enquiries=100))
        with django_db_blocker.unblock():
            _point_at(cluster, name, "consult_app")
            yield Database(name, {role: cluster.url(role, name) for role in cluster.urls})
            connection.close()
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def scans(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Return (kind of node, relation) of every node that reads a table."""
    if "Relation Name" in plan:
        yield plan["Node Type"], plan["Relation Name"]
    for below in plan.get("Plans", []):
        yield from scans(below)


def explain(statement: str, *, indexes: str = "on") -> list[tuple[str, str]]:
    with tenancy.agency(AGENCY), connection.cursor() as cursor:
        for kind in ("indexscan", "indexonlyscan", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{kind} = {indexes}")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
        [(found,)] = cursor.fetchall()
    plan = json.loads(found) if isinstance(found, str) else found
    return list(scans(plan[0]["Plan"]))


def plans(read: Callable[[], object]) -> list[tuple[str, str]]:
    """Return what every statement of `read` scans."""
    with tenancy.agency(AGENCY), CaptureQueriesContext(connection) as said:
        read()
    statements = [
        query["sql"] for query in said.captured_queries if query["sql"].lstrip().startswith(("SELECT", "WITH"))
    ]
    assert statements
    return [scan for statement in statements for scan in explain(statement)]


def reads() -> dict[str, Callable[[], object]]:
    with tenancy.agency(AGENCY):
        member = accounts.members(AGENCY)[0].id
        enquiry = inbox.enquiry(AGENCY, 7)
        form = next(iter(intake.form_labels(AGENCY)))
        user = 1100
    assert enquiry
    assert enquiry.submission_id
    submission_id, enquiry_id = enquiry.submission_id, enquiry.id
    cursor = inbox_lists._encode(inbox_models.Enquiry(received_at=timezone.now(), number=50))

    def listed(before: str = "", **chosen: str) -> Callable[[], object]:
        filters = inbox_rules.Filters(**chosen)
        return lambda: inbox.enquiries(AGENCY, filters, member_id=member, now=timezone.now(), before=before)

    found = {f"list {view}": listed(view=view) for view in inbox_rules.VIEWS}
    return found | {
        "next page": listed(before=cursor),
        "search": listed(view="all", q="ann"),
        "list of a form": listed(form=str(form)),
        "list of an age": listed(view="all", age="over7d"),
        "others of a sender": lambda: inbox.others_of_sender(AGENCY, enquiry_id, "7@visitor.example"),
        "search receipt": lambda: intake.submission_by_receipt(AGENCY, "K7QF-2M9X-4TDA"),
        "aside": lambda: inbox.aside(AGENCY, member_id=member),
        "enquiry by number": lambda: inbox.enquiry(AGENCY, 7),
        "notes": lambda: inbox.notes(AGENCY, enquiry_id, accounts.member_names(AGENCY)),
        "audit of a subject": lambda: accounts.audit_of(AGENCY, enquiry_id),
        "submissions by id": lambda: intake.submissions(AGENCY, [submission_id, uuid.uuid4()]),
        "sites": lambda: intake.sites(AGENCY),
        "form page": lambda: intake.form_page(AGENCY, form),
        "attention count": lambda: reports.attention_count(AGENCY),
        "conservation": lambda: reports.conservation(AGENCY, timezone.now().date() - dt.timedelta(days=2)),
        "attention page": lambda: reports.attention_page(AGENCY, timezone.now()),
        "set aside": lambda: reports.set_aside_before(AGENCY, None, 51),
        "labels": lambda: intake.form_labels(AGENCY),
        "members": lambda: accounts.members(AGENCY),
        "api tokens": lambda: accounts.api_tokens(AGENCY),
        "programs": lambda: accounts.grants(AGENCY, now=timezone.now()),
        "invitations": lambda: accounts.open_invitations(AGENCY, timezone.now()),
        "people": lambda: accounts.colleagues(AGENCY),
        "audit": lambda: accounts_reports.audit(AGENCY, accounts_reports.Wanted()),
        "member of": lambda: accounts.member_of(AGENCY, user),
    }


def test_no_hot_read_scans_a_whole_table(filled: Database) -> None:
    bad = {
        name: [scan for scan in found if scan[0] == "Seq Scan" and scan[1] in BIG]
        for name, read in reads().items()
        if (found := plans(read))
    }
    assert {name: scan for name, scan in bad.items() if scan} == {}
    # And it can fail: without indexes a scan is seen.
    assert ("Seq Scan", "inbox_enquiry") in explain("SELECT 1 FROM inbox_enquiry WHERE number = 7", indexes="off")


def test_the_doors_use_their_indexes(filled: Database) -> None:
    """A function's plan is its own affair: what it costs tells whether it walked a table."""
    hash = "encode(sha256('1100'), 'hex')"
    for statement in (
        "SELECT * FROM accounts_memberships_v4(1100)",
        f"SELECT * FROM accounts_token_v1({hash}, now())",
        f"SELECT * FROM accounts_invitation_v1({hash}, now())",
        f"SELECT * FROM accounts_grant_secret_v1({hash})",
        "SELECT * FROM accounts_grant_v1((SELECT id FROM accounts_grant WHERE agency_id = 1100), 'kid', now())",
        "SELECT accounts_slug_taken_v1('agency-1100')",
        "SELECT intake_form_v2('frm_1100', 1)",
        "SELECT * FROM inbox_search_v1('rare', NULL, NULL, false, NULL, NULL, NULL, NULL, NULL, 50)",
        "SELECT * FROM inbox_agencies_to_wake_v1(now())",
    ):
        with psycopg.connect(filled.urls["superuser"]) as direct:
            direct.execute("SELECT set_config('consult.agency', %s, true)", [str(AGENCY)])
            direct.execute("SET ROLE consult_doors")
            before = _scanned(direct)
            direct.execute(statement)
            assert _scanned(direct) == before, statement
            direct.execute("SELECT count(*) FROM intake_form")
            assert _scanned(direct) > before, "the counter does not count"


def _scanned(direct: psycopg.Connection) -> int:
    """Return how many rows whole-table scans of the big tables read so far in this transaction."""
    row = direct.execute(
        "SELECT sum(seq_tup_read) FROM pg_stat_xact_user_tables WHERE relname = ANY (%s)", [list(BIG)]
    ).fetchone()
    assert row
    return int(row[0])
