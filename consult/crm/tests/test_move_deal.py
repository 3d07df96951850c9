"""Moving deals through the pipeline, winning and losing them."""

import datetime as dt
import re
import uuid

import pytest

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import queries, services
from consult.crm.tests.conftest import NOT_ALLOWED, Known, at_once, audit, refused

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def stages(cast: Cast, known: Known) -> list[queries.Stage]:
    with tenancy.agency(cast.a):
        return queries.stages(cast.a)


def state(database: Database) -> tuple[object, ...]:
    [row] = database.ask("SELECT s.name, d.status, d.lost_reason FROM crm_deal d JOIN crm_stage s ON s.id = d.stage_id")
    return tuple(row)


def test_move_deal_works(database: Database, cast: Cast, known: Known, stages: list[queries.Stage]) -> None:
    url, back = f"/a/deals/{known.deal_id}/move/", f"/a/deals/{known.deal_id}/"
    assert cast.bob.client.post(url, {"stage": stages[2].id, "from": stages[0].id})["Location"] == back
    assert state(database) == ("Proposal", "open", "")
    assert audit(database, "crm.move_deal") == [(cast.bob.member_id, known.deal_id)]
    assert "moved the deal to Proposal, after less than a minute in New" in cast.vera.client.get(back).content.decode()
    # From the board back to the board; as a part of it with a script.
    sent = {"stage": stages[3].id, "page": "board"}
    assert cast.bob.client.post(url, sent)["Location"] == "/a/deals/"
    part = cast.bob.client.post(url, sent | {"stage": stages[0].id}, headers={"HX-Request": "true"})
    assert (part.status_code, 'id="board"' in part.content.decode()) == (200, True)
    # What it has changed, where the board says where it was: the card, and the heads of two columns.
    part = cast.bob.client.post(
        url, sent | {"stage": stages[1].id, "from": stages[0].id}, headers={"HX-Request": "true"}
    )
    text = part.content.decode()
    assert (part["HX-Reswap"], 'id="board"' in text, f"afterbegin:#deals-{stages[1].id}" in text) == (
        "none",
        False,
        True,
    )
    assert re.findall(r'id="head-([^"]+)" hx-swap-oob="true"', text) == [str(stages[0].id), str(stages[1].id)]
    cast.bob.client.post(url, {"stage": stages[0].id})
    assert len(audit(database, "crm.move_deal")) == 5
    # Where it is already is no move.
    cast.bob.client.post(url, {"stage": stages[0].id})
    assert len(audit(database, "crm.move_deal")) == 5


def test_how_long_it_was_in_a_stage_is_kept(
    database: Database, cast: Cast, known: Known, stages: list[queries.Stage]
) -> None:
    deal_id = services.create_deal(agency_id=cast.a, title="Other", by=None, now=NOW)
    for day, stage in ((3, stages[1]), (4, stages[2])):
        services.move_deal(
            agency_id=cast.a, deal_id=deal_id, stage_id=stage.id, by=None, now=NOW + dt.timedelta(days=day)
        )
    found = database.ask("SELECT data->>'seconds' FROM crm_event WHERE kind = 'crm.move_deal' ORDER BY at")
    assert found == [(str(3 * 86_400),), (str(86_400),)]
    assert "after 3 days in New" in cast.vera.client.get(f"/a/deals/{deal_id}/").content.decode()


def test_what_another_has_moved_is_shown(
    database: Database, cast: Cast, known: Known, stages: list[queries.Stage]
) -> None:
    url = f"/a/deals/{known.deal_id}/move/"
    cast.alice.client.post(url, {"stage": stages[1].id, "from": stages[0].id})
    sent = {"stage": stages[2].id, "from": stages[0].id, "page": "board"}
    part = cast.bob.client.post(url, sent, headers={"HX-Request": "true"}).content.decode()
    assert "Somebody else has moved it meanwhile" in part
    assert state(database)[0] == "Qualified"


def test_two_who_move_at_once(database: Database, cast: Cast, known: Known, stages: list[queries.Stage]) -> None:
    def move(to: queries.Stage) -> None:
        services.move_deal(
            agency_id=cast.a, deal_id=known.deal_id, stage_id=to.id, from_stage_id=stages[0].id, by=None, now=NOW
        )

    results = at_once(lambda: move(stages[1]), lambda: move(stages[2]))
    assert sorted(type(each).__name__ for each in results) == ["NoneType", "StageChanged"]
    assert database.ask("SELECT count(*) FROM crm_event WHERE kind = 'crm.move_deal'") == [(1,)]


def test_a_bad_stage_is_refused(database: Database, cast: Cast, known: Known, stages: list[queries.Stage]) -> None:
    for bad in ("", "x", str(uuid.uuid4())):
        assert cast.bob.client.post(f"/a/deals/{known.deal_id}/move/", {"stage": bad}).status_code == 400
    missing = cast.bob.client.post(f"/a/deals/{uuid.uuid4()}/move/", {"stage": stages[1].id})
    assert missing.status_code == 404
    assert state(database) == ("New", "open", "")


def test_win_deal_is_an_event(database: Database, cast: Cast, known: Known, stages: list[queries.Stage]) -> None:
    url = f"/a/deals/{known.deal_id}/"
    assert cast.bob.client.post(f"{url}win/")["Location"] == url
    assert state(database) == ("New", "won", "")
    found = database.ask("SELECT contact_id, company_id, deal_id, by_id FROM crm_event WHERE kind = 'crm.win_deal'")
    assert found == [(known.contact_id, known.company_id, known.deal_id, cast.bob.member_id)]
    assert "won the deal" in cast.vera.client.get(f"/a/contacts/{known.contact_id}/").content.decode()
    assert "New shop" in cast.vera.client.get("/a/deals/list/?status=won").content.decode()
    assert "New shop" not in cast.vera.client.get("/a/deals/").content.decode()
    # Won twice is won once; and what is closed neither moves nor is lost.
    cast.bob.client.post(f"{url}win/")
    cast.bob.client.post(f"{url}lose/", {"reason": "x"})
    cast.bob.client.post(f"{url}move/", {"stage": stages[1].id})
    assert state(database) == ("New", "won", "")
    assert len(audit(database, "crm.win_deal")) == 1
    assert "won or lost already" in cast.bob.client.get(url).content.decode()


def test_lose_deal_wants_a_reason(database: Database, cast: Cast, known: Known) -> None:
    url = f"/a/deals/{known.deal_id}/"
    answer = cast.bob.client.post(f"{url}lose/", {"reason": "  "})
    assert answer.status_code == 422
    assert "Say in a few words why" in answer.content.decode()
    assert state(database) == ("New", "open", "")
    assert cast.bob.client.post(f"{url}lose/", {"reason": " Too dear "})["Location"] == url
    assert state(database) == ("New", "lost", "Too dear")
    assert "Too dear" in cast.vera.client.get(url).content.decode()
    # The words stand with the deal alone, where they can be erased.
    assert database.ask("SELECT data FROM crm_event WHERE kind = 'crm.lose_deal'") == [({},)]


def test_reopen_deal_brings_it_back(database: Database, cast: Cast, known: Known) -> None:
    url = f"/a/deals/{known.deal_id}/"
    cast.bob.client.post(f"{url}lose/", {"reason": "Too dear"})
    assert cast.bob.client.post(f"{url}reopen/")["Location"] == url
    assert state(database) == ("New", "open", "")
    cast.bob.client.post(f"{url}reopen/")
    assert len(audit(database, "crm.reopen_deal")) == 1


def test_won_and_lost_at_once_is_one_of_them(database: Database, cast: Cast, known: Known) -> None:
    common = {"agency_id": cast.a, "deal_id": known.deal_id, "by": None, "now": NOW}
    results = at_once(
        lambda: services.win_deal(**common),  # type: ignore[arg-type]
        lambda: services.lose_deal(reason="x", **common),  # type: ignore[arg-type]
    )
    assert sorted(type(each).__name__ for each in results) == ["DealClosed", "NoneType"]
    assert state(database) in {("New", "won", ""), ("New", "lost", "x")}


@pytest.mark.parametrize("action", ["move", "win", "lose", "reopen"])
def test_who_may_not(database: Database, cast: Cast, known: Known, stages: list[queries.Stage], action: str) -> None:
    sent = {"stage": str(stages[1].id), "reason": "x"}
    assert refused(cast, f"deals/{known.deal_id}/{action}/", sent) == NOT_ALLOWED
    assert cast.charlie.client.post(f"/b/deals/{known.deal_id}/{action}/", sent).status_code in (400, 404)
    assert state(database) == ("New", "open", "")
