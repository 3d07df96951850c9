"""One row of a batch of 200 that PostgreSQL refuses for its content: it is set aside alone, and nobody waits for it."""

import httpx
import pytest

from edge import submission
from edge.tests import rows
from edge.tests.database import Database
from edge.tests.program import Program, until, with_bounds
from tests.faults import load
from tests.faults.conftest import Launch
from tests.faults.proxy import Proxy

TEXTS = [f"visitor {number}" if number != 117 else "visitor 117, POISON" for number in range(200)]


def _send(edge: Program, key: str) -> list[httpx.Response]:
    url = f"{edge.url}/f/{key}"
    return load.at_once([lambda client, text=text: client.post(url, json=load.fields(text)) for text in TEXTS])  # type: ignore[misc]


def _largest_batch(edge: Program) -> float:
    """The upper bound of the fullest bucket that any batch of this edge was counted in."""
    counts: dict[float, float] = {}
    for line in httpx.get(f"{edge.url}/metrics").text.splitlines():
        if line.startswith("edge_batch_rows_bucket"):
            bound, count = line.split('le="')[1].split('"} ')
            counts[float(bound)] = float(count)
    return min(bound for bound in counts if counts[bound] == max(counts.values()))


@pytest.mark.parametrize("way", ["direct", "through the spool"])
def test_one_of_two_hundred(proxy: Proxy, office: Database, key: str, launch: Launch, way: str) -> None:
    edge = launch(proxy.url, with_bounds("store_writers=1, store_seconds=30"))
    httpx.post(f"{edge.url}/f/{key}", json=load.fields("before"))
    if way == "direct":
        # While the one writer waits for this answer, the two hundred gather.
        proxy.hold("answer", b"the one before")
        plug = load.behind(lambda: httpx.post(f"{edge.url}/f/{key}", json=load.fields("the one before"), timeout=30))
        until(lambda: len(office.submissions(key)) == 2)
        sent = load.behind(lambda: _send(edge, key))
        until(lambda: "edge_queue_rows 200.0" in httpx.get(f"{edge.url}/metrics").text, 20)
        proxy.let_go()
        plug.result(30)
    else:
        proxy.shut()
        sent = load.behind(lambda: _send(edge, key))
    answers = sent.result(60)
    proxy.open()

    receipts = {text: load.told(answer) for text, answer in zip(TEXTS, answers, strict=True)}
    until(lambda: set(receipts.values()) <= set(rows.kept(office, key)), 30)
    stored = {row["message"]: row.receipt for row in office.submissions(key)}
    assert {text: receipt for text, receipt in receipts.items() if stored.get(text) != receipt} == {
        TEXTS[117]: receipts[TEXTS[117]]
    }
    (aside,) = office.set_aside(key)
    assert (aside["receipt"], aside["reason"]) == (receipts[TEXTS[117]], "CheckViolationError")
    # Its raw bytes are all of it.
    assert "POISON" in submission.unpack(aside["content"]).fields
    until(lambda: [day[0] - day[1] - day[3] for day in rows.counts(office, key)] == [0], 30)
    statuses = {answer.status_code for answer in answers}
    if way == "direct":
        assert statuses == {201, 202}
        assert answers[117].status_code == 202
        assert _largest_batch(edge) >= 200
    else:
        assert statuses == {202}
