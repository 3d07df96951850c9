"""Fields that an agency adds to contacts, companies and deals."""

import pytest

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import queries, services
from consult.crm.tests.conftest import NOT_ALLOWED, Known, at_once, refused

URL = "/a/own-fields/"
GOOD = {"name": "Size", "place": "contact", "kind": "choice", "options": "Small\nLarge\n\nLarge"}


def test_a_field_is_filled_in_and_shown(database: Database, cast: Cast, known: Known) -> None:
    for field in (
        GOOD, GOOD | {"name": "Budget", "kind": "number"}, GOOD | {"name": "Birthday", "kind": "date"},
        GOOD | {"name": "Hobby", "kind": "text"},
    ):  # fmt: skip
        assert cast.alice.client.post(URL, field)["Location"] == URL
    with tenancy.agency(cast.a):
        ids = {field.name: f"own-{field.id}" for field in queries.fields(cast.a, "contact")}
    page = f"/a/contacts/{known.contact_id}/"
    sent = {
        "name": "Ann Müller", ids["Size"]: "Large", ids["Budget"]: "1250.5", ids["Birthday"]: "1980-02-29",
        ids["Hobby"]: "Bees",
    }  # fmt: skip
    assert cast.bob.client.post(f"{page}edit/", sent).status_code == 302
    text = cast.vera.client.get(page).content.decode()
    for shown in ("Size", "Large", "1250.5", "29 Feb 1980", "Bees"):
        assert shown in text, shown
    assert 'value="1980-02-29"' in cast.bob.client.get(f"{page}edit/").content.decode()
    for wrong in ({ids["Size"]: "Huge"}, {ids["Budget"]: "much"}, {ids["Birthday"]: "soon"}, {ids["Hobby"]: "x" * 501}):
        assert cast.bob.client.post(f"{page}edit/", sent | wrong).status_code == 422
    # Retired, it is shown no more; what was filled in stays.
    assert cast.alice.client.post(f"{URL}{ids['Size'][4:]}/retire/")["Location"] == URL
    assert "Large" not in cast.vera.client.get(page).content.decode()
    cast.bob.client.post(f"{page}edit/", {"name": "Ann Müller", ids["Hobby"]: "Bees"})
    assert database.ask("SELECT custom FROM crm_contact") == [({ids["Size"][4:]: "Large", ids["Hobby"][4:]: "Bees"},)]


@pytest.mark.parametrize("place", ["company", "deal"])
def test_companies_and_deals_have_them_too(cast: Cast, known: Known, place: str) -> None:
    field = services.create_field(agency_id=cast.a, place=place, name="Region", kind="text", by=None)
    at = {"company": f"/a/companies/{known.company_id}/", "deal": f"/a/deals/{known.deal_id}/"}[place]
    sent = {"name": "Rosa", "title": "New shop", "currency": "EUR", f"own-{field}": "North"}
    assert cast.bob.client.post(f"{at}edit/", sent).status_code == 302
    assert "North" in cast.vera.client.get(at).content.decode()


def test_bad_input_makes_none(database: Database, cast: Cast) -> None:
    for bad in ({"name": ""}, {"kind": "formula"}, {"place": "moon"}, {"options": ""}, {"options": "x" * 101}):
        assert cast.alice.client.post(URL, GOOD | bad).status_code == 422, bad
    assert database.ask("SELECT count(*) FROM crm_field") == [(0,)]


def test_of_two_of_one_name_one_is_told(database: Database, cast: Cast) -> None:
    def add() -> object:
        return services.create_field(agency_id=cast.a, place="deal", name="Size", kind="text", by=None)

    results = at_once(add, add)
    assert sorted(type(each).__name__ for each in results) == ["FieldTaken", "UUID"]
    answer = cast.alice.client.post(URL, GOOD | {"place": "deal"})
    assert answer.status_code == 422
    assert "of this name already" in answer.content.decode()


def test_who_may_not(database: Database, cast: Cast) -> None:
    assert refused(cast, "own-fields/", GOOD) == NOT_ALLOWED
    # A member works with records, and leaves the form as it is.
    assert cast.bob.client.post(URL, GOOD).status_code == 403
    assert database.ask("SELECT count(*) FROM crm_field") == [(0,)]
