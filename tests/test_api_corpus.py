"""Values that break programs, for every string and number that the document names: a clear 4xx, never a 5xx."""

import copy
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pytest_django
from django.test import override_settings

from conftest import Cast
from consult.core import errors
from consult.core.api import document as documents
from tests import api, api_rows
from tests.api_rows import operations

# What no text, no number and no query may be: each of these is refused wherever it stands.
DEEP = "[" * 200_000 + "]" * 200_000
BODIES: dict[str, bytes] = {
    "not JSON": b"{",
    "nothing but a word": b"hello",
    "bad UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"name": "x"}',
    "a key twice": b'{"name": "a", "name": "b"}',
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": -Infinity}',
    "too large a float": b'{"name": 1e400}',
    "too many digits": b'{"name": ' + b"9" * 5000 + b"}",
    "deep lists": DEEP.encode(),
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "NUL in a name": b'{"na\\u0000me": "x"}',
    "a surrogate in a name": b'{"\\ud800": "x"}',
    "a list": b"[]",
    "a text": b'"x"',
    "null": b"null",
    "true": b"true",
    "trailing text": b"{} {}",
    "a NUL byte": b"\x00",
}
VALUES: dict[str, str] = {
    "NUL": r'"a\u0000b"',
    "half a surrogate": r'"\ud83d"',
    "the other half": r'"x\udc00y"',
    "2^63": "9223372036854775808",
    "-2^63-1": "-9223372036854775809",
    "2^31": "2147483648",
    "10^300": "1" + "0" * 300,
    "1e308": "1e308",
    "-0.0": "-0.0",
    "true": "true",
    "null": "null",
    "a list": "[[[]]]",
    "an object": '{"a": {"b": 1}}',
    "empty": '""',
    "spaces": '"   "',
    "year 20000": '"20000-01-01T00:00:00Z"',
    "year 9999": '"9999-12-31T23:59:59-23:59"',
    "year 0": '"0000-00-00T00:00:00Z"',
    "long": json.dumps("x" * 60_000),
    "line breaks": r'"a\r\nSet-Cookie: b=1"',
    "right to left": r'"\u202eabc"',
    "emoji": r'"👩‍👩‍👧"',
    "a template": '"{{ 7*7 }} %s {0} $(id)"',
    "SQL": '"\'; DROP TABLE accounts_user; --"',
}
QUERIES = {
    "NUL": "%00",
    "bad UTF-8": "%ff%fe",
    "half a surrogate": "%ed%a0%80",
    "2^63": "9223372036854775808",
    "negative": "-1",
    "1e400": "1e400",
    "NaN": "NaN",
    "long": "x" * 3000,
    "year 20000": "20000-01-01T00:00:00Z",
    "percent": "%",
    "SQL": quote("'; DROP TABLE accounts_user; --"),
    "digits of another script": quote("٣"),
}
# Wherever these stand, the answer is a refusal.
NEVER = {"NUL", "half a surrogate", "the other half", "bad UTF-8"}

# What an example with every property needs to be taken, beside its references.
_FORM = {
    "fields": [{"name": "Size", "label": "Size", "type": "select", "required": True, "options": ["S"]}],
    "honeypot": "hp_topic",
    "allowed_origins": ["https://rosa.example"],
    "redirect_targets": ["https://rosa.example/thanks/"],
    "notify_addresses": ["ann@rosa.example"],
    "address_limit": "20/minute",
    "form_limit": "100/hour",
}
WHOLE: dict[str, dict[str, Any]] = {
    "create_client": {"name": "Another"},
    "create_deal": {"expected_on": "2027-01-31", "custom": [{"field_id": "", "value": "Large"}]},
    "update_deal": {"expected_on": "2027-01-31"},
    "create_field": {"kind": "choice"},
    "check_import": {"mapping": ["name", "emails"]},
    "create_project": {"key": "OTHER"},
    "create_stage": {"name": "Another"},
    "create_task": {
        "state_id": None,
        "assignee_ids": [],
        "start_on": "2027-01-01",
        "due_on": "2027-01-31",
        "deal_id": None,
    },
    "update_task": {"assignee_ids": [], "start_on": "2027-01-01", "due_on": "2027-01-31"},
    "move_task": {"below": None},
    "rename_stage": {"name": "Renamed"},
    "create_form": _FORM,
    "update_form": _FORM,
    "type_in_enquiry": {"email": "ann@rosa.example"},
    "convert_enquiry": {"email": "ann@rosa.example"},
    "create_api_token": {"owner": "agency"},
}
# Not taken as a whole: states that hold tasks must stay, by their ids.
NOT_TAKEN = {"set_states"}
LONG = os.environ.get("CONSULT_TEST_FUZZ") == "long"


@pytest.fixture
def program(cast: Cast) -> Iterator[api.Program]:
    with override_settings(CONSULT_API_LIMIT="9999999/second", CONSULT_API_MEMBER_LIMIT="9999999/second"):
        yield api.of_member(cast.a, cast.alice.member_id)


class Turns:
    """Deals out what is tried: a quarter for each place, all of it over four; all for each in the long form."""

    def __init__(self) -> None:
        self._first = itertools.count()

    def of[T](self, values: dict[str, T]) -> list[tuple[str, T]]:
        return list(values.items())[slice(None) if LONG else slice(next(self._first) % 4, None, 4)]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where each value stands in an example."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(item, (*path, key))


def everything(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """An example with every property in it, so that each has its place."""
    schema = documents.resolve(schema, schemas)
    if "anyOf" in schema:
        return everything(schema["anyOf"][0], schemas)
    if schema.get("type") == "object":
        return {name: everything(each, schemas) for name, each in schema["properties"].items()}
    if schema.get("type") == "array":
        return [everything(schema["items"], schemas)]
    return documents.example(schema, schemas)


def check(answer: Any, what: str, *, never: bool = False) -> None:
    assert answer.status_code < 500, what
    if answer.status_code >= 400:
        told = api.told(answer)
        assert answer["Content-Type"] == "application/problem+json", what
        assert errors.KINDS[told["code"]].status == told["status"] == answer.status_code, what
    assert not (never and answer.status_code < 400), what


def test_bodies(program: api.Program, document: dict[str, Any], ids: dict[str, Any]) -> None:
    with_body = {name: each for name, each in operations(document).items() if each[2] is not None}
    assert len(with_body) > 8
    turns = Turns()
    for name, (method, path, _example) in with_body.items():
        for what, body in turns.of(BODIES):
            answer = program.call(method, path.format(**ids), body)
            assert answer.status_code in (400, 422), (name, what, answer.status_code)
            check(answer, f"{name}: {what}")


def whole(name: str, schema: dict[str, Any], schemas: dict[str, Any], ids: dict[str, Any]) -> Any:
    """A body with every property in it, that the service takes: its references are there."""
    made = everything(schema, schemas)
    return api_rows.real(name, made | WHOLE.get(name, {}) if isinstance(made, dict) else made, ids)


def test_every_value_of_every_body(program: api.Program, document: dict[str, Any], ids: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    tried, turns = 0, Turns()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if schema is None:
                continue
            there = path.format(**ids)
            made = whole(operation["operationId"], schema, schemas, ids)
            with api_rows.undone():
                answer = program.call(method.upper(), there, made)
                taken = answer.status_code in (200, 201, 202, 204)
                assert taken is (operation["operationId"] not in NOT_TAKEN), (method, path, made, answer.content)
            for place in places(made):
                for what, text in turns.of(VALUES):
                    changed = copy.deepcopy(made)
                    inner = changed
                    for step in place[:-1]:
                        inner = inner[step]
                    inner[place[-1]] = "@@@"
                    body = json.dumps(changed).replace('"@@@"', text).encode()
                    with api_rows.undone():
                        answer = program.call(method.upper(), there, body)
                    check(answer, f"{method} {path} {place}: {what}", never=what in NEVER)
                    tried += 1
    assert tried > 1000


def test_every_parameter(program: api.Program, document: dict[str, Any], ids: dict[str, Any]) -> None:
    tried, turns = 0, Turns()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for parameter in operation["parameters"]:
                if parameter["in"] == "query":
                    for what, text in turns.of(QUERIES):
                        answer = program.call(method.upper(), f"{path.format(**ids)}?{parameter['name']}={text}")
                        check(answer, f"{method} {path} {parameter['name']}: {what}", never=what in NEVER)
                        tried += 1
                elif parameter["in"] == "path":
                    for what, text in turns.of(QUERIES):
                        there = path.format(
                            **{**ids, parameter["name"]: text.replace("%", "%25") if text == "%" else text}
                        )
                        answer = program.call(method.upper(), there)
                        assert answer.status_code in (404, 422), (path, what, answer.status_code)
                        check(answer, f"{method} {path}: {what}")
                        tried += 1
    assert tried > 300


def test_headers(program: api.Program, document: dict[str, Any]) -> None:
    for value in ("", '"', "W/", "*", "\xff", "a" * 300, '"x", "y"', ",,,,"):
        for path in ("/api/v1/me", "/api/v1/clients"):
            check(program.get(path, If_None_Match=value), value)
            check(program.post("/api/v1/clients", {"name": ""}, Idempotency_Key=value), value)
            check(program.patch("/api/v1/sites/01970a3e-5d2c-7b1f-8f1e-3f5c9d2b7a41", {}, If_Match=value), value)
            check(api.Program("").get(path, Authorization=value), value)
            check(api.Program("").get(path, Authorization=f"Bearer {value}"), value)


def test_other_kinds_of_bodies(program: api.Program) -> None:
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/xml",
    ):
        answer = program.post("/api/v1/clients", b"name=x", Content_Type=kind)
        assert answer.status_code == 415, kind
        assert api.told(answer)["code"] == "unsupported_media_type"
    assert (
        program.post("/api/v1/clients", b'{"name": "x"}', Content_Type="application/json; charset=latin-1").status_code
        == 415
    )
    assert (
        program.post("/api/v1/clients", b'{"name": "x"}', Content_Type="application/json; charset=UTF-8").status_code
        == 201
    )


def test_bytes_that_are_no_picture(program: api.Program, settings: pytest_django.Settings, tmp_path: Path) -> None:
    settings.CONSULT_FILES_URL = tmp_path.as_uri()
    for what, body in {**BODIES, "a program": b"<svg/>", "not all of it": b"\x89PNG"}.items():
        answer = program.put("/api/v1/agency/logo", api.Raw(body))
        assert answer.status_code == (413 if len(body) > 1024 * 1024 else 422), what
        check(answer, what)
    for kind in ("application/json", "image/png", "multipart/form-data; boundary=x", "", "application/octet-stream/x"):
        answer = program.put("/api/v1/agency/logo", api.Raw(b"\x89PNG\r\n\x1a\n"), Content_Type=kind)
        assert (answer.status_code, api.told(answer)["code"]) == (415, "unsupported_media_type"), kind
    answer = program.put("/api/v1/agency/logo", api.Raw(b"\x89PNG\r\n\x1a\n" + bytes(2_000_000)))
    assert (answer.status_code, api.told(answer)["code"]) == (413, "too_large")
    assert list(tmp_path.rglob("*/logo/*")) == []


def test_a_body_that_is_too_large(program: api.Program) -> None:
    answer = program.post("/api/v1/clients", b'{"name": "' + b"x" * 2_000_000 + b'"}')
    assert answer.status_code == 413
    assert api.told(answer)["code"] == "too_large"


def test_nothing_that_was_sent_is_repeated(program: api.Program, cast: Cast) -> None:
    secret = "hunter2-canary"
    form = {"site_id": str(cast.site_a), "name": "x", "fields": [{"name": "a"}]}
    for path, body in (
        ("clients", {"name": {"x": secret}}),
        ("clients", {secret: 1}),
        ("sites", {"name": "x", "url": f"javascript:{secret}"}),
        ("forms", {**form, "allowed_origins": [f"https://{secret}”/“x"]}),
        ("forms", {**form, "fields": [{"name": "a", "type": secret}]}),
        ("forms", {**form, "address_limit": f"{secret}/minute"}),
        ("forms", {**form, "honeypot": f"email-{secret}"}),
        ("forms", {**form, "notify_addresses": [secret]}),
        ("invitations", {"email": f"{secret}@"}),
        ("invitations", {"email": "ann@new.example", "role": secret}),
        ("tokens", {"name": "x", "scopes": [secret]}),
        ("tokens", {"name": "x", "scopes": ["read"], "expires_at": secret}),
    ):
        answer = program.post(f"/api/v1/{path}", body)
        assert answer.status_code == 422, (path, answer.content)
        assert secret not in answer.content.decode(), answer.content
    for query in (f"?{secret}=1", f"?limit={secret}", f"?cursor={secret}", f"?q=1&q={secret}"):
        answer = program.get(f"/api/v1/clients{query}")
        assert answer.status_code == 422
        assert secret not in answer.content.decode()


@pytest.mark.parametrize("wrong", ["a text", 7, None, [[]], True])
def test_what_is_no_object_is_told_without_our_names(program: api.Program, ids: dict[str, Any], wrong: Any) -> None:
    answer = program.patch(f"/api/v1/forms/{ids['form_id']}", {"fields": [wrong], "files": wrong})
    assert answer.status_code == 422
    faults = {error["pointer"]: (error["code"], error["detail"]) for error in api.told(answer)["errors"]}
    assert faults["/fields/0"] == ("object_type", "A JSON object is needed.")
    assert "instance of" not in answer.content.decode()
