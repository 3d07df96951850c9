"""All that the tests know of tables: how to put a form or a key there, and how to read what was stored."""

import asyncio
import json
import secrets
import string
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

type Connection = asyncpg.Connection[asyncpg.Record]


class Submission:
    def __init__(self, record: asyncpg.Record) -> None:
        self.id: uuid.UUID = record["id"]
        self.receipt: str = record["receipt"]
        self.fields: list[list[str]] = json.loads(record["fields"])
        found: dict[str, Any] = json.loads(record["meta"])
        self.meta = {name: value for name, value in found.items() if value != ""}
        self.digest: bytes = record["digest"]
        self.spooled: bool = record["spooled"]

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

    def allow_no_poison(self) -> None:
        """Let a test make one row of a batch bad."""
        self.execute(
            "ALTER TABLE intake_submission ADD CONSTRAINT no_poison CHECK (fields::text NOT LIKE '%POISON%') NOT VALID"
        )

    def add_form(self, **changes: object) -> str:
        """A form of agency 1 on a site of its own, at version 3. Gives the form's key.

        Changes: name, site, fields, allowed_origins, redirect_targets, honeypot, files, language, address_limit,
        form_limit, over_limit, daily_cap, proof_of_work, hold_score, fallback_contact.
        """
        key = "frm_" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(22))
        form = {**_FORM, **changes}
        assert form.keys() == _FORM.keys(), "no such setting"
        self.execute(
            _ADD_FORM,
            key,
            json.dumps(form["site"]),
            form["name"],
            json.dumps(form["fields"]),
            json.dumps(form["allowed_origins"]),
            json.dumps(form["redirect_targets"]),
            form["honeypot"],
            json.dumps({name: form[name] for name in _SETTINGS} | {"secret": secrets.token_urlsafe(32)}),
        )
        return key

    def rename_form(self, key: str, name: str) -> None:
        """As the office does it: the trigger tells the edge."""
        self.execute(
            "UPDATE intake_formversion SET name = $2 WHERE form_id = (SELECT id FROM intake_form WHERE key = $1)",
            key,
            name,
        )
        self.execute("UPDATE intake_form SET name = $2 WHERE key = $1", key, name)

    def ask_for(self, key: str, field: str) -> None:
        """The form's next version, with one more field that is required."""
        added = [{"name": field, "label": field, "type": "text", "required": True, "required_since": 4}]
        self.execute(
            """
            INSERT INTO intake_formversion (id, agency_id, created_at, form_id, version, name, fields, honeypot, files)
            SELECT gen_random_uuid(), v.agency_id, now(), v.form_id, 4, v.name, v.fields || $2::jsonb, v.honeypot,
                   v.files
              FROM intake_formversion v JOIN intake_form f ON f.id = v.form_id WHERE f.key = $1
            """,
            key,
            json.dumps(added),
        )
        self.execute("UPDATE intake_form SET version = 4 WHERE key = $1", key)

    def remove_form(self, key: str, *, told: bool) -> None:
        self._rekey(key, f"gone_{key}", told=told)

    def return_form(self, key: str, *, told: bool) -> None:
        self._rekey(f"gone_{key}", key, told=told)

    def _rekey(self, old: str, new: str, *, told: bool) -> None:
        async def work(connection: Connection) -> None:
            if not told:
                await connection.execute("SET session_replication_role = replica")
            await connection.execute("UPDATE intake_form SET key = $2 WHERE key = $1", old, new)

        self._do(work)

    def add_key(self, kid: str, pem: str, *, told: bool = True) -> None:
        self.execute(
            "INSERT INTO accounts_signingkey"
            " (kid, state, public_key, private_key_sealed, created_at, not_before, retired_at)"
            " VALUES ($1, 'previous', $2, '', now(), now(), now())",
            kid,
            pem,
        )
        if told:
            self.notify("consult_keys", kid)

    def remove_key(self, kid: str) -> None:
        self.execute("DELETE FROM accounts_signingkey WHERE kid = $1", kid)
        self.notify("consult_keys", kid)

    def notify(self, channel: str, text: str) -> None:
        self.execute("SELECT pg_notify($1, $2)", channel, text)

    def nudge(self, agency: int, submission: str) -> None:
        self.notify("consult_live", json.dumps({"agency": agency, "kind": "enquiry", "id": submission}))

    def set_aside(self, key: str) -> list[asyncpg.Record]:
        return self.fetch("SELECT * FROM intake_setaside WHERE form_key = $1", key)

    def submissions(self, key: str) -> list[Submission]:
        rows = self.fetch(
            """
            SELECT s.id, s.receipt, s.digest, s.spooled, s.fields::text, jsonb_build_object(
                       'page_url', s.page_url, 'referrer', s.referrer, 'origin', s.origin,
                       'remote_addr', s.remote_addr, 'user_agent', s.user_agent,
                       'content_type', s.content_type, 'signals', s.signals,
                       'form_version', s.form_version)::text AS meta
              FROM intake_submission s JOIN intake_form f ON f.id = s.form_id
             WHERE f.key = $1 ORDER BY s.id
            """,
            key,
        )
        return [Submission(row) for row in rows]


_ADD_FORM = """
    WITH site AS (
        INSERT INTO intake_site (id, agency_id, created_at, name, url, fallback_contact)
        SELECT gen_random_uuid(), 1, now(), $2::jsonb->>'name', $2::jsonb->>'url', $8::jsonb->>'fallback_contact'
        RETURNING id
    ), form AS (
        INSERT INTO intake_form (id, agency_id, created_at, site_id, key, name, version, allowed_origins,
                                 redirect_targets, notify_addresses, language, hold_score, address_limit, form_limit,
                                 over_limit, daily_cap, proof_of_work, secret, auto_reply, auto_reply_text,
                                 keep_address_days)
        SELECT gen_random_uuid(), 1, now(), site.id, $1, $3, 3, $5::jsonb, $6::jsonb, '[]', s.language, s.hold_score,
               s.address_limit, s.form_limit, s.over_limit, s.daily_cap, s.proof_of_work,
               s.secret, false, '', 30
          FROM site, jsonb_to_record($8::jsonb) AS s (
               language text, hold_score int, address_limit text, form_limit text, over_limit text, daily_cap int,
               proof_of_work boolean, secret text)
        RETURNING id
    )
    INSERT INTO intake_formversion (id, agency_id, created_at, form_id, version, name, fields, honeypot, files)
    SELECT gen_random_uuid(), 1, now(), form.id, 3, $3, $4::jsonb, $7, $8::jsonb->'files' FROM form
"""
# What stands as it is in the statement's last parameter.
_SETTINGS = (
    "language",
    "hold_score",
    "address_limit",
    "form_limit",
    "over_limit",
    "daily_cap",
    "proof_of_work",
    "files",
    "fallback_contact",
)


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


_FORM: dict[str, object] = {
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
    "files": {},
    "language": "en",
    "hold_score": 50,
    # Out of the way of every test but those of limits.
    "address_limit": "100000/minute",
    "form_limit": "100000/minute",
    "over_limit": "hold",
    "daily_cap": 1_000_000,
    "proof_of_work": False,
    "fallback_contact": "",
}
