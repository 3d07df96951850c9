"""What nobody means to send: it is answered clearly, and never with a broken page."""

import datetime as dt
import uuid
from urllib.parse import quote

from conftest import Cast, Database, Enquiry
from consult.accounts import services as accounts
from consult.core import tenancy
from consult.crm import queries as crm_queries
from consult.crm import services as crm
from consult.inbox import services

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def test_numbers_that_are_too_long(cast: Cast, enquiry: Enquiry) -> None:
    for digits in ("9" * 5_000, "٣", "-1", "1e9", "²"):
        assert cast.bob.client.get(f"/a/inbox/1/?converted={digits}").status_code == 200, digits[:5]
        assert cast.bob.client.get(f"/a/inbox/?q={digits}&before={digits}").status_code == 200, digits[:5]


def test_a_search_that_no_view_can_hold(cast: Cast, database: Database) -> None:
    sent = cast.bob.client.post("/a/inbox/views/", {"name": "Faces", "query": f"q={quote('😀' * 200)}"}, follow=True)
    assert "too long for a view" in sent.content.decode()
    assert database.ask("SELECT count(*) FROM inbox_savedview") == [(0,)]


def test_a_search_in_other_signs(cast: Cast, enquiry: Enquiry) -> None:
    for text in ("%", "_", "\\", "'", "':*", "a & | !", "😀" * 300, "%_\\" * 3_334, "ﷺ" * 200, "\0", "=1", "'=1'"):
        assert cast.bob.client.get("/a/inbox/", {"q": text}).status_code == 200, text[:9]


def test_what_is_taken_back_gives_nothing_to_whoever_left(cast: Cast, enquiry: Enquiry, database: Database) -> None:
    assert cast.bob.member_id
    services.assign_enquiry(agency_id=cast.a, number=1, member_id=cast.bob.member_id, by=None)
    done = services.assign_enquiry(agency_id=cast.a, number=1, member_id=cast.alice.member_id, by=None)
    accounts.remove_member(
        agency_id=cast.a, member_id=cast.bob.member_id, by=cast.alice.member_id, by_role="owner", now=NOW
    )
    assert done.version
    services.undo_change(agency_id=cast.a, number=1, version=done.version, by=cast.alice.member_id)
    assert database.ask("SELECT assignee_id FROM inbox_enquiry WHERE number = 1") == [(None,)]


def test_of_two_companies_of_one_name_the_chosen_one_is_linked(cast: Cast, enquiry: Enquiry) -> None:
    older = crm.create_company(agency_id=cast.a, name="Café Rosa", by=None)
    chosen = crm.create_company(agency_id=cast.a, name="Café Rosa", by=None)
    contact_id = crm.create_contact(agency_id=cast.a, name="Ann", by=None)
    plan = services.Plan(contact_id=contact_id, company_id=chosen)
    services.convert_enquiry(agency_id=cast.a, number=1, plan=plan, by=None, now=NOW)
    with tenancy.agency(cast.a):
        assert crm_queries.contact(cast.a, contact_id).company_id == chosen != older


def test_ids_of_another_agency(cast: Cast, enquiry: Enquiry, database: Database) -> None:
    """Neither a bulk action nor a conversion nor an assignment reaches into another agency."""
    theirs = crm.create_contact(agency_id=cast.b, name="Theirs", by=None)
    firm = crm.create_company(agency_id=cast.b, name="Their firm", by=None)
    client = cast.bob.client
    assert client.post("/a/inbox/1/convert/", {"contact": str(theirs)}).status_code == 422
    assert client.post("/a/inbox/1/convert/", {"company": str(firm)}).status_code == 422
    assert client.post("/a/inbox/1/assign/", {"member": str(cast.charlie.member_id)}).status_code == 400
    id, _outcome = database.submit(cast.key_b, id=uuid.uuid4())
    services.receive_submissions(agency_id=cast.b, submission_ids=[id])
    client.post("/a/inbox/change/", {"chosen": ["1:1", "2", "3"], "action": "close"})
    assert database.ask("SELECT status FROM inbox_enquiry WHERE agency_id = %s", [cast.b]) == [("open",)]


def test_a_submission_of_another_agency_is_not_typed_in_again(cast: Cast, database: Database) -> None:
    id = uuid.uuid4()
    said = {"id": str(id), "message": "Call me", "name": "Ann", "channel": "phone"}
    first = cast.charlie.client.post("/b/inbox/new/", {**said, "form_id": str(cast.form_b)})
    assert first.status_code == 302
    again = cast.bob.client.post("/a/inbox/new/", {**said, "form_id": str(cast.form_a)})
    assert again.status_code == 422
    assert database.ask("SELECT count(*) FROM intake_submission WHERE id = %s", [id]) == [(1,)]
