"""Many at once: every one stored once, and a bad one alone."""

import asyncio
import collections
import socket
import time

import httpx

from edge.tests.database import Database
from edge.tests.program import Gate, Program, running, until


def _post_all(program: Program, key: str, texts: list[str]) -> list[httpx.Response]:
    async def run() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=len(texts))
        async with httpx.AsyncClient(base_url=program.url, timeout=15, limits=limits) as client:
            posts = (client.post(f"/f/{key}", json={"name": text, "email": "a@b.example"}) for text in texts)
            return await asyncio.gather(*posts)

    return asyncio.run(run())


def test_two_hundred_at_once_are_all_stored_once(edge: Program, office: Database, key: str) -> None:
    answers = _post_all(edge, key, [f"visitor {number}" for number in range(200)])

    rows = office.submissions(key)
    assert {answer.status_code for answer in answers} == {201}
    assert collections.Counter(row["name"] for row in rows) == {f"visitor {n}": 1 for n in range(200)}
    assert {answer.json()["id"] for answer in answers} == {str(row.id) for row in rows}
    assert len({row.receipt for row in rows}) == 200


def test_a_bad_row_fails_alone(edge: Program, office: Database, key: str) -> None:
    texts = [f"visitor {number}" if number % 10 else f"POISON {number}" for number in range(60)]
    answers = _post_all(edge, key, texts)

    assert [answer.status_code for answer in answers] == [201 if n % 10 else 202 for n in range(60)]
    assert len(office.submissions(key)) == 54
    # The bad ones have receipts, too: their bytes are kept for somebody to look at.
    aside = {row["receipt"]: row for row in office.set_aside(key)}
    assert set(aside) == {answers[n].json()["receipt"].replace("-", "") for n in range(0, 60, 10)}
    assert all(row["reason"] == "CheckViolationError" and b"POISON" in row["content"] for row in aside.values())


def test_a_visitor_who_leaves_is_stored_all_the_same(gate: Gate, office: Database, key: str) -> None:
    body = b'{"name": "Gone", "email": "a@b.example"}'
    head = f"POST /f/{key} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    with running(gate.dsn) as program:
        httpx.post(f"{program.url}/f/{key}", json={"name": "First", "email": "a@b.example"})
        gate.frozen.set()
        with socket.create_connection(("127.0.0.1", program.port)) as connection:
            connection.sendall(head.encode() + body)
            time.sleep(0.5)  # on its way to the database, and not yet stored
        assert len(office.submissions(key)) == 1
        gate.frozen.clear()
        until(lambda: len(office.submissions(key)) == 2)


def test_a_form_removed_without_a_word_is_unknown_at_the_next_post(
    http: httpx.Client, office: Database, key: str
) -> None:
    assert http.get(f"/f/{key}").status_code == 200
    office.remove_form(key, told=False)
    assert http.post(f"/f/{key}", json={"name": "A", "email": "a@b.example"}).status_code == 404
