"""Where mail comes in: the addresses of enquiries and forms, and the agency's hook."""

import datetime as dt
import hashlib
import hmac
from uuid import UUID

from django.conf import settings

from consult.core import encryption, tenancy
from consult.inbox import models, rules
from consult.intake import queries as intake

# How long the secret before the last renewal is believed: time to tell the mail server.
HOOK_OVERLAP = dt.timedelta(days=1)
# RFC 5321: of the part before the @.
LONGEST_LOCAL = 64


def token_keys() -> list[bytes]:
    return encryption.derived("mail token")


def answer_address(agency_id: int, *, number: int | None = None, form_id: UUID | None = None) -> str:
    """Return the address at which mail for an enquiry or a form comes in; empty where none does."""
    return _named_address(*_inbound(agency_id), rules.Named(agency_id, number, form_id))


def takes_mail(agency_id: int) -> str:
    """Return the address by way of which mail comes in; empty where none does."""
    return _inbound(agency_id)[0]


def _inbound(agency_id: int) -> tuple[str, bool]:
    """Return the address, and whether what is for name+anything@ comes to it: the agency's own, else the house's."""
    # One that was never opened may be somebody else's, or nobody's.
    with tenancy.agency(agency_id):
        own = models.Mailbox.objects.filter(agency_id=agency_id, uid_validity__isnull=False)
        return own.values_list("address", "plus").first() or (settings.CONSULT_MAIL_INBOUND, True)


def _named_address(address: str, plus: bool, named: rules.Named) -> str:
    local, _at, domain = address.partition("@")
    with_token = f"{local}+{rules.token(named, token_keys()[0])}"
    if address and plus and len(with_token) <= LONGEST_LOCAL:
        return f"{with_token}@{domain}"
    # An answer without a token is still known by the id that it answers; a form is not.
    return address if named.number is not None else ""


def form_addresses(agency_id: int) -> list[tuple[str, str]]:
    """Return (site and form, address at which a mail becomes an enquiry of that form)."""
    inbound = _inbound(agency_id)
    found = [
        (f"{label.site_name} · {label.form_name}", _named_address(*inbound, rules.Named(agency_id, form_id=id)))
        for id, label in intake.form_labels(agency_id).items()
    ]
    return sorted(each for each in found if each[1])


def hook(agency_id: int, *, now: dt.datetime | None = None) -> tuple[str, str]:
    """Return the id in the address of the agency's hook for mail, and the secret that signs for it."""
    return rules.token(rules.Named(agency_id), token_keys()[0]), hook_secrets(agency_id, now=now)[0]


def hook_renewed_at(agency_id: int) -> dt.datetime | None:
    """Return when the secret was renewed last."""
    return models.Hook.objects.filter(agency_id=agency_id).values_list("renewed_at", flat=True).first()


def hook_secrets(agency_id: int, *, now: dt.datetime | None = None) -> list[str]:
    """Return the secrets that a hook believes: one of each of our keys, the first one shown.

    After a renewal also those before it, for HOOK_OVERLAP.
    """
    now = now or dt.datetime.now(dt.UTC)
    with tenancy.agency(agency_id):
        row = models.Hook.objects.filter(agency_id=agency_id).first()
    generations = [row.generation] if row else [0]
    if row and now < row.renewed_at + HOOK_OVERLAP:
        generations.append(row.generation - 1)
    keys = encryption.derived("mail hook")
    return [_secret(key, agency_id, generation) for generation in generations for key in keys]


def _secret(key: bytes, agency_id: int, generation: int) -> str:
    # The first one is as it was before secrets could be renewed.
    said = f"{agency_id}/{generation}" if generation else str(agency_id)
    return f"mail_{hmac.new(key, said.encode(), hashlib.sha256).hexdigest()}"


def hook_agency(hook_id: str) -> int | None:
    """Return whose hook this is; None when it is nobody's."""
    named = rules.named_in(hook_id, token_keys()) if len(hook_id) == 32 else None
    return named.agency_id if named and named.number is None and named.form_id is None else None
