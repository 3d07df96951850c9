"""The edge's doors as the edge calls them, for the tests that look at what they do."""

import base64
import dataclasses
import datetime as dt
import json
import uuid
from collections.abc import Sequence
from typing import Any

from conftest import ACCEPT, SET_ASIDE, Database

NOW = dt.datetime(2026, 3, 1, 12, 30, tzinfo=dt.UTC)
TODAY = NOW.date()


@dataclasses.dataclass
class Row:
    """A submission as the edge sends it."""

    key: str
    id: uuid.UUID = dataclasses.field(default_factory=uuid.uuid4)
    earlier: uuid.UUID | None = None
    version: int = 1
    digest: bytes = b"0" * 16
    received_at: dt.datetime = NOW
    fields: str = '[["name", "Ann"], ["message", "Hello"]]'
    page_url: str = ""
    referrer: str = ""
    origin: str = ""
    address: str = ""
    user_agent: str = ""
    content_type: str = ""
    signals: str = "[]"
    request_id: str = ""
    files: str | None = None

    @property
    def receipt(self) -> str:
        return f"{self.id.int % 10**12:012d}"

    def sent(self) -> list[Any]:
        """In the order of edge/submission.py."""
        coded = [None if id is None else base64.b64encode(id.bytes).decode() for id in (self.id, self.earlier)]
        digest = base64.b64encode(self.digest).decode()
        return [
            *(*coded, self.key, self.version, 0, self.receipt, self.received_at.isoformat(), digest, self.fields),
            *(self.page_url, self.referrer, self.origin, self.address, self.user_agent, self.content_type),
            *(self.signals, self.request_id, self.files),
        ]


def parameters(source: str, spooled: bool, rows: Sequence[Row], ledger: list[dict[str, Any]]) -> list[Any]:
    return [source, spooled, json.dumps([row.sent() for row in rows]), json.dumps(ledger)]


def accept(
    database: Database, *rows: Row, source: str = "edge-1", ledger: list[dict[str, Any]] | None = None
) -> dict[int, tuple[str, str | None]]:
    """Send one batch as the edge does, from a spool when there is a ledger; {position: (outcome, receipt)}."""
    found = database.ask(ACCEPT, parameters(source, ledger is not None, rows, ledger or []), role="consult_edge")
    return {position: (outcome, receipt) for position, outcome, receipt in found}


def set_aside(
    database: Database,
    *rows: Row,
    agency_id: int | None = None,
    source: str = "edge-1",
    ledger: list[dict[str, Any]] | None = None,
) -> dict[uuid.UUID, bool]:
    """Keep rows raw as the edge does; {id that is kept: whether it is counted for this source}."""
    columns = (
        [row.id for row in rows],
        [row.key for row in rows],
        [agency_id for _ in rows],
        [row.receipt for row in rows],
        [row.received_at for row in rows],
        ["CheckViolationError" for _ in rows],
        [b"\x92raw" for _ in rows],
    )
    sent = (source, ledger is not None, *columns, json.dumps(ledger or []))
    return dict(database.ask(SET_ASIDE, sent, role="consult_edge"))


def tally(database: Database) -> list[Any]:
    """Return (agency, day, source, accepted, spooled)."""
    return database.ask("SELECT agency_id, day, source, accepted, spooled FROM intake_tally ORDER BY 1, 2, 3")
