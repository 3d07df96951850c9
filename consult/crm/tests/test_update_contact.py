"""Changing a contact."""

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import queries, services
from consult.crm.tests.conftest import NOT_ALLOWED, Known, at_once, audit, refused

CHANGED = {
    "name": "Anna Müller",
    "emails": "ann@gmail.com\nnew@rosa.example",
    "phones": "",
    "company_name": "rosa gmbh",
}


def test_it_works(database: Database, cast: Cast, known: Known) -> None:
    url = f"/a/contacts/{known.contact_id}/edit/"
    page = cast.bob.client.get(url).content.decode()
    assert 'value="Ann Müller"' in page
    assert "ann@rosa.example\nann@gmail.com" in page
    assert cast.bob.client.post(url, CHANGED | {"version": "1"})["Location"] == f"/a/contacts/{known.contact_id}/"
    with tenancy.agency(cast.a):
        contact = queries.contact(cast.a, known.contact_id)
        assert (contact.name, contact.emails, contact.phones, contact.version) == (
            "Anna Müller", ["ann@gmail.com", "new@rosa.example"], [], 2,
        )  # fmt: skip
        # The same company, however it is written.
        assert contact.company_id == known.company_id
        assert [row.id for row in queries.contacts(cast.a, search="new@rosa").contacts] == [known.contact_id]
        assert queries.contacts(cast.a, search="79460000").contacts == []
    assert audit(database, "crm.update_contact") == [(cast.bob.member_id, known.contact_id)]
    text = cast.bob.client.get(f"/a/contacts/{known.contact_id}/").content.decode()
    assert "changed the contact: name, e-mail addresses, phone numbers" in text
    # The same again is no change.
    cast.bob.client.post(url, CHANGED | {"version": "2"})
    assert len(audit(database, "crm.update_contact")) == 1


def test_what_another_has_saved_is_shown_and_not_overwritten(database: Database, cast: Cast, known: Known) -> None:
    url = f"/a/contacts/{known.contact_id}/edit/"
    assert cast.alice.client.post(url, CHANGED | {"version": "1"}).status_code == 302
    answer = cast.bob.client.post(url, CHANGED | {"name": "Bob's version", "version": "1"})
    assert answer.status_code == 409
    assert "Bob&#x27;s version" in answer.content.decode()
    assert 'name="version" value="2"' in answer.content.decode()
    assert database.ask("SELECT name FROM crm_contact") == [("Anna Müller",)]
    assert cast.bob.client.post(url, CHANGED | {"name": "Bob's version", "version": "2"}).status_code == 302


def test_of_two_who_save_at_once_one_is_told(cast: Cast, known: Known) -> None:
    def save(name: str) -> None:
        services.update_contact(agency_id=cast.a, contact_id=known.contact_id, by=None, name=name, version=1)

    results = at_once(lambda: save("One"), lambda: save("Other"))
    assert sorted(type(each).__name__ for each in results) == ["ChangedMeanwhile", "NoneType"]


def test_bad_input_changes_nothing(database: Database, cast: Cast, known: Known) -> None:
    url = f"/a/contacts/{known.contact_id}/edit/"
    for bad in ({"name": "", "emails": ""}, {"emails": "x"}, {"version": "x"}):
        assert cast.bob.client.post(url, CHANGED | {"version": "1"} | bad).status_code == 422
    assert database.ask("SELECT name, version FROM crm_contact") == [("Ann Müller", 1)]


def test_who_may_not(database: Database, cast: Cast, known: Known) -> None:
    assert refused(cast, f"contacts/{known.contact_id}/edit/", CHANGED) == NOT_ALLOWED
    assert cast.charlie.client.post(f"/b/contacts/{known.contact_id}/edit/", CHANGED).status_code == 404
    assert database.ask("SELECT name FROM crm_contact") == [("Ann Müller",)]
