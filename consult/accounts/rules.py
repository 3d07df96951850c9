"""Roles and what they may; scopes of tokens; names that no agency may take."""

import datetime as dt
import hashlib
import re
import unicodedata
from collections.abc import Mapping
from uuid import UUID

ROLES = ("owner", "admin", "member", "viewer")
# A token of the agency itself is never its owner.
TOKEN_ROLES = ("admin", "member", "viewer")

_OWNER = frozenset({"owner"})
_MANAGERS = _OWNER | {"admin"}
_WRITERS = _MANAGERS | {"member"}
_ALL = _WRITERS | {"viewer"}

# The one table of what a role may: permission -> (who has it, what it is in words). docs/security.md repeats it, and a
# test compares the two.
PERMISSIONS: dict[str, tuple[frozenset[str], str]] = {
    "records.read": (_ALL, "read everything that the agency's people work with"),
    "records.write": (_WRITERS, "change the agency's records: assign, close, restore, write notes"),
    "sites.manage": (_MANAGERS, "change sites and forms, or settle what needs attention"),
    "jobs.manage": (_MANAGERS, "see failed jobs or try them again"),
    "members.manage": (_MANAGERS, "invite people, change roles or remove members"),
    "tokens.manage": (_MANAGERS, "make or revoke the agency's API tokens, or revoke those of members"),
    "settings.manage": (_MANAGERS, "change the agency's settings"),
    "privacy.manage": (_MANAGERS, "export or erase a person"),
    "audit.read": (_MANAGERS, "read the audit"),
    "agency.own": (_OWNER, "make owners, or transfer, export or delete the agency"),
}
# What a token's scope lets through of what its role may. Nothing that only an owner may is done with a token.
SCOPES: dict[str, frozenset[str]] = {
    "read": frozenset({"records.read"}),
    "write": frozenset({"records.write"}),
    "manage": frozenset(
        {
            "sites.manage",
            "jobs.manage",
            "members.manage",
            "tokens.manage",
            "settings.manage",
            "privacy.manage",
            "audit.read",
        }
    ),
}

# Who may change a member of this role, or give it: an owner everybody, an admin everybody but owners.
_GIVEN_BY = {role: _OWNER if role == "owner" else _MANAGERS for role in ROLES}

EXPORT_KINDS = ("agency", "person")
EXPORT_STATES = ("waiting", "running", "ready", "failed", "expired")
EXPORT_ERRORS = ("storage", "unexpected", "erased")
# The programs that sign in themselves (browser extensions) never manage anything.
PROGRAM_SCOPES = ("read", "write")

# What a signing key goes through: next → current → previous → gone, or revoked.
KEY_STATES = ("next", "current", "previous", "revoked")

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
# First path parts that the product itself answers.
RESERVED = frozenset(
    [
        "f",
        "v1",
        "live",
        "hooks",
        "api",
        "admin",
        "accounts",
        "oauth",
        "health",
        "ready",
        "metrics",
        "static",
        "media",
        "mail",
        ".well-known",
        "favicon.ico",
        "robots.txt",
        "about",
        "docs",
        "help",
        "login",
        "logout",
        "settings",
        "signup",
        "www",
    ]
)


def slug_of(name: str) -> str:
    """Return what an agency of this name may be called in addresses; empty when nothing of it can be."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")


def may(role: str, permission: str) -> bool:
    """Whether a member of this role has the permission. Raise KeyError for one that is not in the table."""
    return role in PERMISSIONS[permission][0]


def may_give(by: str, role: str) -> bool:
    """Whether somebody of the role `by` may invite or make somebody this role."""
    return by in _GIVEN_BY[role]


def may_change(by: str, role: str, to: str) -> bool:
    """Whether somebody of the role `by` may give a member of `role` the role `to`. Admins touch no owner."""
    return by in _GIVEN_BY[role] and by in _GIVEN_BY[to]


def may_remove(by: str, role: str) -> bool:
    """Whether somebody of the role `by` may remove a member of `role`. Leaving is another thing: everybody may."""
    return by in _GIVEN_BY[role]


def needs_an_owner(owners: int, role: str, to: str | None) -> bool:
    """Whether an agency with so many owners would have none once one of `role` has the role `to` (None: has left)."""
    return role == "owner" and to != "owner" and owners <= 1


def within(scopes: frozenset[str], permission: str) -> bool:
    """Whether a token of these scopes may use the permission, if its role has it."""
    return any(permission in SCOPES.get(scope, ()) for scope in scopes)


def logo_type(head: bytes) -> str:
    """Return the media type of a picture that may be a logo, by its first bytes; empty for everything else.

    No SVG: it is a program. What puremagic says is what the office names it when it serves it, with nosniff.
    """
    import puremagic  # only where it is used: it takes memory

    try:
        found = puremagic.from_string(head, mime=True)
    except (puremagic.PureError, ValueError):
        return ""
    return found if found in LOGO_TYPES and _MARKS[found].match(head) else ""


LOGO_TYPES = ("image/png", "image/jpeg", "image/webp")
LOGO_BYTES = 512 * 1024
_MARKS = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/webp": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
}


def one_address(text: str) -> str:
    """Return the one e-mail address that this text is, or an empty string. It can stand in a header."""
    return text if ADDRESS.fullmatch(text) and len(text) <= 254 and ".." not in text else ""


ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-][A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{0,63}"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}"
)

# ISO 4217, list one (active codes) as amended in 2025; without funds, metals, testing and the like.
CURRENCIES = tuple(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
    CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD
    HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD
    LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK
    PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS
    TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905  a list of so many short strings is read worse
)


def scopes_of(role: str) -> list[str]:
    """Return the scopes that let a token of this role do something, the least first."""
    return [scope for scope, permissions in SCOPES.items() if any(may(role, each) for each in permissions)]


# Chrome's ids are 32 letters from a to p; every other listed one is a Firefox add-on's (name@example or {uuid}).
_CHROME_ID = re.compile(r"[a-p]{32}")
_PATH = re.compile(r"/([A-Za-z0-9._~-]{1,100}(/[A-Za-z0-9._~-]{1,100}){0,4}/?)?")


def redirect_origin(extension_id: str) -> str:
    """Return where this extension's `identity.getRedirectURL()` is: only the browser that runs it can be sent there.

    Firefox takes the SHA-1 of the id (toolkit/components/extensions/child/ext-identity.js).
    """
    if _CHROME_ID.fullmatch(extension_id):
        return f"https://{extension_id}.chromiumapp.org"
    digest = hashlib.sha1(extension_id.encode(), usedforsecurity=False).hexdigest()
    return f"https://{digest}.extensions.allizom.org"


def is_redirect(extension_id: str, address: str) -> bool:
    """Whether the extension may be answered at this address: its own origin, with nothing but a plain path."""
    origin = redirect_origin(extension_id)
    return address.startswith(origin) and bool(_PATH.fullmatch(address.removeprefix(origin)))


# What a User-Agent tells, the more telling first: Edge says that it is Chrome, and Chrome that it is Safari.
_BROWSERS = (
    ("Edge", r"Edg/(\d+)"),
    ("Firefox", r"Firefox/(\d+)"),
    ("Chrome", r"Chrome/(\d+)"),
    ("Safari", r"Version/(\d+)"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iOS", "iPhone|iPad"),
    ("Windows", "Windows"),
    ("macOS", "Mac OS X"),
    ("Linux", "Linux"),
)


def device(user_agent: str) -> str:
    """Return a User-Agent as people read it, "Chrome 143, Linux"; what says nothing known, as it is, cut short."""
    browsers = ((name, re.search(pattern, user_agent)) for name, pattern in _BROWSERS)
    browser = next((f"{name} {found[1]}" for name, found in browsers if found), "")
    system = next((name for name, pattern in _SYSTEMS if re.search(pattern, user_agent)), "")
    return ", ".join(filter(None, (browser, system))) or user_agent[:80]


# --- notifications --------------------------------------------------------------------------------------------------

# What one hears of, and how: on the notifications page alone, by e-mail as well (at once, or with the others in the
# morning), or not at all. New enquiries stand in the inbox anyway: who wants them here as well says so.
NOTIFICATION_KINDS = ("new", "assigned", "mentioned")
HOWS = ("none", "app", "mail", "daily")
USUAL = {"new": "none", "assigned": "app", "mentioned": "mail"}
# What becomes of a notification by e-mail: it is due, waits for the morning, is on its way, is out; empty: none.
MAIL_STATES = ("", "due", "daily", "sending", "sent")
DIGEST_HOUR = 7


def digest_due(local: dt.datetime, last: dt.date | None) -> bool:
    """Whether the morning's e-mail is due to somebody whose clock says `local`, and who had the last one on `last`."""
    return local.hour >= DIGEST_HOUR and (last is None or last < local.date())


# --- mentions -------------------------------------------------------------------------------------------------------

_MENTION = re.compile(r"<@([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})>")


def mention(text: str, names: Mapping[UUID, str]) -> tuple[str, set[UUID]]:
    """Return a text with each `@name` of these people as `<@id>`, and whose names stood there.

    The longest name counts: of Ann and Ann Lee it is Ann Lee. Capitals and the width of spaces do not matter; a name
    ends where its letters end, so that @Anna is not Ann. A first name stands for somebody where nobody else has it.
    """
    by_name: dict[str, set[UUID]] = {}
    for id, name in names.items():
        whole = " ".join(name.split()).casefold()
        for each in {whole, whole.partition(" ")[0]} - {""}:
            by_name.setdefault(each, set()).add(id)
    # Who is called so wholly goes before whose first name it is.
    for id, name in names.items():
        whole = " ".join(name.split()).casefold()
        alone = [other for other, theirs in names.items() if " ".join(theirs.split()).casefold() == whole]
        if whole and len(alone) == 1:
            by_name[whole] = {id}
    known = {name: ids for name, ids in by_name.items() if len(ids) == 1}
    if not known:
        return text, set()
    words = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in sorted(known, key=len, reverse=True))
    found: set[UUID] = set()

    def put(match: re.Match[str]) -> str:
        [id] = known[" ".join(match[1].split()).casefold()]
        found.add(id)
        return f"<@{id}>"

    told = re.sub(rf"(?<![\w@.])@({words})(?!\w)", put, text, flags=re.IGNORECASE)
    return told, found


def unmention(text: str) -> str:
    """Return a text of `mention` without the people in it."""
    return _MENTION.sub(" ", text)


def with_names(text: str, names: Mapping[UUID, str]) -> list[tuple[str, bool]]:
    """Return a text of `mention` in parts: (words, whether they are somebody's name). Unknown ids stay as they are."""
    parts: list[tuple[str, bool]] = []
    at = 0
    for match in _MENTION.finditer(text):
        name = names.get(UUID(match[1]), "")
        if not name:
            continue
        parts += [(text[at : match.start()], False), (f"@{name}", True)]
        at = match.end()
    return [part for part in (*parts, (text[at:], False)) if part[0]]
