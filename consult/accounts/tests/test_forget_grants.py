"""What gives nothing any more is deleted, and what one may still need is not."""

import datetime as dt

from conftest import Cast, Database
from consult.accounts import jobs, services
from consult.accounts.tests.extension import ID, consent, refresh, sign_in, works

DAY = dt.timedelta(days=1)
COUNTS = (
    "SELECT (SELECT count(*) FROM accounts_authorizationcode), (SELECT count(*) FROM accounts_refreshtoken),"
    " (SELECT count(*) FROM accounts_grant)"
)


def test_after_their_time(database: Database, cast: Cast) -> None:
    now = dt.datetime.now(dt.UTC)
    program = sign_in(cast.bob.client)
    refresh(program.refresh_token)
    sign_in(cast.charlie.client, "b")
    assert database.ask(COUNTS) == [(2, 3, 2)]
    services.forget_grants(agency_id=cast.a, now=now)
    assert database.ask(COUNTS) == [(2, 3, 2)]
    services.forget_grants(agency_id=cast.a, now=now + 2 * DAY)
    assert database.ask(COUNTS) == [(1, 3, 2)]
    # A used token stays as long as it could tell of a theft.
    services.forget_grants(agency_id=cast.a, now=now + 7 * DAY)
    assert database.ask(COUNTS) == [(1, 3, 2)]
    services.forget_grants(agency_id=cast.a, now=now + 9 * DAY)
    assert database.ask(COUNTS) == [(1, 1, 2)]
    services.forget_grants(agency_id=cast.a, now=now + 119 * DAY)
    assert database.ask(COUNTS) == [(1, 1, 2)]
    services.forget_grants(agency_id=cast.a, now=now + 121 * DAY)
    assert database.ask(COUNTS) == [(1, 1, 1)]


def test_a_sign_in_in_use_goes_on(cast: Cast) -> None:
    """Refreshed for weeks, with the deletion between each time."""
    start = dt.datetime.now(dt.UTC)
    token = sign_in(cast.bob.client).refresh_token
    for day in range(1, 30, 4):
        now = start + day * DAY
        services.forget_grants(agency_id=cast.a, now=now)
        issued = services.refresh(token=token, client_id=ID, device=services.Device(), now=now)
        token = issued.refresh_token
        assert works(issued.access_token, now)


def test_the_job_takes_every_agency(database: Database, cast: Cast) -> None:
    for browser, agency in ((cast.bob.client, "a"), (cast.charlie.client, "b")):
        consent(browser, agency)
        sign_in(browser, agency)
    database.ask("UPDATE accounts_authorizationcode SET expires_at = now() - interval '2 days'")
    jobs.forget_grants()
    assert database.ask(COUNTS) == [(0, 2, 2)]
