"""Deals: the board, the list, adding and changing them."""

import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import queries, services
from consult.crm.tests.conftest import NOT_ALLOWED, Known, at_once, audit, refused

GOOD = {"title": "Relaunch", "value": "1,250.50", "currency": "GBP", "contact": "", "company_name": "", "owner": ""}


def stages(cast: Cast) -> list[queries.Stage]:
    with tenancy.agency(cast.a):
        return queries.stages(cast.a)


def test_the_first_use_makes_one_pipeline(database: Database, cast: Cast) -> None:
    assert "No deals yet" in cast.vera.client.get("/a/deals/").content.decode()
    assert stages(cast) == []
    made = at_once(*(lambda: services.ensure_stages(agency_id=cast.a) for _ in range(4)))
    assert [[stage.name for stage in each] for each in made] == [["New", "Qualified", "Proposal", "Negotiation"]] * 4  # type: ignore[attr-defined]
    assert database.ask("SELECT count(*) FROM crm_stage") == [(4,)]


def test_create_deal_works(database: Database, cast: Cast, known: Known) -> None:
    chosen = stages(cast)[1]
    sent = GOOD | {
        "contact": "ann muller", "owner": str(cast.bob.member_id), "stage": str(chosen.id), "expected_on": "2026-05-01"
    }  # fmt: skip
    answer = cast.bob.client.post("/a/deals/new/", sent)
    assert answer.status_code == 302
    deal_id = uuid.UUID(answer["Location"].split("/")[3])
    with tenancy.agency(cast.a):
        deal = queries.deal(cast.a, deal_id)
    assert (deal.value_minor, deal.currency, deal.stage_name, deal.owner_name) == (125_050, "GBP", "Qualified", "Bob")
    # The contact's company is the deal's.
    assert (deal.contact_id, deal.company_id) == (known.contact_id, known.company_id)
    assert (cast.bob.member_id, deal_id) in audit(database, "crm.create_deal")
    text = cast.vera.client.get(f"/a/deals/{deal_id}/").content.decode()
    for shown in ("Relaunch", "GBP 1,250.50", "Ann Müller", "Rosa GmbH", "Qualified", "1 May 2026"):
        assert shown in text, shown
    assert "/move/" not in text


def test_who_of_several_is_asked(cast: Cast, known: Known) -> None:
    other = services.create_contact(agency_id=cast.a, name="Ann Müller", by=None, emails=["other@x.example"])
    sent = GOOD | {"contact": "Ann Müller", "stage": str(stages(cast)[0].id)}
    answer = cast.bob.client.post("/a/deals/new/", sent)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert f'value="{other}"' in text
    assert f'value="{known.contact_id}"' in text
    answer = cast.bob.client.post("/a/deals/new/", sent | {"contact_id": str(other)})
    with tenancy.agency(cast.a):
        assert queries.deal(cast.a, uuid.UUID(answer["Location"].split("/")[3])).contact_id == other
    # An address names one.
    assert cast.bob.client.post("/a/deals/new/", sent | {"contact": "other@x.example"}).status_code == 302


def test_the_form_offers_whom_one_comes_from(cast: Cast, known: Known) -> None:
    text = cast.bob.client.get(f"/a/deals/new/?contact={known.contact_id}&company={known.company_id}").content.decode()
    assert 'value="Ann Müller"' in text
    assert 'value="Rosa GmbH"' in text
    assert cast.bob.client.get(f"/a/deals/new/?contact=x&company={uuid.uuid4()}&stage=y").status_code == 200


def test_update_deal_works_and_overwrites_nobody(database: Database, cast: Cast, known: Known) -> None:
    url = f"/a/deals/{known.deal_id}/edit/"
    assert 'value="4800.00"' in cast.bob.client.get(url).content.decode()
    sent = GOOD | {"contact": "Ann Müller", "company_name": "Rosa GmbH", "value": "", "version": "1"}
    assert cast.bob.client.post(url, sent)["Location"] == f"/a/deals/{known.deal_id}/"
    assert cast.alice.client.post(url, sent | {"title": "Alice's"}).status_code == 409
    assert database.ask("SELECT title, value_minor, currency, company_id FROM crm_deal") == [
        ("Relaunch", None, "", known.company_id)
    ]
    assert "changed the deal: title, value, currency" in cast.bob.client.get(url[:-5]).content.decode()


@pytest.mark.parametrize("path", ["deals/new/", "deals/{}/edit/"])
def test_bad_input_changes_nothing(database: Database, cast: Cast, known: Known, path: str) -> None:
    url, stage = f"/a/{path.format(known.deal_id)}", str(stages(cast)[0].id)
    for bad in (
        {"title": ""}, {"value": "lots"}, {"value": "-1"}, {"value": "9" * 30}, {"currency": "XXX"},
        {"contact": "Nobody Such"}, {"owner": str(uuid.uuid4())}, {"expected_on": "soon"}, {"contact_id": "x"},
    ):  # fmt: skip
        answer = cast.bob.client.post(url, GOOD | {"stage": stage} | bad)
        assert answer.status_code == 422, bad
    assert database.ask("SELECT title, value_minor FROM crm_deal") == [("New shop", 480_000)]


def test_another_agencys_things_cannot_be_named(cast: Cast, known: Known) -> None:
    theirs: list[dict[str, Any]] = [
        {"contact_id": known.contact_id}, {"company_id": known.company_id}, {"stage_id": stages(cast)[0].id}
    ]  # fmt: skip
    for wrong in theirs:
        with pytest.raises((services.NoSuchContact, services.NoSuchCompany, services.NoSuchStage)):
            services.create_deal(agency_id=cast.b, title="x", by=None, **wrong)


def test_the_board_sums_each_stage_by_currency(cast: Cast, known: Known) -> None:
    for value, currency in ((100, "EUR"), (250_050, "GBP"), (None, "")):
        services.create_deal(
            agency_id=cast.a, title="More", by=None, value_minor=value, currency=currency, owner_id=cast.bob.member_id
        )
    with tenancy.agency(cast.a):
        [first, *rest] = queries.board(cast.a)
        [mine, *_rest] = queries.board(cast.a, owner_id=cast.bob.member_id)
    assert (first.count, [str(total) for total in first.totals]) == (4, ["EUR 4,801", "GBP 2,500.50"])
    assert (mine.count, [str(total) for total in mine.totals]) == (3, ["EUR 1", "GBP 2,500.50"])
    assert [column.count for column in rest] == [0, 0, 0]
    text = cast.vera.client.get("/a/deals/").content.decode()
    for shown in ("New shop", "EUR 4,801", "GBP 2,500.50", "Rosa GmbH"):
        assert shown in text, shown
    assert "/move/" not in text
    assert "/move/" in cast.bob.client.get("/a/deals/").content.decode()
    assert "New shop" not in cast.bob.client.get("/a/deals/?owner=me").content.decode()


def test_a_full_column_goes_on_when_somebody_comes_to_its_end(database: Database, cast: Cast, known: Known) -> None:
    database.ask(
        "INSERT INTO crm_deal (id, agency_id, created_at, title, stage_id, stage_entered_at, status, currency,"
        " lost_reason, custom, version) SELECT gen_random_uuid(), agency_id, now(), 'Deal ' || n, stage_id,"
        " now(), 'open', '', '', '{}', 1 FROM crm_deal, generate_series(1, 130) n"
    )
    with CaptureQueriesContext(connection) as asked:
        text = cast.bob.client.get("/a/deals/").content.decode()
    assert len(asked) <= 20
    shown = re.findall('id="deal-([^"]+)"', text)
    assert len(shown) == 25
    # By the script, part after part; without one, by a link to a longer page.
    longer = re.search(r'href="(\?more=[^"]+)">Show more', text)
    assert longer
    assert len(re.findall('id="deal-', cast.bob.client.get(f"/a/deals/{longer[1]}").content.decode())) == 75
    while below := re.search(r'hx-get="(/a/deals/\?stage=[^"]+)"', text):
        text = cast.bob.client.get(below[1].replace("&amp;", "&")).content.decode()
        shown += re.findall('id="deal-([^"]+)"', text)
    assert len(shown) == len(set(shown)) == 131
    assert cast.bob.client.get(f"/a/deals/?stage={uuid.uuid4()}&after=x").content.decode().count("deal-") == 0
    seen: set[str] = set()
    query = ""
    for _page in range(5):
        page = cast.bob.client.get(f"/a/deals/list/{query}").content.decode()
        seen |= set(re.findall(r'id="deal-([0-9a-f-]{36})"', page))
        more = re.search(r'href="(\?[^"]*after=[^"]+)"', page)
        if not more:
            break
        query = more[1].replace("&amp;", "&")
    assert len(seen) == 131


def test_who_may_not(database: Database, cast: Cast, known: Known) -> None:
    assert refused(cast, "deals/new/", GOOD) == NOT_ALLOWED
    assert refused(cast, f"deals/{known.deal_id}/edit/", GOOD) == NOT_ALLOWED
    for path in ("", "edit/"):
        assert cast.charlie.client.get(f"/b/deals/{known.deal_id}/{path}").status_code == 404
    assert database.ask("SELECT title FROM crm_deal") == [("New shop",)]
