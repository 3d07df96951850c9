"""Notes on contacts, companies and deals."""

import pytest

from conftest import Cast, Database
from consult.crm.tests.conftest import NOT_ALLOWED, Known, audit, refused


@pytest.fixture(params=["contacts", "companies", "deals"])
def page(request: pytest.FixtureRequest, known: Known) -> str:
    ids = {"contacts": known.contact_id, "companies": known.company_id, "deals": known.deal_id}
    return f"{request.param}/{ids[request.param]}/"


def test_it_works(database: Database, cast: Cast, page: str) -> None:
    answer = cast.bob.client.post(f"/a/{page}notes/", {"body": " Prefers <mornings> "})
    assert answer["Location"] == f"/a/{page}"
    text = cast.vera.client.get(f"/a/{page}").content.decode()
    assert "Prefers &lt;mornings&gt;" in text
    assert "wrote a note" in text
    assert len(audit(database, "crm.add_note")) == 1
    # The line holds no words of it: they can be erased where they stand.
    assert database.ask("SELECT data FROM crm_event WHERE kind = 'crm.add_note'") == [({},)]


def test_a_deals_note_stands_with_its_contact_and_company_too(cast: Cast, known: Known) -> None:
    cast.bob.client.post(f"/a/deals/{known.deal_id}/notes/", {"body": "Budget agreed"})
    for other in (f"contacts/{known.contact_id}/", f"companies/{known.company_id}/"):
        assert "Budget agreed" in cast.bob.client.get(f"/a/{other}").content.decode()


def test_an_empty_one_is_told(database: Database, cast: Cast, page: str) -> None:
    answer = cast.bob.client.post(f"/a/{page}notes/", {"body": " \n"})
    assert answer.status_code == 422
    assert "The note is empty." in answer.content.decode()
    assert database.ask("SELECT count(*) FROM crm_note") == [(0,)]


def test_who_may_not(database: Database, cast: Cast, page: str) -> None:
    assert refused(cast, f"{page}notes/", {"body": "x"}) == NOT_ALLOWED
    assert cast.charlie.client.post(f"/b/{page}notes/", {"body": "x"}).status_code == 404
    assert database.ask("SELECT count(*) FROM crm_note") == [(0,)]
