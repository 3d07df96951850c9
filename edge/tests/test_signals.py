"""Signals: what speaks against a person having sent it. Missing ones say nothing, and nobody is dropped."""

import time

import httpx
import pytest

from edge.tests.database import Database
from edge.tests.program import PAGE, until

SENT = {"name": "Ann", "email": "a@b.example"}


@pytest.mark.parametrize(
    ("more", "headers", "signals"),
    [
        ({}, {}, []),
        ({"website": ""}, {}, []),
        ({"website": "http://x.example"}, {}, ["honeypot"]),
        ({"_gotcha": "yes"}, {}, ["honeypot"]),
        ({"_gotcha": " "}, {}, []),
        ({"_elapsed": "900"}, {}, ["too_fast"]),
        ({"_elapsed": "9000"}, {}, []),
        ({"_elapsed": "soon"}, {}, []),
        ({"_rendered": "now"}, {}, ["too_fast"]),
        ({"_rendered": "1700000000"}, {}, []),
        ({"_rendered": "9" * 400}, {}, []),
        ({}, {"origin": "null"}, []),
        ({}, {"referer": "https://grind.example/contact"}, []),
        ({}, {"referer": "https://elsewhere.example/"}, ["foreign_origin"]),
        ({}, {"origin": "https://grind.example", "referer": "https://elsewhere.example/"}, []),
    ],
)
def test_each_signal(
    http: httpx.Client,
    office: Database,
    key: str,
    more: dict[str, str],
    headers: dict[str, str],
    signals: list[str],
) -> None:
    sent = {name: str(int(time.time())) if value == "now" else value for name, value in more.items()}
    assert http.post(f"/f/{key}", data={**SENT, **sent}, headers={**PAGE, **headers}).status_code == 303
    (row,) = office.submissions(key)
    assert row.signals == signals


def test_an_older_page_is_judged_by_its_own_version(http: httpx.Client, office: Database, key: str) -> None:
    def post(**more: str) -> httpx.Response:
        return http.post(f"/f/{key}", json={**SENT, **more})

    assert post(message="the form at its third version").status_code == 201
    office.ask_for(key, "phone")
    until(lambda: post(message="new", _version="4").status_code == 422)
    (error,) = post(message="new", _version="4").json()["errors"]
    assert error["field"] == "phone"

    assert post(message="old page", _version="3").status_code == 201
    # A page that does not say which one it shows may be old, too; but this one knows the field.
    assert post(message="unknown page").status_code == 201
    assert post(message="empty", phone=" ").status_code == 422
    assert post(message="no such version", _version="99").status_code == 201
    assert post(message="new page", _version="4", phone="1").status_code == 201
    found = {row["message"]: (row.meta["form_version"], row.signals) for row in office.submissions(key)}
    assert found["old page"] == (3, [])
    assert found["unknown page"] == (4, ["older_page"])
    assert found["new page"] == (4, [])
