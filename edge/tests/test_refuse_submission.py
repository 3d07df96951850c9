"""POST /f/<form key> when something is wrong: a problem for scripts, a page that keeps the text for people."""

import html
import re
import socket

import httpx
import pytest

from edge.tests.database import Database
from edge.tests.program import PAGE, Program, running, with_bounds

URLENCODED = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}
UNKNOWN = "frm_" + "x" * 22


@pytest.mark.parametrize(
    ("status", "code", "content", "headers"),
    [
        (413, "too_large", b"name=" + b"x" * 262_144, URLENCODED),
        (415, "wrong_type", b"hello", {"content-type": "text/plain"}),
        (415, "wrong_type", b"hello", {}),
        (400, "malformed", b'{"name": ', JSON),
        (400, "malformed", b"[1, 2]", JSON),
        (400, "malformed", b'{"name": {"first": "Ann"}}', JSON),
        (400, "malformed", b'{"a":' + b"[" * 100_000, JSON),
        (400, "malformed", b"a=1&" * 201, URLENCODED),
        (400, "malformed", b"x" * 201 + b"=1", URLENCODED),
        (400, "malformed", b"x=" + b"1" * 100_001, URLENCODED),
        (400, "malformed", b"no boundary", {"content-type": "multipart/form-data"}),
    ],
)
def test_what_cannot_be_read(
    http: httpx.Client, key: str, status: int, code: str, content: bytes, headers: dict[str, str]
) -> None:
    answer = http.post(f"/f/{key}", content=content, headers={"accept": "application/json", **headers})

    told = answer.json()
    assert (answer.status_code, told["code"], told["ok"]) == (status, code, False)
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["request_id"] == answer.headers["x-request-id"]
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    assert "errors" not in told


def test_too_large_is_told_on_a_page(http: httpx.Client, key: str) -> None:
    answer = http.post(f"/f/{key}", content=b"x" * 262_145, headers=URLENCODED | PAGE)
    assert answer.status_code == 413
    assert "go back one page" in answer.text


def test_too_many_fields_keep_the_first_to_be_sent_again(http: httpx.Client, office: Database, key: str) -> None:
    typed = {"name": "Ann", "email": "ann@example.com", **{f"Row {number}": f"<{number}>" for number in range(300)}}
    answer = http.post(f"/f/{key}", data={**typed, "blank": ""}, headers=PAGE | {"referer": "https://grind.example/x"})

    assert answer.status_code == 400
    assert "may hold 200 fields" in answer.text
    assert "only the beginning" in answer.text
    assert office.submissions(key) == []
    again = _typed(answer.text)
    assert http.post(f"/f/{key}", data=again, headers=PAGE).status_code == 303
    (row,) = office.submissions(key)
    assert row["Row 100"] == "<100>"
    assert row.meta["page_url"] == "https://grind.example/x"
    script = http.post(f"/f/{key}", data=typed, headers={"accept": "application/json"})
    assert (script.status_code, script.json()["code"]) == (400, "malformed")


def test_one_value_that_is_too_long_loses_no_other(http: httpx.Client, office: Database, key: str) -> None:
    typed = {"name": "Ann", "message": "x" * 100_001, "topic": "Friday, a table"}
    answer = http.post(f"/f/{key}", data=typed, headers=PAGE)
    assert answer.status_code == 400
    assert "may hold 100000 characters" in answer.text
    assert (_typed(answer.text)["topic"], len(_typed(answer.text)["message"])) == ("Friday, a table", 100_001)
    assert office.submissions(key) == []


def test_unknown_form(http: httpx.Client) -> None:
    for path in (f"/f/{UNKNOWN}", "/f/frm_short", "/f/..%2f", f"/f/{UNKNOWN}/thanks?receipt=K7QF2M9X4TDA"):
        assert http.get(path).status_code == 404
    answer = http.post(f"/f/{UNKNOWN}", json={"name": "x"})
    assert answer.status_code == 404
    assert answer.json()["code"] == "unknown_form"
    page = http.post(f"/f/{UNKNOWN}", data={"name": "x"}, headers=PAGE)
    assert page.status_code == 404
    assert "Your browser still has your text" in page.text
    assert page.headers["content-type"].startswith("text/html")


def test_method_is_answered_with_what_is_allowed(http: httpx.Client, key: str) -> None:
    answer = http.delete(f"/f/{key}")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert http.post("/health/").status_code == 405
    assert http.post("/live").status_code == 405


def test_fields_at_fault_are_named(http: httpx.Client, office: Database, key: str) -> None:
    answer = http.post(f"/f/{key}", json={"name": " ", "email": "ann at home", "message": "x" * 5001})

    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "invalid_fields")
    assert [(fault["field"], fault["code"]) for fault in told["errors"]] == [
        ("name", "required"),
        ("email", "invalid_email"),
        ("message", "too_long"),
    ]
    assert all(fault["message"] for fault in told["errors"])
    assert office.submissions(key) == []


def test_a_line_break_counts_as_one_character(http: httpx.Client, key: str) -> None:
    data = {"name": "Ann", "email": "a@b.example", "message": "x" + "\r\n" * 4999}
    assert http.post(f"/f/{key}", data=data, headers=PAGE).status_code == 303


def test_page_keeps_what_was_typed_and_can_be_sent_again(http: httpx.Client, office: Database, key: str) -> None:
    typed = {
        "name": 'Ann "<b>"',
        "email": "ann at home",
        "topic": "Tea",
        "message": "\r\n</textarea><script>alert(1)</script> & more",
        "news": "yes",
        "size of the room": "a < b",
        "_page": "https://grind.example/contact",
        "_next": "/danke",
    }
    answer = http.post(f"/f/{key}", data=typed, headers=PAGE)

    assert answer.status_code == 422
    assert "E-mail needs to look like" in answer.text
    assert 'role="alert"' in answer.text
    assert "<script" not in answer.text
    assert "<b>" not in answer.text
    again = _typed(answer.text)
    assert {name: value.replace("\r\n", "\n") for name, value in typed.items()} == {
        name: value.replace("\r\n", "\n") for name, value in again.items() if name in typed
    }
    again["email"] = "ann@example.com"
    assert http.post(f"/f/{key}", data=again, headers=PAGE).status_code == 303
    (row,) = office.submissions(key)
    assert row["size of the room"] == "a < b"
    assert row.meta["page_url"] == "https://grind.example/contact"


def _typed(page: str) -> dict[str, str]:
    """What a browser would send."""
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        parts = {name: html.unescape(value) for name, value in re.findall(r'([a-z-]+)="([^"]*)"', tag)}
        if parts.get("type") != "checkbox" or " checked" in tag:
            found[parts["name"]] = parts.get("value", "")
    for tag, text in re.findall(r"<textarea([^>]*)>\n(.*?)</textarea>", page, re.DOTALL):
        found[html.unescape(re.findall(r'name="([^"]*)"', tag)[0])] = html.unescape(text)
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', page, re.DOTALL):
        found[name] = re.findall(r'value="([^"]*)" selected', options)[0]
    return found


def test_slow_body_is_ended(edge_database: tuple[str, str], key: str) -> None:
    with running(edge_database[0], with_bounds("body_seconds=0.3")) as program:
        head = f"POST /f/{key} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n"
        answer = _said(program, head.encode() + b'{"name"')
        assert answer.startswith(b"HTTP/1.1 408")
        assert b'"code":"too_slow"' in answer


def _said(program: Program, sent: bytes) -> bytes:
    """All that the server says until it closes the connection, which it must."""
    with socket.create_connection(("127.0.0.1", program.port), timeout=5) as connection:
        connection.sendall(sent)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
        return answer


def test_declared_size_is_refused_before_it_is_sent(edge: Program, key: str) -> None:
    head = f"POST /f/{key} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9999999\r\n\r\n"
    assert _said(edge, head.encode()).startswith(b"HTTP/1.1 413")


def test_no_route(http: httpx.Client) -> None:
    assert http.get("/").json()["code"] == "not_found"
    page = http.get("/nothing", headers=PAGE)
    assert page.status_code == 404
    assert "There is nothing here" in page.text
