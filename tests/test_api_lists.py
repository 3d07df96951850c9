"""Lists: in pages that nothing moves, within a known number of questions to the database."""

import datetime as dt
import uuid
from typing import Any, Literal
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import Cast, Database
from consult.accounts import services as accounts
from consult.core import queue, tenancy
from consult.crm import services as crm
from consult.inbox import queries as inbox_queries
from consult.inbox import services as inbox
from tests import api

# What a list costs, however long it is: the token's look-up and its "last used" (once in five minutes), the
# transaction's begin and its agency among them. Whoever raises one says why.
STATEMENTS = {
    "members": 3,
    "invitations": 3,
    "clients": 3,
    "sites": 3,
    "forms": 4,
    "submissions": 6,
    "enquiries": 3,
    # The two doors of the search: words that are nearly so, and what they find.
    "enquiries?q=Ann": 5,
    # Addresses, numbers, companies' and clients' names, labels with their names.
    "contacts": 9,
    "companies": 6,
    # Stages, contacts', companies' and members' names, labels with their names.
    "deals": 9,
    "labels": 3,
    "fields": 3,
    "stages": 3,
    "imports": 3,
    # With the names of those whom they mention.
    "enquiries/1/notes": 5,
    "attention": 3,
    # With their enquiries, what the ledger says of them, and who has them, and of which form they are.
    "jobs": 7,
    "tokens": 3,
    "programs": 3,
    "audit": 3,
}


@pytest.fixture
def program(cast: Cast) -> api.Program:
    return api.of_member(cast.a, cast.alice.member_id)


@pytest.fixture
def filled(database: Database, cast: Cast) -> None:
    """Seven of everything that can be listed."""
    ids = [
        database.submit(cast.key_a, received_at=dt.datetime(2026, 11, 1, 12, number // 2, tzinfo=dt.UTC))[0]
        for number in range(7)
    ]
    inbox.receive_submissions(agency_id=cast.a, submission_ids=ids)
    for number in range(7):
        client_id = crm.create_client(agency_id=cast.a, name=f"Client {number}")
        company_id = crm.create_company(agency_id=cast.a, name=f"Company {number}", client_id=client_id, by=None)
        contact_id = crm.create_contact(
            agency_id=cast.a,
            name=f"Contact {number}",
            emails=[f"{number}@rosa.example"],
            phones=[f"+44 20 7946 000{number}"],
            company_id=company_id,
            client_id=client_id,
            by=None,
        )
        deal_id = crm.create_deal(
            agency_id=cast.a, title=f"Deal {number}", contact_id=contact_id, owner_id=cast.bob.member_id, by=None
        )
        bearers: tuple[tuple[Literal["contact", "company", "deal"], uuid.UUID], ...] = (
            ("contact", contact_id),
            ("company", company_id),
            ("deal", deal_id),
        )
        for place, id in bearers:
            crm.set_labels(agency_id=cast.a, place=place, id=id, names=["VIP", f"Label {number}"], by=None)
        crm.create_field(agency_id=cast.a, place="deal", name=f"Field {number}", kind="text", by=None)
        inbox.add_note(agency_id=cast.a, number=1, body=f"Note {number}", by=None)
        accounts.invite_member(
            agency_id=cast.a,
            email=f"{number}@new.example",
            role="member",
            by=cast.alice.member_id,
            now=dt.datetime.now(dt.UTC),
        )
        # Two each at one moment.
        at = dt.datetime(2026, 11, 1, 12, number // 2, tzinfo=dt.UTC)
        database.set_aside(cast.key_a, received_at=at, receipt=f"K7QF2M9X4TD{number}")
        api.sign_in_program(cast, cast.alice.member_id)
        with tenancy.agency(cast.a):
            enquiry_id = inbox_queries.record(cast.a, number + 1).id  # type: ignore[union-attr]
            queue.enqueue("inbox.notify_enquiry", enquiry_id=str(enquiry_id), address="team@a.example")
    api.fail_jobs(database)


def walk(program: api.Program, path: str, limit: int) -> list[Any]:
    """Return all items, page by page."""
    found: list[Any] = []
    address: str | None = f"{path}{'&' if '?' in path else '?'}limit={limit}"
    first = address
    while address:
        page = api.told(program.get(address))
        assert len(page["items"]) == limit or page["next"] is None
        found += page["items"]
        address = page["next"] and f"{first}&cursor={quote(page['next'])}"
        assert len(found) < 500
    return found


@pytest.mark.parametrize(
    "path",
    [
        "clients",
        "submissions",
        "enquiries",
        "enquiries/1/notes",
        "audit",
        "enquiries?status=open",
        "tokens",
        "contacts",
        "companies",
        "deals",
        "labels",
        "fields",
        "stages",
        "invitations",
        "attention",
        "jobs",
        "programs",
    ],
)
def test_pages_add_up(path: str, program: api.Program, filled: None) -> None:
    whole = walk(program, f"/api/v1/{path}", 100)
    assert len(whole) >= {"tokens": 1, "stages": 4}.get(path, 7)
    for limit in (1, 2, 3, 7):
        assert walk(program, f"/api/v1/{path}", limit) == whole


def test_what_is_added_meanwhile_moves_nothing(program: api.Program, filled: None, cast: Cast) -> None:
    page = api.told(program.get("/api/v1/clients?limit=4"))
    crm.create_client(agency_id=cast.a, name="AAA")
    rest = api.told(program.get(f"/api/v1/clients?limit=100&cursor={quote(page['next'])}"))
    assert [each["name"] for each in page["items"] + rest["items"]] == [*(f"Client {n}" for n in range(7)), "AAA"]


def test_what_arrives_meanwhile_is_no_part_of_the_next_page(
    program: api.Program, filled: None, cast: Cast, database: Database
) -> None:
    page = api.told(program.get("/api/v1/enquiries?limit=3"))
    id, _outcome = database.submit(cast.key_a)
    inbox.receive_submissions(agency_id=cast.a, submission_ids=[id])
    rest = api.told(program.get(f"/api/v1/enquiries?limit=100&cursor={quote(page['next'])}"))
    assert [each["number"] for each in page["items"] + rest["items"]] == [7, 6, 5, 4, 3, 2, 1]


def test_a_cursor_belongs_to_its_list(program: api.Program, filled: None) -> None:
    cursor = quote(api.told(program.get("/api/v1/clients?limit=2"))["next"])
    for address in (
        f"enquiries?cursor={cursor}",
        f"clients?q=C&cursor={cursor}",
        f"clients?cursor={cursor}x",
        f"clients?cursor=x{cursor}",
        "clients?cursor=abc",
        "clients?cursor=:::",
        "audit?cursor=WzFd",
    ):
        answer = program.get(f"/api/v1/{address}")
        assert (answer.status_code, api.told(answer)["code"]) == (422, "bad_cursor"), address
    # How many at once may change on the way.
    assert program.get(f"/api/v1/clients?limit=5&cursor={cursor}").status_code == 200


def test_limits_of_a_page(program: api.Program) -> None:
    for limit in ("0", "101", "-1", "x", "1.5", ""):
        answer = program.get(f"/api/v1/clients?limit={limit}")
        assert answer.status_code == 422, limit
        assert api.told(answer)["errors"][0]["pointer"] == "?limit"


def test_filters(program: api.Program, filled: None, cast: Cast) -> None:
    def numbers(query: str) -> list[int]:
        return [each["number"] for each in api.told(program.get(f"/api/v1/enquiries?{query}"))["items"]]

    program.post("/api/v1/enquiries/2/close")
    program.post("/api/v1/enquiries/3/assign", {"member_id": str(cast.bob.member_id)})
    program.post("/api/v1/enquiries/4/spam")
    assert numbers("status=closed") == [2]
    assert numbers("status=spam") == [4]
    assert numbers(f"assignee={cast.bob.member_id}") == [3]
    assert numbers("assignee=none") == [7, 6, 5, 4, 2, 1]
    assert numbers(f"form_id={cast.form_a}") == [7, 6, 5, 4, 3, 2, 1]
    assert numbers(f"form_id={cast.form_b}") == []
    assert numbers("q=%235") == [5]
    assert numbers("q=visitor.example&status=closed") == [2]
    actions = [each["action"] for each in api.told(program.get("/api/v1/audit?action=inbox.close_enquiry"))["items"]]
    assert actions == ["inbox.close_enquiry"]


def test_what_a_list_asks_the_database(program: api.Program, filled: None) -> None:
    program.get("/api/v1/me")
    counted = {}
    for path in STATEMENTS:
        with CaptureQueriesContext(connection) as queries:
            assert program.get(f"/api/v1/{path}").status_code == 200
        counted[path] = len([query for query in queries if query["sql"] not in ("BEGIN", "COMMIT")])
    assert counted == STATEMENTS
