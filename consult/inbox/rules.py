"""Who may be answered by a program, and what went wrong with an e-mail."""

import re
import smtplib
import ssl
from collections.abc import Collection
from typing import Any

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
