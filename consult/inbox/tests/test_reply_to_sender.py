"""The automatic reply: once, to people alone, and with nothing in it that the sender wrote."""

import datetime as dt
import tomllib
from typing import Any

import pytest

from conftest import Cast, Database
from consult.inbox import queries, rules
from consult.inbox.tests.conftest import Postbox, change_form, text_of
from tests import worker


def send(database: Database, cast: Cast, *emails: str, key: str = "", **meta: Any) -> None:
    for email in emails:
        fields = (("name", "Buy now"), ("email", email), ("message", f"Cheap watches {email}"))
        database.submit(key or cast.key_a, *fields, **meta)
    worker.run_jobs(database)


def test_it_carries_the_receipt(database: Database, cast: Cast, postbox: Postbox) -> None:
    change_form(cast, auto_reply=True)
    send(database, cast, "zoe@visitor.example")
    [message] = postbox.to("zoe@visitor.example")
    [(receipt,)] = database.ask("SELECT receipt FROM intake_submission")
    assert message["Subject"] == "We have received your message to Site a"
    assert message["To"] == "zoe@visitor.example"
    assert (message["Auto-Submitted"], message["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    for body in (text_of(message), text_of(message, "html")):
        assert f"{receipt[:4]}-{receipt[4:8]}-{receipt[8:]}" in body
        assert "Thank you for your message to Site a." in body
        # Or anybody could send anything to anybody through us.
        assert "Buy now" not in body
        assert "watches" not in body
    assert "Replied automatically to zoe@visitor.example" in cast.vera.client.get("/a/inbox/1/").content.decode()
    worker.run_jobs(database)
    assert len(postbox.arrived) == 1


@pytest.mark.parametrize("language", ["de", "fr", "es", "pt", "en"])
def test_it_speaks_the_forms_language(database: Database, cast: Cast, postbox: Postbox, language: str) -> None:
    change_form(cast, auto_reply=True, language=language)
    send(database, cast, "zoe@visitor.example")
    [message] = postbox.to("zoe@visitor.example")
    words = queries.reply_words(language)
    assert message["Subject"].strip() == words["subject"].replace("{site}", "Site a")
    assert f'<html lang="{language}">' in text_of(message, "html")


def test_it_says_what_the_form_says(database: Database, cast: Cast, postbox: Postbox) -> None:
    change_form(cast, auto_reply=True, language="xx", auto_reply_text="We call back on <Monday>.\n\nThe team & co")
    send(database, cast, "zoe@visitor.example")
    [message] = postbox.to("zoe@visitor.example")
    assert "We call back on <Monday>.\n\nThe team & co" in text_of(message).replace("\r\n", "\n")
    assert "We call back on &lt;Monday&gt;." in text_of(message, "html")
    assert "Thank you for your message" not in text_of(message)
    assert message["Subject"] == "We have received your message to Site a"


def test_every_language_has_the_same_words() -> None:
    files = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in queries.WORDS.glob("*.toml")}
    assert {"en", "de", "fr", "es", "pt"} <= set(files)
    for language, words in files.items():
        assert set(words) == set(files["en"]), language
        for name, text in words.items():
            assert isinstance(text, str)
            assert text.strip(), (language, name)
            assert text.count("{site}") == files["en"][name].count("{site}"), (language, name)
            assert text.count("{") == text.count("{site}"), (language, name)


def test_no_file_of_another_folder_is_read() -> None:
    for language in ("../../../etc/passwd", "", "xx", "en/../de", "DE"):
        assert queries.reply_words(language)["receipt"] in ("Your receipt",)


def test_only_where_the_form_says_so(database: Database, cast: Cast, postbox: Postbox) -> None:
    send(database, cast, "zoe@visitor.example")
    assert postbox.arrived == []


def test_once_a_day_for_each_sender_and_form(database: Database, cast: Cast, postbox: Postbox) -> None:
    change_form(cast, auto_reply=True)
    # In one batch, in several, however it is written.
    send(database, cast, "zoe@visitor.example", "ZOE@Visitor.example", "zoe+1@visitor.example", "liv@visitor.example")
    send(database, cast, "zoe@visitor.example", "zoe+2@visitor.example")
    assert sorted(to for to, _message in postbox.arrived) == ["liv@visitor.example", "zoe@visitor.example"]
    # Another form is another matter.
    database.ask("UPDATE intake_form SET auto_reply = true")
    send(database, cast, "zoe@visitor.example", key=cast.key_b)
    assert len(postbox.to("zoe@visitor.example")) == 2
    # And so is another day.
    database.ask("UPDATE inbox_enquiry SET delivered_at = %s", [dt.datetime.now(dt.UTC) - dt.timedelta(hours=24)])
    send(database, cast, "zoe@visitor.example")
    assert len(postbox.to("zoe@visitor.example")) == 3


def test_never_to_programs_nor_to_ourselves(database: Database, cast: Cast, postbox: Postbox) -> None:
    change_form(cast, auto_reply=True, notify_addresses=["Team@a.example"])
    send(
        database, cast, "MAILER-DAEMON@x.example", "postmaster@x.example", "no-reply@x.example", "noreply@x.example",
        "do-not-reply@x.example", "bounce+17@x.example", "news-noreply@x.example", "team@A.example",
        "team+loop@a.example", "webmaster@localhost", "no address", "a@x.example, b@x.example", "",
    )  # fmt: skip
    assert {to for to, _message in postbox.arrived} == {"Team@a.example"}
    assert {"inbox.reply_to_sender"} & {name for name, *_rest in worker.jobs(database)} == set()


def test_never_for_what_is_held(database: Database, cast: Cast, postbox: Postbox) -> None:
    change_form(cast, auto_reply=True)
    send(database, cast, "zoe@visitor.example", signals=["honeypot"])
    assert postbox.arrived == []
    # It does not count as answered either.
    send(database, cast, "zoe@visitor.example")
    assert len(postbox.arrived) == 1
    # And now it does.
    cast.bob.client.post("/a/inbox/1/restore/")
    worker.run_jobs(database)
    assert len(postbox.arrived) == 1


def test_never_for_what_was_found_to_be_spam_meanwhile(database: Database, cast: Cast, postbox: Postbox) -> None:
    change_form(cast, auto_reply=True)
    postbox.refuse = {"*"}
    send(database, cast, "zoe@visitor.example")
    page = cast.bob.client.get("/a/inbox/1/").content.decode()
    assert "Could not reach zoe@visitor.example: the mail server refused the message (451)" in page
    cast.bob.client.post("/a/inbox/1/spam/")
    postbox.refuse = set()
    worker.make_due(database)
    worker.run_jobs(database)
    assert postbox.arrived == []


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("ann@x.example", "ann@x.example"),
        (" Ann.Lee+tag@X.Example ", "Ann.Lee+tag@x.example"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("änn@x.example", ""),
        ("ann@localhost", ""),
        ("ann@x.example\nBcc: b@y.example", ""),
        ("ann@x.example,b@y.example", ""),
        ("Ann <ann@x.example>", ""),
        ("a..b@x.example", ""),
        ("a" * 65 + "@x.example", ""),
        ("ann@" + "x" * 64 + ".example", ""),
        ("ann@x..example", ""),
        ("@", ""),
        ("", ""),
    ],
)
def test_one_address(text: str, clean: str) -> None:
    assert rules.clean_address(text) == clean
