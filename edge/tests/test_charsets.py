"""What was typed arrives as it was typed, also from pages that are not UTF-8."""

import codecs
import contextlib

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge import charsets, payload
from edge.tests import uploading
from edge.tests.database import Database
from edge.tests.program import PAGE

LATIN = payload.URLENCODED + "; charset=iso-8859-1"
LABELS = [*charsets._CODECS, "utf-16", "utf-7", "idna", "zlib", "unicode_escape", "no such", "", "\x00", "ı"]


@pytest.mark.parametrize(
    ("body", "content_type", "text", "clean"),
    [
        (b"x=Caf%E9", LATIN, "Café", True),
        (b"x=%8010", LATIN, "€10", True),
        (b"x=%8010", payload.URLENCODED + '; a=b; CHARSET="Latin1"', "€10", True),
        (b"x=Caf%E9&_charset_=windows-1252", payload.URLENCODED, "Café", True),
        (b"x=%C4%A7&_charset_=UTF-8", LATIN, "ħ", True),
        (b"x=%B1&_charset_=iso-8859-2", LATIN, "ą", True),
        (b"x=%CF%F0&_charset_=windows-1251", payload.URLENCODED, "Пр", True),
        (b"x=%D0%D2&_charset_=koi8-r", payload.URLENCODED, "пр", True),
        (b"x=Caf%C3%A9", payload.URLENCODED, "Café", True),
        (b"x=Caf%C3%A9", payload.URLENCODED + "; charset=utf-16", "Café", True),
        (b"x=Caf%C3%A9&_charset_=utf-7", payload.URLENCODED, "Café", True),
        (b"x=%E9&_charset_=", LATIN, "é", True),
        (b"x=Caf%E9", payload.URLENCODED, "Café", False),
        (b"x=Caf%E9&_charset_=utf-8", LATIN, "Café", False),
        (b"x=%C3%BC+%80+%C3", payload.URLENCODED, "ü € Ã", False),
        (b"x=%81", payload.URLENCODED, "\ufffd", False),
        (b"x=%81%E9", LATIN, "\ufffdé", False),
        (b"x=%A5&_charset_=iso-8859-3", payload.URLENCODED, "¥", False),
        (b"x=%00%E9", LATIN, "\ufffdé", False),
        (b'{"x": "Caf\xe9"}', payload.JSON, "Café", False),
        (b'{"x": "Caf\xc3\xa9"}', payload.JSON + "; charset=latin1", "Café", True),
    ],
)
def test_text_is_read_as_it_was_written(body: bytes, content_type: str, text: str, clean: bool) -> None:
    found = uploading.parsed(body, content_type)
    assert found.fields == (("x", text),)
    assert found.signals == (() if clean else ("cleaned",))


def test_names_are_text_too() -> None:
    assert uploading.parsed(b"Stra%DFe=1", LATIN).fields == (("Straße", "1"),)


def test_each_codec_is_one() -> None:
    for label, codec in charsets._CODECS.items():
        assert codecs.lookup(codec), label
        assert charsets.known(f" {label.upper()} ") == codec
        assert b"plain ASCII, 1 < 2".decode(codec) == "plain ASCII, 1 < 2"


def _parts(*parts: tuple[str, bytes]) -> bytes:
    head = b"--xYx\r\nContent-Disposition: form-data; "
    return b"".join(head + named.encode("cp1252") + b"\r\n\r\n" + text + b"\r\n" for named, text in parts) + b"--xYx--"


def test_multipart() -> None:
    plain = "multipart/form-data; boundary=xYx"
    told = _parts(('name="stra\xdfe"', b"Caf\xe9 \x80"), ('name="_charset_"', b"windows-1252"))
    found = uploading.parsed(told, plain)
    assert found.fields == (("straße", "Café €"),)
    assert found.signals == ()

    untold = _parts(('name="x"', b"Caf\xe9"), ('name="cv"; filename="\xfc.pdf"', b"%PDF"))
    found = uploading.parsed(untold, plain)
    assert found.fields == (("x", "Café"), ("cv", "ü.pdf"))
    assert found.signals == ("cleaned", "file_refused")
    assert uploading.parsed(untold, plain + "; charset=latin1").signals == ("file_refused",)


def test_a_part_may_name_its_own() -> None:
    typed = 'name="x"\r\nContent-Type: text/plain; charset=iso-8859-2'
    found = uploading.parsed(_parts((typed, b"\xb1"), ('name="y"', b"\xc4\x85")), "multipart/form-data; boundary=xYx")
    assert found.fields == (("x", "ą"), ("y", "ą"))
    assert found.signals == ()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(sorted(set(charsets._CODECS.values()))))
def test_any_bytes_in_any_codec(raw: bytes, codec: str) -> None:
    text, whole = charsets.decoded(raw, codec)
    text.encode()
    if whole:
        assert text == raw.decode(codec)
    lost = text.count("\ufffd") - (raw.decode(codec).count("\ufffd") if whole else raw.count(b"\xef\xbf\xbd"))
    assert lost <= sum(raw.count(byte) for byte in (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d"))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(LABELS) | st.text(max_size=20), st.booleans())
def test_any_label(raw: bytes, label: str, multipart: bool) -> None:
    named = label.encode("utf-8", "replace")
    if multipart:
        body = _parts(('name="x"', raw), ('name="_charset_"', named))
        content_type = f"multipart/form-data; boundary=xYx; charset={label}"
    else:
        body = b"x=" + raw + b"&_charset_=" + named
        content_type = f"{payload.URLENCODED}; charset={label}"
    with contextlib.suppress(payload.Unreadable):
        for name, value in uploading.parsed(body, content_type).fields:
            assert "\x00" not in name + value
            (name + value).encode()


def test_old_page_is_stored_as_typed(http: httpx.Client, office: Database, key: str) -> None:
    body = b"name=Caf%E9&email=a%40b.example&message=%8010+%84gut%93&_charset_=windows-1252"
    sent = {"content-type": payload.URLENCODED}
    assert http.post(f"/f/{key}", content=body, headers=sent | PAGE).status_code == 303
    (row,) = office.submissions(key)
    assert (row["name"], row["message"], row.signals) == ("Café", "€10 „gut“", [])


def test_text_given_back_to_an_old_page_is_utf_8(http: httpx.Client, office: Database, key: str) -> None:
    body = b"name=Caf%E9&email=nowhere&_charset_=windows-1252"
    answer = http.post(f"/f/{key}", content=body, headers={"content-type": payload.URLENCODED} | PAGE)
    assert answer.status_code == 422
    assert 'value="Café"' in answer.text
    assert "windows-1252" not in answer.text, "sent again it would be read wrongly"
