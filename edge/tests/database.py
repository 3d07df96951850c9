"""All that the tests know of tables: how to put a form or a key there, and how to read what was stored."""

import asyncio
import json
import pathlib
import secrets
import string
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import asyncpg

_STANDIN = pathlib.Path(__file__).with_name("standin.sql")

type Connection = asyncpg.Connection[asyncpg.Record]


class Submission:
    def __init__(self, record: asyncpg.Record) -> None:
        self.id: uuid.UUID = record["id"]
        self.receipt: str = record["receipt"]
        self.fields: list[list[str]] = json.loads(record["fields"])
        self.meta: dict[str, Any] = json.loads(record["meta"])

    def __getitem__(self, name: str) -> str:
        return next(value for key, value in self.fields if key == name)

    @property
    def signals(self) -> list[str]:
        found: list[str] = self.meta["signals"]
        return found


class Database:
    """The office's side, seen by a role that may do everything."""

    def __init__(self, admin_dsn: str) -> None:
        self.dsn = admin_dsn

    def _do[T](self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async def run() -> T:
            connection: Connection = await asyncpg.connect(self.dsn)
            try:
                return await work(connection)
            finally:
                await connection.close()

        # Its own loop in its own thread's stead: tests are plain functions.
        return asyncio.run(run())

    def execute(self, statement: str, *arguments: object) -> None:
        self._do(lambda connection: connection.execute(statement, *arguments))

    def fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        return self._do(lambda connection: connection.fetch(statement, *arguments))

    def create_standin(self, name: str) -> tuple[str, "Database"]:
        """A database with the stand-in's doors. Gives the edge's address and the admin's side of it."""
        password = secrets.token_hex(16)
        self.execute(f"CREATE DATABASE {name}")
        self.execute(f"CREATE ROLE consult_edge LOGIN PASSWORD '{password}'")
        parts = urlsplit(self.dsn)
        inside = Database(parts._replace(path=f"/{name}").geturl())
        inside.execute(_STANDIN.read_text(encoding="utf-8"))
        place = f"{parts.hostname}:{parts.port}"
        return f"postgresql://consult_edge:{password}@{place}/{name}", inside

    def add_form(self, **changes: object) -> str:
        """Gives the new form's key."""
        key = "frm_" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(22))
        definition = {**_definition(key), **changes}
        self.execute("INSERT INTO intake_form VALUES ($1, $2)", key, json.dumps(definition))
        return key

    def change_form(self, key: str, **changes: object) -> None:
        self.execute(
            "UPDATE intake_form SET definition = definition || $2::jsonb WHERE key = $1",
            key,
            json.dumps(changes),
        )
        self.notify("consult_forms", key)

    def remove_form(self, key: str, *, told: bool) -> None:
        self.execute("DELETE FROM intake_form WHERE key = $1", key)
        if told:
            self.notify("consult_forms", key)

    def add_key(self, kid: str, pem: str, *, told: bool = True) -> None:
        self.execute("INSERT INTO accounts_publickey VALUES ($1, $2)", kid, pem)
        if told:
            self.notify("consult_keys", kid)

    def remove_key(self, kid: str) -> None:
        self.execute("DELETE FROM accounts_publickey WHERE kid = $1", kid)
        self.notify("consult_keys", kid)

    def notify(self, channel: str, text: str) -> None:
        self.execute("SELECT pg_notify($1, $2)", channel, text)

    def nudge(self, agency: int, submission: str) -> None:
        self.notify("consult_live", json.dumps({"agency": agency, "kind": "enquiry", "id": submission}))

    def submissions(self, key: str) -> list[Submission]:
        rows = self.fetch(
            "SELECT id, receipt, fields::text, meta::text FROM intake_submission WHERE form_key = $1 ORDER BY id",
            key,
        )
        return [Submission(row) for row in rows]


def _field(
    name: str, label: str, kind: str, max_length: int, *options: str, required: bool = False
) -> dict[str, object]:
    return {
        "name": name,
        "label": label,
        "type": kind,
        "required": required,
        "options": options,
        "max_length": max_length,
    }


def _definition(key: str) -> dict[str, object]:
    return {
        "key": key,
        "agency_id": 1,
        "form_id": str(uuid.uuid4()),
        "version": 3,
        "name": "Contact",
        "site": {"name": "The Daily Grind", "url": "https://grind.example"},
        "fields": [
            _field("name", "Your name", "text", 100, required=True),
            _field("email", "E-mail", "email", 254, required=True),
            _field("topic", "Topic", "select", 100, "Beans", "Tea"),
            _field("message", "Message", "textarea", 5000),
            _field("news", "Send me news", "checkbox", 10),
        ],
        "allowed_origins": [],
        "redirect_targets": [],
        "honeypot": "website",
    }
