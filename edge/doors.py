"""The doors of intake, as the edge calls them: one statement, one commit, one outcome for each row."""

import datetime
from collections.abc import Sequence

import asyncpg
import msgspec
from asyncpg.pgproto import pgproto

from edge import database, sql
from edge.submission import Outcome, Submission, pack

# Classes of SQLSTATE in which the row is at fault: data, integrity, raised by a function, beyond a limit. Everything
# else (a lost connection, a full disk, a missing right) is never the row's fault.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_CONTENT_CLASSES = ("22", "23", "P0", "54")


class LedgerEntry(msgspec.Struct, frozen=True):
    """What a spool has accepted for one form and UTC day (`2026-03-01`), and how many of them it still holds."""

    form: str
    day: str
    accepted: int
    spooled: int


type Ledger = Sequence[LedgerEntry]


class Refused(Exception):
    """PostgreSQL does not take this content. The text is the error's kind, never its words."""


async def accept(
    connection: database.Connection,
    source: str,
    rows: Sequence[Submission],
    *,
    seconds: float,
    spooled: bool = False,
    ledger: Ledger = (),
) -> list[Outcome]:
    """Stores the rows; the outcomes are in their order. A row that cannot be stored is set aside alone.

    `source` is what direct rows are counted for; rows from a spool bring its ledger. Outcomes: stored, duplicate,
    conflict, unknown_form (nothing is kept), set_aside. Of spooled rows also: duplicate_direct and set_aside_uncounted
    (there, and not of this spool's count), refused (neither stored nor set aside).
    Raises database.Unavailable: then it is not known whether they are stored, and the same call may be made again.
    """
    try:
        return await _send(connection, source, rows, seconds, spooled, ledger)
    except Refused as refused:
        if len(rows) == 1:
            return [await _single(connection, source, rows[0], str(refused), seconds, spooled, ledger)]
    # Halves, until the bad row stands alone: a batch of 200 needs 16 more statements for one bad row.
    half = len(rows) // 2
    first = await accept(connection, source, rows[:half], seconds=seconds, spooled=spooled, ledger=ledger)
    return first + await accept(connection, source, rows[half:], seconds=seconds, spooled=spooled, ledger=ledger)


async def _single(
    connection: database.Connection,
    source: str,
    row: Submission,
    reason: str,
    seconds: float,
    spooled: bool,
    ledger: Ledger,
) -> Outcome:
    try:
        kept = await set_aside(connection, source, [row], [reason], seconds=seconds, spooled=spooled, ledger=ledger)
    except Refused as refused:
        if spooled:
            return Outcome("refused", row.receipt)
        raise database.Unavailable(f"set aside: {refused}") from refused
    if row.id not in kept:
        return Outcome("unknown_form", row.receipt)
    return Outcome("set_aside" if kept[row.id] or not spooled else "set_aside_uncounted", row.receipt)


async def _send(
    connection: database.Connection,
    source: str,
    rows: Sequence[Submission],
    seconds: float,
    spooled: bool,
    ledger: Ledger,
) -> list[Outcome]:
    # One text: to encode every column as an array takes ten times as long.
    sent = msgspec.json.encode(rows).decode()
    exceptions = await _call(connection, sql.ACCEPT_SUBMISSIONS, source, spooled, sent, _json(ledger), seconds=seconds)
    outcomes = [Outcome("stored", row.receipt) for row in rows]
    for position, kind, receipt in exceptions:
        outcomes[position - 1] = Outcome(kind, receipt or rows[position - 1].receipt)
    return outcomes


async def set_aside(
    connection: database.Connection,
    source: str,
    rows: Sequence[Submission],
    reasons: Sequence[str],
    *,
    seconds: float,
    spooled: bool = False,
    ledger: Ledger = (),
) -> dict[bytes, bool]:
    """Keeps rows raw, each with its reason. The ids that are kept: all but those of neither form nor agency.

    The value says whether the conservation count has it from this source: not without a form, and not when another
    acceptance had it set aside before. Raises database.Unavailable, and Refused when not even this takes the content.
    """
    kept = await _call(
        connection,
        sql.SET_ASIDE,
        source,
        spooled,
        [pgproto.UUID(row.id) for row in rows],
        [row.form_key for row in rows],
        [row.agency_id for row in rows],
        [row.receipt for row in rows],
        [row.received_at for row in rows],
        list(reasons),
        [pack(row) for row in rows],
        _json(ledger),
        seconds=seconds,
    )
    return {record["id"].bytes: record["counted"] for record in kept}


async def report(
    connection: database.Connection,
    source: str,
    host: str,
    started_at: datetime.datetime,
    spooled: int,
    oldest_at: datetime.datetime | None,
    ledger: Ledger,
    *,
    seconds: float,
) -> None:
    """Tells the office of this edge. Raises database.Unavailable."""
    try:
        await _call(
            connection, sql.REPORT, source, host, started_at, spooled, oldest_at, _json(ledger), seconds=seconds
        )
    except Refused as refused:
        raise database.Unavailable(f"report: {refused}") from refused


def _json(ledger: Ledger) -> str:
    return msgspec.json.encode(ledger).decode()


async def _call(
    connection: database.Connection, statement: str, *arguments: object, seconds: float
) -> list[asyncpg.Record]:
    try:
        return await connection.fetch(statement, *arguments, timeout=seconds)
    except asyncpg.PostgresError as error:
        if (error.sqlstate or "")[:2] in _CONTENT_CLASSES:
            raise Refused(type(error).__name__) from error
        raise database.Unavailable(type(error).__name__) from error
    except (*database.AWAY, asyncpg.InternalClientError) as error:
        raise database.Unavailable(type(error).__name__) from error
    except Exception as error:  # asyncpg could not even encode a row
        raise Refused(type(error).__name__) from error
