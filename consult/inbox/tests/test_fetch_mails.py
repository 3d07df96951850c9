"""Mail fetched from a mailbox over real IMAP: all of it, once, whatever dies or goes wrong on the way."""

import datetime as dt
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from conftest import Cast, Database, Enquiry
from consult.core import files, imap, queue, tenancy
from consult.inbox import models, queries, services
from consult.inbox.services import fetching, incoming
from consult.inbox.tests.conftest import Postbox
from consult.inbox.tests.test_receive_mail import kept, mail, received, reply, status
from tests import imap as server
from tests import worker


@pytest.fixture(autouse=True)
def storage(tmp_path: Path) -> Iterator[Path]:
    with override_settings(CONSULT_FILES_URL=tmp_path.as_uri(), CONSULT_MAIL_INBOUND=""):
        yield tmp_path


def connect(database: Database, cast: Cast, mailserver: server.Server | None = None, **values: Any) -> None:
    """Connect agency A's mailbox, and let the worker try it."""
    found = {
        "address": server.USER,
        "plus": True,
        "host": "127.0.0.1",
        "port": mailserver.port if mailserver else 143,
        "security": "plain",
        "user": server.USER,
        "password": server.PASSWORD,
        "folder": "INBOX",
        **values,
    }
    services.connect_mailbox(agency_id=cast.a, by=cast.alice.member_id, now=dt.datetime.now(dt.UTC), **found)
    worker.run_jobs(database)


def address_of(cast: Cast) -> str:
    """Return where answers for the first enquiry come in."""
    with tenancy.agency(cast.a):
        return queries.answer_address(cast.a, number=1)


def fetch(database: Database, cast: Cast) -> None:
    """Look into the mailbox once more, as the clock does every minute."""
    database.ask("UPDATE inbox_mailbox SET next_at = now(), busy_until = NULL")
    worker.tick("inbox.fetch_due_mails")
    worker.run_jobs(database)


def mailbox(database: Database) -> tuple[str, int, int]:
    [(error, last_uid, fetched)] = database.ask("SELECT error, last_uid, fetched FROM inbox_mailbox")
    return error, last_uid, fetched


def test_a_reply_goes_out_and_its_answer_is_fetched(
    database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox, mailserver: server.Server
) -> None:
    mailserver.deliver(mail(server.USER, "From before").as_bytes())
    connect(database, cast, mailserver)
    assert mailbox(database)[0] == ""
    ours = reply(database, cast, postbox)
    assert ours["Reply-To"].startswith("team+")
    assert ours["Reply-To"].endswith("@in.example")
    assert postbox.senders[-1] == ours["Reply-To"], "what does not arrive comes back there"
    mailserver.deliver(mail(ours["Reply-To"], "Tuesday is fine.").as_bytes())
    fetch(database, cast)
    assert received(database) == [(1, "answer", "Tuesday is fine.")]
    assert status(database) == "open"
    assert mailbox(database) == ("", 102, 1)
    # Nothing in the mailbox was changed, not even that it was read.
    with mailserver.client() as client:
        client.select("INBOX", readonly=True)
        assert client.search(None, "UNSEEN")[1] == [b"1 2"]
    fetch(database, cast)
    assert mailbox(database)[2] == 1


def test_without_plus_addresses_it_is_threaded_by_our_id(
    database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox, mailserver: server.Server
) -> None:
    connect(database, cast, mailserver, plus=False)
    ours = reply(database, cast, postbox)
    assert ours["Reply-To"] == server.USER
    mailserver.deliver(mail(server.USER, "By its id", In_Reply_To=ours["Message-ID"]).as_bytes())
    mailserver.deliver(mail(server.USER, "About nothing").as_bytes())
    fetch(database, cast)
    assert [text for _number, _kind, text in received(database)] == ["By its id"]
    assert kept(database)[-1] == ("aside", "nobody")


def dies(at: Callable[..., Any], times: int = 1) -> Callable[..., Any]:
    """Return the function, which dies after it has done its work, as often as that."""
    left = [times]

    def dying(*arguments: Any, **named: Any) -> Any:
        found = at(*arguments, **named)
        if left[0]:
            left[0] -= 1
            raise KeyboardInterrupt
        return found

    return dying


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (fetching, "_begin"),
        (files, "new_location"),
        (queue, "enqueue"),
        (incoming, "keep_mail"),
        (fetching, "_advance"),
    ],
)
def test_who_dies_on_any_line_loses_and_doubles_nothing(
    database: Database,
    cast: Cast,
    enquiry: Enquiry,
    mailserver: server.Server,
    monkeypatch: pytest.MonkeyPatch,
    where: Any,
    name: str,
) -> None:
    connect(database, cast, mailserver)
    for text in ("One", "Two"):
        mailserver.deliver(mail(address_of(cast), text).as_bytes())
    database.ask("UPDATE inbox_mailbox SET next_at = now()")
    with monkeypatch.context() as dying:
        dying.setattr(where, name, dies(getattr(where, name)))
        with pytest.raises(KeyboardInterrupt):
            services.fetch_mails(agency_id=cast.a, now=dt.datetime.now(dt.UTC))
    # The dead one's turn is not over yet; then it is taken over.
    later = dt.datetime.now(dt.UTC) + fetching.LEASE + dt.timedelta(minutes=2)
    services.fetch_mails(agency_id=cast.a, now=later)
    worker.run_jobs(database)
    assert [text for _number, _kind, text in received(database)] == ["One", "Two"]
    assert kept(database) == [("done", "")] * 2


def test_two_runs_at_once_do_not_disturb_each_other(
    database: Database, cast: Cast, enquiry: Enquiry, mailserver: server.Server
) -> None:
    connect(database, cast, mailserver)
    database.ask("UPDATE inbox_mailbox SET next_at = now(), busy_until = now() + interval '1 minute'")
    mailserver.deliver(mail(address_of(cast)).as_bytes())
    services.fetch_mails(agency_id=cast.a, now=dt.datetime.now(dt.UTC))
    assert kept(database) == [], "another run has it"
    database.ask("UPDATE inbox_mailbox SET busy_until = now() - interval '1 second'")
    services.fetch_mails(agency_id=cast.a, now=dt.datetime.now(dt.UTC))
    assert len(kept(database)) == 1


def test_days_of_mail_are_caught_up(
    database: Database, cast: Cast, enquiry: Enquiry, mailserver: server.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MOST_A_RUN", 4)
    connect(database, cast, mailserver)
    address = address_of(cast)
    for number in range(11):
        mailserver.deliver(mail(address, f"Mail {number}").as_bytes())
    # One call of the clock: each run has another one follow.
    fetch(database, cast)
    assert [text for _number, _kind, text in received(database)] == [f"Mail {number}" for number in range(11)]


def test_a_folder_that_counts_anew_doubles_nothing(
    database: Database, cast: Cast, enquiry: Enquiry, mailserver: server.Server
) -> None:
    with mailserver.client() as client:
        client.create("Answers")
    connect(database, cast, mailserver, folder="Answers")
    address = address_of(cast)
    before = [mail(address, text).as_bytes() for text in ("One", "Two")]
    for raw in before:
        mailserver.deliver(raw, "Answers")
    fetch(database, cast)
    with mailserver.client() as client:
        client.delete("Answers")
        client.create("Answers")
    for raw in (*before, mail(address, "Three").as_bytes()):
        mailserver.deliver(raw, "Answers")
    fetch(database, cast)
    assert [text for _number, _kind, text in received(database)] == ["One", "Two", "Three"]
    assert mailbox(database)[2] == 3
    assert database.ask("SELECT since_date FROM inbox_mailbox") == [(None,)]


def test_a_large_mail_is_fetched_and_a_larger_one_is_set_aside(
    database: Database, cast: Cast, enquiry: Enquiry, mailserver: server.Server
) -> None:
    connect(database, cast, mailserver)
    address = address_of(cast)
    large = mail(address, "See the file")
    large.add_attachment(b"\0" * 3_000_000, maintype="application", subtype="octet-stream", filename="plan.bin")
    with override_settings(CONSULT_MAIL_LIMIT_BYTES=5_000_000):
        for raw in (large.as_bytes(), mail(address, "x" * 6_000_000).as_bytes(), mail(address, "After").as_bytes()):
            mailserver.deliver(raw)
        fetch(database, cast)
    assert [text for _number, _kind, text in received(database)] == ["See the file", "After"]
    assert ("aside", "too_large") in kept(database)
    page = cast.vera.client.get("/a/inbox/mails/").content.decode()
    assert "larger than" in page
    assert "Re: Hello" in page


def test_what_is_no_mail_is_set_aside(
    database: Database, cast: Cast, enquiry: Enquiry, mailserver: server.Server
) -> None:
    connect(database, cast, mailserver)
    mailserver.deliver(b"\xff\xfe nonsense\r\nwithout any header")
    mailserver.deliver(mail(address_of(cast), "After").as_bytes())
    fetch(database, cast)
    assert kept(database)[0] == ("aside", "unreadable")
    assert len(received(database)) == 1


def test_a_mail_that_is_not_handed_out_holds_up_no_other(
    database: Database, cast: Cast, enquiry: Enquiry, mailserver: server.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(database, cast, mailserver)
    address = address_of(cast)
    for text in ("Stuck", "After"):
        mailserver.deliver(mail(address, text).as_bytes())
    honest = imap.Folder.size

    def refusing(self: imap.Folder, uid: int) -> int | None:
        if uid == 101:
            raise imap.NotGiven
        return honest(self, uid)

    with monkeypatch.context() as refuse:
        refuse.setattr(imap.Folder, "size", refusing)
        for _ in range(2):
            fetch(database, cast)
    assert [text for _number, _kind, text in received(database)] == ["After"]
    assert mailbox(database)[0] == "left"
    fetch(database, cast)
    assert [text for _number, _kind, text in received(database)] == ["After", "Stuck"]
    assert mailbox(database)[0] == ""


def test_the_storage_is_away(
    database: Database, cast: Cast, enquiry: Enquiry, mailserver: server.Server, storage: Path
) -> None:
    connect(database, cast, mailserver)
    mailserver.deliver(mail(address_of(cast), "Later").as_bytes())
    with override_settings(CONSULT_FILES_URL=(storage / "gone").as_uri()):
        fetch(database, cast)
    assert mailbox(database)[0] == "storage"
    fetch(database, cast)
    assert [text for _number, _kind, text in received(database)] == ["Later"]


# --- what goes wrong with the server --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"password": "wrong"}, "login"),
        ({"user": "nobody@in.example"}, "login"),
        ({"folder": "Nowhere"}, "folder"),
        ({"security": "tls"}, "tls"),
        ({"security": "starttls"}, "protocol"),
        ({"host": "no-such-host.invalid"}, "unknown_host"),
        ({"port": 1}, "unreachable"),
    ],
)
def test_what_is_wrong_is_said_as_soon_as_it_is_saved(
    database: Database, cast: Cast, mailserver: server.Server, values: dict[str, Any], error: str
) -> None:
    connect(database, cast, mailserver, **values)
    assert mailbox(database)[0] == error
    page = cast.alice.client.get("/a/settings/replies/mailbox/").content.decode()
    assert 'id="mailbox-error"' in page
    assert server.PASSWORD not in page
    # It waits longer each time, and one that works again is told of no more.
    waits = []
    for _ in range(3):
        fetch(database, cast)
        waits += database.ask("SELECT round(extract(epoch FROM next_at - now()) / 60) FROM inbox_mailbox")
    assert [int(minutes) for (minutes,) in waits] == [2, 4, 8]


@pytest.mark.parametrize(
    ("host", "port", "security", "error"),
    [
        ("127.0.0.1", 993, "tls", "forbidden_host"),
        ("localhost", 993, "tls", "forbidden_host"),
        ("10.1.2.3", 993, "tls", "forbidden_host"),
        ("169.254.169.254", 143, "starttls", "forbidden_host"),
        ("::1", 993, "tls", "forbidden_host"),
        ("::ffff:127.0.0.1", 993, "tls", "forbidden_host"),
        ("64:ff9b::7f00:1", 993, "tls", "forbidden_host"),
        ("2002:7f00:1::", 993, "tls", "forbidden_host"),
        ("0.0.0.0", 993, "tls", "forbidden_host"),  # noqa: S104
        ("8.8.8.8", 6379, "tls", "forbidden_host"),
        ("8.8.8.8", 143, "plain", "needs_tls"),
    ],
)
def test_a_host_that_is_not_public_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, host: str, port: int, security: str, error: str
) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_a, **_n: pytest.fail("connected"))
    account = imap.Account(host, port, security, "ann", "secret", "INBOX")
    with (
        override_settings(CONSULT_IMAP_NETWORKS=[]),
        pytest.raises(imap.Failed) as raised,
        imap.opened(account, seconds=5),
    ):
        pass
    assert str(raised.value) == error


def liar(answer: Callable[[socket.socket], None]) -> int:
    """A server that does whatever it likes with who connects; return its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listening, listening.accept()[0] as line:
            answer(line)

    threading.Thread(target=serve, daemon=True).start()
    return int(listening.getsockname()[1])


def greeting_by_drops(line: socket.socket) -> None:
    ended = threading.Event()
    for _ in range(200):
        try:
            line.sendall(b" ")
        except OSError:
            return
        ended.wait(0.05)


def endless(line: socket.socket) -> None:
    line.sendall(b"* OK ready\r\n")
    line.recv(1000)
    line.sendall(b"* CAPABILITY {9000000000}\r\n")
    try:
        while True:
            line.sendall(b"x" * 65536)
    except OSError:
        return


@pytest.mark.parametrize(("answer", "error"), [(greeting_by_drops, "timeout"), (endless, "protocol")])
def test_a_server_that_lies_costs_neither_time_nor_memory(answer: Callable[[socket.socket], None], error: str) -> None:
    account = imap.Account("127.0.0.1", liar(answer), "plain", "ann", "secret", "INBOX")
    with (
        override_settings(CONSULT_IMAP_NETWORKS=["127.0.0.0/8"]),
        pytest.raises(imap.Failed) as raised,
        imap.opened(account, seconds=1),
    ):
        pass
    assert str(raised.value) == error


@pytest.mark.parametrize(
    ("folder", "written"),
    [("INBOX", '"INBOX"'), ("Entwürfe & mehr", '"Entw&APw-rfe &- mehr"'), ('a"b\\c', '"a\\"b\\\\c"')],
)
def test_folders_are_written_as_imap_writes_them(folder: str, written: str) -> None:
    assert imap.quoted(folder) == written


def test_a_password_is_sealed_and_stays_with_its_host(
    database: Database, cast: Cast, mailserver: server.Server
) -> None:
    connect(database, cast, mailserver)
    [(sealed,)] = database.ask("SELECT password_sealed FROM inbox_mailbox")
    assert sealed.startswith("enc:v1:")
    assert server.PASSWORD not in sealed
    connect(database, cast, mailserver, password="", address="other@in.example")
    assert mailbox(database)[0] == ""
    with pytest.raises(services.NoPassword):
        connect(database, cast, mailserver, password="", host="evil.example")
    with pytest.raises(services.BadMailbox):
        connect(database, cast, mailserver, folder="a\r\nb DELETE INBOX")
    with tenancy.agency(cast.a):
        assert models.Mailbox.objects.get().address == "other@in.example"
