"""Mails as strangers write them: each is read as far as it can be, or is unreadable; nothing else is raised."""

import time

import pytest

from consult.inbox import rules

HEAD = b"From: Ann <ann@x.example>\r\nTo: b@y.example\r\nSubject: Hi\r\n"


def nested(levels: int, kind: str = "multipart/mixed") -> bytes:
    body = HEAD
    for level in range(levels):
        body += f"Content-Type: {kind}; boundary=b{level}\r\n\r\n--b{level}\r\n".encode()
    body += b"Content-Type: text/plain\r\n\r\ndeep\r\n"
    for level in reversed(range(levels)):
        body += f"--b{level}--\r\n".encode()
    return body


@pytest.mark.parametrize("levels", [100, 1_000, 5_000])
def test_parts_within_parts(levels: int) -> None:
    with pytest.raises(rules.Unreadable):
        rules.parse(nested(levels))


def test_a_few_levels_are_read() -> None:
    assert rules.parse(nested(20)).text == "deep"


@pytest.mark.parametrize(
    ("content_type", "content", "text"),
    [
        (b"text/plain; charset=utf-8", "Größe".encode(), "Größe"),
        (b"text/plain; charset=utf-8", "Größe".encode()[:-2], "Grö\ufffd"),
        (b"text/plain; charset=iso-8859-1", "Größe".encode("latin-1"), "Größe"),
        (b"text/plain; charset=no-such-thing", "Größe".encode(), "Größe"),
        (b"text/plain; charset=utf-16", b"a", "\ufffd"),
        (b'text/plain; charset="', b"plain", "plain"),
        (b"text/plain", b"a\0b", "a\ufffdb"),
        (b"text/html", b"<p>One</p><p>Two<br>three &amp; <script>alert(1)</script></p>", "One\n\nTwo\nthree &"),
        (b"text/html", b"<![x<!doctype <p <b>still", "still"),
        (b"nonsense", b"hello", "hello"),
    ],
)
def test_charsets_and_markup(content_type: bytes, content: bytes, text: str) -> None:
    assert rules.parse(HEAD + b"Content-Type: " + content_type + b"\r\n\r\n" + content).text == text


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        (b"Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=", "Größe"),
        (b"Subject: =?utf-8?b?R3LDtsOf?=", "Größ"),
        (b"Subject: =?utf-8?b?broken", "=?utf-8?b?broken"),
        (b"Subject: =?nope?q?Gr=C3=B6?=", "Grö"),
        (b"Subject: a\r\n b", "a b"),
        (b"Subject: =?utf-8?q?a=0D=0ABcc:_x=40evil.example?=", "a Bcc: x@evil.example"),
        (b"Subject: a\0b", "a\ufffdb"),
        (b"Subject: \xff\xfe", ""),
        (b"Subject: " + b"x" * 5_000, "x" * 200),
    ],
)
def test_subjects(header: bytes, subject: str) -> None:
    found = rules.headers_of(b"From: a@x.example\r\n" + header + b"\r\n\r\n").subject
    if subject:
        assert found == subject
    assert len(found) <= 200
    assert found.isprintable()


def test_an_attachment_has_a_plain_name_and_its_bytes() -> None:
    parts = [
        b'Content-Type: image/png; name="=?utf-8?q?=C3=A4.png?="\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw==',
        b'Content-Disposition: attachment; filename="../..\\x\r\n y.txt"\r\n\r\nhello',
        b"Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%not base64%%%",
        b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nbody",
    ]
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--"
    found = rules.parse(HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + body).parts
    assert [part.name for part in found] == ["ä.png", "_.._x y.txt", "part-3", "part-4.eml"]
    assert found[0].content == b"\x89PNG"
    assert found[1].content == b"hello"
    assert b"inner" in found[3].content


def test_thirty_megabytes_of_html() -> None:
    started = time.process_time()
    found = rules.parse(HEAD + b"Content-Type: text/html\r\n\r\n" + b"<p>Hello <b>you</b></p>\r\n" * 1_200_000)
    assert found.shortened
    assert len(found.text) == 100_000
    assert len(found.html) == 1_000_000
    assert time.process_time() - started < 20


def test_ten_thousand_parts_and_references() -> None:
    body = b"--b\r\n\r\nx\r\n" * 10_000 + b"--b--"
    with pytest.raises(rules.Unreadable):
        rules.parse(HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + body)
    many = b"References: " + b" ".join(b"<%d@x.example>" % number for number in range(100_000))
    assert len(rules.headers_of(HEAD + many + b"\r\n\r\n").references) <= 50


@pytest.mark.parametrize("raw", [b"", b"\0", b"\r\n\r\n", b"hello", b"\xff" * 1_000, b":" * 1_000, b"\n" * 100_000])
def test_what_is_no_mail(raw: bytes) -> None:
    with pytest.raises(rules.Unreadable):
        rules.headers_of(raw)


def test_quotes_are_folded_for_the_eye() -> None:
    assert rules.fold("Yes.\n\nOn Monday\nBob wrote:\n> When?\n>\n> Bob\n") == (
        "Yes.\n\nOn Monday",
        "Bob wrote:\n> When?\n>\n> Bob",
    )
    assert rules.fold("> all of it") == ("> all of it", "")
    assert rules.fold("> one\nin between\n> two") == ("> one\nin between", "> two")
    assert rules.fold("") == ("", "")


def test_placeholders_are_filled_once() -> None:
    values = dict.fromkeys(rules.PLACEHOLDERS, "x") | {"name": "{{ email }}"}
    assert (
        rules.fill("{{name}} {{ name }} {{ site }} {{ other }} {x}", values)
        == "{{ email }} {{ email }} x {{ other }} {x}"
    )
    assert rules.unknown_placeholders("{{ name }} {{nmae}} {{ }} {{ nmae }} {{ a.b }}") == ["nmae", "", "a.b"]
