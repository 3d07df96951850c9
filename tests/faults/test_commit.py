"""kill -9 of the edge between the COMMIT and its answer: whoever sends again finds what is there."""

import contextlib
import signal
import threading

import httpx

from edge.tests.database import Database
from edge.tests.program import until, with_bounds
from tests.faults import ledger, load
from tests.faults.conftest import Launch, Scale, Steady
from tests.faults.proxy import Proxy


def test_killed_before_the_answer(
    proxy: Proxy, office: Database, key: str, launch: Launch, steady: Steady, scale: Scale
) -> None:
    # So long that nothing but the kill ends the wait, however busy the machine is.
    edge = launch(proxy.url, with_bounds("store_seconds=60, lookup_seconds=60"))
    url = f"{edge.url}/f/{key}"
    with steady(edge.url) as visitors:
        for number in range(scale.rounds):
            visitors.more(201, scale.many)
            text = f"between COMMIT and answer {number}"
            sent = {"json": load.fields(text), "headers": {"idempotency-key": text}, "timeout": 70}
            heard: list[httpx.Response] = []
            proxy.hold("answer", text.encode())

            def post(sent: dict[str, object] = sent, heard: list[httpx.Response] = heard) -> None:
                with contextlib.suppress(httpx.TransportError):
                    heard.append(httpx.post(url, **sent))  # type: ignore[arg-type]

            visitor = threading.Thread(target=post)
            visitor.start()
            until(lambda text=text: text in [row["message"] for row in office.submissions(key)], 30)  # type: ignore[misc]
            edge.stop(signal.SIGKILL)
            visitor.join()
            assert heard == []

            proxy.let_go()
            edge.launch().wait_ready()
            again = httpx.post(url, **sent)  # type: ignore[arg-type]
            assert (again.status_code, again.json()["duplicate"]) == (200, True)
            visitors.sent.append(text)
            visitors.receipts[text] = load.told(again)
    assert not visitors.refused
    ledger.check(office, key, visitors)
