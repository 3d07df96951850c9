"""How often: by address, by form, by agency, and a form's daily cap; here or in Redis."""

import contextlib
import datetime
import io
import pathlib
import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge import forms, limits, log
from edge.tests import program

WIDE = {"address_limit": "1000/minute", "form_limit": "1000/minute", "daily_cap": 100_000}


def a_form(**changes: object) -> forms.Form:
    return forms.Form("frm_" + "a" * 22, 1, **{"agency_id": 1, **WIDE, **changes})  # type: ignore[arg-type]


def here(agency_limit: str = "1000/minute", redis_url: str = "") -> limits.Limits:
    return limits.Limits(redis_url, agency_limit, log.Log("json", io.BytesIO()))


async def granted(limit: limits.Limits, form: forms.Form, tries: int, address: str = "203.0.113.1") -> int:
    """How many of so many tries in a row are within the limits."""
    return sum([(await limit.check(form, address))[0] is None for _ in range(tries)])


async def test_an_address_has_its_own_turns() -> None:
    limit, form = here(), a_form(address_limit="5/minute")
    assert await granted(limit, form, 8) == 5
    assert await granted(limit, form, 3, "203.0.113.2") == 3


async def test_an_ipv6_network_has_its_turns_together() -> None:
    limit, form = here(), a_form(address_limit="5/minute")
    assert sum([await granted(limit, form, 1, f"2001:db8:1:2::{n:x}") for n in range(8)]) == 5
    assert await granted(limit, form, 3, "2001:db8:1:3::1") == 3
    # However many addresses there are, what is remembered of them is two senders.
    assert len(limit._paid) == 2


async def test_a_form_and_an_agency_have_theirs() -> None:
    limit, form = here(), a_form(form_limit="7/minute")
    assert sum([await granted(limit, form, 1, f"203.0.113.{n}") for n in range(12)]) == 7
    limit = here("4/minute")
    assert await granted(limit, a_form(), 9) == 4
    assert await granted(limit, a_form(agency_id=2), 2) == 2


async def test_the_form_says_whether_to_hold_or_to_refuse() -> None:
    for choice, verdict in (("hold", "over_limit"), ("refuse", "refused")):
        limit, form = here(), a_form(address_limit="1/minute", over_limit=choice)
        assert await limit.check(form, "203.0.113.1") == (None, 0)
        assert await limit.check(form, "203.0.113.1") == (verdict, 60)


async def test_the_daily_cap_refuses_whatever_the_form_says() -> None:
    limit, form = here(), a_form(daily_cap=3, over_limit="hold")
    assert await granted(limit, form, 3) == 3
    verdict, seconds = await limit.check(form, "203.0.113.1")
    assert verdict == "refused"
    assert 0 < seconds <= 86_400


async def test_the_daily_cap_goes_on_where_another_process_ended() -> None:
    today = datetime.datetime.now(datetime.UTC).date()
    assert await granted(here(), a_form(daily_cap=5, today=today.isoformat(), accepted_today=3), 4) == 2
    assert await granted(here(), a_form(daily_cap=5, today=today.isoformat(), accepted_today=9), 4) == 0
    # Known from the spool, since yesterday.
    yesterday = today - datetime.timedelta(days=1)
    assert await granted(here(), a_form(daily_cap=5, today=yesterday.isoformat(), accepted_today=3), 4) == 4


async def test_the_daily_cap_begins_anew_at_midnight(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 86_400 * 20_000 + 86_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    limit, form = here(), a_form(daily_cap=3)
    assert await granted(limit, form, 3) == 3
    assert await limit.check(form, "203.0.113.1") == ("refused", 400)
    now += 401
    assert await granted(limit, form, 3) == 3
    assert await limit.check(form, "203.0.113.1") == ("refused", 86_399)


@given(st.integers(1, 3000), st.integers(1, 4000))
@settings(max_examples=40, deadline=None)
async def test_leases_never_give_more_than_the_limit_and_nearly_all_of_it(amount: int, tries: int) -> None:
    got = await granted(
        here("100000/minute"), a_form(address_limit=f"{amount}/hour", form_limit="100000/minute"), tries
    )
    assert got <= min(amount, tries)
    assert got >= min(amount, tries) * 0.97 - 1


async def test_an_unreadable_limit_stops_nobody() -> None:
    assert await granted(here(), a_form(form_limit="many"), 3) == 3


@pytest.fixture
def redis(tmp_path: pathlib.Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    server = shutil.which("redis-server")
    assert server, "redis-server is missing; `make test` installs it"
    port = program.free_port()
    process = subprocess.Popen(
        [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    program.until(lambda: program.listens(port), 10)
    yield f"redis://127.0.0.1:{port}/0", process
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    process.wait()


async def test_edges_share_their_counts_through_redis(redis: tuple[str, subprocess.Popen[bytes]]) -> None:
    first, second = here(redis_url=redis[0]), here(redis_url=redis[0])
    form = a_form(address_limit="6/minute")
    assert await granted(first, form, 4) == 4
    assert await granted(second, form, 4) == 2
    await first.close()
    await second.close()


async def test_without_redis_each_counts_alone(redis: tuple[str, subprocess.Popen[bytes]]) -> None:
    limit, form = here(redis_url=redis[0]), a_form(address_limit="3/minute")
    assert await granted(limit, form, 1) == 1
    redis[1].kill()
    redis[1].wait()
    assert await granted(limit, form, 5) == 3
    await limit.close()
