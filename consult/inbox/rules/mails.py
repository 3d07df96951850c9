"""A mail that came in, read with patience: whatever a stranger sends becomes plain values, or Unreadable."""

import dataclasses
import email
import html.parser
import re
from collections.abc import Iterator
from email import policy
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parseaddr
from typing import Literal

MOST_PARTS, MOST_DEPTH, MOST_FILES = 500, 60, 50
LONGEST_TEXT, LONGEST_HTML, LONGEST_HEADER = 100_000, 1_000_000, 8_000
HEADER_BYTES = 256 * 1024
_ID = re.compile(r"<[^<>\s]{1,240}>")
# Where a mail server writes to whom it really gave the mail, beside what the mail says.
_RECIPIENTS = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to", "cc")
_PROGRAMS = ("bulk", "junk", "list", "auto_reply", "auto-reply")


class Unreadable(Exception):
    """No mail, or one that is built to be read by nobody."""


@dataclasses.dataclass(frozen=True)
class Part:
    """An attachment of a mail."""

    name: str
    media_type: str
    content: bytes
    # By which the mail's own HTML names it, without angle brackets.
    content_id: str = ""


@dataclasses.dataclass(frozen=True)
class Bounce:
    """What a mail server says of a mail that it could not deliver; `status` is an RFC 3463 code such as 5.1.1."""

    action: str
    status: str


@dataclasses.dataclass(frozen=True)
class Headers:
    """What a mail's headers say, as far as it decides where the mail belongs."""

    message_id: str
    in_reply_to: list[str]
    references: list[str]
    recipients: list[str]
    from_name: str
    from_address: str
    subject: str


NO_HEADERS = Headers("", [], [], [], "", "", "")


@dataclasses.dataclass(frozen=True)
class Arrived:
    """A whole mail. `kind`: a person's answer, a program's (auto), or word that ours did not arrive (bounce)."""

    headers: Headers
    kind: Literal["answer", "auto", "bounce"]
    text: str
    html: str
    shortened: bool
    parts: list[Part]
    bounce: Bounce | None
    # The ids of ours that a bounce speaks of.
    about: list[str]


def headers_of(raw: bytes) -> Headers:
    """Return what the headers say; nothing below them is looked at. Raise Unreadable."""
    head = re.split(rb"\r?\n\r?\n", raw[:HEADER_BYTES], maxsplit=1)[0]
    return _headers(_message(head + b"\n\n"))


def _message(raw: bytes) -> Message:
    try:
        message = email.message_from_bytes(raw, policy=policy.compat32)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise Unreadable(type(error).__name__) from None
    if not any(message.get(name) for name in ("from", "to", "message-id", "received", "date", "subject")):
        raise Unreadable("no headers")
    return message


def _headers(message: Message) -> Headers:
    name, address = parseaddr(_words(message, "from"))
    own = _ID.search(_plain(message, "message-id"))
    return Headers(
        message_id=own[0] if own else "",
        in_reply_to=_ID.findall(_plain(message, "in-reply-to"))[:20],
        references=_ID.findall(_plain(message, "references"))[-50:],
        recipients=[
            address.lower()
            for field in _RECIPIENTS
            for _name, address in getaddresses([_clean(str(value)) for value in message.get_all(field, [])[:50]])
            if "@" in address
        ],
        from_name=_line(name, 200),
        from_address=_line(address, 320),
        subject=_line(_words(message, "subject"), 200),
    )


def _plain(message: Message, name: str) -> str:
    return _clean(str(message.get(name, "")))


def _clean(text: str) -> str:
    return text[:LONGEST_HEADER].encode("utf-8", "replace").decode().replace("\0", "�")


def _words(message: Message, name: str) -> str:
    """Return a header with its encoded words read; what is half an encoded word stays as it came."""
    said = _plain(message, name)
    try:
        pieces = decode_header(said)
    except (ValueError, LookupError):
        return said
    return "".join(
        piece if isinstance(piece, str) else _decoded(piece, charset or "utf-8") for piece, charset in pieces
    )


def _line(text: str, limit: int) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:limit]


def _decoded(content: bytes, charset: str) -> str:
    """Return text in a charset that may be a lie, or half a character short."""
    try:
        text = content.decode(charset, "replace")
    except (LookupError, ValueError):
        try:
            text = content.decode("utf-8", "strict")
        except UnicodeError:
            text = content.decode("cp1252", "replace")
    return text.encode("utf-8", "replace").decode().replace("\0", "�")


def parse(raw: bytes) -> Arrived:
    """Read a whole mail. Raise Unreadable."""
    message = _message(raw)
    try:
        leaves = list(_leaves(message))
    except RecursionError:
        raise Unreadable("nested") from None
    headers = _headers(message)
    text, markup, shortened, parts = _bodies(leaves)
    bounce, about = _bounce(message, leaves)
    return Arrived(
        headers=headers,
        kind=_kind(message, headers, bounce),
        text=text,
        html=markup,
        shortened=shortened,
        parts=parts,
        bounce=bounce,
        about=about,
    )


def _leaves(message: Message) -> Iterator[Message]:
    """Yield the parts that hold something, in their order; a mail within a mail is one. Raise Unreadable."""
    stack = [(message, 0)]
    count = 0
    while stack:
        part, depth = stack.pop()
        count += 1
        if depth > MOST_DEPTH or count > MOST_PARTS:
            raise Unreadable("nested")
        payload = part.get_payload()
        if isinstance(payload, list) and part.get_content_maintype() == "multipart":
            stack.extend((each, depth + 1) for each in reversed(payload) if isinstance(each, Message))
        else:
            yield part


def _bodies(leaves: list[Message]) -> tuple[str, str, bool, list[Part]]:
    plain, markup = "", ""
    parts: list[Part] = []
    for leaf in leaves:
        kind = leaf.get_content_type()
        attached = leaf.get_content_disposition() == "attachment" or bool(leaf.get_filename())
        if kind == "text/plain" and not attached:
            plain += ("\n\n" if plain else "") + _text(leaf)
        elif kind == "text/html" and not attached and not markup:
            markup = _text(leaf)
        elif kind not in ("message/delivery-status", "text/rfc822-headers") and len(parts) < MOST_FILES:
            parts.append(_part(leaf, len(parts) + 1))
    shortened = len(plain) > LONGEST_TEXT or len(markup) > LONGEST_HTML
    text = plain.strip() or (text_of(markup[:LONGEST_HTML]) if markup else "")
    return text[:LONGEST_TEXT], markup[:LONGEST_HTML], shortened or len(text) > LONGEST_TEXT, parts


def _content(leaf: Message) -> bytes:
    if leaf.get_content_maintype() == "message":
        inner = leaf.get_payload()
        if isinstance(inner, list):
            try:
                return b"\n".join(each.as_bytes() for each in inner if isinstance(each, Message))
            except (ValueError, LookupError, KeyError, RecursionError, UnicodeError):
                return b""
    content = leaf.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(leaf: Message) -> str:
    try:
        charset = leaf.get_content_charset() or "utf-8"
    except (ValueError, LookupError, TypeError):
        charset = "utf-8"
    return _decoded(_content(leaf), charset).replace("\r\n", "\n")


def _part(leaf: Message, number: int) -> Part:
    try:
        name = leaf.get_filename() or ""
    except (ValueError, LookupError, TypeError):
        name = ""
    name = _line(_words_of(name), 200).replace("/", "_").replace("\\", "_").strip(". ")
    kind = leaf.get_content_type()[:120]
    content_id = _plain(leaf, "content-id").strip().strip("<>")[:250]
    return Part(name or f"part-{number}{'.eml' if kind == 'message/rfc822' else ''}", kind, _content(leaf), content_id)


def _words_of(text: str) -> str:
    holder = Message()
    holder["name"] = text.replace("\r", " ").replace("\n", " ")
    return _words(holder, "name")


# --- programs and bounces -------------------------------------------------------------------------------------------


def _kind(message: Message, headers: Headers, bounce: Bounce | None) -> Literal["answer", "auto", "bounce"]:
    if bounce:
        return "bounce"
    path = _plain(message, "return-path").strip()
    submitted = _plain(message, "auto-submitted").partition(";")[0].strip().lower()
    by_program = (
        path == "<>"
        or submitted not in ("", "no")
        or _plain(message, "precedence").strip().lower() in _PROGRAMS
        or any(message.get(name) for name in ("x-autoreply", "x-autorespond", "list-id"))
        or not headers.from_address
    )
    return "auto" if by_program else "answer"


def _bounce(message: Message, leaves: list[Message]) -> tuple[Bounce | None, list[str]]:
    """Return what a delivery report says (RFC 3464), and of which mails it speaks."""
    if message.get_content_type() != "multipart/report":
        return None, []
    said = {"action": "", "status": ""}
    about: list[str] = []
    for leaf in leaves:
        kind = leaf.get_content_type()
        if kind == "message/delivery-status":
            for field, value in re.findall(rb"(?im)^(action|status):[ \t]*([a-z0-9.]{1,20})", _content(leaf)[:20_000]):
                said[field.decode().lower()] = value.decode().lower()
        elif kind in ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers"):
            match = re.search(rb"(?im)^message-id:\s*(<[^<>\s]{1,240}>)", _content(leaf)[:HEADER_BYTES])
            if match:
                about.append(match[1].decode("ascii", "replace"))
    if not said["action"] and not said["status"]:
        return None, []
    return Bounce(said["action"] or "failed", said["status"]), about


# --- text of HTML ---------------------------------------------------------------------------------------------------

_BLOCKS = re.compile(r"p|div|br|tr|li|ul|ol|table|h[1-6]|blockquote|hr|pre|section|article")
_UNSEEN = re.compile(r"script|style|head|title|template|noscript")


class _Reader(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if _UNSEEN.fullmatch(tag):
            self.hidden += 1
        if _BLOCKS.fullmatch(tag):
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if _UNSEEN.fullmatch(tag):
            self.hidden = max(0, self.hidden - 1)
        if tag in ("p", "div", "tr", "blockquote", "table", "ul", "ol"):
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.said.append(re.sub(r"\s+", " ", data))


def text_of(markup: str) -> str:
    """Return what somebody would read of a mail's HTML, as plain text."""
    reader = _Reader()
    try:
        reader.feed(markup)
        reader.close()
    except (AssertionError, ValueError, RecursionError):  # what html.parser raises for some nonsense
        reader.said = [re.sub(r"<[^>]*>", " ", markup)]
    lines = (" ".join(line.split()) for line in "".join(reader.said).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def fold(text: str) -> tuple[str, str]:
    """Return a text and what it quotes at its end, with the line that leads to that. For the eye alone."""
    lines = text.split("\n")
    start = len(lines)
    while start and (not lines[start - 1].strip() or lines[start - 1].startswith(">")):
        start -= 1
    if not any(line.startswith(">") for line in lines[start:]):
        return text, ""
    while start and lines[start - 1].rstrip().endswith(":"):
        start -= 1
    said = "\n".join(lines[:start]).strip()
    return (said, "\n".join(lines[start:]).strip()) if said else (text, "")
