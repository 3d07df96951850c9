"""Merging contacts, and taking it back."""

import datetime as dt
import uuid

import pytest

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import queries, services
from consult.crm.tests.conftest import NOT_ALLOWED, Known, at_once, refused

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def other(cast: Cast, known: Known) -> uuid.UUID:
    """Anna Müller, a second entry of the same person, with a deal, a note and a label of her own."""
    made = services.create_contact(
        agency_id=cast.a,
        name="Anna Müller",
        by=None,
        job_title="Owner",
        emails=["anna@rosa.example", "ann@rosa.example"],
        phones=["+44 20 7946 0009"],
        company_name="Rosa Holding",
    )
    services.create_deal(agency_id=cast.a, title="Second deal", by=None, contact_id=made)
    services.add_note(agency_id=cast.a, place="contact", id=made, body="Her own note", by=None)
    services.set_labels(agency_id=cast.a, place="contact", id=made, names=["VIP"], by=None)
    return made


def contact(cast: Cast, id: uuid.UUID) -> queries.Contact:
    with tenancy.agency(cast.a):
        return queries.contact(cast.a, id)


def merge(cast: Cast, keep: uuid.UUID, alias: uuid.UUID, *take: str, at: dt.datetime = NOW) -> uuid.UUID:
    return services.merge_contacts(agency_id=cast.a, keep_id=keep, alias_id=alias, take=take, by=None, now=at)


def unmerge(cast: Cast, id: uuid.UUID) -> uuid.UUID:
    return services.unmerge_contacts(agency_id=cast.a, merge_id=id, by=None, now=NOW)


def test_a_merge_takes_what_was_chosen_and_keeps_everything_else(
    database: Database, cast: Cast, known: Known, other: uuid.UUID
) -> None:
    url = f"/a/contacts/{known.contact_id}/merge/{other}/"
    page = cast.bob.client.get(url).content.decode()
    for shown in ("Ann Müller", "Anna Müller", "Rosa GmbH", "Rosa Holding", "anna@rosa.example", "ann@rosa.example"):
        assert shown in page, shown
    before = database.ask("SELECT contact_id, id, address FROM crm_email WHERE contact_id = %s ORDER BY id", [other])
    answer = cast.bob.client.post(url, {"take-name": "other", "take-email": "other", "take-company_id": "kept"})
    assert answer["Location"] == f"/a/contacts/{known.contact_id}/"
    merged = contact(cast, known.contact_id)
    assert (merged.name, merged.company_name, merged.job_title) == ("Anna Müller", "Rosa GmbH", "Owner")
    assert merged.emails == ["anna@rosa.example", "ann@rosa.example", "ann@gmail.com"]
    assert merged.phones == ["+44 20 7946 0000", "+44 20 7946 0009"]
    assert merged.labels == ["VIP"]
    # Nothing was re-pointed: what was the other's is there as it was, and leads here.
    assert before == database.ask(
        "SELECT contact_id, id, address FROM crm_email WHERE contact_id = %s ORDER BY id", [other]
    )
    assert database.ask("SELECT contact_id FROM crm_deal WHERE title = 'Second deal'") == [(other,)]
    assert contact(cast, other) == merged
    assert cast.vera.client.get(f"/a/contacts/{other}/")["Location"] == f"/a/contacts/{known.contact_id}/"
    text = cast.vera.client.get(f"/a/contacts/{known.contact_id}/").content.decode()
    for shown in ("Second deal", "New shop", "Her own note", "merged a duplicate"):
        assert shown in text, shown
    with tenancy.agency(cast.a):
        assert [row.id for row in queries.contacts(cast.a).contacts] == [known.contact_id]
        deal = queries.deals_of(cast.a, contact_id=known.contact_id)[0]
        assert (deal.title, deal.contact_name) == ("Second deal", "Anna Müller")
        # Whoever looks for what the other was reached by finds the one that is left.
        assert [each.id for each in queries.contact_candidates(
            cast.a, email="anna@rosa.example", phone="", name="", company=""
        )] == [known.contact_id]  # fmt: skip
        # What is written down for the alias stands with the one that is left.
        services.add_note(agency_id=cast.a, place="contact", id=other, body="After", by=None)
    assert database.ask("SELECT contact_id FROM crm_note WHERE body = 'After'") == [(known.contact_id,)]


def test_taking_it_back_leaves_two_as_they_were(database: Database, cast: Cast, known: Known, other: uuid.UUID) -> None:
    before = [contact(cast, id) for id in (known.contact_id, other)]
    merge_id = merge(cast, known.contact_id, other, "name", "email", "phone", "company_id", "job_title")
    assert contact(cast, known.contact_id).name == "Anna Müller"
    url = f"/a/contacts/{known.contact_id}/unmerge/{merge_id}/"
    assert "Take the merge back" in cast.bob.client.get(f"/a/contacts/{known.contact_id}/").content.decode()
    assert refused(cast, url[3:]) == NOT_ALLOWED
    assert cast.bob.client.post(url)["Location"] == f"/a/contacts/{known.contact_id}/"
    for was in before:
        now = contact(cast, was.id)
        for field in ("id", "name", "job_title", "emails", "phones", "company_id", "labels"):
            assert getattr(now, field) == getattr(was, field), field
    assert "Second deal" not in cast.vera.client.get(f"/a/contacts/{known.contact_id}/").content.decode()
    assert "Her own note" in cast.vera.client.get(f"/a/contacts/{other}/").content.decode()
    # Twice is told, and changes nothing.
    cast.bob.client.post(url)
    assert "taken back already" in cast.bob.client.get(f"/a/contacts/{known.contact_id}/").content.decode()
    merge(cast, known.contact_id, other)


def test_what_was_changed_by_hand_since_stays(cast: Cast, known: Known, other: uuid.UUID) -> None:
    merge_id = merge(cast, known.contact_id, other, "name", "job_title")
    services.update_contact(
        agency_id=cast.a,
        contact_id=known.contact_id,
        by=None,
        name="Dr Anna Müller",
        job_title="Owner",
        emails=["fresh@rosa.example", "anna@rosa.example"],
    )
    unmerge(cast, merge_id)
    now = contact(cast, known.contact_id)
    assert (now.name, now.job_title, now.emails) == ("Dr Anna Müller", "", ["fresh@rosa.example"])


def test_merges_lie_on_top_of_each_other(cast: Cast, known: Known, other: uuid.UUID) -> None:
    third = services.create_contact(agency_id=cast.a, name="Third", by=None, emails=["third@x.example"])
    first = merge(cast, known.contact_id, other)
    second = merge(cast, third, known.contact_id, at=NOW + dt.timedelta(1))
    assert contact(cast, other).id == third
    assert "anna@rosa.example" in contact(cast, third).emails
    with tenancy.agency(cast.a):
        assert {row.title for row in queries.deals_of(cast.a, contact_id=third)} == {"New shop", "Second deal"}
    # The lower one is taken back after the upper one.
    with pytest.raises(services.CannotUnmerge):
        unmerge(cast, first)
    unmerge(cast, second)
    unmerge(cast, first)
    assert contact(cast, other).name == "Anna Müller"
    # Two into one: the last first.
    one, two = merge(cast, third, known.contact_id), merge(cast, third, other, at=NOW + dt.timedelta(2))
    with pytest.raises(services.CannotUnmerge):
        unmerge(cast, one)
    unmerge(cast, two)


def test_two_who_merge_both_ways_at_once(database: Database, cast: Cast, known: Known, other: uuid.UUID) -> None:
    results = at_once(lambda: merge(cast, known.contact_id, other), lambda: merge(cast, other, known.contact_id))
    assert sorted(type(each).__name__ for each in results) == ["NoSuchContact", "UUID"]
    assert database.ask("SELECT count(*) FROM crm_contact WHERE merged_into_id IS NOT NULL") == [(1,)]


def test_with_itself_and_what_is_not_there(cast: Cast, known: Known, other: uuid.UUID) -> None:
    with pytest.raises(services.CannotMerge):
        merge(cast, other, other)
    for keep, alias in ((other, uuid.uuid4()), (uuid.uuid4(), other)):
        with pytest.raises(services.NoSuchContact):
            merge(cast, keep, alias)
        assert cast.bob.client.get(f"/a/contacts/{keep}/merge/{alias}/").status_code == 404
    with pytest.raises(services.CannotUnmerge):
        unmerge(cast, uuid.uuid4())


def test_an_alias_is_not_edited(cast: Cast, known: Known, other: uuid.UUID) -> None:
    merge(cast, known.contact_id, other)
    with pytest.raises(services.NoSuchContact):
        services.update_contact(agency_id=cast.a, contact_id=other, by=None, name="x")
    assert 'value="Ann Müller"' in cast.bob.client.get(f"/a/contacts/{other}/edit/").content.decode()


def test_who_may_not(database: Database, cast: Cast, known: Known, other: uuid.UUID) -> None:
    assert refused(cast, f"contacts/{known.contact_id}/merge/{other}/") == NOT_ALLOWED
    assert cast.charlie.client.post(f"/b/contacts/{known.contact_id}/merge/{other}/").status_code == 404
    assert database.ask("SELECT count(*) FROM crm_merge") == [(0,)]


def test_own_fields_are_chosen_as_well(database: Database, cast: Cast, known: Known, other: uuid.UUID) -> None:
    size, tier = (
        str(services.create_field(agency_id=cast.a, place="contact", name=name, kind="text", by=None))
        for name in ("Size", "Tier")
    )
    for id, custom in ((known.contact_id, {size: "Small", tier: "Tin"}), (other, {size: "Large", tier: "Gold"})):
        found = contact(cast, id)
        services.update_contact(
            agency_id=cast.a,
            contact_id=id,
            by=None,
            name=found.name,
            emails=found.emails,
            phones=found.phones,
            company_id=found.company_id,
            custom=custom,
        )
    url = f"/a/contacts/{known.contact_id}/merge/{other}/"
    page = cast.bob.client.get(url).content.decode()
    assert all(shown in page for shown in ("Size", "Small", "Large", "Tier", "Tin", "Gold"))
    cast.bob.client.post(url, {f"take-{size}": "other"})
    assert contact(cast, known.contact_id).custom == {size: "Large", tier: "Tin"}
