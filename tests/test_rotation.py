"""Secrets can be rotated: what the table in docs/operations.md promises holds."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.test import Client, override_settings
from psycopg import sql

from conftest import Cast, Database
from consult.accounts import models
from consult.core import encryption
from consult.intake import services as intake
from consult.machine import postgres_cluster
from consult.settings.environment import Environment
from edge.tests import program
from tests.test_settings_docs import edge as edges_settings
from tests.test_settings_docs import office as offices_settings

ROOT = Path(__file__).resolve().parents[1]
OLD, NEW = "old-key-" * 8, "new-key-" * 8


def test_a_new_secret_key_with_the_old_one_behind_it_signs_nobody_out(cast: Cast) -> None:
    user = models.User.objects.get(pk=cast.alice.user_id)
    with override_settings(SECRET_KEY=OLD):
        client = Client()
        client.force_login(user)
        link = default_token_generator.make_token(user)
        signed = signing.dumps("word")
    with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[OLD]):
        assert client.get("/a/inbox/").status_code == 200
        assert default_token_generator.check_token(user, link)
        assert signing.loads(signed) == "word"
        fresh = signing.dumps("word")
    with override_settings(SECRET_KEY=NEW):
        assert client.get("/a/inbox/").status_code == 200, "the sign-in is signed with the new one by now"
        assert signing.loads(fresh) == "word"
        assert not default_token_generator.check_token(user, link)
        with pytest.raises(signing.BadSignature):
            signing.loads(signed)


def test_a_new_secret_key_alone_signs_everybody_out(cast: Cast) -> None:
    with override_settings(SECRET_KEY=NEW):
        assert cast.alice.client.get("/a/inbox/").status_code == 302
        assert cast.bob.client.get("/a/inbox/").status_code == 302


@pytest.fixture
def rotated(cluster: postgres_cluster.Cluster, database: Database) -> Iterator[dict[str, str]]:
    """The edge's role has another password meanwhile; its old and its new address."""
    old = database.urls["consult_edge"]
    new = re.sub(r"(?<=consult_edge:)[^@]+", "another-password", old)
    password = re.search(r"(?<=consult_edge:)[^@]+", old)
    assert password
    change = sql.SQL("ALTER ROLE consult_edge PASSWORD {}")
    try:
        yield {"old": old, "new": new}
    finally:
        with psycopg.connect(cluster.url("superuser", "postgres"), autocommit=True) as admin:
            admin.execute(change.format(sql.Literal(password[0])))


def test_a_databases_password_is_changed_under_an_edge_that_runs(
    rotated: dict[str, str], database: Database, cast: Cast
) -> None:
    with program.running(rotated["old"]) as edge:
        assert edge_takes(edge, cast.key_a, "before") == 201
        database.ask("ALTER ROLE consult_edge PASSWORD 'another-password'")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(rotated["old"])
        # What is open stays open.
        assert edge_takes(edge, cast.key_a, "between") in (201, 202)
    with program.running(rotated["new"]) as edge:
        assert edge_takes(edge, cast.key_a, "after") == 201


def edge_takes(edge: program.Program, key: str, message: str) -> int:
    fields = {"name": "Ann", "email": "ann@visitor.example", "message": message}
    return httpx.post(f"{edge.url}/f/{key}", json=fields, timeout=30).status_code


def test_encryption_keys_overlap() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    with override_settings(CONSULT_ENCRYPTION_KEYS=[old]):
        sealed = encryption.seal(b"secret", bound_to="a.b/1")
    with override_settings(CONSULT_ENCRYPTION_KEYS=[new, old]):
        assert encryption.open_sealed(sealed, bound_to="a.b/1") == b"secret"
        again = encryption.seal(b"secret", bound_to="a.b/1")
    with override_settings(CONSULT_ENCRYPTION_KEYS=[new]):
        assert encryption.open_sealed(again, bound_to="a.b/1") == b"secret"
        with pytest.raises(encryption.CannotOpen):
            encryption.open_sealed(sealed, bound_to="a.b/1")
    with override_settings(CONSULT_ENCRYPTION_KEYS=[new, old]):
        assert encryption.open_sealed(sealed, bound_to="a.b/1") == b"secret", "put back, it opens again"


def test_a_forms_secret_is_replaced(database: Database, cast: Cast) -> None:
    before = dict(database.ask("SELECT key, secret FROM intake_form"))
    intake.rotate_form_secret(key=cast.key_b)
    after = dict(database.ask("SELECT key, secret FROM intake_form"))
    assert before[cast.key_a] == after[cast.key_a]
    assert before[cast.key_b] != after[cast.key_b]
    found = database.ask("SELECT agency_id, origin FROM accounts_audit WHERE action = 'intake.rotate_form_secret'")
    assert found == [(cast.b, "command")]
    with pytest.raises(intake.NoSuchForm):
        intake.rotate_form_secret(key="frm_none")


def test_every_secret_has_its_row() -> None:
    """What the environment holds as a secret is in the table of docs/operations.md."""
    table = (ROOT / "docs/operations.md").read_text("utf-8").partition("## Secrets")[2].partition("###")[0]
    rows = "\n".join(line for line in table.splitlines() if line.startswith("|"))
    secret = {name for name, field in Environment.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert len(secret) >= 8
    assert {name for name in {*secret, "EDGE_DATABASE_URL"} if f"`{name}`" not in rows} == set()
    assert offices_settings() > secret
    assert "EDGE_DATABASE_URL" in edges_settings()
