"""Writes of accounts, by noun."""

from consult.accounts.services.access_tokens import believe
from consult.accounts.services.agencies import BadName, NameTaken, add_member, create_agency
from consult.accounts.services.audit import record, record_each
from consult.accounts.services.keys import LIVE_TOKEN_LIFE, live_token
from consult.accounts.services.people import (
    SIGN_IN_LINK_LIFE,
    LinkSpent,
    create_sign_in_link,
    create_user,
    use_sign_in_link,
)
from consult.accounts.services.repeats import (
    InProgress,
    Kept,
    KeyReused,
    claim_idempotency_key,
    keep_answer,
    sweep_idempotency_keys,
)
from consult.accounts.services.tokens import (
    BadScopes,
    BadToken,
    NoSuchToken,
    believe_api_token,
    create_api_token,
    revoke_api_token,
)

__all__ = [
    "LIVE_TOKEN_LIFE",
    "SIGN_IN_LINK_LIFE",
    "BadName",
    "BadScopes",
    "BadToken",
    "InProgress",
    "Kept",
    "KeyReused",
    "LinkSpent",
    "NameTaken",
    "NoSuchToken",
    "add_member",
    "believe",
    "believe_api_token",
    "claim_idempotency_key",
    "create_agency",
    "create_api_token",
    "create_sign_in_link",
    "create_user",
    "keep_answer",
    "live_token",
    "record",
    "record_each",
    "revoke_api_token",
    "sweep_idempotency_keys",
    "use_sign_in_link",
]
