"""The same key twice at the same time, at one edge or two, with PostgreSQL or without: one submission, one receipt."""

import collections

import httpx
import pytest

from edge.tests import rows
from edge.tests.database import Database
from edge.tests.program import until
from tests.faults import load
from tests.faults.conftest import Launch, Scale
from tests.faults.proxy import Proxy


@pytest.mark.parametrize("away", [False, True], ids=["stored", "spooled"])
@pytest.mark.parametrize("edges", [1, 2])
def test_many_pairs(
    proxy: Proxy, office: Database, key: str, launch: Launch, scale: Scale, edges: int, away: bool
) -> None:
    urls = [launch(proxy.url).url for _ in range(edges)]
    for url in urls:
        httpx.get(f"{url}/f/{key}").raise_for_status()  # it knows the form
    if away:
        proxy.shut()
    told: dict[str, set[str]] = collections.defaultdict(set)

    def post(client: httpx.Client, number: int, text: str, url: str) -> httpx.Response:
        return client.post(f"{url}/f/{key}", json=load.fields(text), headers={"idempotency-key": f"key {number}"})

    def at_once(calls: list[tuple[int, str, str]]) -> list[httpx.Response]:
        return load.at_once([lambda client, call=call: post(client, *call) for call in calls])  # type: ignore[misc]

    for first in range(0, 2 * scale.many, 20):
        calls = [
            (number, f"visitor {number}", urls[twin % edges]) for number in range(first, first + 20) for twin in (0, 1)
        ]
        answers = at_once(calls)
        for (_number, text, _url), answer in zip(calls, answers, strict=True):
            assert answer.status_code in (200, 201, 202), answer.text
            told[text].add(load.told(answer))

    # The same key with other words: both are kept, and who comes second is told so.
    calls = [
        (number, f"{number} {words}", urls[twin % edges])
        for number in range(9_000, 9_010)
        for twin, words in enumerate(("one", "other"))
    ]
    answers = at_once(calls)
    for (_number, text, _url), answer in zip(calls, answers, strict=True):
        told[text].add(answer.json()["receipt"].replace("-", ""))
    statuses = [sorted((a.status_code, b.status_code)) for a, b in zip(answers[::2], answers[1::2], strict=True)]
    apart = away and edges == 2
    assert statuses == [[202, 202] if apart else [202, 409] if away else [201, 409]] * 10

    proxy.open()
    until(lambda: len(office.submissions(key)) >= len(told), 30)
    until(lambda: all(day[0] == day[1] and day[2] == 0 for day in rows.counts(office, key)), 30)
    stored = {row["message"]: {row.receipt} for row in office.submissions(key)}
    assert len(office.submissions(key)) == len(told)
    # Also where two spools did not know of each other: each visitor was told the receipt of their own words.
    assert told == stored
