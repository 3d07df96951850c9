"""Who may be answered by a program, what went wrong with an e-mail, words, filters, and when a snooze ends."""

import dataclasses
import datetime as dt
import ipaddress
import re
import smtplib
import ssl
import unicodedata
import uuid
from collections.abc import Collection, Mapping
from typing import Any, Literal
from urllib.parse import urlencode

# One address of everyday mail: ASCII before the @, a host name with a dot behind it.
ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}"
)
# Nobody reads these, or a program does that would answer in turn.
NOBODY = re.compile(
    r"mailer-?daemon|postmaster|hostmaster|daemon|root|abuse|nobody|devnull"
    r"|(?:.+[._-])?(?:no|do-?not|donot)[._-]?reply(?:[._-].+)?|bounces?(?:[._+=-].*)?|.*-(?:bounces?|request|owner)"
    r"|owner-.+"
)


def clean_address(text: str) -> str:
    """Return the one address that this text is, with its host as mail servers write it; empty when it is none."""
    local, _at, host = text.strip().rpartition("@")
    try:
        host = host.encode("idna").decode().lower()
    except UnicodeError:
        return ""
    address = f"{local}@{host}"
    bad = ".." in local or local.startswith(".") or local.endswith(".") or len(address) > 254
    return "" if bad or not ADDRESS.fullmatch(address) else address


def reply_key(sender: str, ours: Collection[str]) -> str:
    """Return by what automatic replies to this sender are counted, empty when it gets none.

    ann+one@x.example counts as ann@x.example. `ours` are the addresses that we write to ourselves, in small letters.
    """
    address = clean_address(sender).lower()
    local, _at, host = address.rpartition("@")
    plain = local.partition("+")[0]
    key = f"{plain}@{host}"
    return "" if not plain or NOBODY.fullmatch(local) or {address, key} & set(ours) else key


# The kinds of trouble that have words of their own on the pages; each before those that it is a kind of.
MAIL_ERRORS: tuple[tuple[type[Exception], str], ...] = (
    (smtplib.SMTPRecipientsRefused, "recipient_refused"),
    (smtplib.SMTPSenderRefused, "sender_refused"),
    (smtplib.SMTPAuthenticationError, "sign_in_refused"),
    (smtplib.SMTPDataError, "message_refused"),
    (smtplib.SMTPServerDisconnected, "disconnected"),
    (smtplib.SMTPResponseException, "refused"),
    (smtplib.SMTPException, "refused"),
    (ssl.SSLError, "not_trusted"),
    (TimeoutError, "no_answer"),
    (OSError, "not_reachable"),
)


def mail_error(error: Exception) -> dict[str, Any]:
    """Return {"error": kind} and, where the server gave one, {"code": number}, never its text: it may hold secrets."""
    kind = next((kind for cause, kind in MAIL_ERRORS if isinstance(error, cause)), "unexpected")
    code = getattr(error, "smtp_code", None)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next((code for code, _text in error.recipients.values()), None)
    return {"error": kind, **({"code": int(code)} if isinstance(code, int) and code > 0 else {})}


# --- words ----------------------------------------------------------------------------------------------------------

WORD = re.compile(r"[^\W_]+")
LONGEST_WORD, MOST_WORDS = 60, 2_000


def words(*texts: str) -> list[str]:
    """Return the words of these texts as they are searched for: small letters without accents, each once, sorted."""
    found: set[str] = set()
    for text in texts:
        plain = unicodedata.normalize("NFKD", text.casefold())
        plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
        found.update(word[:LONGEST_WORD] for word in WORD.findall(plain))
    return sorted(found)[:MOST_WORDS]


# --- filters --------------------------------------------------------------------------------------------------------

VIEWS = ("open", "mine", "unassigned", "waiting", "snoozed", "held", "closed", "spam", "all")
# How long ago it came: at most, or at least, so many days.
AGES: dict[str, tuple[Literal["at most", "at least"], int]] = {
    "1d": ("at most", 1),
    "7d": ("at most", 7),
    "over1d": ("at least", 1),
    "over3d": ("at least", 3),
    "over7d": ("at least", 7),
    "over30d": ("at least", 30),
}
NOBODY_YET = "nobody"


@dataclasses.dataclass(frozen=True)
class Filters:
    """What a list is narrowed to, as its address says it; empty means everything."""

    view: str = "open"
    q: str = ""
    site: str = ""
    form: str = ""
    client: str = ""
    # A member's id, or NOBODY_YET.
    assignee: str = ""
    label: str = ""
    age: str = ""

    def query(self, **changed: str) -> str:
        """Return what stands behind the ? of the list's address, with some of it changed."""
        said = {**dataclasses.asdict(self), **changed}
        return urlencode({name: value for name, value in said.items() if value})

    @property
    def narrowed(self) -> bool:
        """Whether something beside the view was chosen."""
        return any((self.q, self.site, self.form, self.client, self.assignee, self.label, self.age))


def filters(params: Mapping[str, str]) -> Filters:
    """Return the filters of an address. What cannot be read is left out, and is not shown as chosen."""
    said = {name: params.get(name, "").replace("\0", "").strip() for name in ("view", "q", "age", *REFERENCES)}
    for name in REFERENCES:
        if not is_uuid(said[name]) and not (name == "assignee" and said[name] == NOBODY_YET):
            said[name] = ""
    if said["age"] not in AGES:
        said["age"] = ""
    said["q"] = said["q"][:200]
    if said["view"] not in VIEWS:
        # A search looks everywhere unless a view was chosen.
        said["view"] = "all" if said["q"] and not said["view"] else "open"
    return Filters(**said)


REFERENCES = ("site", "form", "client", "assignee", "label")


_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


def is_host(text: str) -> bool:
    """Whether it is the name of a host, or an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return len(text) <= 253 and all(_LABEL.fullmatch(label) for label in text.rstrip(".").split("."))
    return True


def is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


# --- snoozing -------------------------------------------------------------------------------------------------------

SNOOZES = ("later", "tomorrow", "monday", "month")
MORNING = dt.time(8)
LONGEST_SNOOZE = dt.timedelta(days=366)


def snooze_until(choice: str, now: dt.datetime) -> dt.datetime | None:
    """Return when a snooze ends, in `now`'s own zone: one of SNOOZES, or a day as 2026-03-01. None: not understood.

    Mornings are eight o'clock. A day must lie ahead, by a year at most.
    """
    today = now.date()
    match choice:
        case "later":
            return now + dt.timedelta(hours=3)
        case "tomorrow":
            day = today + dt.timedelta(days=1)
        case "monday":
            day = today + dt.timedelta(days=7 - today.weekday())
        case "month":
            day = today + dt.timedelta(days=30)
        case _:
            try:
                day = dt.date.fromisoformat(choice)
            except ValueError:
                return None
    until = dt.datetime.combine(day, MORNING, tzinfo=now.tzinfo)
    return until if now < until <= now + LONGEST_SNOOZE else None


def find_address(text: str) -> str:
    """Return the only e-mail address in a text; empty when there is none, or more than one to choose from."""
    found = {clean_address(each.group().rstrip(".")) for each in re.finditer(ADDRESS, text[:20_000])} - {""}
    return found.pop() if len(found) == 1 else ""
