"""The mail page of a development machine."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import clear_url_caches

import consult.urls
from conftest import Cast
from consult.core import mailbox

HTML = "<p>Hello</p><script>alert(1)</script>"


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Iterator[Path]:
    settings.CONSULT_MAILBOX = tmp_path / "mail"
    settings.EMAIL_BACKEND = "consult.core.mailbox.Folder"
    importlib.reload(consult.urls)
    clear_url_caches()
    yield settings.CONSULT_MAILBOX
    settings.CONSULT_MAILBOX = None
    importlib.reload(consult.urls)
    clear_url_caches()


def send(subject: str = "Grüße <b>", **more: Any) -> None:
    message = mail.EmailMultiAlternatives(
        subject, "Look:\nhttps://a.example/x", "us@office.example", ["ann@a.example"], **more
    )
    message.attach_alternative(HTML, "text/html")
    message.attach("plan.pdf", b"%PDF", "application/pdf")
    mail.get_connection("consult.core.mailbox.Folder").send_messages([message])


def test_mails_are_listed_and_shown(database: object, folder: Path) -> None:
    client = Client()
    assert "No mail yet" in client.get("/mail/").content.decode()
    send("First")
    send(reply_to=["visitor@x.example"])
    page = client.get("/mail/").content.decode()
    assert page.index("Grüße &lt;b&gt;") < page.index("First")
    [second, _first] = sorted((file.stem for file in folder.iterdir()), reverse=True)
    page = client.get(f"/mail/{second}/").content.decode()
    for shown in ("visitor@x.example", "Reply-To", "plan.pdf", 'href="https://a.example/x"', "<iframe"):
        assert shown in page
    assert "alert(1)" not in page
    answer = client.get(f"/mail/{second}/html/")
    assert answer.content.decode().strip() == HTML
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_the_latest_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "KEPT", 3)
    for number in range(5):
        send(f"Mail {number}")
    texts = [file.read_text() for file in sorted(folder.iterdir())]
    assert [text.partition("Subject: ")[2].partition("\n")[0] for text in texts] == ["Mail 2", "Mail 3", "Mail 4"]


def test_who_may_not(cast: Cast, folder: Path) -> None:
    send()
    [name] = [file.stem for file in folder.iterdir()]
    (folder.parent / "secret.eml").write_text("Subject: secret\n\n")
    for address in ("/mail/", f"/mail/{name}/", f"/mail/{name}/html/"):
        for client in (Client(), cast.alice.client):
            assert client.get(address).status_code == 200
            assert client.get(address, REMOTE_ADDR="203.0.113.7").status_code == 404
            assert client.post(address).status_code == 405
    for wrong in ("nothing", "..%2Fsecret", "0" * 20 + "-00000000"):
        assert Client().get(f"/mail/{wrong}/").status_code == 404


def test_production_has_no_such_page(database: object) -> None:
    assert Client().get("/mail/").status_code in (302, 404)
