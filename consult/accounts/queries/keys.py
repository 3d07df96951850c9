"""The keys that sign tokens."""

import dataclasses
import datetime as dt

from consult.accounts import models


@dataclasses.dataclass(frozen=True)
class SigningKey:
    """A signing key without its private part; `state` is one of rules.KEY_STATES."""

    kid: str
    state: str
    public_key: str
    created_at: dt.datetime
    not_before: dt.datetime
    activated_at: dt.datetime | None
    retired_at: dt.datetime | None
    revoked_at: dt.datetime | None


def signing_keys() -> list[SigningKey]:
    """Return every key there is, oldest first."""
    names = [field.name for field in dataclasses.fields(SigningKey)]
    return [SigningKey(**row) for row in models.SigningKey.objects.order_by("created_at", "kid").values(*names)]


def public_keys() -> dict[str, str]:
    """Return the PEMs of the keys that are believed, by kid; the next one is among them before it signs."""
    found = models.SigningKey.objects.exclude(state="revoked").order_by("created_at")
    return dict(found.values_list("kid", "public_key"))
