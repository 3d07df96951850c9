"""Replies: written on an enquiry's page, taken back, sent through a real SMTP server; nothing typed is lost."""

import datetime as dt
import json
import re
import smtplib
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from conftest import Cast, Database, Enquiry
from consult.core import tenancy
from consult.inbox import models, queries, rules, services
from consult.inbox.tests.conftest import Postbox, text_of
from tests import worker

INBOUND = override_settings(CONSULT_MAIL_INBOUND="inbox@in.example")


@pytest.fixture(autouse=True)
def storage(tmp_path: Path) -> Any:
    with override_settings(CONSULT_FILES_URL=tmp_path.as_uri()):
        yield tmp_path


def send(cast: Cast, text: str = "We call you on Tuesday.", **values: Any) -> Any:
    return cast.bob.client.post("/a/inbox/1/reply/", {"text": text, "subject": "Re: Hello", **values})


def states(database: Database) -> list[tuple[str, str]]:
    return database.ask("SELECT state, text FROM inbox_message ORDER BY created_at, id")


def go(database: Database) -> None:
    worker.make_due(database)
    worker.run_jobs(database)


def message_id(database: Database) -> uuid.UUID:
    [(id,)] = database.ask("SELECT id FROM inbox_message ORDER BY created_at DESC LIMIT 1")
    return uuid.UUID(str(id))


def test_it_goes_out_after_the_time_to_take_it_back(
    database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox
) -> None:
    answer = send(cast)
    assert answer.status_code == 302
    assert answer["Location"] == "/a/inbox/1/#conversation"
    assert states(database) == [("queued", "We call you on Tuesday.")]
    [(wait,)] = database.ask(
        "SELECT extract(epoch FROM scheduled_at - now())::int FROM procrastinate_jobs"
        " WHERE task_name = 'inbox.send_message'"
    )
    assert 7 <= wait <= 10
    # Not before.
    worker.run_jobs(database)
    assert postbox.arrived == []
    [(status, answered)] = database.ask("SELECT status, first_answer_at IS NOT NULL FROM inbox_enquiry")
    assert (status, answered) == ("waiting", True)
    go(database)
    [message] = postbox.to("ann@visitor.example")
    assert text_of(message).strip() == "We call you on Tuesday."
    assert message["Subject"] == "Re: Hello"
    assert re.fullmatch(r"<[a-z2-7]{32}\.[0-9a-f]{8}@testserver>", message["Message-ID"])
    assert message["Reply-To"] is None
    page = cast.vera.client.get("/a/inbox/1/").content.decode()
    assert "The reply to ann@visitor.example went out" in page
    assert "We call you on Tuesday." in page
    go(database)
    assert len(postbox.arrived) == 1


@INBOUND
def test_answers_and_bounces_come_back_to_us(
    database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox
) -> None:
    send(cast, "One")
    send(cast, "Two")
    go(database)
    one, two = postbox.to("ann@visitor.example")
    address = queries.answer_address(cast.a, number=1)
    assert one["Reply-To"] == two["Reply-To"] == address
    assert postbox.senders == [address, address]
    assert one["From"] == "Consult <consult@localhost>"
    assert one["In-Reply-To"] is None
    # The second was written before the first had gone out.
    send(cast, "Three")
    go(database)
    three = postbox.to("ann@visitor.example")[-1]
    assert three["In-Reply-To"].strip() == two["Message-ID"]
    assert three["References"].split() == [one["Message-ID"], two["Message-ID"]]


@INBOUND
def test_a_server_that_takes_no_bounces_for_us(
    database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox
) -> None:
    postbox.refuse_from = {queries.answer_address(cast.a, number=1)}
    send(cast)
    go(database)
    [message] = postbox.to("ann@visitor.example")
    assert message["From"] == "Consult <consult@localhost>"
    assert postbox.senders == ["consult@localhost"]


def test_taken_back_it_is_a_draft_with_everything(
    database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox
) -> None:
    send(cast, "Dear Ann", files=[SimpleUploadedFile("offer.pdf", b"%PDF-1.7 offer", "application/pdf")])
    id = message_id(database)
    cast.bob.client.post(f"/a/inbox/1/messages/{id}/undo/")
    assert states(database) == [("undone", "Dear Ann")]
    # The enquiry is what it was before.
    assert database.ask("SELECT status, first_answer_at, waiting_since FROM inbox_enquiry") == [("open", None, None)]
    page = cast.bob.client.get("/a/inbox/1/").content.decode()
    assert re.search(r"<textarea[^>]*>Dear Ann</textarea>", page)
    assert "offer.pdf" in page
    go(database)
    assert postbox.arrived == []
    # Once more changes nothing; and it goes out when it is sent again, by the second job alone.
    assert cast.bob.client.post(f"/a/inbox/1/messages/{id}/undo/").status_code == 302
    send(cast, "Dear Ann, hello", draft=str(id))
    assert states(database) == [("queued", "Dear Ann, hello")]
    go(database)
    [message] = postbox.to("ann@visitor.example")
    assert text_of(message).strip() == "Dear Ann, hello"
    [file] = message.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("offer.pdf", b"%PDF-1.7 offer")


def test_sent_again_before_its_first_moment(database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox) -> None:
    """The job of a reply that was taken back and sent again must not send it in the second time to take it back."""
    send(cast, "First words")
    id = message_id(database)
    cast.bob.client.post(f"/a/inbox/1/messages/{id}/undo/")
    send(cast, "Second words", draft=str(id))
    database.ask(
        "UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE id ="
        " (SELECT min(id) FROM procrastinate_jobs WHERE task_name = 'inbox.send_message')"
    )
    worker.run_jobs(database)
    assert postbox.arrived == []
    go(database)
    assert text_of(postbox.arrived[0][1]).strip() == "Second words"


def test_too_late(database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox) -> None:
    send(cast)
    go(database)
    answer = cast.bob.client.post(f"/a/inbox/1/messages/{message_id(database)}/undo/")
    assert answer.status_code == 409
    assert "Too late to take it back" in answer.content.decode()
    assert states(database)[0][0] == "sent"


def test_what_somebody_did_meanwhile_stays(database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox) -> None:
    send(cast)
    cast.alice.client.post("/a/inbox/1/close/")
    cast.bob.client.post(f"/a/inbox/1/messages/{message_id(database)}/undo/")
    assert database.ask("SELECT status FROM inbox_enquiry") == [("closed",)]
    assert states(database)[0][0] == "undone"


def test_the_text_of_a_conflict_is_kept(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.alice.client.post("/a/inbox/1/close/")
    files = [SimpleUploadedFile("plan.txt", b"plan")]
    answer = send(cast, "My long letter", seen="1", files=files)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Your reply was not sent." in page
    assert "My long letter</textarea>" in page
    assert "plan.txt" in page
    assert states(database) == [("undone", "My long letter")]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"text": "  \n"}, "The reply is empty."),
        ({"text": "x" * 50_001}, "longer than 50,000 letters"),
        ({"text": "See", "files": [SimpleUploadedFile(f"{n}.txt", b"x") for n in range(11)]}, "At most 10 files"),
        ({"text": "See", "files": [SimpleUploadedFile("big.bin", b"x" * (7 * 1024 * 1024 + 1))]}, "At most 10 files"),
    ],
)
def test_what_is_refused_is_shown_with_the_text(
    database: Database, cast: Cast, enquiry: Enquiry, values: dict[str, Any], said: str
) -> None:
    answer = send(cast, **values)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert f"{values['text'][:50]}" in answer.content.decode()
    assert database.ask("SELECT 1 FROM procrastinate_jobs WHERE task_name = 'inbox.send_message'") == []
    assert database.ask("SELECT status FROM inbox_enquiry") == [("open",)]


def test_nobody_is_answered_before_it_is_restored(database: Database, cast: Cast) -> None:
    database.submit(cast.key_a, signals=["honeypot"])
    worker.run_jobs(database)
    answer = send(cast)
    assert answer.status_code == 422
    assert "Restore it first" in answer.content.decode()


def test_no_address_no_reply(database: Database, cast: Cast) -> None:
    database.submit(cast.key_a, ("email", "a@x.example, b@x.example"), ("message", "Hello"))
    worker.run_jobs(database)
    assert 'name="text"' not in cast.bob.client.get("/a/inbox/1/").content.decode()
    assert "left no address" in send(cast).content.decode()


def test_too_many_within_an_hour(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    for number in range(30):
        assert send(cast, f"Number {number}").status_code == 302
    assert "something goes in circles" in send(cast, "One more").content.decode()


NASTY = "Re: x\r\nBcc: all@evil.example\r\n\r\nbody\u2028Cc: b@evil.example"


def test_a_subject_cannot_add_headers(database: Database, cast: Cast, postbox: Postbox) -> None:
    database.submit(cast.key_a, ("name", NASTY), ("email", "zoe@visitor.example"), ("subject", NASTY), ("message", "x"))
    worker.run_jobs(database)
    send(cast, "Hello\0 there", subject=NASTY)
    send(cast, "Hello there", subject="")
    go(database)
    for message in postbox.to("zoe@visitor.example"):
        assert message.get_all("Bcc") is None
        assert message.get_all("Cc") is None
        assert "evil" in message["Subject"]
    assert len(postbox.arrived) == 2


def test_a_server_that_is_busy_is_asked_again(
    database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox
) -> None:
    postbox.refuse = {"*"}
    send(cast)
    go(database)
    page = cast.vera.client.get("/a/inbox/1/").content.decode()
    assert "Not sent yet, it is tried again" in page
    assert "Could not reach ann@visitor.example: the mail server refused the message (451)" in page
    assert "hunter2" not in page
    assert database.ask("SELECT status FROM inbox_enquiry") == [("waiting",)]
    postbox.refuse = set()
    go(database)
    assert [state for state, _text in states(database)] == ["sent"]
    assert len(postbox.arrived) == 1


def test_an_address_that_nobody_has_opens_it_again(
    database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox
) -> None:
    postbox.refuse = {"ann@visitor.example"}
    send(cast)
    go(database)
    page = cast.bob.client.get("/a/inbox/1/").content.decode()
    assert "Not sent" in page
    assert "takes nothing for this address (550)" in page
    assert database.ask("SELECT status FROM inbox_enquiry") == [("open",)]
    # It is not tried for a day: somebody has been told.
    assert [job for job in worker.jobs(database) if job[0] == "inbox.send_message" and job[1] == "todo"] == []
    postbox.refuse = set()
    cast.bob.client.post(f"/a/inbox/1/messages/{message_id(database)}/retry/")
    worker.run_jobs(database)
    assert len(postbox.arrived) == 1
    assert "Sent" in cast.bob.client.get("/a/inbox/1/").content.decode()


def test_a_worker_that_was_killed_sends_the_same_again(
    database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox
) -> None:
    send(cast)
    go(database)
    [(due,)] = database.ask("SELECT due_at FROM inbox_message")
    id = message_id(database)
    services.send_message(agency_id=cast.a, message_id=id, due=due.astimezone(dt.UTC).isoformat())
    assert len(postbox.arrived) == 1
    database.ask("UPDATE inbox_message SET state = 'sending'")
    services.send_message(agency_id=cast.a, message_id=id, due=due.astimezone(dt.UTC).isoformat())
    assert len({message["Message-ID"] for _to, message in postbox.arrived}) == 1
    assert states(database)[0][0] == "sent"


def test_a_draft_is_kept_and_discarded(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.bob.client.post(
        "/a/inbox/1/reply/", {"text": "Half a", "do": "draft", "files": [SimpleUploadedFile("a.txt", b"a")]}
    )
    id = message_id(database)
    assert "Half a</textarea>" in cast.bob.client.get("/a/inbox/1/").content.decode()
    # Alice sees that there is one, and has her own form.
    assert "Half a</textarea>" not in cast.alice.client.get("/a/inbox/1/").content.decode()
    assert cast.alice.client.post(f"/a/inbox/1/messages/{id}/discard/").status_code == 404
    [(file,)] = database.ask("SELECT id FROM inbox_attachment")
    cast.bob.client.post(
        "/a/inbox/1/reply/", {"text": "Half a", "do": "draft", "draft": str(id), "remove": [str(file)]}
    )
    assert database.ask("SELECT id FROM inbox_attachment") == []
    assert len(states(database)) == 1
    cast.bob.client.post(f"/a/inbox/1/messages/{id}/discard/")
    assert states(database) == []


def test_who_may_and_who_may_not(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    assert cast.vera.client.post("/a/inbox/1/reply/", {"text": "x"}).status_code == 403
    assert cast.charlie.client.post("/a/inbox/1/reply/", {"text": "x"}).status_code == 404
    assert 'id="reply"' not in cast.vera.client.get("/a/inbox/1/").content.decode()
    send(cast, files=[SimpleUploadedFile("a.txt", b"<script>")])
    [(file,)] = database.ask("SELECT id FROM inbox_attachment")
    found = cast.vera.client.get(f"/a/inbox/attachments/{file}/")
    assert b"".join(found) == b"<script>"
    assert found["Content-Type"] == "application/octet-stream"
    assert found["Content-Disposition"].startswith("attachment")
    assert cast.charlie.client.get(f"/a/inbox/attachments/{file}/").status_code == 404
    assert cast.charlie.client.get(f"/b/inbox/attachments/{file}/").status_code == 404


def test_files_that_nobody_names_are_swept(database: Database, cast: Cast, enquiry: Enquiry, storage: Path) -> None:
    send(cast, files=[SimpleUploadedFile("a.txt", b"a")])
    cast.bob.client.post(
        "/a/inbox/1/reply/", {"text": "x", "do": "draft", "files": [SimpleUploadedFile("b.txt", b"b")]}
    )
    cast.bob.client.post(f"/a/inbox/1/messages/{message_id(database)}/discard/")
    folder = storage / str(cast.a) / "mail"
    assert len(list(folder.iterdir())) == 2
    now = dt.datetime.now(dt.UTC)
    assert services.sweep_mail_files(now=now) == 0
    assert services.sweep_mail_files(now=now + dt.timedelta(days=3)) == 1
    assert [path.read_bytes() for path in folder.iterdir()] == [b"a"]


def test_htmx_gets_the_part_with_the_way_back(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    answer = cast.bob.client.post("/a/inbox/1/reply/", {"text": "x"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert 'id="enquiry-conversation"' in answer.content.decode()
    assert "<html" not in answer.content.decode()
    said = json.loads(answer["HX-Trigger"])["consult:said"]
    assert said["undo"] == {"click": f"#undo-{message_id(database)}"}


def test_a_mail_server_that_is_gone(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    send(cast)
    with override_settings(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", EMAIL_HOST="127.0.0.1", EMAIL_PORT=1
    ):
        go(database)
    assert "the mail server cannot be reached" in cast.bob.client.get("/a/inbox/1/").content.decode()
    with tenancy.agency(cast.a):
        assert models.Message.objects.get().detail == {"error": "not_reachable", "final": False}


def test_a_token_is_nobodys_to_make_up() -> None:
    named = rules.Named(7, 142)
    token = rules.token(named, b"k" * 32)
    assert rules.named_in(f"Ann <inbox+{token.upper()}@in.example>", [b"x" * 32, b"k" * 32]) == named
    for wrong in (token[:-1] + ("a" if token[-1] != "a" else "b"), token[1:], "a" * 32, token + "a", ""):
        assert rules.named_in(wrong, [b"k" * 32]) is None
    assert issubclass(smtplib.SMTPException, OSError)
