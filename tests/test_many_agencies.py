"""Ten thousand agencies, one of them with half of all rows: what a small one's page reads does not grow with them.

Counted in blocks of tables and indexes, which is what takes the time, and is the same on every machine.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from conftest import Database, _point_at
from consult.accounts import models
from consult.core import tenancy
from consult.machine import postgres_cluster
from tests import crowd

AGENCIES, FEWER, ENQUIRIES = 10_000, 500, 2
SMALL = crowd.BIGGEST + 4
PAGES = (
    "",
    "inbox/",
    "inbox/?view=all&q=ann",
    "inbox/2/",
    "sites/",
    "attention/",
    "jobs/",
    "settings/",
    "settings/people/",
    "settings/tokens/",
    "settings/audit/",
    "settings/data/",
)
# Of twenty times as many rows each index is a level deeper: one more block for each look into it.
DEEPER = 1.5


@contextmanager
def filled(
    cluster: postgres_cluster.Cluster, template: str, blocker: DjangoDbBlocker, name: str, fill: str
) -> Iterator[Database]:
    with psycopg.connect(cluster.url("superuser", "postgres"), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy OWNER consult_owner')
        with psycopg.connect(cluster.url("superuser", name)) as direct:
            # Filling checks each foreign key row by row; that is not what is asked here.
            direct.execute("SET session_replication_role = replica")
            direct.execute(fill)
        with blocker.unblock():
            _point_at(cluster, name, "consult_app")
            yield Database(name, {role: cluster.url(role, name) for role in cluster.urls})
            connection.close()
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def blocks(statement: str) -> int:
    """Return how many blocks one statement reads, in the small agency."""
    with tenancy.agency(SMALL), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement}")
        [(found,)] = cursor.fetchall()
    plan: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


def read() -> dict[str, int]:
    """Return how many blocks each page reads for the small agency's owner."""
    client = Client()
    client.force_login(models.User.objects.get(pk=SMALL))
    found = {}
    for page in PAGES:
        address = f"/agency-{SMALL}/{page}"
        assert client.get(address, follow=True).status_code == 200, address
        with CaptureQueriesContext(connection) as said:
            client.get(address)
        statements = [query["sql"] for query in said.captured_queries]
        found[page] = sum(blocks(each) for each in statements if each.lstrip().startswith(("SELECT", "WITH")))
    return found


def grown(alone: dict[str, int], crowded: dict[str, int]) -> dict[str, tuple[int, int]]:
    return {page: (alone[page], crowded[page]) for page in alone if crowded[page] > alone[page] * DEEPER}


def test_small_agencies_do_not_feel_the_others(
    cluster: postgres_cluster.Cluster, template: str, django_db_blocker: DjangoDbBlocker
) -> None:
    few = crowd.fill(agencies=FEWER, enquiries=ENQUIRIES, days=2, biggest=FEWER * ENQUIRIES)
    with filled(cluster, template, django_db_blocker, "test_fewer_agencies", few):
        alone = read()
    many = crowd.fill(agencies=AGENCIES, enquiries=ENQUIRIES, days=2, biggest=AGENCIES * ENQUIRIES)
    with filled(cluster, template, django_db_blocker, "test_many_agencies", many) as database:
        [(biggest, all)] = database.ask(
            "SELECT count(*) FILTER (WHERE agency_id = %s), count(*) FROM inbox_enquiry", [crowd.BIGGEST]
        )
        assert 0.49 < biggest / all < 0.51
        crowded = read()
        assert grown(alone, crowded) == {}
        # And it can fail: without its indexes the page reads everybody's rows.
        database.ask("UPDATE pg_index SET indisvalid = false WHERE indrelid = 'inbox_enquiry'::regclass")
        assert "inbox/" in grown(alone, read())
