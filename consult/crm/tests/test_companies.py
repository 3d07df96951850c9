"""Companies: the list, each one's page, adding and changing them."""

import re
import uuid

import pytest

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import queries, services
from consult.crm.tests.conftest import NOT_ALLOWED, Known, audit, refused

GOOD = {"name": "Café Rosa", "website": "www.rosa.example/shop", "phone": "1234", "address": "1 High Street\nTown"}


def test_create_company_works(database: Database, cast: Cast, known: Known) -> None:
    answer = cast.bob.client.post("/a/companies/new/", GOOD)
    company_id = uuid.UUID(answer["Location"].split("/")[3])
    with tenancy.agency(cast.a):
        company = queries.company(cast.a, company_id)
    assert (company.name, company.website, company.domain) == (
        "Café Rosa", "https://www.rosa.example/shop", "rosa.example",
    )  # fmt: skip
    text = cast.vera.client.get(f"/a/companies/{company_id}/").content.decode()
    for shown in ("Café Rosa", "rosa.example", "1234", "1 High Street", "added the company"):
        assert shown in text, shown
    assert (cast.bob.member_id, company_id) in audit(database, "crm.create_company")
    # There may be two of one name.
    assert cast.bob.client.post("/a/companies/new/", GOOD)["Location"] != answer["Location"]


def test_a_company_gathers_people_deals_and_what_happened(cast: Cast, known: Known) -> None:
    text = cast.vera.client.get(f"/a/companies/{known.company_id}/").content.decode()
    for shown in ("Ann Müller", "New shop", "EUR 4,800", "added the contact", "opened the deal"):
        assert shown in text, shown
    assert cast.charlie.client.get(f"/b/companies/{known.company_id}/").status_code == 404


def test_company_list(cast: Cast, known: Known) -> None:
    services.create_company(agency_id=cast.a, name="Zebra", by=None)
    client_id = services.ensure_client(agency_id=cast.a, name="Client")
    services.create_company(agency_id=cast.a, name="Älpli", by=None, client_id=client_id)

    def names(query: str = "") -> list[str]:
        return re.findall(r"data-open>([^<]+)</a>", cast.vera.client.get(f"/a/companies/{query}").content.decode())

    assert names() == ["Älpli", "Rosa GmbH", "Zebra"]
    assert names("?find=ALP") == ["Älpli"]
    assert names("?find=rosa.ex") == ["Rosa GmbH"]
    assert names(f"?client={client_id}") == ["Älpli"]
    assert names("?find=nothing") == []
    for number in range(60):
        services.create_company(agency_id=cast.a, name="Same", by=None, website=f"{number}.example")
    first = cast.vera.client.get("/a/companies/").content.decode()
    more = re.search(r'href="(\?[^"]*after=[^"]+)"', first)
    assert more
    assert len(names()) == 50
    assert len(names(more[1].replace("&amp;", "&"))) == 13


def test_update_company_works_and_overwrites_nobody(database: Database, cast: Cast, known: Known) -> None:
    url = f"/a/companies/{known.company_id}/edit/"
    assert 'value="Rosa GmbH"' in cast.bob.client.get(url).content.decode()
    assert cast.bob.client.post(url, GOOD | {"version": "1"})["Location"] == f"/a/companies/{known.company_id}/"
    answer = cast.alice.client.post(url, GOOD | {"name": "Alice's", "version": "1"})
    assert answer.status_code == 409
    assert "Alice&#x27;s" in answer.content.decode()
    assert database.ask("SELECT name, version FROM crm_company") == [("Café Rosa", 2)]
    assert audit(database, "crm.update_company") == [(cast.bob.member_id, known.company_id)]
    # Its people are found by the new name.
    with tenancy.agency(cast.a):
        assert [row.name for row in queries.contacts(cast.a, search="cafe").contacts] == ["Ann Müller"]


@pytest.mark.parametrize("path", ["companies/new/", "companies/{}/edit/"])
def test_bad_input_changes_nothing(database: Database, cast: Cast, known: Known, path: str) -> None:
    url = f"/a/{path.format(known.company_id)}"
    for bad in ({"name": " "}, {"name": "x" * 201}, {"website": "javascript://alert(1)"}, {"website": "no where"}):
        answer = cast.bob.client.post(url, GOOD | bad)
        assert answer.status_code == 422, bad
        assert "1 High Street" in answer.content.decode()
    assert database.ask("SELECT name FROM crm_company") == [("Rosa GmbH",)]


def test_who_may_not(database: Database, cast: Cast, known: Known) -> None:
    assert refused(cast, "companies/new/", GOOD) == NOT_ALLOWED
    assert refused(cast, f"companies/{known.company_id}/edit/", GOOD) == NOT_ALLOWED
    assert cast.charlie.client.post(f"/b/companies/{known.company_id}/edit/", GOOD).status_code == 404
    assert database.ask("SELECT name FROM crm_company") == [("Rosa GmbH",)]
