"""What a form's settings may say: limits, spam, files, answers, and the version that first required a field."""

import tomllib
from pathlib import Path
from typing import Any

import limits
import pytest

from conftest import Cast, Database
from consult.intake import forms, queries, rules, services
from consult.intake.tests.test_update_form import GOOD, url

SET: dict[str, Any] = GOOD | {
    "language": "de",
    "auto_reply": "on",
    "auto_reply_text": "We call you back.",
    "hold_score": "80",
    "honeypot": "hp_colour",
    "proof_of_work": "on",
    "address_limit": "5 per 10 minutes",
    "form_limit": "100/Hour",
    "over_limit": "refuse",
    "daily_cap": "500",
    "keep_address_days": "7",
    "file_count": "3",
    "file_megabytes": "5",
    "file_total": "12",
    "file_kinds": ["images", "pdf"],
}


def stored(database: Database, cast: Cast) -> dict[str, Any]:
    [(form,)] = database.ask("SELECT intake_form_v2(%s)", [cast.key_a], role="consult_edge")
    found: dict[str, Any] = form
    return found


def test_everything_reaches_the_edge(database: Database, cast: Cast) -> None:
    assert cast.alice.client.post(url(cast), SET).status_code == 302
    form = stored(database, cast)
    names = ("language", "honeypot", "proof_of_work", "address_limit", "form_limit", "over_limit", "daily_cap")
    assert [form[name] for name in names] == ["de", "hp_colour", True, "5/10 minute", "100/hour", "refuse", 500]
    types = ["image/*", "application/pdf"]
    assert form["files"] == {"count": 3, "bytes": 5_000_000, "total": 12_000_000, "types": types}
    columns = "hold_score, auto_reply, auto_reply_text, keep_address_days"
    kept = database.ask(f"SELECT {columns} FROM intake_form WHERE key = %s", [cast.key_a])  # noqa: S608
    assert kept == [(80, True, "We call you back.", 7)]
    # Shown as it is, in words and in the inputs.
    page = cast.vera.client.get(f"/a/forms/{cast.form_a}/").content.decode()
    for words in ("Held from 80 points · 5 in 10 minutes per address · proof of work", "Up to 3, 5 MB each"):
        assert words in page
    for part in ("multipart/form-data", "image/*,application/pdf", "hp_colour", "_version"):
        assert part in page
    edit = cast.alice.client.get(url(cast)).content.decode()
    for value in ("5/10 minute", "We call you back.", 'value="500"', 'value="images"'):
        assert value in edit
    assert edit.count('class="fold"') == 5
    assert " open>" not in edit


def test_what_is_left_out_stays(database: Database, cast: Cast) -> None:
    cast.alice.client.post(url(cast), SET)
    before = stored(database, cast)
    cast.alice.client.post(
        url(cast), GOOD | {"auto_reply": "on", "proof_of_work": "on", "file_kinds": ["images", "pdf"]}
    )
    assert stored(database, cast) == before | {"version": 3}
    services.update_form(
        agency_id=cast.a,
        form_id=cast.form_a,
        name=GOOD["name"],
        fields=before["fields"],
        allowed_origins=["*"],
        redirect_targets=[],
        notify_addresses=[],
    )
    assert stored(database, cast) == before | {"version": 4}
    # A box that is not ticked is left out by the browser.
    cast.alice.client.post(url(cast), SET | {"proof_of_work": "", "file_kinds": []})
    after = stored(database, cast)
    assert (after["proof_of_work"], after["files"]["types"]) == (False, [])


BAD: list[tuple[dict[str, Any], str]] = [
    ({"address_limit": "often"}, "write it like 20/minute"),
    ({"address_limit": "0/minute"}, "is no limit"),
    ({"form_limit": "5/0 minutes"}, "is no limit"),
    ({"form_limit": ""}, "This field is required"),
    ({"hold_score": "0"}, "greater than or equal to 1"),
    ({"daily_cap": "many"}, "whole number"),
    ({"language": "xx"}, "Select a valid choice"),
    ({"over_limit": "drop"}, "Select a valid choice"),
    ({"honeypot": "website"}, "browsers fill in by themselves"),
    ({"honeypot": "message"}, "is a field of this form already"),
    ({"honeypot": "two words"}, "be a field&#x27;s name"),
    ({"file_count": "99"}, "less than or equal to"),
    ({"file_megabytes": "50", "file_total": "20"}, "at least as large as one"),
    ({"file_kinds": ["programs"]}, "Select a valid choice"),
    ({"keep_address_days": "-1"}, "greater than or equal to 0"),
    ({"field-0-length": "99999"}, "characters long"),
]


@pytest.mark.parametrize(("bad", "said"), BAD)
def test_bad_input_says_what_and_keeps_the_rest(database: Database, cast: Cast, bad: dict[str, Any], said: str) -> None:
    answer = cast.alice.client.post(url(cast), SET | bad)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert "We call you back." in page
    if not any(name.startswith("field-") for name in bad):
        assert page.count(" open>") == 1, "the section with the error is open"
    assert stored(database, cast)["version"] == 1


def test_required_since(database: Database, cast: Cast) -> None:
    def save(*required: str) -> dict[str, int | None]:
        fields = {
            f"field-{number}-{part}": value
            for number, name in enumerate(("email", "phone"))
            for part, value in (("label", name), ("name", name), *([("required", "on")] if name in required else []))
        }
        assert cast.alice.client.post(url(cast), {"name": "Contact", **fields}).status_code == 302
        return {field["name"]: field.get("required_since") for field in stored(database, cast)["fields"]}

    # `email` is required from the first version on, `phone` comes, goes and comes back.
    assert save("email", "phone") == {"email": 1, "phone": 2}
    assert save("email") == {"email": 1, "phone": None}
    assert save("email", "phone") == {"email": 1, "phone": 4}
    assert save("email", "phone") == {"email": 1, "phone": 4}


def test_a_file_field_needs_no_other_setting(database: Database, cast: Cast) -> None:
    fields = {"field-0-label": "Plan", "field-0-type": "file", "field-1-label": "CV", "field-1-type": "file"}
    assert cast.alice.client.post(url(cast), {"name": "Contact", **fields}).status_code == 302
    assert stored(database, cast)["files"] == {"count": 2, "bytes": 10_000_000, "total": 20_000_000, "types": []}
    snippet = queries.snippet("https://edge.test/f/x", stored(database, cast)["fields"], "hp", files={"count": 2})
    assert '<input type="file" name="plan" multiple>' in snippet


def test_several_tick_boxes(database: Database, cast: Cast) -> None:
    group = {"field-0-label": "Beans", "field-0-type": "checkbox", "field-0-options": 'House\n"Decaf"'}
    assert cast.alice.client.post(url(cast), {"name": "Contact", **group}).status_code == 302
    assert stored(database, cast)["fields"][0]["options"] == ["House", '"Decaf"']
    page = cast.alice.client.get(f"/a/forms/{cast.form_a}/").content.decode()
    assert "&lt;legend&gt;Beans&lt;/legend&gt;" in page
    assert "value=&quot;&amp;quot;Decaf&amp;quot;&quot;" in page


@pytest.mark.parametrize(
    ("text", "stored"),
    [("20/minute", "20/minute"), ("5 per 10 minutes", "5/10 minute"), ("1/ day", "1/day"), ("7/1 hour", "7/hour")],
)
def test_limits_are_those_of_the_library(text: str, stored: str) -> None:
    assert rules.clean_limit(text) == stored
    assert limits.parse(stored).amount == int(stored.partition("/")[0])
    assert rules.clean_limit(stored) == stored


@pytest.mark.parametrize("name", ["company", "Home-Page", "your_url", "e-mail2", "phone", "first_name", "adresse_mail"])
def test_what_browsers_fill_is_no_honeypot(name: str) -> None:
    with pytest.raises(rules.BadDefinition, match="browsers"):
        rules.clean_honeypot(name, [])


def test_each_language_of_the_edge_has_a_name() -> None:
    folder = Path(__file__).resolve().parents[3] / "edge" / "words"
    codes = {file.stem for file in folder.glob("*.toml") if tomllib.loads(file.read_text(encoding="utf-8"))}
    assert {code for code, _name in queries.languages()} == codes >= {"en", "de"}
    assert codes <= set(queries.LANGUAGES), "give it a name in consult/intake/queries/forms.py"


def test_every_setting_is_in_a_section() -> None:
    shown = {name for _id, _title, names in forms.Form.SECTIONS for name in names}
    assert shown == set(forms.Form().fields) - {"name"}
