"""Whatever the bytes are: a value that PostgreSQL stores, or the parser's own error."""

import json
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge import bounds, charsets, payload
from edge.tests import uploading

BOUNDARY = "multipart/form-data; boundary=xYx"
TYPES = [
    payload.URLENCODED,
    payload.JSON,
    BOUNDARY,
    payload.JSON + "; charset=latin-1",
    payload.URLENCODED + "; charset=windows-1253",
    BOUNDARY + "; charset=iso-8859-8",
    "text/plain",
    "",
    "multipart/form-data",
]

sendable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
names = sendable.filter(lambda name: 0 < len(name) <= 200 and name not in payload.CONTROLS)
# httpx writes other escapes than browsers for these.
printable = names.filter(lambda name: name.isprintable() and not set(name) & set("\\%"))
pairs = st.lists(st.tuples(names, sendable), max_size=20)


def _parsed_or_refused(body: bytes, content_type: str) -> None:
    try:
        found = uploading.parsed(body, content_type)
    except payload.Unreadable as refused:
        told = refused
    else:
        stored = msgspec.json.encode(found.fields).decode()
        assert "\\u0000" not in stored
        json.loads(stored)
        return
    assert told.code in ("malformed", "wrong_type")
    told.detail.encode()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=500), st.sampled_from(TYPES))
def test_any_bytes(body: bytes, content_type: str) -> None:
    _parsed_or_refused(body, content_type)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=100))
def test_any_content_type(content_type: str) -> None:
    _parsed_or_refused(b"a=1", content_type)
    _parsed_or_refused(b"--x\r\n\r\n", "multipart/form-data;" + content_type)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=4),
)


@settings(max_examples=300, deadline=None)
@given(json_values)
def test_any_json(value: object) -> None:
    _parsed_or_refused(json.dumps(value).encode(), payload.JSON)
    _parsed_or_refused(json.dumps({"field": value}, ensure_ascii=True).encode(), payload.JSON)


pieces = st.sampled_from(
    [b"--xYx", b"--xYx--", b"\r\n", b"\n", b'Content-Disposition: form-data; name="a"', b'; filename="f"', b"\r\n\r\n"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(pieces | st.binary(max_size=5), max_size=20))
def test_any_pieces_of_multipart(parts: list[bytes]) -> None:
    _parsed_or_refused(b"".join(parts), BOUNDARY)


@settings(max_examples=100, deadline=None)
@given(pairs)
def test_urlencoded_comes_back_as_sent(sent: list[tuple[str, str]]) -> None:
    assert payload.parse(urlencode(sent).encode(), payload.URLENCODED).fields == tuple(sent)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(names, sendable), max_size=10, unique_by=lambda pair: pair[0]))
def test_json_comes_back_as_sent(sent: list[tuple[str, str]]) -> None:
    body = json.dumps(dict(sent)).encode()
    assert payload.parse(body, payload.JSON).fields == tuple(sent)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(printable, st.binary(max_size=50), max_size=10))
def test_multipart_comes_back_as_sent(sent: dict[str, bytes]) -> None:
    files = [(name, (None, value)) for name, value in sent.items()] or [("only", (None, b""))]
    request = httpx.Request("POST", "http://x", files=files)
    found = uploading.parsed(request.read(), request.headers["content-type"])
    read = {name: payload.storable(charsets.decoded(value, "utf-8")[0]) for name, value in sent.items()}
    assert dict(found.fields) == (read or {"only": ""})


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("1e400", "1e400"),
        ("-0", "-0"),
        (str(2**63), str(2**63)),
        ("9" * 5000, "9" * 5000),
        ("false", "false"),
        ("null", ""),
    ],
)
def test_json_values_stay_as_written(raw: str, text: str) -> None:
    assert payload.parse(f'{{"x": {raw}}}'.encode(), payload.JSON).fields == (("x", text),)


@pytest.mark.parametrize("raw", ["NaN", "Infinity", "{}", "[1]", "[[]]", "[null]", "tru", "01", '"\x00"', "'x'"])
def test_json_values_that_are_none(raw: str) -> None:
    with pytest.raises(payload.Unreadable):
        payload.parse(f'{{"x": {raw}}}'.encode(), payload.JSON)


def test_whole_surrogate_pairs_are_left_alone() -> None:
    found = payload.parse(b'{"x": "\\ud83d\\ude00 \\\\ud83d \\udc00"}', payload.JSON)
    assert found.fields == (("x", "\U0001f600 \\ud83d \ufffd"),)
    assert found.signals == ("cleaned",)


def test_controls_are_not_fields() -> None:
    found = payload.parse(b"_next=/a&_next=/b&_page=p&_charset_=UTF-8&_own=kept&x=1", payload.URLENCODED)
    assert found.controls == {"_next": "/a", "_page": "p", "_charset_": "UTF-8"}
    assert found.fields == (("_own", "kept"), ("x", "1"))


def test_limits_hold_for_every_type() -> None:
    few = bounds.Bounds(fields=2)
    for body, content_type in (
        (b"a=1&b=2&c=3", payload.URLENCODED),
        (b'{"a": 1, "b": 2, "c": 3}', payload.JSON),
        (b'{"a": ["1", "2", "3"]}', payload.JSON),
        (_multipart("a", "b", "c"), BOUNDARY),
    ):
        with pytest.raises(payload.Unreadable, match="2 fields"):
            uploading.parsed(body, content_type, few)
    assert len(uploading.parsed(_multipart("a", "b"), BOUNDARY, few).fields) == 2


def test_the_first_of_too_many_fields_are_given_back() -> None:
    few = bounds.Bounds(fields=3)
    for body, content_type in (
        (b"a=1&b=+&_page=p&c=3&d=4", payload.URLENCODED),
        (b"a=1&_page=p&" + b"&" * 40 + b"c=3", payload.URLENCODED),
        (_multipart("a", "a", "b", "c"), BOUNDARY),
    ):
        with pytest.raises(payload.Unreadable) as found:
            uploading.parsed(body, content_type, few)
        assert found.value.first is not None
        given = found.value.first
        if content_type == BOUNDARY:
            assert given.fields == (("a", "1"), ("a", "1"), ("b", "1"))
        else:
            assert given.fields == (("a", "1"),), "blank ones say nothing"
            assert given.controls == {"_page": "p"}
    with pytest.raises(payload.Unreadable, match="1000 characters"):
        payload.parse(
            b"a=" + b"1" * 1001 + b"&b&c&d", payload.URLENCODED, bounds.Bounds(fields=3, field_value_chars=1000)
        )


def _multipart(*fields: str) -> bytes:
    parts = "".join(f'--xYx\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n1\r\n' for name in fields)
    return f"{parts}--xYx--\r\n".encode()


def test_multipart_names_as_browsers_write_them() -> None:
    head = (
        'Content-Disposition: form-data; name="a %22b%22%0D%0Ac"; filename=""\r\nContent-Type: application/octet-stream'
    )
    note = "content-disposition:form-data;NAME=plain\r\nContent-Type: message/rfc822"
    body = f"--xYx\r\n{head}\r\n\r\n\r\n--xYx\r\n{note}\r\n\r\nFrom: x\r\n\r\ny\r\n--xYx--".encode()
    found = uploading.parsed(body, 'multipart/form-data; charset=utf-8; boundary="xYx"')
    assert found.fields == (("plain", "From: x\r\n\r\ny"),), "a file input without a file is nothing"
    assert found.signals == ()
