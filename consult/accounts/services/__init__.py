"""Writes of accounts, by noun."""

from consult.accounts.services.access_tokens import believe
from consult.accounts.services.agencies import BadName, NameTaken, add_member, create_agency
from consult.accounts.services.audit import changes, record, record_each
from consult.accounts.services.grants import (
    BadGrant,
    Device,
    Issued,
    authorize,
    exchange_code,
    forget_grants,
    has_consented,
    refresh,
    revoke,
    revoke_grant,
    revoke_of_member,
)
from consult.accounts.services.keys import (
    JWKS_MAX_AGE,
    LIVE_TOKEN_LIFE,
    NoSuchKey,
    TooEarly,
    live_token,
    revoke_key,
    rotate_keys,
    tend_keys,
)
from consult.accounts.services.people import (
    SIGN_IN_LINK_LIFE,
    LinkSpent,
    create_sign_in_link,
    create_user,
    use_sign_in_link,
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
    "JWKS_MAX_AGE",
    "LIVE_TOKEN_LIFE",
    "SIGN_IN_LINK_LIFE",
    "BadGrant",
    "BadName",
    "BadScopes",
    "BadToken",
    "Device",
    "Issued",
    "LinkSpent",
    "NameTaken",
    "NoSuchKey",
    "NoSuchToken",
    "TooEarly",
    "add_member",
    "authorize",
    "believe",
    "believe_api_token",
    "changes",
    "create_agency",
    "create_api_token",
    "create_sign_in_link",
    "create_user",
    "exchange_code",
    "forget_grants",
    "has_consented",
    "live_token",
    "record",
    "record_each",
    "refresh",
    "revoke",
    "revoke_api_token",
    "revoke_grant",
    "revoke_key",
    "revoke_of_member",
    "rotate_keys",
    "tend_keys",
    "use_sign_in_link",
]
