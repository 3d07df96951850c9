"""What every test may ask for: a real PostgreSQL, a database of its own in it, and the cast.

Alice owns agency A, Bob is a member of it, Vera only views it, Charlie owns agency B.
`CONSULT_TEST_POSTGRES` names a folder of other PostgreSQL programs than the embedded ones.
"""

import base64
import contextlib
import copy
import dataclasses
import datetime as dt
import hashlib
import itertools
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker

from consult.accounts import models as accounts_models
from consult.accounts import queries as accounts_queries
from consult.accounts import services as accounts
from consult.core import database as consult_database
from consult.core import origin, tenancy
from consult.inbox import services as inbox
from consult.intake import rules as intake_rules
from consult.intake import services as intake
from consult.machine import postgres, postgres_cluster

PASSWORD = "correct horse battery staple"
# One batch as the edge sends it; says only what was not simply stored.
ACCEPT = "SELECT position, outcome, receipt FROM intake_accept_v2(%s, %s, %s::text::jsonb, %s::text::jsonb)"
SET_ASIDE = """
    SELECT id, counted FROM intake_set_aside_v1(%s, %s, %s::uuid[], %s::text[], %s::bigint[], %s::text[],
                               %s::timestamptz[], %s::text[], %s::bytea[], %s::text::jsonb)
"""
_numbers = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Person:
    """One of the cast, with a browser that is signed in."""

    user_id: int
    email: str
    member_id: uuid.UUID
    client: Client


@dataclasses.dataclass(frozen=True)
class Cast:
    """Alice, Bob and Vera in agency `a` (/a/…), Charlie in agency `b`; one site with one form in each."""

    a: int
    b: int
    alice: Person
    bob: Person
    vera: Person
    charlie: Person
    stranger: Client
    site_a: uuid.UUID
    form_a: uuid.UUID
    form_b: uuid.UUID
    key_a: str
    key_b: str


@dataclasses.dataclass(frozen=True)
class Database:
    """A database of one test; `urls` maps roles (consult_app, consult_edge, superuser …) to addresses."""

    name: str
    urls: dict[str, str]

    def submit(
        self,
        key: str,
        *fields: tuple[str, str],
        id: uuid.UUID | None = None,
        files: Sequence[dict[str, Any]] = (),
        version: int = 1,
        received_at: dt.datetime | None = None,
        **meta: Any,
    ) -> tuple[uuid.UUID, str]:
        """Send a submission through the edge's own door and role; return its id and the outcome.

        `meta`: page_url, referrer, origin, remote_addr, user_agent, content_type (text), signals (a list), request_id.
        """
        id = id or uuid.uuid4()
        sent = json.dumps(fields or [["name", "Ann"], ["email", "ann@visitor.example"], ["message", "Hello there"]])
        texts = ("page_url", "referrer", "origin", "remote_addr", "user_agent", "content_type")
        # As edge/submission.py has them.
        row = (
            base64.b64encode(id.bytes).decode(),
            None,
            key,
            version,
            0,
            f"{uuid.uuid4().int % 10**12:012d}",
            (received_at or dt.datetime.now(dt.UTC)).isoformat(),
            base64.b64encode(hashlib.blake2b(sent.encode(), digest_size=16).digest()).decode(),
            sent,
            *(meta.get(name, "") for name in texts),
            json.dumps(meta.get("signals", [])),
            meta.get("request_id", ""),
            json.dumps(files) if files else None,
        )
        found = self.ask(ACCEPT, ("test", False, json.dumps([row]), "[]"), role="consult_edge")
        return id, found[0][1] if found else "stored"

    def set_aside(
        self,
        key: str,
        content: bytes = b"\x90",
        *,
        reason: str = "CheckViolationError",
        receipt: str = "K7QF2M9X4TDA",
        agency_id: int | None = None,
        received_at: dt.datetime | None = None,
    ) -> uuid.UUID:
        """Keep what the tables do not take, as the edge does; return its id."""
        id = uuid.uuid4()
        row = ([id], [key], [agency_id], [receipt], [received_at or dt.datetime.now(dt.UTC)], [reason], [content])
        self.ask(SET_ASIDE, ("test", False, *row, "[]"), role="consult_edge")
        return id

    def ask(self, statement: str, parameters: Sequence[Any] = (), *, role: str = "superuser") -> list[Any]:
        """Run one statement as `role`; return its rows."""
        with psycopg.connect(self.urls[role], autocommit=True) as direct:
            cursor = direct.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(autouse=True)
def by_hand() -> Iterator[None]:
    """What a test believes (a token) ends with it, as with a request."""
    with origin.bound(origin.COMMAND.place):
        yield


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres_cluster.Cluster]:
    other = os.environ.get("CONSULT_TEST_POSTGRES")
    with postgres.temporary(Path(other) if other else None, parent=_in_memory()) as started:
        yield started


def _in_memory() -> Path | None:
    """A folder in memory where there is room for it: a copy for each test is half a million new files."""
    shared = Path("/dev/shm")  # noqa: S108 (a mount, not a name that somebody could have taken)
    roomy = os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 2 * 1024**3
    return shared if roomy else None


@pytest.fixture(scope="session")
def actors(cluster: postgres_cluster.Cluster, django_db_blocker: DjangoDbBlocker) -> Cast:
    """The cast as it is in the template: a migrated database with agencies, people who have signed in, and forms."""
    with django_db_blocker.unblock():
        _point_at(cluster, postgres_cluster.DATABASE, "consult_owner")
        call_command("migrate", verbosity=0)
        _point_at(cluster, postgres_cluster.DATABASE, "consult_app")
        _people()
        found = _cast(cluster.url("superuser"))
        connection.close()
    return found


@pytest.fixture(scope="session")
def template(actors: Cast) -> str:
    """The database of which each test gets a copy."""
    return postgres_cluster.DATABASE


def _point_at(cluster: postgres_cluster.Cluster, name: str, role: str) -> None:
    consult_database.addresses["office"] = cluster.url(role, name)
    consult_database.use("office")


def _people() -> None:
    for slug, owner, others in (
        ("a", "alice", (("bob", "member"), ("vera", "viewer"))),
        ("b", "charlie", ()),
    ):
        agency_id = accounts.create_agency(slug=slug, name=f"Agency {slug.upper()}", owner_id=_person(owner))
        for name, role in others:
            accounts.add_member(agency_id=agency_id, user_id=_person(name), role=role)
        site_id = intake.create_site(agency_id=agency_id, name=f"Site {slug}", url=f"https://{slug}.example")
        intake.create_form(
            agency_id=agency_id,
            site_id=site_id,
            name="Contact",
            fields=intake_rules.CONTACT_FIELDS,
            key=f"frm_{slug * 22}",
            allowed_origins=[f"https://{slug}.example"],
        )


def _person(name: str) -> int:
    return accounts.create_user(email=f"{name}@example.com", name=name.title(), password=PASSWORD)


@contextlib.contextmanager
def _copied(cluster: postgres_cluster.Cluster, template: str) -> Iterator[Database]:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(cluster.url("superuser", "postgres"), autocommit=True) as admin:
        # Copied as files: five times faster than through the log, PostgreSQL's default.
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy OWNER consult_owner')
        yield Database(name, {role: cluster.url(role, name) for role in cluster.urls})
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def database(
    cluster: postgres_cluster.Cluster, template: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[Database]:
    """An own copy of the template, connected to as the office is: role consult_app, everything really committed."""
    with _copied(cluster, template) as made, django_db_blocker.unblock():
        _point_at(cluster, made.name, "consult_app")
        yield made
        cache.clear()
        connection.close()


@pytest.fixture(scope="session")
def edge_database(cluster: postgres_cluster.Cluster, template: str) -> Iterator[tuple[str, str]]:
    """(the edge's address, an address that may do everything) of one copy for all of the edge's tests."""
    with _copied(cluster, template) as made:
        yield made.urls["consult_edge"], made.urls["superuser"]


@pytest.fixture
def cast(database: Database, actors: Cast) -> Cast:
    return dataclasses.replace(
        actors,
        alice=_again(actors.alice),
        bob=_again(actors.bob),
        vera=_again(actors.vera),
        charlie=_again(actors.charlie),
        stranger=Client(),
    )


def _again(person: Person) -> Person:
    """The person in a new browser with what the template's had: the sign-in is in every copy."""
    client = Client()
    client.cookies = copy.deepcopy(person.client.cookies)
    return dataclasses.replace(person, client=client)


def _cast(url: str) -> Cast:
    agencies = {slug: id for id, slug, _name in accounts_queries.agencies()}
    a, b = agencies["a"], agencies["b"]
    with psycopg.connect(url) as direct:
        sites: dict[str, uuid.UUID] = dict(direct.execute("SELECT name, id FROM intake_site").fetchall())
        forms: dict[str, uuid.UUID] = dict(direct.execute("SELECT key, id FROM intake_form").fetchall())
    keys = {slug: f"frm_{slug * 22}" for slug in "ab"}
    return Cast(
        a=a,
        b=b,
        alice=_signed_in("alice", a),
        bob=_signed_in("bob", a),
        vera=_signed_in("vera", a),
        charlie=_signed_in("charlie", b),
        stranger=Client(),
        site_a=sites["Site a"],
        form_a=forms[keys["a"]],
        form_b=forms[keys["b"]],
        key_a=keys["a"],
        key_b=keys["b"],
    )


def _signed_in(name: str, agency_id: int) -> Person:
    user = accounts_models.User.objects.get(email=f"{name}@example.com")
    client = Client()
    client.force_login(user)
    with tenancy.agency(agency_id):
        member_id = accounts_queries.member_of(agency_id, user.pk)
    assert member_id
    return Person(user.pk, user.email, member_id, client)


@dataclasses.dataclass(frozen=True)
class Enquiry:
    number: int
    submission_id: uuid.UUID


@pytest.fixture
def enquiry(database: Database, cast: Cast) -> Enquiry:
    """An open enquiry of agency A, come in through the door."""
    submission_id, outcome = database.submit(cast.key_a)
    assert outcome == "stored"
    inbox.receive_submissions(agency_id=cast.a, submission_ids=[submission_id])
    return Enquiry(1, submission_id)
