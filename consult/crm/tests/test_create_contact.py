"""Adding a contact: also twice at once, also with what is wrong."""

import uuid
from typing import Any

import pytest

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import queries, services
from consult.crm.tests.conftest import NOT_ALLOWED, Known, at_once, audit, refused

URL = "/a/contacts/new/"
GOOD = {
    "name": " Ben  Okafor ",
    "emails": "Ben@Northwind.example\nben@gmail.com",
    "phones": "+44 20 7946 0001",
    "job_title": "Owner",
    "company_name": "Northwind",
}


def test_it_works(database: Database, cast: Cast) -> None:
    answer = cast.bob.client.post(URL, GOOD)
    assert answer.status_code == 302
    contact_id = uuid.UUID(answer["Location"].split("/")[3])
    with tenancy.agency(cast.a):
        contact = queries.contact(cast.a, contact_id)
    assert (contact.name, contact.emails, contact.phones) == (
        "Ben Okafor", ["ben@northwind.example", "ben@gmail.com"], ["+44 20 7946 0001"],
    )  # fmt: skip
    assert (contact.company_name, contact.job_title, contact.email) == ("Northwind", "Owner", "ben@northwind.example")
    assert audit(database, "crm.create_contact") == [(cast.bob.member_id, contact_id)]
    assert database.ask("SELECT normal FROM crm_phone") == [("+442079460001",)]
    # A second person of the same company does not make it twice.
    cast.bob.client.post(URL, GOOD | {"emails": "", "company_name": "NORTHWIND"})
    assert database.ask("SELECT count(*) FROM crm_company") == [(1,)]


def test_a_known_address_is_told_and_may_be_used_all_the_same(database: Database, cast: Cast, known: Known) -> None:
    again = GOOD | {"emails": "ann+work@ROSA.example"}
    answer = cast.bob.client.post(URL, again)
    assert answer.status_code == 409
    text = answer.content.decode()
    assert f"/a/contacts/{known.contact_id}/" in text
    assert "Northwind" in text
    # Nothing is left behind of what was not done.
    assert database.ask("SELECT count(*) FROM crm_contact") == [(1,)]
    assert database.ask("SELECT count(*) FROM crm_company") == [(1,)]
    assert cast.bob.client.post(URL, again | {"anyway": "1"}).status_code == 302
    assert database.ask("SELECT count(*) FROM crm_contact") == [(2,)]


def test_of_two_who_add_the_same_address_at_once_one_is_told(database: Database, cast: Cast) -> None:
    def add(name: str) -> uuid.UUID:
        return services.create_contact(
            agency_id=cast.a,
            name=name,
            by=None,
            emails=["ben@northwind.example", f"{name}@x.example"],
            unless_known=True,
        )

    results = at_once(*(lambda name=name: add(name) for name in ("a", "b", "c", "d")))
    made = [each for each in results if isinstance(each, uuid.UUID)]
    told = [each for each in results if isinstance(each, services.KnownAddress)]
    assert (len(made), len(told)) == (1, 3)
    assert {each.contact_id for each in told} == set(made)
    assert database.ask("SELECT count(*) FROM crm_contact") == [(1,)]


@pytest.mark.parametrize(
    "bad",
    [
        {"name": "", "emails": ""},
        {"name": "x" * 201},
        {"emails": "not an address"},
        {"emails": "a@b.example\nno"},
        {"emails": "\n".join(f"{n}@b.example" for n in range(21))},
        {"phones": "call me"},
        {"phones": "+44 20 7946 0000 " + "0" * 50},
        {"client": str(uuid.uuid4())},
        {"name": "nul\0"},
    ],
)
def test_bad_input_changes_nothing_and_loses_nothing(database: Database, cast: Cast, bad: dict[str, str]) -> None:
    answer = cast.bob.client.post(URL, GOOD | bad)
    assert answer.status_code == 422
    assert "Northwind" in answer.content.decode()
    assert database.ask("SELECT (SELECT count(*) FROM crm_contact) + (SELECT count(*) FROM crm_company)") == [(0,)]


def test_who_may_not(database: Database, cast: Cast) -> None:
    assert refused(cast, "contacts/new/", GOOD) == NOT_ALLOWED
    assert database.ask("SELECT count(*) FROM crm_contact") == [(0,)]


def test_what_it_takes_from_an_enquiry(cast: Cast) -> None:
    with tenancy.agency(cast.a):
        id = services.create_contact(
            agency_id=cast.a, name="", by=None, emails=["odd address"], phones=["call me", " "]
        )
        contact = queries.contact(cast.a, id)
        assert (contact.name, contact.phones) == ("odd address", ["call me"])
        # What compares to nothing is nobody's.
        assert queries.contact_candidates(cast.a, email="odd address", phone="call me", name="", company="") == []
        wrongs: list[dict[str, Any]] = [{"name": ""}, {"name": "x" * 201}, {"name": "x", "phones": ["1" * 51]}]
        for wrong in wrongs:
            with pytest.raises(ValueError, match=r"contact|address"):
                services.create_contact(agency_id=cast.a, by=None, **wrong)
        with pytest.raises(services.NoSuchCompany):
            services.create_contact(agency_id=cast.a, name="x", by=None, company_id=uuid.uuid4())
