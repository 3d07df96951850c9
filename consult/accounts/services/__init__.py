"""Writes of accounts, by noun."""

from consult.accounts.services.agencies import BadName, NameTaken, add_member, create_agency
from consult.accounts.services.audit import changes, record, record_each
from consult.accounts.services.keys import LIVE_TOKEN_LIFE, live_token
from consult.accounts.services.people import (
    SIGN_IN_LINK_LIFE,
    LinkSpent,
    create_sign_in_link,
    create_user,
    use_sign_in_link,
)
from consult.accounts.services.tokens import BadScopes, BadToken, believe_api_token, create_api_token

__all__ = [
    "LIVE_TOKEN_LIFE",
    "SIGN_IN_LINK_LIFE",
    "BadName",
    "BadScopes",
    "BadToken",
    "LinkSpent",
    "NameTaken",
    "add_member",
    "believe_api_token",
    "changes",
    "create_agency",
    "create_api_token",
    "create_sign_in_link",
    "create_user",
    "live_token",
    "record",
    "record_each",
    "use_sign_in_link",
]
