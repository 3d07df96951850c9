"""The agencies of a person, and the way between them."""

from django.test import Client

from conftest import Cast
from consult.accounts import models, queries, services
from consult.core import tenancy


def test_the_only_agency_is_home(cast: Cast) -> None:
    assert cast.bob.client.get("/accounts/agencies/")["Location"] == "/a/inbox/"
    assert cast.stranger.get("/accounts/agencies/")["Location"] == "/accounts/login/?next=/accounts/agencies/"


def test_of_several_one_is_chosen(cast: Cast) -> None:
    services.add_member(agency_id=cast.b, user_id=cast.bob.user_id, role="viewer")
    page = cast.bob.client.get("/accounts/agencies/")
    assert page.status_code == 200
    text = page.content.decode()
    assert 'href="/a/inbox/"' in text
    assert 'href="/b/inbox/"' in text
    # The switcher is on every page of an agency; each keeps its own role.
    for slug in ("a", "b"):
        text = cast.bob.client.get(f"/{slug}/inbox/").content.decode()
        assert 'href="/a/inbox/"' in text
        assert 'href="/b/inbox/"' in text
    assert cast.bob.client.get("/b/sites/new/").status_code == 403
    assert [(place.slug, place.role) for place in queries.memberships(cast.bob.user_id)] == [
        ("a", "member"),
        ("b", "viewer"),
    ]


def test_others_agencies_are_not_named(cast: Cast) -> None:
    assert "Agency B" not in cast.bob.client.get("/a/inbox/").content.decode()


def test_nobody_in_no_agency(cast: Cast) -> None:
    user_id = services.create_user(email="nina@example.com", name="Nina")
    client = Client()
    client.force_login(models.User.objects.get(pk=user_id))
    page = client.get("/accounts/agencies/")
    assert page.status_code == 200
    assert "You are in no agency yet" in page.content.decode()
    assert client.get("/a/inbox/").status_code == 404


def test_the_front_page_leads_home(cast: Cast) -> None:
    assert "/accounts/login/" in cast.stranger.get("/").content.decode()
    assert 'href="/a/inbox/"' in cast.bob.client.get("/").content.decode()


def test_a_role_that_changes_counts_at_once(cast: Cast) -> None:
    assert cast.vera.client.get("/a/sites/new/").status_code == 403
    with tenancy.agency(cast.a):
        models.Member.objects.filter(id=cast.vera.member_id).update(role="owner")
    assert cast.vera.client.get("/a/sites/new/").status_code == 200
    with tenancy.agency(cast.a):
        models.Member.objects.filter(id=cast.vera.member_id).delete()
    assert cast.vera.client.get("/a/sites/").status_code == 404
