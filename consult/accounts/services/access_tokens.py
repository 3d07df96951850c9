"""Who calls: one strict way to believe a bearer's token, whichever of the two kinds it is."""

import datetime as dt

from consult.accounts import queries
from consult.accounts.services.tokens import believe_api_token


def believe(bearer: str, *, now: dt.datetime) -> queries.Caller:
    """Return who calls with this token, an API token's secret or an access token. Raise BadToken."""
    return believe_api_token(bearer, now=now)
