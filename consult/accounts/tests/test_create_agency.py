"""A new agency with its owner, and the names that none may take."""

import zoneinfo

import pytest
from django.urls import get_resolver

from conftest import Cast, Database
from consult.accounts import queries, rules, services
from consult.core import tenancy
from tests.test_route_matrix import walk


def test_it_works(database: Database, cast: Cast) -> None:
    agency_id = services.create_agency(slug="new-one", name="New", owner_id=cast.bob.user_id, time_zone="Europe/Vienna")
    place = {place.slug: place for place in queries.memberships(cast.bob.user_id)}["new-one"]
    assert (place.agency_id, place.role, place.time_zone) == (agency_id, "owner", "Europe/Vienna")
    [(by,)] = database.ask(
        "SELECT by_id FROM accounts_audit WHERE action = 'accounts.create_agency' AND agency_id = %s", [agency_id]
    )
    assert by == place.member_id
    assert cast.bob.client.get("/new-one/inbox/").status_code == 200


def test_a_name_that_is_taken(database: Database, cast: Cast) -> None:
    before = database.ask("SELECT count(*) FROM accounts_agency")
    with pytest.raises(services.NameTaken):
        services.create_agency(slug="a", name="Another", owner_id=cast.bob.user_id)
    assert database.ask("SELECT count(*) FROM accounts_agency") == before


def test_a_name_that_the_product_answers_itself(cast: Cast) -> None:
    for slug in ["accounts", "admin", "health", "static", "f", "live", ".well-known"]:
        with pytest.raises(services.NameTaken):
            services.create_agency(slug=slug, name="X", owner_id=cast.bob.user_id)


def test_every_first_part_of_our_addresses_is_reserved() -> None:
    first = {route.partition("/")[0] for route in walk(get_resolver().url_patterns)} - {"", "<slug:agency>"}
    # Whatever else is asked for under /api.
    first = {"api" if part.startswith("^api(") else part for part in first}
    assert first <= rules.RESERVED
    assert {"f", "live", "v1"} <= rules.RESERVED, "the edge's own"


def test_a_name_that_no_address_could_hold(database: Database, cast: Cast) -> None:
    for slug in ["", "Has Space", "UPPER", "under_score", "-dash", "a/b", "ä", "x" * 41]:
        with pytest.raises(services.BadName):
            services.create_agency(slug=slug, name="X", owner_id=cast.bob.user_id)
    assert database.ask("SELECT count(*) FROM accounts_agency") == [(2,)]


def test_roles(database: Database, cast: Cast) -> None:
    with pytest.raises(Exception, match="accounts_member_role"):
        services.add_member(agency_id=cast.a, user_id=cast.charlie.user_id, role="king")
    with pytest.raises(Exception, match="accounts_member_once"):
        services.add_member(agency_id=cast.a, user_id=cast.bob.user_id, role="owner")
    with tenancy.agency(cast.a):
        people = queries.members(cast.a)
    assert [(person.name, person.role) for person in people] == [
        ("Alice", "owner"),
        ("Bob", "member"),
        ("Vera", "viewer"),
    ]
    told = ("records.write", "sites.manage")
    assert [(role, *(rules.may(role, each) for each in told)) for role in (*rules.ROLES, "king")] == [
        ("owner", True, True),
        ("admin", True, True),
        ("member", True, False),
        ("viewer", False, False),
        ("king", False, False),
    ]


def test_a_person_needs_a_time_zone_that_exists(cast: Cast) -> None:
    with pytest.raises(zoneinfo.ZoneInfoNotFoundError):
        services.create_user(email="x@example.com", name="X", time_zone="Mars/Base")
    with pytest.raises(zoneinfo.ZoneInfoNotFoundError):
        services.create_agency(slug="mars", name="X", owner_id=cast.bob.user_id, time_zone="Mars/Base")


def test_times_are_shown_in_the_persons_zone(database: Database, cast: Cast) -> None:
    database.ask("UPDATE accounts_user SET time_zone = 'Mars/Base' WHERE email = 'bob@example.com'")
    # A zone that this machine's list does not know must not lock a person out.
    assert cast.bob.client.get("/a/inbox/").status_code == 200
