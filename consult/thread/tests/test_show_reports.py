"""The dashboard counts what is there, by the agency's own days."""

import datetime as dt

import pytest

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import queries
from consult.crm import reports as crm_reports
from consult.crm import services as crm
from consult.inbox import reports
from consult.inbox import services as inbox

UTC = dt.UTC


@pytest.fixture
def came(database: Database, cast: Cast) -> None:
    """Three enquiries: late on 3 March in Berlin (the 4th has begun there), one answered, one held."""
    ids = [database.submit(cast.key_a, ("message", f"number {number}"))[0] for number in range(3)]
    inbox.receive_submissions(agency_id=cast.a, submission_ids=ids)
    database.ask("UPDATE accounts_agency SET time_zone = 'Europe/Berlin' WHERE id = %s", [cast.a])
    for number, at in ((1, "2026-03-03 23:30+00"), (2, "2026-03-04 12:00+00"), (3, "2026-03-04 13:00+00")):
        database.ask("UPDATE inbox_enquiry SET received_at = %s WHERE number = %s", [at, number])
    database.ask("UPDATE inbox_enquiry SET first_answer_at = '2026-03-04 14:00+00' WHERE number = 2")
    database.ask("UPDATE inbox_enquiry SET status = 'held' WHERE number = 3")


def test_figures_are_of_the_agencys_days(database: Database, cast: Cast, came: None) -> None:
    with tenancy.agency(cast.a):
        found = reports.figures(
            cast.a,
            since=dt.datetime(2026, 3, 3, 23, tzinfo=UTC),
            until=dt.datetime(2026, 3, 4, 23, tzinfo=UTC),
            zone="Europe/Berlin",
        )
        owed = reports.answer_debt(cast.a, dt.datetime(2026, 3, 8, 12, tzinfo=UTC))
    assert [(each.day.day, each.count, each.held) for each in found.came] == [(4, 3, 1)]
    assert found.answers == reports.Answers(1, 7200.0, 7200.0)
    assert list(found.by_day) == [dt.date(2026, 3, 4)]
    # Numbers 1 and 2 are open: both between three and seven days old.
    assert [each.count for each in owed] == [0, 0, 2, 0, 0]
    assert round(owed[2].days, 2) == 8.52


def test_show_reports_works(cast: Cast, came: None) -> None:
    page = cast.vera.client.get("/a/reports/?from=2026-03-01&to=2026-03-07").content.decode()
    assert "A bar for each day: 3 enquiries came, 1 of them held or spam" in page
    assert '<th scope="row"><time datetime="2026-03-04">Wed 4 Mar 2026</time></th><td>3</td><td>1</td>' in page
    assert "2 hours" in page
    before = cast.vera.client.get("/a/reports/?from=2026-03-01&to=2026-03-03").content.decode()
    assert "Nothing came during these days" in before


def test_an_empty_agency_is_told_what_to_do(cast: Cast) -> None:
    page = cast.bob.client.get("/a/reports/").content.decode()
    for words in ("Nothing came during these days", "Nothing is open", "No deal was opened", "has been answered yet"):
        assert words in page


@pytest.mark.parametrize(
    "asked", ["from=x", "from=2026-03-05&to=2026-03-01", "from=2020-01-01&to=2026-03-01", "to=%00"]
)
def test_a_bad_range_is_said_and_the_last_days_are_shown(cast: Cast, asked: str) -> None:
    page = cast.bob.client.get(f"/a/reports/?{asked}")
    assert page.status_code == 200
    assert "Shown are the last thirty days." in page.content.decode()


def test_the_funnel_counts_how_far_deals_came(database: Database, cast: Cast) -> None:
    opened = dt.datetime(2026, 3, 4, 12, tzinfo=UTC)
    ids = [crm.create_deal(agency_id=cast.a, title=f"Deal {n}", by=None, now=opened) for n in range(4)]
    database.ask("UPDATE crm_deal SET created_at = %s", [opened])
    with tenancy.agency(cast.a):
        stages = [stage.id for stage in queries.stages(cast.a)]
    # One to the third stage and back to the first, one to the second and lost, one won from the first.
    for deal, stage in ((ids[0], stages[2]), (ids[0], stages[0]), (ids[1], stages[1])):
        crm.move_deal(agency_id=cast.a, deal_id=deal, stage_id=stage, by=None, now=opened)
    crm.lose_deal(agency_id=cast.a, deal_id=ids[1], reason="Too dear", by=None, now=opened)
    crm.win_deal(agency_id=cast.a, deal_id=ids[2], by=None, now=opened)
    day = dt.timedelta(days=1)
    with tenancy.agency(cast.a):
        found = crm_reports.funnel(cast.a, since=opened - day, until=opened + day)
        later = crm_reports.funnel(cast.a, since=opened + day, until=opened + 2 * day)
    assert [step.count for step in found.steps] == [4, 3, 2, 1]
    assert (found.opened, found.open, found.won, found.lost) == (4, 2, 1, 1)
    assert later.opened == 0
    page = cast.bob.client.get("/a/reports/?from=2026-03-01&to=2026-03-07").content.decode()
    assert "How far the deals came" in page
