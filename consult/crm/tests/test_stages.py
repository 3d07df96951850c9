"""The pipeline's stages: added, renamed, in another order, retired with their deals, and back."""

import datetime as dt
import functools
import uuid
from typing import Any

import pytest

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import queries, services
from consult.crm.tests.conftest import Known, at_once

PAGE = "/a/settings/stages/"
NOW = dt.datetime(2027, 1, 5, 12, tzinfo=dt.UTC)


def names(cast: Cast) -> dict[str, uuid.UUID]:
    with tenancy.agency(cast.a):
        return {stage.name: stage.id for stage in queries.stages(cast.a)}


def test_stages_are_added_renamed_and_put_in_order(database: Database, cast: Cast, known: Known) -> None:
    alice = cast.alice.client
    assert alice.post(PAGE, {"name": "  Signed  off "}).status_code == 302
    there = names(cast)
    assert list(there) == ["New", "Qualified", "Proposal", "Negotiation", "Signed off"]
    alice.post(f"{PAGE}{there['Proposal']}/rename/", {"name": "Offer"})
    for _time in range(2):
        alice.post(f"{PAGE}reorder/", {"stage": there["Signed off"], "to": "up"})
    assert list(names(cast)) == ["New", "Qualified", "Signed off", "Offer", "Negotiation"]
    alice.post(f"{PAGE}reorder/", {"stage": there["New"], "to": "up"})
    alice.post(f"{PAGE}reorder/", {"stage": there["New"], "to": "down"})
    assert list(names(cast))[:2] == ["Qualified", "New"]
    board = cast.bob.client.get("/a/deals/").content.decode()
    assert board.index("Qualified") < board.index("Signed off") < board.index("Offer")


def test_deals_of_a_retired_stage_go_where_it_is_said(database: Database, cast: Cast, known: Known) -> None:
    there = names(cast)
    won_id = services.create_deal(agency_id=cast.a, title="Won one", by=None)
    services.win_deal(agency_id=cast.a, deal_id=won_id, by=None, now=NOW)
    at = f"{PAGE}{there['New']}/retire/"
    refused = cast.alice.client.post(at)
    assert refused.status_code == 422
    assert "Choose the stage" in refused.content.decode()
    cast.alice.client.post(at, {"to": there["Proposal"]})
    assert list(names(cast)) == ["Qualified", "Proposal", "Negotiation"]
    with tenancy.agency(cast.a):
        assert queries.deal(cast.a, known.deal_id).stage_name == "Proposal"
        # What was won keeps where it was won.
        assert queries.deal(cast.a, won_id).stage_name == "New"
        line = queries.timeline(cast.a, deal_id=known.deal_id).lines[0]
        assert (line.kind, line.data["from"]) == ("crm.move_deal", str(there["New"]))
    page = cast.bob.client.get(f"/a/deals/{known.deal_id}/").content.decode()
    assert "in New" in page
    # Opened again it is where it can be seen.
    services.reopen_deal(agency_id=cast.a, deal_id=won_id, by=None, now=NOW)
    with tenancy.agency(cast.a):
        assert queries.deal(cast.a, won_id).stage_name == "Qualified"
    with pytest.raises(services.NoSuchStage):
        services.create_deal(agency_id=cast.a, title="Late", stage_id=there["New"], by=None)
    # And back.
    cast.alice.client.post(f"{PAGE}{there['New']}/restore/")
    assert list(names(cast)) == ["Qualified", "Proposal", "Negotiation", "New"]


def test_what_makes_no_sense_is_said(database: Database, cast: Cast, known: Known) -> None:
    there = names(cast)
    for name, words in (("new", "of this name already"), (" ", "needs a name"), ("x" * 51, "needs a name")):
        answer = cast.alice.client.post(PAGE, {"name": name})
        assert answer.status_code == 422
        assert words in answer.content.decode()
    for name in list(there)[1:]:
        cast.alice.client.post(f"{PAGE}{there[name]}/retire/")
    last = cast.alice.client.post(f"{PAGE}{there['New']}/retire/", {"to": there["New"]})
    assert (last.status_code, "the only stage" in last.content.decode()) == (422, True)
    for number in range(19):
        services.create_stage(agency_id=cast.a, name=f"S{number}", by=None)
    assert "20 stages already" in cast.alice.client.post(PAGE, {"name": "More"}).content.decode()
    assert cast.alice.client.post(f"{PAGE}{uuid.uuid4()}/rename/", {"name": "X"}).status_code == 404


def test_no_deal_is_left_in_a_stage_that_somebody_retires(database: Database, cast: Cast, known: Known) -> None:
    there = names(cast)
    for _time in range(5):
        stage_id = services.create_stage(agency_id=cast.a, name="Short", by=None)
        common: dict[str, Any] = {"agency_id": cast.a, "stage_id": stage_id, "by": None}
        at_once(
            functools.partial(services.create_deal, title="D", **common),
            functools.partial(services.retire_stage, to_id=there["New"], now=NOW, **common),
        )
    lost = "SELECT count(*) FROM crm_deal d JOIN crm_stage s ON s.id = d.stage_id WHERE s.retired_at IS NOT NULL"
    assert database.ask(lost) == [(0,)]


def test_programs_reorder_and_retire(database: Database, cast: Cast, known: Known) -> None:
    from tests import api

    program, there = api.of_member(cast.a, cast.alice.member_id), names(cast)
    turned = [str(id) for id in reversed(there.values())]
    listed = api.told(program.post("/api/v1/stages/reorder", {"stage_ids": turned}))
    assert [each["id"] for each in listed["items"]] == turned
    assert program.post("/api/v1/stages/reorder", {"stage_ids": turned[1:]}).status_code == 422
    assert program.post(f"/api/v1/stages/{there['New']}/retire", {}).status_code == 422
    assert program.post(f"/api/v1/stages/{there['New']}/retire", {"to_id": turned[0]}).status_code == 204
