import uuid

import pytest

from conftest import Cast, Database, Enquiry
from consult.inbox import services

URL = "/a/inbox/1/assign/"


def assignee(database: Database) -> uuid.UUID | None:
    [(found,)] = database.ask("SELECT assignee_id FROM inbox_enquiry")
    return found  # type: ignore[no-any-return]


def test_it_works(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    answer = cast.bob.client.post(URL, {"member": str(cast.alice.member_id)})
    assert answer["Location"] == "/a/inbox/1/"
    assert assignee(database) == cast.alice.member_id
    cast.bob.client.post(URL, {"member": ""})
    assert assignee(database) is None
    audit = database.ask(
        "SELECT data - '{before,after,version}'::text[], by_id FROM accounts_audit"
        " WHERE action = 'inbox.assign_enquiry' ORDER BY created_at"
    )
    assert audit == [
        ({"member": str(cast.alice.member_id)}, cast.bob.member_id),
        ({"member": None}, cast.bob.member_id),
    ]


def test_it_answers_htmx_with_the_part(cast: Cast, enquiry: Enquiry) -> None:
    answer = cast.bob.client.post(URL, {"member": str(cast.bob.member_id)}, headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in page
    assert f'value="{cast.bob.member_id}" selected' in page


def test_again_changes_nothing(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    for _ in range(2):
        cast.bob.client.post(URL, {"member": str(cast.alice.member_id)})
    assert len(database.ask("SELECT 1 FROM accounts_audit WHERE action = 'inbox.assign_enquiry'")) == 1


def test_only_to_members_of_the_agency(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    for stranger in (str(cast.charlie.member_id), str(uuid.uuid4()), "rubbish", "\0"):
        answer = cast.bob.client.post(URL, {"member": stranger})
        assert answer.status_code == 400
        assert "This agency has no such member." in answer.content.decode()
    assert assignee(database) is None
    with pytest.raises(services.NoSuchMember):
        services.assign_enquiry(agency_id=cast.a, number=1, member_id=cast.charlie.member_id, by=cast.alice.member_id)


def test_who_may_not(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    sent = {"member": str(cast.bob.member_id)}
    for client, status in ((cast.vera.client, 403), (cast.charlie.client, 404), (cast.stranger, 302)):
        assert client.post(URL, sent).status_code == status
    assert cast.charlie.client.post("/b/inbox/1/assign/", sent).status_code in (400, 404)
    assert assignee(database) is None
