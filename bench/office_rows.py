"""Rows for the office's figures: one agency with a million enquiries among fifty others, the same rows every time.

Agency MILLION has 1,000,000 enquiries, 300,000 contacts and 50,000 deals (2,000 of them open), fifty others have 10,000
enquiries each; agency TEN_THOUSAND is one of those, to compare with.
"""

import base64
import dataclasses
import datetime as dt
import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path

import psycopg

MILLION, TEN_THOUSAND = 1_000_001, 1_000_002
# Every run ends at the same moment.
UNTIL = "2026-11-20T12:00:00Z"
SQL = Path(__file__).with_name("office_rows.sql")
# Their indexes are made once at the end, which takes a third of the time.
LARGE = (
    *("inbox_enquiry", "inbox_word", "inbox_delivery", "inbox_note", "inbox_message", "intake_submission"),
    *("accounts_audit", "crm_contact", "crm_email", "crm_phone", "crm_event", "crm_deal", "crm_company"),
)
INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
 WHERE i.indrelid = ANY (%s::regclass[]) AND NOT i.indisunique
   AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid) ORDER BY 1
"""
OWNER = """
INSERT INTO accounts_member (id, agency_id, created_at, role, user_id)
SELECT gen_random_uuid(), %s, now(), 'owner', id FROM accounts_user WHERE email = %s
"""


@dataclasses.dataclass(frozen=True)
class Agency:
    """How much one agency has."""

    id: int
    enquiries: int
    contacts: int
    deals: int
    open_deals: int

    @property
    def slug(self) -> str:
        return f"rows-{self.enquiries}-{self.id}"


def agencies(*, million: int = 1_000_000, others: int = 50, each: int = 10_000) -> list[Agency]:
    """Return the large agency, the one to compare with, and the rest; `others` includes the one to compare with."""
    return [
        Agency(MILLION, million, million * 3 // 10, million // 20, million // 500),
        *(Agency(TEN_THOUSAND + n, each, each * 3 // 10, each // 20, each // 50) for n in range(others)),
    ]


def fill(url: str, plan: list[Agency], told: Callable[[str], None] = lambda _: None, *, owner: str = "") -> None:
    """Write the rows of these agencies, as a superuser of an empty, migrated database: `url`.

    The user of the address `owner` becomes an owner of each.
    """
    with psycopg.connect(url, autocommit=True) as direct:
        # Checking each foreign key row by row would take most of the time.
        direct.execute("SET session_replication_role = replica")
        direct.execute("SELECT set_config('bench.until', %s, false)", [UNTIL])
        for name, value in (("maintenance_work_mem", "512MB"), ("work_mem", "256MB"), ("synchronous_commit", "off")):
            direct.execute(f"SET {name} = '{value}'".encode())
        direct.execute("CREATE TEMP TABLE plan (agency bigint, enquiries int, contacts int, deals int, open_deals int)")
        with direct.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO plan VALUES (%s, %s, %s, %s, %s)", [dataclasses.astuple(each) for each in plan]
            )
            members = [(each.id, owner) for each in plan if owner]
            # After the agencies are there; nothing checks that meanwhile.
            cursor.executemany(OWNER, members)
        indexes = direct.execute(INDEXES, [list(LARGE)]).fetchall()
        for name, _definition in indexes:
            direct.execute(f"DROP INDEX {name}".encode())
        for statement in SQL.read_text("utf-8").split(";\n"):
            if lines := [line for line in statement.splitlines() if line and not line.startswith("--")]:
                told(lines[0])
                direct.execute(statement.encode())
        for name, definition in indexes:
            told(name)
            direct.execute(definition.encode())
        told("VACUUM ANALYZE")
        direct.execute("VACUUM ANALYZE")


def first_contact(agency: Agency) -> uuid.UUID:
    """Return the contact with most behind it."""
    return _uid("contact", agency.id, 0, _begins())


def middle(agency: Agency) -> str:
    """Return a cursor of the inbox half-way back in time."""
    at = _begins() + (dt.datetime.fromisoformat(UNTIL) - _begins()) / 2
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{agency.enquiries // 2}".encode()).decode().rstrip("=")


def _begins() -> dt.datetime:
    until = dt.datetime.fromisoformat(UNTIL)
    return until.replace(year=until.year - 3)


def _uid(what: str, agency: int, n: int, at: dt.datetime) -> uuid.UUID:
    """Return the id that the function of the same name in office_rows.sql makes."""
    hash = hashlib.md5(f"{what} {agency} {n}".encode(), usedforsecurity=False).hexdigest()
    return uuid.UUID(f"{int(at.timestamp() * 1000):012x}7{hash[:3]}8{hash[3:18]}")
