"""Drop-in for existing sites: the official client of another form service, pointed at us."""

import json
import pathlib
import shutil
import subprocess
from typing import Any

import httpx

from edge.tests.database import Database
from edge.tests.program import Gate, Program, running

SCRIPT = pathlib.Path(__file__).with_name("formspree_client.mjs")
SENT = {"name": "Ann", "email": "ann@visitor.example", "message": "Hello"}


def _send(url: str, key: str, *fields: dict[str, Any], form: str = "json") -> list[dict[str, Any]]:
    """What the client makes of our answers. Its packages come with those of sites/."""
    node = shutil.which("node")
    assert node, "Node is needed: `make test` installs it"
    posts = json.dumps([{"as": form, "fields": each} for each in fields])
    ran = subprocess.run([node, SCRIPT, url, key], input=posts, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found


def test_it_submits_and_gets_the_next_page_with_the_receipt(edge: Program, office: Database, key: str) -> None:
    (told,) = _send(edge.url, key, {**SENT, "_subject": "A table", "_replyto": "other@visitor.example", "_gotcha": ""})
    (row,) = office.submissions(key)
    receipt = "-".join(row.receipt[start : start + 4] for start in (0, 4, 8))
    assert told == {"kind": "success", "next": f"{edge.url}/f/{key}/thanks?receipt={receipt}"}
    assert (row["_subject"], row["_replyto"]) == ("A table", "other@visitor.example")
    assert row.signals == []


def test_it_submits_form_data(edge: Program, office: Database, key: str) -> None:
    (told,) = _send(edge.url, key, SENT, form="data")
    assert told["kind"] == "success"
    (row,) = office.submissions(key)
    assert row["message"] == "Hello"


def test_its_own_redirect_and_honeypot_names(edge: Program, office: Database) -> None:
    key = office.add_form(redirect_targets=["/danke", "/merci"])
    (told,) = _send(edge.url, key, {**SENT, "_redirect": "/merci", "_gotcha": "cheap pills"})
    assert told["next"].startswith("https://grind.example/merci?receipt=")
    (row,) = office.submissions(key)
    assert row.signals == ["honeypot"]


def test_a_repetition_is_a_success_too(edge: Program, office: Database, key: str) -> None:
    first, second = _send(edge.url, key, SENT, SENT)
    assert first == second
    assert len(office.submissions(key)) == 1


def test_it_shows_field_errors(edge: Program, office: Database) -> None:
    key = office.add_form(language="de")
    (told,) = _send(edge.url, key, {"name": "", "email": "ann at home", "topic": "Milk"})
    assert (told["kind"], told["form"]) == ("error", [])
    messages = {field: [error["message"] for error in errors] for field, errors in told["fields"]}
    assert messages == {
        "name": ["Your name: Diese Angabe wird gebraucht."],
        "email": ["E-mail: Die Adresse sollte aussehen wie name@example.com."],
        "topic": ["Topic: „Milk“ steht nicht zur Auswahl."],
    }


def test_it_shows_what_is_wrong_with_the_whole_form(edge: Program, office: Database, key: str) -> None:
    full = office.add_form(daily_cap=1)
    unknown = _send(edge.url, "frm_" + "x" * 22, SENT)
    _, capped = _send(edge.url, full, SENT, {**SENT, "message": "Another"})
    (large,) = _send(edge.url, key, {"message": "x" * 300_000})
    for told, words in ((unknown[0], "No form has this address"), (capped, ""), (large, "A submission may hold")):
        assert (told["kind"], told["fields"]) == ("error", [])
        (error,) = told["form"]
        assert words in error["message"]
        assert error["message"] != "Unexpected response format"


def test_while_nothing_can_be_stored(gate: Gate, key: str) -> None:
    """Neither in the database nor, as the form was never known, beside it."""
    gate.shut()
    with running(gate.dsn) as program:
        (told,) = _send(program.url, key, SENT)
    assert told["kind"] == "error"
    assert "This is our fault" in told["form"][0]["message"]


def test_its_headers_are_allowed_to_other_origins(http: httpx.Client, key: str) -> None:
    asked = {
        "origin": "https://grind.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,formspree-client,formspree-session-data",
    }
    answer = http.options(f"/f/{key}", headers=asked)
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert allowed >= {"accept", "content-type", "formspree-client", "formspree-session-data"}
