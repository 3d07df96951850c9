"""Labels of contacts, companies and deals."""

import pytest

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import queries, services
from consult.crm.tests.conftest import NOT_ALLOWED, Known, at_once, refused


@pytest.fixture(params=["contacts", "companies", "deals"])
def page(request: pytest.FixtureRequest, known: Known) -> str:
    ids = {"contacts": known.contact_id, "companies": known.company_id, "deals": known.deal_id}
    return f"{request.param}/{ids[request.param]}/"


def test_it_works(database: Database, cast: Cast, page: str) -> None:
    assert cast.bob.client.post(f"/a/{page}labels/", {"labels": "VIP, prospect,, Vip "})["Location"] == f"/a/{page}"
    text = cast.vera.client.get(f"/a/{page}").content.decode()
    assert "VIP" in text
    assert "prospect" in text
    cast.bob.client.post(f"/a/{page}labels/", {"labels": "vip"})
    # The label keeps how it was first written.
    assert database.ask("SELECT l.name FROM crm_labelling b JOIN crm_label l ON l.id = b.label_id") == [("VIP",)]
    cast.bob.client.post(f"/a/{page}labels/", {"labels": ""})
    assert database.ask("SELECT count(*) FROM crm_labelling") == [(0,)]


def test_two_at_once_make_one_label(database: Database, cast: Cast, known: Known) -> None:
    def put(place: str, id: object) -> None:
        services.set_labels(agency_id=cast.a, place=place, id=id, names=["VIP", "Other"], by=None)  # type: ignore[arg-type]

    places = (("contact", known.contact_id), ("company", known.company_id), ("deal", known.deal_id))
    assert at_once(*(lambda each=each: put(*each) for each in places * 2)) == [None] * 6
    assert database.ask("SELECT count(*) FROM crm_label") == [(2,)]
    assert database.ask("SELECT count(*) FROM crm_labelling") == [(6,)]
    with tenancy.agency(cast.a):
        assert queries.contact(cast.a, known.contact_id).labels == ["Other", "VIP"]


def test_bad_input_is_told_and_kept(database: Database, cast: Cast, page: str) -> None:
    for bad in ("x" * 51, ",".join(map(str, range(21)))):
        answer = cast.bob.client.post(f"/a/{page}labels/", {"labels": bad})
        assert answer.status_code == 422
        assert f'value="{bad}"' in answer.content.decode()
    assert database.ask("SELECT count(*) FROM crm_label") == [(0,)]


def test_who_may_not(database: Database, cast: Cast, page: str) -> None:
    assert refused(cast, f"{page}labels/", {"labels": "x"}) == NOT_ALLOWED
    assert cast.charlie.client.post(f"/b/{page}labels/", {"labels": "x"}).status_code == 404
    assert database.ask("SELECT count(*) FROM crm_label") == [(0,)]
