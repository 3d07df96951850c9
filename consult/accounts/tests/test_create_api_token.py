"""Making an API token: at the page, and by command."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from conftest import Cast, Database
from consult.accounts import services
from consult.accounts.tests.extension import works

PAGE = "/a/settings/tokens/new/"
SECRET = re.compile(r"cst_[A-Za-z0-9_-]{43}")
GIVEN = {"owner": "me", "name": "Nightly report", "scopes": ["read"], "expiry": "90"}


def made(client: Client, **given: object) -> str:
    answer = client.post(PAGE, GIVEN | given)
    assert answer.status_code == 200, answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    secrets: set[str] = set(SECRET.findall(answer.content.decode()))
    [secret] = secrets
    return secret


def rows(database: Database) -> list[tuple[object, ...]]:
    return database.ask(
        "SELECT agency_id, name, member_id, role, scopes, (expires_at - created_at) > interval '89 days',"
        " (expires_at - created_at) < interval '91 days' FROM accounts_apitoken ORDER BY created_at"
    )


def test_its_secret_is_shown_once_and_works(database: Database, cast: Cast) -> None:
    secret = made(cast.bob.client)
    assert works(secret)
    assert rows(database) == [(cast.a, "Nightly report", cast.bob.member_id, "", ["read"], True, True)]
    listed = cast.bob.client.get("/a/settings/tokens/").content.decode()
    assert "Nightly report" in listed
    assert f"cst_…{secret[-4:]}" in listed
    assert secret not in listed
    assert database.ask("SELECT by_id FROM accounts_audit WHERE action = 'accounts.create_api_token'") == [
        (cast.bob.member_id,)
    ]


def test_one_that_never_ends_only_when_asked_for(database: Database, cast: Cast) -> None:
    page = cast.bob.client.get(PAGE).content.decode()
    assert re.search(r'<option value="90" selected>', page)
    made(cast.bob.client, expiry="never")
    assert rows(database)[0][5:] == (None, None)


@pytest.mark.parametrize(("who", "offered"), [("vera", 1), ("bob", 2), ("alice", 3)])
def test_scopes_that_the_role_has_are_offered(cast: Cast, who: str, offered: int) -> None:
    page = getattr(cast, who).client.get(PAGE).content.decode()
    assert re.findall(r'name="scopes" value="(\w+)"', page) == ["read", "write", "manage"][:offered]


def test_a_viewer_makes_one_for_reading_and_none_for_writing(database: Database, cast: Cast) -> None:
    assert works(made(cast.vera.client))
    answer = cast.vera.client.post(PAGE, GIVEN | {"scopes": ["read", "write"]})
    assert answer.status_code == 422
    assert len(rows(database)) == 1
    with pytest.raises(services.BadScopes):
        services.create_api_token(
            agency_id=cast.a, name="x", scopes=["write"], by=cast.vera.member_id, member_id=cast.vera.member_id
        )


def test_the_agencys_own_are_for_managers(database: Database, cast: Cast) -> None:
    made(cast.alice.client, owner="member", scopes=["read", "write"])
    assert rows(database)[0][2:5] == (None, "member", ["read", "write"])
    assert 'name="owner"' not in cast.bob.client.get(PAGE).content.decode()
    # Whoever adds the field by hand gets a token of their own.
    made(cast.bob.client, owner="admin")
    assert rows(database)[1][2:4] == (cast.bob.member_id, "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"name": "a\0b"}, "Null characters are not allowed."),
        ({"scopes": []}, "Tick at least one"),
        ({"scopes": ["all"]}, "all is not one of the available choices"),
        ({"expiry": "1000000"}, "1000000 is not one of the available choices"),
        ({"owner": "owner"}, "owner is not one of the available choices"),
        ({"owner": "viewer", "scopes": ["read", "write"]}, "As viewer it could not do all of this."),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    database: Database, cast: Cast, changes: dict[str, object], said: str
) -> None:
    answer = cast.alice.client.post(PAGE, GIVEN | changes)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert said in page
    assert str(GIVEN["name"]) in page or "name" in changes
    assert rows(database) == []


def test_roles_that_no_token_may_have(cast: Cast) -> None:
    for given in ({"role": "owner"}, {"role": "root"}, {}, {"role": "viewer", "member_id": cast.bob.member_id}):
        with pytest.raises(services.BadScopes):
            services.create_api_token(agency_id=cast.a, name="x", scopes=["read"], by=None, **given)


def command(database: Database, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "consult.settings.test"}
    program = (
        "import sys; from consult.core import database as d; from consult import cli; import django; django.setup();"
        f"d.addresses['office'] = {database.urls['consult_app']!r}; d.use('office'); sys.exit(cli.main(sys.argv[1:]))"
    )
    return subprocess.run(
        [sys.executable, "-c", program, "token", "create", *arguments],
        env=environment,
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_prints_the_secret_alone(database: Database, cast: Cast) -> None:
    done = command(
        database, "Bob@Example.com", "--agency", "a", "--name", "Cron", "--scope", "read", "--scope", "write",
        "--days", "90",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert SECRET.fullmatch(done.stdout.strip())
    assert works(done.stdout.strip())
    assert rows(database) == [(cast.a, "Cron", cast.bob.member_id, "", ["read", "write"], True, True)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nobody@example.com", "--agency", "a", "--name", "x", "--scope", "read"), "Nobody active has the address"),
        (("bob@example.com", "--agency", "b", "--name", "x", "--scope", "read"), "no member of an agency “b”"),
        (("vera@example.com", "--agency", "a", "--name", "x", "--scope", "write"), "may have: --scope read."),
        (("bob@example.com", "--agency", "a", "--name", "x"), "Name at least one."),
        (("bob@example.com", "--agency", "a", "--name", " ", "--scope", "read"), "--name has between"),
        (("bob@example.com", "--agency", "a", "--name", "x", "--scope", "read", "--days", "0"), "--days is between"),
    ],
    ids=lambda value: ascii(value)[:50],
)
def test_the_command_says_what_is_wrong(database: Database, cast: Cast, arguments: tuple[str, ...], said: str) -> None:
    done = command(database, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert rows(database) == []
