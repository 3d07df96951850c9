"""Leaving and being removed: out at once, with everything that signs in; what they did stays theirs."""

import datetime as dt

import pytest

from conftest import Cast, Database, Enquiry, Person
from consult.accounts import queries, services
from consult.accounts.tests.extension import refresh, sign_in, works
from consult.accounts.tests.test_change_role import at_once, make, path, roles
from consult.core import tenancy
from consult.inbox import services as inbox
from tests import worker

NOW = dt.datetime.now(dt.UTC)
LEAVE = "/a/settings/people/leave/"


def token(cast: Cast, person: Person) -> str:
    """A token of the member's own."""
    _id, secret = services.create_api_token(
        agency_id=cast.a, name="Own", scopes=["read"], by=person.member_id, member_id=person.member_id
    )
    return secret


def test_out_at_once(database: Database, cast: Cast) -> None:
    services.add_member(agency_id=cast.b, user_id=cast.bob.user_id, role="member")
    secret, others = token(cast, cast.bob), token(cast, cast.vera)
    assert services.believe_api_token(secret, now=NOW).user_id == cast.bob.user_id
    answer = cast.alice.client.post(path(cast.bob.member_id, "remove"), follow=True)
    assert "They are removed." in answer.content.decode()
    for page in ("/a/inbox/", "/a/settings/people/", "/a/live-token/"):
        assert cast.bob.client.get(page).status_code == 404
    with pytest.raises(services.BadToken):
        services.believe_api_token(secret, now=NOW)
    assert database.ask("SELECT revoked_at IS NOT NULL FROM accounts_apitoken ORDER BY created_at") == [
        (True,),
        (False,),
    ]
    assert services.believe_api_token(others, now=NOW)
    # Their sign-in stays, for whatever else they are in.
    assert cast.bob.client.get("/b/inbox/").status_code == 200
    with tenancy.agency(cast.a):
        assert queries.member_names(cast.a)[cast.bob.member_id] == "Bob"
    assert database.ask("SELECT by_id, subject_id FROM accounts_audit WHERE action = 'accounts.remove_member'") == [
        (cast.alice.member_id, cast.bob.member_id)
    ]
    assert cast.alice.client.post(path(cast.bob.member_id, "remove")).status_code == 404


def test_their_programs_are_signed_out(database: Database, cast: Cast) -> None:
    programs = {person: sign_in(person.client) for person in (cast.bob, cast.vera)}
    assert works(programs[cast.bob].access_token)
    cast.alice.client.post(path(cast.bob.member_id, "remove"))
    assert not works(programs[cast.bob].access_token)
    assert refresh(programs[cast.bob].refresh_token).json()["error"] == "invalid_grant"
    assert works(programs[cast.vera].access_token)
    # Back again they have to sign in anew: what was revoked stays so.
    services.add_member(agency_id=cast.a, user_id=cast.bob.user_id, role="member")
    assert not works(programs[cast.bob].access_token)


def test_who_may(database: Database, cast: Cast) -> None:
    for person, status in ((cast.vera, 403), (cast.bob, 403), (cast.charlie, 404)):
        assert person.client.post(path(cast.vera.member_id, "remove")).status_code == status
    make(database, cast.bob, "admin")
    assert cast.bob.client.post(path(cast.alice.member_id, "remove")).status_code == 403
    assert cast.bob.client.post(path(cast.vera.member_id, "remove")).status_code == 302
    assert roles(cast) == {"Alice": "owner", "Bob": "admin"}
    assert cast.charlie.client.post(path(cast.bob.member_id, "remove", "b")).status_code == 404


def test_leaving(database: Database, cast: Cast) -> None:
    for person in (cast.vera, cast.bob):
        assert person.client.post(LEAVE)["Location"] == "/accounts/agencies/"
        assert person.client.get("/a/inbox/").status_code == 404
    answer = cast.alice.client.post(LEAVE, follow=True)
    assert "An agency needs an owner" in answer.content.decode()
    assert roles(cast) == {"Alice": "owner"}
    assert cast.alice.client.post(path(cast.alice.member_id, "remove"), follow=True).status_code == 200
    assert roles(cast) == {"Alice": "owner"}


def test_two_owners_who_leave_at_once_leave_one(database: Database, cast: Cast) -> None:
    make(database, cast.bob, "owner")

    def leave(person: Person) -> None:
        services.leave_agency(agency_id=cast.a, member_id=person.member_id, now=NOW)

    assert at_once(lambda: leave(cast.alice), lambda: leave(cast.bob)) == ["LastOwner", "done"]
    assert sorted(roles(cast).values()) == ["owner", "viewer"]


def test_two_owners_who_remove_each_other_leave_one(database: Database, cast: Cast) -> None:
    make(database, cast.bob, "owner")

    def remove(who: Person, by: Person) -> None:
        services.remove_member(agency_id=cast.a, member_id=who.member_id, by=by.member_id, by_role="owner", now=NOW)

    ends = at_once(lambda: remove(cast.alice, cast.bob), lambda: remove(cast.bob, cast.alice))
    assert ends == ["NoSuchMember", "done"]
    assert sorted(roles(cast).values()) == ["owner", "viewer"]


def test_their_open_enquiries_go_back_to_nobody(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    for number in (2, 3):
        id, _outcome = database.submit(cast.key_a, ("name", f"No. {number}"), ("message", "Hello"))
        inbox.receive_submissions(agency_id=cast.a, submission_ids=[id])
    for number, person in ((1, cast.bob), (2, cast.bob), (3, cast.vera)):
        inbox.assign_enquiry(agency_id=cast.a, number=number, member_id=person.member_id, by=cast.alice.member_id)
    inbox.close_enquiry(agency_id=cast.a, number=2, by=cast.bob.member_id, now=NOW)
    cast.alice.client.post(path(cast.bob.member_id, "remove"))
    worker.run_jobs(database)
    # The open one is nobody's, the closed one keeps its story, another's stays.
    assert database.ask("SELECT assignee_id FROM inbox_enquiry ORDER BY number") == [
        (None,),
        (cast.bob.member_id,),
        (cast.vera.member_id,),
    ]
    page = cast.alice.client.get("/a/inbox/1/").content.decode()
    assert "Nobody has it any more: its assignee has left the agency" in page
    before = database.ask("SELECT count(*) FROM accounts_audit")
    inbox.release_member(agency_id=cast.a, member_id=cast.bob.member_id)
    assert database.ask("SELECT count(*) FROM accounts_audit") == before, "a second run is harmless"


def test_who_came_back_before_the_job_ran_keeps_them(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    inbox.assign_enquiry(agency_id=cast.a, number=1, member_id=cast.bob.member_id, by=None)
    services.leave_agency(agency_id=cast.a, member_id=cast.bob.member_id, now=NOW)
    assert services.add_member(agency_id=cast.a, user_id=cast.bob.user_id, role="viewer") == cast.bob.member_id
    worker.run_jobs(database)
    assert database.ask("SELECT assignee_id FROM inbox_enquiry") == [(cast.bob.member_id,)]


def test_the_agencys_tokens_that_they_made_stay_and_say_so(database: Database, cast: Cast) -> None:
    """What the agency's programs work with does not stop; but somebody outside has seen the secret."""
    secrets = {
        name: services.create_api_token(
            agency_id=cast.a, name=name, scopes=["read"], by=maker.member_id, role="member"
        )[1]
        for name, maker in (("Accounting", cast.bob), ("Reports", cast.bob), ("Website", cast.alice))
    }
    token(cast, cast.bob)
    page = cast.alice.client.get("/a/settings/people/").content.decode()
    assert "may know their secrets: Accounting, Reports. Revoke" in page
    assert "Website" not in page, "one's own is not asked about, since one cannot remove oneself"
    assert "Accounting" not in cast.vera.client.get("/a/settings/people/").content.decode()
    assert "Maker gone" not in cast.alice.client.get("/a/settings/tokens/").content.decode()
    cast.alice.client.post(path(cast.bob.member_id, "remove"))
    for secret in secrets.values():
        assert services.believe_api_token(secret, now=NOW)
    page = cast.alice.client.get("/a/settings/tokens/").content.decode()
    assert page.count("Bob, who made it and has seen its secret, is no longer here.") == 2
    services.add_member(agency_id=cast.a, user_id=cast.bob.user_id, role="member")
    assert "Maker gone" not in cast.alice.client.get("/a/settings/tokens/").content.decode()
