"""Visitors who send steadily, each a text of its own, and count what they were told."""

import asyncio
import collections
import concurrent.futures
import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from edge.tests.program import PAGE, until

# How long a visitor tries again whose connection breaks before the answer is there.
PATIENCE_SECONDS = 60.0


class Visitors:
    """They come in a steady stream, whether or not those before them were answered, and choose among `urls` in turn.

    One whose connection breaks sends the same again with the same key, at the next address. `receipts` maps texts to
    receipts, `statuses` counts the answers to scripts (a page gets 303 for all that was accepted), `refused` are the
    texts that came back with 503, `wrong` all other answers, `slowest` the longest wait for one answer in seconds.
    """

    def __init__(self, urls: Sequence[str], key: str, per_second: float, name: str) -> None:
        self._urls = urls
        self._path = f"/f/{key}"
        self._pause = 1 / per_second
        self._name = name
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.sent: list[str] = []
        self.receipts: dict[str, str] = {}
        self.statuses: collections.Counter[int] = collections.Counter()
        self.refused: set[str] = set()
        self.wrong: list[str] = []
        self.slowest = 0.0

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Nobody comes any more, and everybody gets an answer."""
        self._stop.set()
        self._thread.join(PATIENCE_SECONDS + 20)
        assert not self._thread.is_alive(), "somebody waits for ever"

    def more(self, status: int, count: int, seconds: float = 30) -> None:
        """Waits until so many more were answered with this status."""
        enough = self.statuses[status] + count
        with contextlib.suppress(AssertionError):
            until(lambda: self.statuses[status] >= enough or bool(self.wrong), seconds + count / 10)
        assert self.statuses[status] >= enough, f"no {count} more of {status}: {self.statuses}, {self.wrong}"

    async def _run(self) -> None:
        limits = httpx.Limits(max_connections=1000, max_keepalive_connections=100)
        began = time.monotonic()
        async with httpx.AsyncClient(limits=limits, timeout=30) as client, asyncio.TaskGroup() as all_of_them:
            while not self._stop.is_set():
                text = f"{self._name} {len(self.sent):05d}"
                self.sent.append(text)
                all_of_them.create_task(self._visit(client, text, len(self.sent)))
                await asyncio.sleep(max(0.0, began + len(self.sent) * self._pause - time.monotonic()))

    async def _visit(self, client: httpx.AsyncClient, text: str, number: int) -> None:
        patience = time.monotonic() + PATIENCE_SECONDS
        as_page = number % 4 == 0
        while True:
            number += 1
            url = self._urls[number % len(self._urls)] + self._path
            began = time.monotonic()
            try:
                answer = await client.post(url, **(_page(text) if as_page else _script(text)))
            except httpx.TransportError as error:
                if time.monotonic() > patience:
                    self.wrong.append(f"{text}: {error!r}")
                    return
                await asyncio.sleep(0.1)
                continue
            self.slowest = max(self.slowest, time.monotonic() - began)
            self._told(text, answer, as_page=as_page)
            return

    def _told(self, text: str, answer: httpx.Response, *, as_page: bool) -> None:
        receipt = told(answer)
        if receipt:
            self.receipts[text] = receipt
        elif answer.status_code == 503 and answer.headers.get("retry-after") and (text in answer.text or not as_page):
            self.refused.add(text)
        else:
            self.wrong.append(f"{text}: {answer.status_code} {answer.text[:300]}")
        if not as_page:
            self.statuses[answer.status_code] += 1


def fields(text: str) -> dict[str, str]:
    return {"name": "Ann", "email": "ann@visitor.example", "message": text}


def _script(text: str) -> dict[str, Any]:
    return {"json": fields(text), "headers": {"idempotency-key": text}}


def _page(text: str) -> dict[str, Any]:
    return {"data": {**fields(text), "_key": text}, "headers": PAGE}


def told(answer: httpx.Response) -> str:
    """The receipt that an answer gives, as it is stored; empty when it gives none."""
    shown = ""
    if answer.status_code in (200, 201, 202):
        shown = answer.json()["receipt"]
    elif answer.status_code == 303:
        (shown,) = parse_qs(urlsplit(answer.headers["location"]).query)["receipt"]
    return shown.replace("-", "")


@contextlib.contextmanager
def steady(*urls: str, key: str, per_second: float, name: str = "visitor") -> Iterator[Visitors]:
    """At the end all of them have their answers."""
    visitors = Visitors(urls, key, per_second, name)
    visitors.start()
    try:
        yield visitors
    finally:
        visitors.end()


def behind[T](call: Callable[[], T]) -> concurrent.futures.Future[T]:
    """Makes a call in a thread of its own; `result(seconds)` gives what it returns."""
    future: concurrent.futures.Future[T] = concurrent.futures.Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def at_once(calls: Sequence[Callable[[httpx.Client], httpx.Response]]) -> list[httpx.Response]:
    """Makes calls as nearly at the same time as threads can; the answers in their order.

    Each has a client of its own: of a shared one's connections a thread may close what another still reads.
    """
    start = threading.Barrier(len(calls))

    def started(call: Callable[[httpx.Client], httpx.Response]) -> httpx.Response:
        # Without the certificates, which would be read again for each.
        with httpx.Client(timeout=30, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as client:
            start.wait(30)
            return call(client)

    futures = [behind(lambda call=call: started(call)) for call in calls]  # type: ignore[misc]
    return [future.result(60) for future in futures]
