"""The life of signing keys: next → current → previous → gone, and revoked."""

import datetime as dt
import os
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.test import Client, override_settings

from conftest import Cast, Database
from consult.accounts import jobs, queries, services
from consult.accounts.services import keys
from consult.accounts.tests.extension import sign_in, works

NOW = dt.datetime.now(dt.UTC)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def states() -> list[str]:
    return [key.state for key in queries.signing_keys()]


def kid(state: str) -> str:
    [found] = [key.kid for key in queries.signing_keys() if key.state == state]
    return found


def published(database: Database) -> set[str]:
    """What the JWKS and the edge's door tell; they must be the same."""
    door = {row[0] for row in database.ask("SELECT kid FROM accounts_public_keys_v2()", role="consult_edge")}
    answer = Client().get("/.well-known/jwks.json")
    assert answer["Cache-Control"] == "public, max-age=300"
    assert {key["kid"] for key in answer.json()["keys"]} == door
    return door


def sealed(database: Database) -> dict[str, bool]:
    return dict(database.ask("SELECT state, private_key_sealed LIKE 'enc:v1:%%' FROM accounts_signingkey"))


def test_the_first_two_are_made_when_needed(database: Database, cast: Cast) -> None:
    assert states() == []
    services.live_token(agency_id=cast.a, member_id=cast.bob.member_id, now=NOW)
    assert states() == ["current", "next"] or states() == ["next", "current"]
    assert len(published(database)) == 2


def test_a_whole_life(database: Database) -> None:
    services.tend_keys(now=NOW)
    first, second = kid("current"), kid("next")
    assert sealed(database) == {"current": True, "next": True}
    services.tend_keys(now=NOW + 30 * DAY - HOUR)
    assert kid("current") == first
    services.tend_keys(now=NOW + 30 * DAY)
    third = kid("next")
    assert (kid("previous"), kid("current")) == (first, second)
    assert published(database) == {first, second, third}
    # What signs no more has nothing left to sign with.
    assert sealed(database) == {"previous": False, "current": True, "next": True}
    services.tend_keys(now=NOW + 30 * DAY + keys.BELIEVED_AFTER - dt.timedelta(seconds=1))
    assert kid("previous") == first
    services.tend_keys(now=NOW + 30 * DAY + keys.BELIEVED_AFTER)
    assert published(database) == {second, third}


def test_it_is_kept_longer_than_anything_that_it_signed(cast: Cast) -> None:
    from consult.accounts.services import access_tokens
    from edge import tokens as edge_tokens

    longest = max(access_tokens.LONGEST_SECONDS, edge_tokens.LIFETIME_SECONDS)
    leeway = max(access_tokens.LEEWAY_SECONDS, edge_tokens.LEEWAY_SECONDS)
    assert keys.BELIEVED_AFTER.total_seconds() >= longest + leeway
    assert keys.PUBLISHED_BEFORE >= 2 * keys.JWKS_MAX_AGE


def test_the_days_are_a_setting(database: Database) -> None:
    services.tend_keys(now=NOW)
    first = kid("current")
    with override_settings(CONSULT_KEY_ROTATION_DAYS=7):
        services.tend_keys(now=NOW + 7 * DAY - HOUR)
        assert kid("current") == first
        services.tend_keys(now=NOW + 7 * DAY)
    assert kid("previous") == first


def test_no_key_signs_before_everybody_has_it(database: Database) -> None:
    services.tend_keys(now=NOW)
    first = kid("current")
    almost = NOW + keys.PUBLISHED_BEFORE - dt.timedelta(seconds=1)
    with pytest.raises(services.TooEarly) as early:
        services.rotate_keys(now=almost)
    assert early.value.until == NOW + keys.PUBLISHED_BEFORE
    with override_settings(CONSULT_KEY_ROTATION_DAYS=0):
        services.tend_keys(now=almost)
    assert kid("current") == first
    services.rotate_keys(now=NOW + keys.PUBLISHED_BEFORE)
    assert kid("previous") == first


def test_what_the_previous_key_signed_stays_good(cast: Cast) -> None:
    token = sign_in(cast.bob.client).access_token
    first = kid("current")
    services.rotate_keys(now=dt.datetime.now(dt.UTC) + HOUR)
    assert kid("previous") == first
    assert works(token)
    assert works(sign_in(cast.vera.client).access_token)


def test_a_revoked_key_is_believed_nowhere(database: Database, cast: Cast) -> None:
    token = sign_in(cast.bob.client).access_token
    first, second = kid("current"), kid("next")
    with psycopg.connect(database.urls["consult_edge"], autocommit=True) as edge:
        edge.execute("LISTEN consult_keys")
        assert services.revoke_key(kid=first, now=dt.datetime.now(dt.UTC)) == second
        assert first in {note.payload for note in edge.notifies(timeout=2, stop_after=1)}
    assert not works(token)
    assert first not in published(database)
    assert kid("current") == second
    assert works(sign_in(cast.bob.client).access_token)
    assert sealed(database) == {"revoked": False, "current": True, "next": True}


def test_another_process_that_still_has_the_key_refuses_it_too(cast: Cast) -> None:
    """The ring of a process may be half a minute old: the door looks at the key's state as well."""
    from consult.accounts.services.key_ring import ring

    token = sign_in(cast.bob.client).access_token
    assert works(token)
    held = dict(ring._keys)
    services.revoke_key(kid=kid("current"), now=dt.datetime.now(dt.UTC))
    ring.find("x")
    ring._keys = held
    assert not works(token)


def test_the_next_and_the_previous_can_be_revoked(database: Database, cast: Cast) -> None:
    services.tend_keys(now=NOW)
    waiting = kid("next")
    current = kid("current")
    assert services.revoke_key(kid=waiting, now=NOW) == current
    assert kid("next") != waiting
    services.rotate_keys(now=NOW + HOUR)
    assert services.revoke_key(kid=current, now=NOW + HOUR) == kid("current")
    for bad in (current, "unknown", ""):
        with pytest.raises(services.NoSuchKey):
            services.revoke_key(kid=bad, now=NOW)
    assert published(database) == {kid("current"), kid("next")}


def test_two_workers_at_once_rotate_once(database: Database) -> None:
    services.tend_keys(now=NOW)
    faults: list[BaseException] = []
    start = threading.Barrier(4)

    def work() -> None:
        try:
            start.wait(10)
            services.tend_keys(now=NOW + 31 * DAY)
        except BaseException as error:
            faults.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert faults == []
    assert sorted(states()) == ["current", "next", "previous"]


def test_the_database_itself_allows_one_key_that_signs(database: Database) -> None:
    services.tend_keys(now=NOW)
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.ask("UPDATE accounts_signingkey SET state = 'current'")
    with pytest.raises(psycopg.errors.CheckViolation):
        database.ask("UPDATE accounts_signingkey SET state = 'previous' WHERE state = 'current'")


def test_the_job(database: Database) -> None:
    jobs.tend_keys()
    assert sorted(states()) == ["current", "next"]


def command(database: Database, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys; from consult.core import database as d; from consult import cli; import django; django.setup();"
        f"d.addresses['office'] = {database.urls['consult_app']!r}; d.use('office'); sys.exit(cli.main(sys.argv[1:]))"
    )
    return subprocess.run(
        [sys.executable, "-c", program, "keys", *arguments],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "consult.settings.test"},
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_commands(database: Database) -> None:
    services.tend_keys(now=NOW - DAY)
    first, second = kid("current"), kid("next")
    told = command(database, "list").stdout.splitlines()
    assert sorted(line.split()[:2] for line in told) == sorted([[first, "current"], [second, "next"]])
    # Sealed with another process's key: making a new one is all that is needed of it.
    assert command(database, "rotate").stdout.strip() == f"{second} signs from now on."
    again = command(database, "rotate")
    assert (again.returncode, again.stdout) == (1, "")
    assert "too new to sign" in again.stderr
    done = command(database, "revoke", first)
    assert done.stdout.startswith(f"{first} is revoked"), done.stderr
    unknown = command(database, "revoke", "nonsense")
    assert unknown.returncode == 1
    assert "No key nonsense" in unknown.stderr
    assert "revoked" in command(database, "list").stdout
