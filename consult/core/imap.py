"""Mailboxes elsewhere, read over IMAP: to look only, nothing in them is changed. Never inside tenancy.agency.

The host is what a member typed in, so that it may be anything: it is looked up once and connected to by the address
that was judged. Public addresses at IMAP's own two ports and with TLS, or whatever lies in CONSULT_IMAP_NETWORKS.
"""

import base64
import contextlib
import dataclasses
import datetime as dt
import imaplib
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings

PORTS = (143, 993)
# No answer for so long ends a connection, whatever its own deadline is.
STALL_SECONDS = 20
MOST_ADDRESSES = 3
HEADER_BYTES = 256 * 1024
CHUNK_BYTES = 1024 * 1024
# Beside the mail that was asked for: status lines, lists of numbers.
ROOM_BYTES = 4 * 1024 * 1024
# Kinds of failures; what the server said is told to nobody.
KINDS = (
    "unknown_host",
    "forbidden_host",
    "needs_tls",
    "unreachable",
    "timeout",
    "certificate",
    "tls",
    "login",
    "folder",
    "protocol",
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SPECIAL = re.compile(r'(["\\])')


class Failed(Exception):
    """The mailbox could not be opened or read; the message is one of KINDS."""


class NotGiven(Exception):
    """The server lists a mail and does not hand it out."""


@dataclasses.dataclass(frozen=True)
class Account:
    """Where a mailbox is. `security`: tls (from the first byte), starttls, or plain."""

    host: str
    port: int
    security: str
    user: str
    password: str = dataclasses.field(repr=False)
    folder: str


class Folder:
    """An open folder. `validity` changes when its numbers begin anew; the next mail to arrive has `next_uid`."""

    def __init__(self, client: "_Client", validity: int, next_uid: int) -> None:
        self._client, self.validity, self.next_uid = client, validity, next_uid

    def uids(self, after: int, *, since: dt.date | None = None) -> list[int]:
        """Return the numbers above `after`, ascending; of mails that arrived on `since` or later. Raise Failed."""
        wanted = f"UID {after + 1}:*"
        if since:
            # strftime would say the month in the machine's language.
            wanted += f" SINCE {since.day:02}-{_MONTHS[since.month - 1]}-{since.year}"
        with _failing("protocol"):
            try:
                data = self._client.ask("SEARCH", wanted)
            except NotGiven:
                raise Failed("protocol") from None
        found = {int(each) for line in data if isinstance(line, bytes) for each in line.split() if each.isdigit()}
        # n:* names the last mail even when it is below n.
        return sorted(uid for uid in found if uid > after)

    def size(self, uid: int) -> int | None:
        """Return a mail's size in bytes; None when it is not there any more. Raise Failed, NotGiven."""
        with _failing("protocol"):
            data = self._client.ask("FETCH", str(uid), "(UID RFC822.SIZE)")
        for line in data:
            text = line[0] if isinstance(line, tuple) else line
            found = re.search(rb"RFC822\.SIZE (\d{1,15})", text or b"")
            if found and re.search(rb"\bUID %d\b" % uid, text):
                return int(found[1])
        return None

    def read(self, uid: int, *, most: int) -> bytes | None:
        """Return a mail as it came; None when it is not there any more. Raise Failed (also when above `most` bytes)."""
        return self._body(uid, "BODY.PEEK[]", most)

    def head(self, uid: int) -> bytes | None:
        """Return the beginning of a mail's headers."""
        return self._body(uid, f"BODY.PEEK[HEADER]<0.{HEADER_BYTES}>", HEADER_BYTES)

    def _body(self, uid: int, what: str, most: int) -> bytes | None:
        with _failing("protocol"):
            data = self._client.ask("FETCH", str(uid), f"(UID {what})", most=most)
        for line in data:
            if isinstance(line, tuple) and b"BODY[" in line[0].upper():
                return bytes(line[1])
        return None


_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@contextlib.contextmanager
def opened(account: Account, *, seconds: float) -> Iterator[Folder]:
    """Give the account's folder, for at most so many seconds altogether: then the connection is cut. Raise Failed."""
    client = _connected(account, seconds)
    try:
        _sign_in(client, account)
        with _failing("folder"):
            kind, _data = client.select(quoted(account.folder), readonly=True)
            if kind != "OK":
                raise Failed("folder")
        validity, following = _number(client, "UIDVALIDITY"), _number(client, "UIDNEXT")
        if validity is None:
            raise Failed("protocol")
        folder = Folder(client, validity, following or 1)
        if following is None:
            folder.next_uid = max(folder.uids(0), default=0) + 1
        yield folder
    finally:
        client.leave()


def addresses(host: str, port: int, *, plain: bool) -> list[str]:
    """Return the addresses of a host that may be connected to. Raise Failed when one of them may not."""
    try:
        said = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError, ValueError):
        raise Failed("unknown_host") from None
    found = list(dict.fromkeys(str(each[4][0]).partition("%")[0] for each in said))
    inside = [_is_inside(each) for each in found]
    if not all(ours or (_is_public(each) and port in PORTS) for each, ours in zip(found, inside, strict=True)):
        raise Failed("forbidden_host")
    if plain and not all(inside):
        raise Failed("needs_tls")
    return found[:MOST_ADDRESSES]


def _is_inside(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    return any(ip in ipaddress.ip_network(network) for network in settings.CONSULT_IMAP_NETWORKS)


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        # Another way to write an IPv4 address is judged as that; a tunnel's is refused.
        if ip.ipv4_mapped or ip in _NAT64:
            ip = ip.ipv4_mapped or ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        elif ip.sixtofour or ip.teredo:
            return False
    return ip.is_global and not ip.is_multicast


def _connected(account: Account, seconds: float) -> "_Client":
    failure = Failed("unreachable")
    for address in addresses(account.host, account.port, plain=account.security == "plain"):
        try:
            with _failing("protocol"):
                client = _Client(account, address, seconds)
                if account.security == "starttls":
                    # Refused, or offered by nobody: no password goes over the line.
                    try:
                        client.starttls(ssl_context=context())
                    except BaseException:
                        client.leave()
                        raise
                return client
        except Failed as error:
            failure = error
    raise failure


def context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _sign_in(client: "_Client", account: Account) -> None:
    with _failing("login"):
        if "AUTH=PLAIN" in client.capabilities:
            said = f"\0{account.user}\0{account.password}".encode()
            client.authenticate("PLAIN", lambda _challenge: said)
        else:
            client.login(account.user, account.password)


def _number(client: "_Client", name: str) -> int | None:
    _kind, data = client.response(name)
    last = data[-1] if data else None
    return int(last) if isinstance(last, bytes) and last.isdigit() else None


def quoted(folder: str) -> str:
    """Return a folder's name as IMAP writes it: in quotes, in its own UTF-7 (RFC 3501, 5.1.3)."""

    def shifted(found: re.Match[str]) -> str:
        if found[0] == "&":
            return "&-"
        said = base64.b64encode(found[0].encode("utf-16-be")).decode().rstrip("=").replace("/", ",")
        return f"&{said}-"

    text = re.sub(r"&|[^\x20-\x7e]+", shifted, folder)
    return f'"{_SPECIAL.sub(lambda found: chr(92) + found[0], text)}"'


@contextlib.contextmanager
def _failing(kind: str) -> Iterator[None]:
    """Let every way in which a server, the line to it or the library fails be Failed; `kind`: when it says no."""
    try:
        yield
    except ssl.SSLCertVerificationError:
        raise Failed("certificate") from None
    except ssl.SSLError:
        raise Failed("tls") from None
    except TimeoutError:
        raise Failed("timeout") from None
    except imaplib.IMAP4.abort as error:
        raise Failed("timeout" if getattr(error, "late", False) else "protocol") from None
    except imaplib.IMAP4.error:
        raise Failed(kind) from None
    except OSError:
        raise Failed("unreachable") from None
    except (ValueError, AttributeError, UnicodeError, TypeError, IndexError):
        # What the library raises for lines that no server should send.
        raise Failed("protocol") from None


class _Client(imaplib.IMAP4):
    """The library's client, connected to an address that was judged, bounded in time and in what it takes."""

    def __init__(self, account: Account, address: str, seconds: float) -> None:
        self._account, self._address = account, address
        self._late = False
        self._left = ROOM_BYTES
        self._line: socket.socket | None = None
        self._watch = threading.Timer(seconds, self._cut)
        self._watch.daemon = True
        self._watch.start()
        try:
            super().__init__(account.host, account.port, timeout=STALL_SECONDS)
        except BaseException as error:
            self._watch.cancel()
            self._hang_up()
            if self._late and not isinstance(error, TimeoutError):
                raise TimeoutError from None
            raise

    def _create_socket(self, timeout: float | None) -> socket.socket:
        line = self._line = socket.create_connection((self._address, self._account.port), timeout)
        if self._account.security == "tls":
            line = self._line = context().wrap_socket(
                line, server_hostname=self._account.host, do_handshake_on_connect=False
            )
            line.do_handshake()
        return line

    def _cut(self) -> None:
        """End a server that answers a byte at a time: no time limit of a socket would."""
        self._late = True
        line = getattr(self, "sock", None) or self._line
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def ask(self, command: str, *arguments: str, most: int = 0) -> list[Any]:
        """Ask by UIDs and return what came; a mail of at most `most` bytes among it. Raise NotGiven."""
        self._left = ROOM_BYTES + most
        self.untagged_responses: dict[str, list[Any]] = {}
        kind, data = self.uid(command, *arguments)
        if kind != "OK":
            raise NotGiven
        return list(data)

    def read(self, size: int) -> bytes:
        self._take(size)
        content = bytearray()
        while len(content) < size:
            # As it comes: a server that promises a gigabyte has to send it before it costs one.
            piece = self._within(super().read, min(size - len(content), CHUNK_BYTES))
            if not piece:
                raise self.abort("the line is cut")
            content += piece
        return bytes(content)

    def readline(self) -> bytes:
        line = self._within(super().readline)
        self._take(len(line))
        return line

    def _within(self, read: Callable[..., bytes], *arguments: int) -> bytes:
        try:
            return read(*arguments)
        except OSError:
            if self._late:
                raise TimeoutError from None
            raise

    def _take(self, size: int) -> None:
        if self._late:
            raise TimeoutError
        self._left -= size
        if self._left < 0:
            raise self.abort("more than was asked for")

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()

    def leave(self) -> None:
        """Say goodbye if there is time, and hang up."""
        with contextlib.suppress(imaplib.IMAP4.error, OSError, ValueError, AttributeError):
            if not self._late:
                self._left = ROOM_BYTES
                self.sock.settimeout(2)
                self.logout()
        self._watch.cancel()
        with contextlib.suppress(OSError, AttributeError):
            self.shutdown()
