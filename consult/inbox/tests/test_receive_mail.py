"""Mail that comes in: signed, stored before it is answered, put where our own address or id says it belongs."""

import base64
import datetime as dt
import time
import uuid
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from conftest import Cast, Database, Enquiry
from consult.core.tests.lines import captured
from consult.inbox import queries, rules, services
from consult.inbox.tests.conftest import Postbox, change_form
from tests import worker


@pytest.fixture(autouse=True)
def inbound(tmp_path: Path) -> Iterator[Path]:
    with override_settings(CONSULT_FILES_URL=tmp_path.as_uri(), CONSULT_MAIL_INBOUND="inbox@in.example"):
        yield tmp_path


def post(cast: Cast, body: bytes, *, kind: str = "message/rfc822", at: float = 0, secret: str = "") -> Any:
    """Hand a mail over at agency A's hook, as a mail server would."""
    hook_id, own = queries.hook(cast.a)
    signed = rules.signature(body, secret or own, int(at or time.time()))
    return Client().post(f"/hooks/mail/{hook_id}", body, content_type=kind, headers={"X-Consult-Signature": signed})


def mail(
    to: str, text: str = "Tuesday is fine.", sender: str = "Ann <ann@visitor.example>", **headers: str
) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, headers.pop("Subject", "Re: Hello")
    made["Message-ID"] = headers.pop("Message_ID", f"<{uuid.uuid4()}@visitor.example>")
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


def arrive(database: Database, cast: Cast, message: EmailMessage | bytes) -> Any:
    answer = post(cast, message if isinstance(message, bytes) else message.as_bytes())
    worker.run_jobs(database)
    return answer


def reply(database: Database, cast: Cast, postbox: Postbox, text: str = "When?") -> EmailMessage:
    """Bob writes, and it goes out."""
    cast.bob.client.post("/a/inbox/1/reply/", {"text": text})
    worker.make_due(database)
    worker.run_jobs(database)
    return postbox.arrived[-1][1]


def received(database: Database) -> list[tuple[Any, ...]]:
    return database.ask(
        "SELECT e.number, m.kind, m.text FROM inbox_message m JOIN inbox_enquiry e ON e.id = m.enquiry_id"
        " WHERE direction = 'in' ORDER BY m.created_at"
    )


def kept(database: Database) -> list[tuple[str, str]]:
    return database.ask("SELECT state, reason FROM inbox_mail ORDER BY created_at")


def status(database: Database, number: int = 1) -> str:
    [(found,)] = database.ask("SELECT status FROM inbox_enquiry WHERE number = %s", [number])
    return str(found)


def test_an_answer_opens_the_enquiry_again(database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox) -> None:
    ours = reply(database, cast, postbox)
    assert status(database) == "waiting"
    answer = arrive(database, cast, mail(ours["Reply-To"], "Tuesday is fine.\n\nOn Monday Bob wrote:\n> When?"))
    assert answer.status_code == 202
    assert status(database) == "open"
    assert [(number, kind) for number, kind, _text in received(database)] == [(1, "answer")]
    page = cast.vera.client.get("/a/inbox/1/").content.decode()
    assert "Tuesday is fine." in page
    assert "An answer came from ann@visitor.example" in page
    assert "Open again, as the sender answered" in page
    assert page.index("What it quotes") < page.index("&gt; When?")
    # What we write next answers that.
    assert reply(database, cast, postbox, "Fine")["References"].split()[0] == ours["Message-ID"]
    assert cast.vera.client.get("/a/inbox/?q=tuesday").content.decode().count('href="/a/inbox/1/"') >= 1


def test_it_is_threaded_by_what_is_ours_alone(
    database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox
) -> None:
    database.submit(cast.key_a, ("email", "liv@visitor.example"), ("message", "Another"))
    worker.run_jobs(database)
    ours = reply(database, cast, postbox)
    id = ours["Message-ID"]
    for headers in ({"In_Reply_To": id}, {"References": f"<a@b.example> {id} <c@d.example>"}):
        arrive(database, cast, mail("team@a.example", "By its id", Subject="Something else", **headers))
    assert [number for number, *_rest in received(database)] == [1, 1]
    # Neither subject nor text leads anywhere, nor does the sender's address.
    arrive(database, cast, mail("team@a.example", f"#1 {id} inbox+{'a' * 32}@in.example", Subject=f"Re: Hello #1 {id}"))
    assert len(received(database)) == 2
    assert kept(database)[-1] == ("aside", "nobody")
    # The address goes before the ids.
    other = queries.answer_address(cast.a, number=2)
    arrive(database, cast, mail(f"Team <{other.upper()}>", "To the other", In_Reply_To=id))
    assert received(database)[-1][0] == 2


def test_a_made_up_address_is_nobodys(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    forged = rules.token(rules.Named(cast.a, 1), b"guess" * 8)
    arrive(database, cast, mail(f"inbox+{forged}@in.example"))
    gone = queries.answer_address(cast.a, number=99)
    arrive(database, cast, mail(gone))
    arrive(database, cast, mail(queries.answer_address(4711, number=1)))
    assert kept(database) == [("aside", "nobody"), ("aside", "gone"), ("aside", "elsewhere")]
    assert received(database) == []
    page = cast.vera.client.get("/a/inbox/mails/").content.decode()
    assert "names no enquiry and no form of yours" in page
    [(id,)] = database.ask("SELECT id FROM inbox_mail WHERE reason = 'nobody'")
    assert b"Tuesday is fine." in b"".join(cast.vera.client.get(f"/a/inbox/mails/{id}/raw/"))
    assert cast.charlie.client.get(f"/b/inbox/mails/{id}/raw/").status_code == 404
    assert cast.vera.client.post(f"/a/inbox/mails/{id}/dismiss/").status_code == 403
    assert cast.bob.client.post(f"/a/inbox/mails/{id}/dismiss/").status_code == 302
    assert cast.bob.client.post(f"/a/inbox/mails/{id}/dismiss/").status_code == 404
    assert "names no enquiry" not in cast.vera.client.get("/a/inbox/mails/").content.decode()


def test_another_agencys_answer_goes_to_it(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    database.submit(cast.key_b)
    worker.run_jobs(database)
    arrive(database, cast, mail(queries.answer_address(cast.b, number=1), "For B alone"))
    assert "For B alone" in cast.charlie.client.get("/b/inbox/1/").content.decode()
    assert "For B alone" not in cast.vera.client.get("/a/inbox/1/").content.decode()
    assert database.ask("SELECT agency_id FROM inbox_mail") == [(cast.b,)]


def test_the_same_twice_is_one(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    message = mail(queries.answer_address(cast.a, number=1))
    first, again = arrive(database, cast, message), arrive(database, cast, message)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
    # By another way, with other headers above it.
    arrive(database, cast, b"Received: by a relay\r\n" + message.as_bytes())
    assert len(received(database)) == 1
    assert kept(database) == [("done", ""), ("dropped", "known")]
    # Killed after it was stored and before the queue knew.
    [(id,)] = database.ask("SELECT id FROM inbox_mail WHERE state = 'done'")
    services.receive_mail(agency_id=cast.a, mail_id=id, now=dt.datetime.now(dt.UTC))
    assert len(received(database)) == 1


def test_who_signs_and_who_does_not(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    body = mail(queries.answer_address(cast.a, number=1)).as_bytes()
    hook_id, secret = queries.hook(cast.a)
    for answer in (
        post(cast, body, secret="mail_guess"),
        post(cast, body, secret=queries.hook(cast.b)[1]),
        post(cast, body, at=time.time() - 301),
        post(cast, body, at=time.time() + 301),
        Client().post(f"/hooks/mail/{hook_id}", body, content_type="message/rfc822"),
        Client().post(
            f"/hooks/mail/{hook_id}",
            body + b"x",
            content_type="message/rfc822",
            headers={"X-Consult-Signature": rules.signature(body, secret, int(time.time()))},
        ),
    ):
        assert answer.status_code == 401
        assert answer.json()["code"] == "not_signed_in"
    assert Client().post(f"/hooks/mail/{'a' * 32}", body, content_type="message/rfc822").status_code == 404
    assert Client().get(f"/hooks/mail/{hook_id}").status_code == 405
    assert database.ask("SELECT 1 FROM inbox_mail") == []
    assert post(cast, body).status_code == 202


def test_a_hook_outlives_a_new_key(database: Database, cast: Cast, enquiry: Enquiry, settings: Any) -> None:
    body = mail(queries.answer_address(cast.a, number=1)).as_bytes()
    hook_id, secret = queries.hook(cast.a)
    fresh = base64.urlsafe_b64encode(b"n" * 32).decode()
    old = list(settings.CONSULT_ENCRYPTION_KEYS)
    settings.CONSULT_ENCRYPTION_KEYS = [fresh, *old]
    assert queries.hook(cast.a) != (hook_id, secret)
    signed = {"X-Consult-Signature": rules.signature(body, secret, int(time.time()))}
    answer = Client().post(f"/hooks/mail/{hook_id}", body, content_type="message/rfc822", headers=signed)
    assert answer.status_code == 202
    worker.run_jobs(database)
    assert len(received(database)) == 1


def test_forms_that_mail_services_send(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    raw = mail(queries.answer_address(cast.a, number=1), "Größe").as_bytes()
    boundary = "xyz"
    form = (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="sender"\r\n\r\nann\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="email"\r\n\r\n'
        ).encode()
        + raw
        + f"\r\n--{boundary}--\r\n".encode()
    )
    assert post(cast, form, kind=f"multipart/form-data; boundary={boundary}").status_code == 202
    worker.run_jobs(database)
    assert received(database)[-1][2] == "Größe"
    for kind, body in (
        ("multipart/form-data; boundary=other", form),
        ("multipart/form-data", form),
        ("application/x-www-form-urlencoded", b"from=ann&text=hello"),
        ("message/rfc822", b"\x00\xff" * 100),
        ("message/rfc822", b"\r\n\r\nno headers"),
    ):
        answer = post(cast, body, kind=kind)
        assert answer.status_code == 400, kind
        assert "no mail" in answer.json()["detail"]


def test_too_large_for_anybody(database: Database, cast: Cast, settings: Any) -> None:
    settings.CONSULT_MAIL_LIMIT_BYTES = 2000
    assert post(cast, b"Subject: x\r\n\r\n" + b"x" * 2000).status_code == 413
    # Other pages keep their own limit.
    settings.CONSULT_BODY_LIMIT_BYTES = 100
    assert post(cast, b"Subject: x\r\n\r\n" + b"x" * 200).status_code == 202


def test_a_storage_that_is_away_is_said(database: Database, cast: Cast, inbound: Path) -> None:
    with override_settings(CONSULT_FILES_URL=(inbound / "gone").as_uri()):
        assert post(cast, b"Subject: x\r\n\r\nx").status_code == 503
    assert database.ask("SELECT 1 FROM inbox_mail") == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"X_Autoreply": "yes"},
        {"Return_Path": "<>"},
        {"List_Id": "<news.example>"},
    ],
)
def test_a_program_opens_nothing_again(
    database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox, headers: dict[str, str]
) -> None:
    ours = reply(database, cast, postbox)
    arrive(database, cast, mail(ours["Reply-To"], "I am on holiday", **headers))
    assert status(database) == "waiting"
    assert received(database) == [(1, "auto", "I am on holiday")]
    page = cast.vera.client.get("/a/inbox/1/").content.decode()
    assert "Written by a program" in page
    # Nor is it answered.
    assert len(postbox.arrived) == 1


def test_our_own_mail_coming_back_is_dropped(
    database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox
) -> None:
    ours = reply(database, cast, postbox)
    arrive(database, cast, ours.as_bytes())
    arrive(database, cast, mail(ours["Reply-To"], Message_ID=ours["Message-ID"]))
    assert kept(database) == [("dropped", "own"), ("dropped", "own")]
    assert status(database) == "waiting"


def test_a_loop_ends(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    address = queries.answer_address(cast.a, number=1)
    for number in range(63):
        post(cast, mail(address, f"Number {number}").as_bytes())
    worker.run_jobs(database)
    assert len(received(database)) == 60
    assert [reason for _state, reason in kept(database)].count("too_many") == 3


def bounce(ours: EmailMessage, *, to: str, action: str = "failed", status: str = "5.1.1", about: bool = True) -> bytes:
    """A delivery report as Postfix writes it (RFC 3464)."""
    parts = [
        ("text/plain", b"I'm sorry to have to inform you that your message could not be delivered.\r\n"),
        (
            "message/delivery-status",
            f"Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; ann@visitor.example\r\n"
            f"Action: {action}\r\nStatus: {status}\r\n".encode(),
        ),
        *([("message/rfc822", ours.as_bytes())] if about else []),
    ]
    head = (
        f"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: {to}\r\nSubject: Undelivered Mail\r\n"
        f"Message-ID: <{uuid.uuid4()}@mx.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    ).encode()
    body = b"".join(b"--b\r\nContent-Type: " + kind.encode() + b"\r\n\r\n" + text + b"\r\n" for kind, text in parts)
    return head + body + b"--b--\r\n"


@pytest.mark.parametrize("way", ["by its address", "by the mail in it"])
def test_a_bounce_marks_what_did_not_arrive(
    database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox, way: str
) -> None:
    ours = reply(database, cast, postbox)
    by_address = way == "by its address"
    to = ours["Reply-To"] if by_address else "team@a.example"
    arrive(database, cast, bounce(ours, to=to, about=not by_address))
    assert database.ask("SELECT state, detail ->> 'status' FROM inbox_message WHERE direction = 'out'") == [
        ("bounced", "5.1.1")
    ]
    # Somebody has to know.
    assert status(database) == "open"
    page = cast.bob.client.get("/a/inbox/1/").content.decode()
    assert "Came back (5.1.1)" in page
    assert "The mail to ann@visitor.example came back (5.1.1)" in page
    assert "Send once more" in page


def test_a_delay_is_no_bounce(database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox) -> None:
    ours = reply(database, cast, postbox)
    arrive(database, cast, bounce(ours, to=ours["Reply-To"], action="delayed", status="4.4.7"))
    assert database.ask("SELECT state FROM inbox_message WHERE direction = 'out'") == [("sent",)]
    assert status(database) == "waiting"


def test_a_bounce_of_nothing_of_ours(database: Database, cast: Cast) -> None:
    arrive(database, cast, bounce(mail("x@y.example"), to="team@a.example"))
    assert kept(database) == [("aside", "bounce")]


def test_mail_to_a_form_is_an_enquiry(database: Database, cast: Cast, postbox: Postbox) -> None:
    change_form(cast, notify_addresses=["team@a.example"], auto_reply=True)
    message = mail(queries.answer_address(cast.a, form_id=cast.form_a), "Two dozen buns", Subject="Buns")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="../../etc/list.pdf")
    arrive(database, cast, message)
    assert database.ask("SELECT number, status, sender_name, sender_email, subject FROM inbox_enquiry") == [
        (1, "open", "Ann", "ann@visitor.example", "Buns")
    ]
    assert database.ask("SELECT name FROM inbox_attachment") == [("_.._etc_list.pdf",)]
    assert kept(database) == [("done", "")]
    # People are told as of any other; the sender gets no automatic reply, which could go in circles.
    assert [to for to, _message in postbox.arrived] == ["team@a.example"]
    # And what they are answered threads.
    assert reply(database, cast, postbox)["In-Reply-To"].strip() == message["Message-ID"]


def test_a_program_opens_no_enquiry(database: Database, cast: Cast) -> None:
    address = queries.answer_address(cast.a, form_id=cast.form_a)
    arrive(database, cast, mail(address, Auto_Submitted="auto-generated"))
    arrive(database, cast, mail(queries.answer_address(cast.a, form_id=cast.form_b)))
    assert kept(database) == [("aside", "automatic"), ("aside", "gone")]
    assert database.ask("SELECT 1 FROM inbox_enquiry") == []


def test_nothing_of_a_mail_is_logged(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    with captured("json") as read:
        arrive(database, cast, mail(queries.answer_address(cast.a, number=1), "hunter2", Subject="hunter3"))
        lines = read()
    for secret in ("hunter", "ann@visitor", queries.hook(cast.a)[0], queries.hook(cast.a)[1]):
        assert secret not in lines
