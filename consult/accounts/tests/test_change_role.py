"""Roles: who changes whose, to what; and handing an agency over."""

import datetime as dt
import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connection

from conftest import Cast, Database, Person
from consult.accounts import queries, rules, services
from consult.core import tenancy

NOW = dt.datetime.now(dt.UTC)


def roles(cast: Cast) -> dict[str, str]:
    with tenancy.agency(cast.a):
        return {person.name: person.role for person in queries.members(cast.a)}


def make(database: Database, person: Person, role: str) -> None:
    database.ask("UPDATE accounts_member SET role = %s WHERE id = %s", [role, person.member_id])


def path(member_id: UUID, act: str = "role", agency: str = "a") -> str:
    return f"/{agency}/settings/people/{member_id}/{act}/"


def at_once(*acts: Callable[[], None]) -> list[str]:
    """Do these at the same time, each with a connection of its own; return how each ended, sorted."""
    start, ends = threading.Barrier(len(acts)), list[str]()

    def run(act: Callable[[], None]) -> None:
        try:
            connection.ensure_connection()
            start.wait()
            act()
            ends.append("done")
        except Exception as error:
            ends.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(ends)


def test_the_rules() -> None:
    table = {
        (by, role, to): rules.may_change(by, role, to)
        for by in rules.ROLES
        for role in rules.ROLES
        for to in rules.ROLES
    }
    assert all(allowed for (by, _role, _to), allowed in table.items() if by == "owner")
    for (by, role, to), allowed in table.items():
        if by == "admin":
            assert allowed == ("owner" not in (role, to))
        elif by != "owner":
            assert not allowed
    assert [rules.may_give("admin", role) for role in rules.ROLES] == [False, True, True, True]
    assert rules.needs_an_owner(1, "owner", None)
    assert rules.needs_an_owner(1, "owner", "admin")
    assert not rules.needs_an_owner(2, "owner", None)
    assert not rules.needs_an_owner(1, "admin", None)
    assert not rules.needs_an_owner(1, "owner", "owner")


def test_it_holds_from_the_next_click(database: Database, cast: Cast) -> None:
    assert cast.bob.client.get("/a/settings/").status_code == 403
    assert cast.alice.client.post(path(cast.bob.member_id), {"role": "admin"}).status_code == 302
    assert cast.bob.client.get("/a/settings/").status_code == 200
    assert database.ask("SELECT by_id, subject_id, data FROM accounts_audit WHERE action = 'accounts.change_role'") == [
        (cast.alice.member_id, cast.bob.member_id, {"before": {"role": "member"}, "after": {"role": "admin"}})
    ]
    # The same once more is no change.
    cast.alice.client.post(path(cast.bob.member_id), {"role": "admin"})
    assert database.ask("SELECT count(*) FROM accounts_audit WHERE action = 'accounts.change_role'") == [(1,)]


def test_who_may(database: Database, cast: Cast) -> None:
    for person, status in ((cast.vera, 403), (cast.bob, 403), (cast.charlie, 404)):
        assert person.client.post(path(cast.bob.member_id), {"role": "viewer"}).status_code == status
    make(database, cast.bob, "admin")
    for member, role in ((cast.alice, "member"), (cast.vera, "owner"), (cast.bob, "owner")):
        assert cast.bob.client.post(path(member.member_id), {"role": role}).status_code == 403
    assert cast.bob.client.post(path(cast.vera.member_id), {"role": "member"}).status_code == 302
    assert roles(cast) == {"Alice": "owner", "Bob": "admin", "Vera": "member"}
    # Nobody of another agency can be reached, from either side.
    assert cast.alice.client.post(path(cast.charlie.member_id), {"role": "viewer"}).status_code == 404
    assert cast.charlie.client.post(path(cast.bob.member_id, agency="b"), {"role": "viewer"}).status_code == 404


def test_bad_input(cast: Cast) -> None:
    for role in ("", "king", "owner\0"):
        assert cast.alice.client.post(path(cast.bob.member_id), {"role": role}).status_code == 403
    assert cast.alice.client.post(path(cast.form_a), {"role": "viewer"}).status_code == 404


def test_the_last_owner_stays_one(database: Database, cast: Cast) -> None:
    answer = cast.alice.client.post(path(cast.alice.member_id), {"role": "admin"}, follow=True)
    assert "An agency needs an owner" in answer.content.decode()
    assert roles(cast)["Alice"] == "owner"
    make(database, cast.bob, "owner")
    cast.alice.client.post(path(cast.alice.member_id), {"role": "admin"})
    assert roles(cast) == {"Bob": "owner", "Alice": "admin", "Vera": "viewer"}


def test_two_owners_who_step_down_at_once_leave_one(database: Database, cast: Cast) -> None:
    make(database, cast.bob, "owner")

    def step_down(person: Person) -> None:
        services.change_role(
            agency_id=cast.a, member_id=person.member_id, role="member", by=person.member_id, by_role="owner", now=NOW
        )

    assert at_once(lambda: step_down(cast.alice), lambda: step_down(cast.bob)) == ["LastOwner", "done"]
    assert sorted(roles(cast).values()) == ["member", "owner", "viewer"]


def test_a_role_that_was_just_taken_away_changes_nothing(database: Database, cast: Cast) -> None:
    """What the page knew of the role does not count, but what it is under the lock."""
    with pytest.raises(services.NotYours):
        services.change_role(
            agency_id=cast.a,
            member_id=cast.vera.member_id,
            role="admin",
            by=cast.bob.member_id,
            by_role="admin",
            now=NOW,
        )
    database.ask("UPDATE accounts_member SET left_at = now() WHERE id = %s", [cast.bob.member_id])
    with pytest.raises(services.NoSuchMember):
        services.change_role(
            agency_id=cast.a,
            member_id=cast.vera.member_id,
            role="admin",
            by=cast.bob.member_id,
            by_role="admin",
            now=NOW,
        )


def test_handing_it_over(database: Database, cast: Cast) -> None:
    for person, status in ((cast.vera, 403), (cast.bob, 403), (cast.charlie, 404)):
        assert person.client.post(path(cast.bob.member_id, "transfer")).status_code == status
    assert cast.alice.client.post(path(cast.alice.member_id, "transfer")).status_code == 403
    assert cast.alice.client.post(path(cast.charlie.member_id, "transfer")).status_code == 404
    assert cast.alice.client.post(path(cast.bob.member_id, "transfer"), follow=True).status_code == 200
    assert roles(cast) == {"Alice": "admin", "Bob": "owner", "Vera": "viewer"}
    assert cast.alice.client.get("/a/settings/data/").status_code == 403
    assert cast.bob.client.get("/a/settings/data/").status_code == 200
    [(data,)] = database.ask("SELECT data FROM accounts_audit WHERE action = 'accounts.transfer_agency'")
    assert data["after"] == {str(cast.bob.member_id): "owner", str(cast.alice.member_id): "admin"}


def test_handing_over_to_two_at_once_gives_it_to_one(cast: Cast) -> None:
    def give(person: Person) -> None:
        services.transfer_agency(agency_id=cast.a, member_id=person.member_id, by=cast.alice.member_id, now=NOW)

    assert at_once(lambda: give(cast.bob), lambda: give(cast.vera)) == ["NotYours", "done"]
    assert list(roles(cast).values()).count("owner") == 1
