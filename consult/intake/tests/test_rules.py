"""Who wrote, about what; receipts; definitions."""

import re
from typing import Any

import pytest

from consult.intake import rules

CONTACT = rules.clean_fields(rules.CONTACT_FIELDS)


@pytest.mark.parametrize(
    ("fields", "sender"),
    [
        ([["name", " Ann "], ["email", " ann@x.example "]], ("Ann", "ann@x.example")),
        ([["first_name", "Ann"], ["last_name", "Lee"]], ("Ann Lee", "")),
        ([["full_name", "Ann Lee"], ["mail", "ann@x.example"]], ("Ann Lee", "ann@x.example")),
        ([["Name", "Ann"], ["email", "no address"]], ("Ann", "")),
        ([["Name", "Ann"], ["_replyto", "ann@x.example"]], ("Ann", "ann@x.example")),
        ([["name", "First"], ["name", "Second"]], ("First", "")),
        ([], ("", "")),
        ([["name", "x" * 500], ["email", "a@" + "x" * 500]], ("x" * 200, ("a@" + "x" * 500)[:320])),
    ],
)
def test_the_sender(fields: list[list[str]], sender: tuple[str, str]) -> None:
    assert rules.sender(fields, CONTACT) == sender


def test_an_e_mail_field_of_any_name_names_the_sender() -> None:
    definition = [{"name": "reach_me", "type": "email"}]
    assert rules.sender([["reach_me", "ann@x.example"]], definition) == ("", "ann@x.example")


@pytest.mark.parametrize(
    ("fields", "gist"),
    [
        ([["subject", "Hello\nBcc: x"], ["message", "Long  text\nhere"]], ("Hello Bcc: x", "Long text here")),
        ([["Betreff", "Guten Tag"]], ("Guten Tag", "Guten Tag")),
        ([["_subject", "A table"], ["message", "For two"]], ("A table", "For two")),
        ([["name", "Ann"], ["message", "x" * 999]], ("", "x" * 280)),
        ([["unknown", "short"], ["other", "a longer text"]], ("", "a longer text")),
        ([], ("", "")),
    ],
)
def test_the_gist(fields: list[list[str]], gist: tuple[str, str]) -> None:
    assert rules.gist(fields, CONTACT) == gist


def test_receipts_however_they_are_typed() -> None:
    assert rules.pretty_receipt("K7QF2M9X4TDA") == "K7QF-2M9X-4TDA"
    for typed in ("K7QF-2M9X-4TDA", "k7qf 2m9x 4tda", " K7QF2M9X4TDA.", "k7qf–2m9x–4tda"):
        assert rules.plain_receipt(typed) == "K7QF2M9X4TDA"
    assert rules.plain_receipt("O0-IL1") == "00111"


def test_keys_cannot_be_guessed() -> None:
    keys = {rules.new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(re.fullmatch("frm_[A-Za-z0-9]{22}", key) for key in keys)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://Example.COM", "https://example.com"),
        ("http://localhost:4321/", "http://localhost:4321"),
        ("*", "*"),
        (" https://x.example ", "https://x.example"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        # As browsers send them: no default port, names in their ASCII form.
        ("https://x.example:443", "https://x.example"),
        ("http://x.example:443", "http://x.example:443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_origins(text: str, origin: str) -> None:
    assert rules.clean_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    ["", "x.example", "ftp://x.example", "https://u:p@x.example", "https://x.example/a", "https://x.example?a",
     "https://x.example#a", "https://", "https://[::1", "https://x:y", "null", "https://x.example:99999",
     "https://x.example;script-src *", "https://x y.example", "https://@x.example"],
)  # fmt: skip
def test_what_is_no_origin(text: str) -> None:
    with pytest.raises(rules.BadDefinition):
        rules.clean_origin(text)


@pytest.mark.parametrize(
    "text", ["/thanks", "javascript:alert(1)", "https://u:p@x.example/", "https://[x", "//x.example"]
)
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(rules.BadDefinition):
        rules.clean_target(text)


@pytest.mark.parametrize(
    "field",
    [
        {"name": "hp_topic"},
        {"name": ""},
        {"name": "a b"},
        {"name": "x" * 64},
        {"name": "a", "type": "video"},
        {"name": "a", "max_length": 0.5},
        {"name": "a", "max_length": 50_001},
        {"name": "a", "type": "select", "options": ["", " "]},
    ],
)
def test_bad_fields(field: dict[str, Any]) -> None:
    with pytest.raises(rules.BadDefinition):
        rules.clean_field(field)
