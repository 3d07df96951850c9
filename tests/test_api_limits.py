"""How often a program may call, and what it is told about it."""

import re
from collections.abc import Iterator

import pytest
from django.test import override_settings

from conftest import Cast
from consult.accounts.api import door
from consult.core import origin
from consult.core.api import limits
from tests import api

ITEM = r'"(\w+)";r=(\d+);t=(\d+)'


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    limits.forget()
    yield
    limits.forget()


def left(answer: object) -> dict[str, int]:
    return {name: int(rest) for name, rest, _seconds in re.findall(ITEM, answer["RateLimit"])}  # type: ignore[index]


@override_settings(CONSULT_API_LIMIT="3/minute", CONSULT_API_MEMBER_LIMIT="5/minute")
def test_a_token_and_its_member_have_limits(cast: Cast) -> None:
    first, second = (api.of_member(cast.a, cast.alice.member_id) for _ in range(2))
    answers = [first.get("/api/v1/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0]["RateLimit-Policy"] == '"token";q=3;w=60, "member";q=5;w=60'
    assert [left(answer)["token"] for answer in answers] == [2, 1, 0, 0]
    refused = answers[-1]
    assert api.told(refused)["code"] == "too_many_requests"
    assert 1 <= int(refused["Retry-After"]) <= 60
    # Another token of the same person shares the member's limit; what was refused has counted there as well.
    assert [second.get("/api/v1/me").status_code for _ in range(2)] == [200, 429]
    # Somebody else is not concerned.
    assert api.of_member(cast.a, cast.bob.member_id).get("/api/v1/me").status_code == 200


@override_settings(CONSULT_API_LIMIT="3/minute", CONSULT_API_MEMBER_LIMIT="5/minute")
def test_the_headers_are_on_every_answer(cast: Cast) -> None:
    program = api.of_agency(cast)
    refused = program.post("/api/v1/clients", {"nam": "x"})
    assert refused.status_code == 422
    assert refused["RateLimit-Policy"] == '"token";q=3;w=60'
    assert left(refused) == {"token": 2}


def test_tokens_that_open_nothing_are_limited(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "FAILED_LIMIT", "2/minute")
    wrong = api.Program("cst_wrong")
    answers = [wrong.get("/api/v1/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 429, 429]
    assert answers[0]["WWW-Authenticate"] == 'Bearer realm="consult", error="invalid_token"'
    assert int(answers[-1]["Retry-After"]) >= 1
    # A good one behind the same address is as good as ever.
    assert api.of_member(cast.a, cast.alice.member_id).get("/api/v1/me").status_code == 200
    # Who sends no token at all is not counted: there is nothing to try.
    assert [api.ANONYMOUS.get("/api/v1/me").status_code for _ in range(4)] == [401] * 4


def test_an_ipv6_network_counts_as_one(cast: Cast) -> None:
    assert origin.sender("2001:db8::1") == origin.sender("2001:db8::ffff:1") != origin.sender("2001:db8:0:1::1")
    assert origin.sender("192.0.2.1") != origin.sender("192.0.2.2")
    assert origin.sender("unix") == ""


@override_settings(CONSULT_REDIS_URL="redis://127.0.0.1:1/0", CONSULT_API_LIMIT="1/minute")
def test_without_its_counters_nobody_is_refused(cast: Cast) -> None:
    program = api.of_member(cast.a, cast.alice.member_id)
    answers = [program.get("/api/v1/me") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "RateLimit" not in answers[0]


@override_settings(CONSULT_API_MEMBER_LIMIT="3/minute")
def test_pages_have_a_limit_for_each_member(cast: Cast) -> None:
    answers = [cast.bob.client.get("/a/inbox/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0]["RateLimit-Policy"] == '"pages";q=3;w=60'
    assert [left(answer)["pages"] for answer in answers] == [2, 1, 0, 0]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert "That was too often" in answers[-1].content.decode()
    # Neither somebody else, nor what has no agency in it: one can still sign out.
    assert cast.alice.client.get("/a/inbox/").status_code == 200
    assert cast.bob.client.get("/accounts/").status_code == 200
