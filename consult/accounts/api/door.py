"""The way into the API: a bearer token, and nothing else, says who calls and in which agency."""

import datetime as dt

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from consult.accounts import queries, rules, services
from consult.core import encryption, origin, tenancy
from consult.core.api import Go, limits
from consult.core.errors import Refused

# Tokens that open nothing, by network: looking each up costs a question to the database.
FAILED_LIMIT = "120/minute"
# What of an answer is given again with it.
REPEATED_HEADERS = ("Content-Type", "ETag", "Location")


def enter(request: HttpRequest, go: Go) -> HttpResponseBase:
    """Let a caller in, count the call, and do the rest inside the token's agency, in one transaction."""
    now = dt.datetime.now(dt.UTC)
    # Whoever a cookie names is nobody here.
    request.user = AnonymousUser()
    caller = _believed(request, now)
    request.caller, request.agency, request.scopes = caller, caller.here, caller.scopes  # type: ignore[attr-defined]
    turns = [limits.Turn("token", settings.CONSULT_API_LIMIT, str(caller.token_id))]
    if caller.here.member_id:
        turns.append(limits.Turn("member", settings.CONSULT_API_MEMBER_LIMIT, str(caller.here.member_id)))
    request.api_headers = limits.spend(turns)  # type: ignore[attr-defined]
    with tenancy.agency(caller.here.agency_id):
        key = request.headers.get("Idempotency-Key")
        return go() if key is None or request.method != "POST" else _once(request, caller, key, go, now)


def _believed(request: HttpRequest, now: dt.datetime) -> queries.Caller:
    scheme, _space, bearer = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Refused("not_signed_in", headers={"WWW-Authenticate": 'Bearer realm="consult"'})
    failed = [limits.Turn("failed", FAILED_LIMIT, origin.sender(request.META.get("REMOTE_ADDR", "")))]
    try:
        return services.believe(bearer.strip(), now=now)
    except services.BadToken:
        # After it was looked at: one broken program must not shut out the others behind its address.
        limits.spend(failed)
        # Which of the reasons it is, is told to nobody.
        challenge = 'Bearer realm="consult", error="invalid_token"'
        raise Refused("not_signed_in", headers={"WWW-Authenticate": challenge}) from None


def _once(request: HttpRequest, caller: queries.Caller, key: str, go: Go, now: dt.datetime) -> HttpResponse:
    """Do it, unless it was done under this key: then answer as the first time."""
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        raise Refused("bad_idempotency_key")
    agency_id = caller.here.agency_id
    # With other rights it is another request: the first answer may hold what these would not get.
    rights = f"{caller.here.role} {' '.join(sorted(caller.scopes))}"
    said = f"{request.method} {request.get_full_path()} {rights}\n".encode() + request.body
    try:
        id, kept = services.claim_idempotency_key(
            agency_id=agency_id, token_id=caller.token_id, key=key, request=said, now=now
        )
    except services.KeyReused:
        raise Refused("idempotency_key_reused") from None
    except services.InProgress:
        raise Refused("in_progress", headers={"Retry-After": "1"}) from None
    except encryption.CannotOpen:
        raise Refused("conflict", "It was done, but the first answer cannot be read any more.") from None
    if kept:
        again = HttpResponse(kept.content, status=kept.status)
        for name, value in kept.headers.items():
            again[name] = value
        return again
    # What is refused leaves this transaction as an exception, and the key is free again.
    response = go()
    if not isinstance(response, HttpResponse):
        raise TypeError("what is kept for a retry is not streamed")
    headers = {name: response[name] for name in REPEATED_HEADERS if name in response}
    services.keep_answer(
        agency_id=agency_id, id=id, status=response.status_code, headers=headers, content=response.content
    )
    return response


def caller(request: HttpRequest) -> queries.Caller:
    """Return who calls."""
    found = getattr(request, "caller", None)
    if not isinstance(found, queries.Caller):
        raise TypeError("not behind the API's door")
    return found


def covers(request: HttpRequest, permission: str) -> bool:
    """Whether the caller's scopes and role both have this permission (rules.PERMISSIONS)."""
    found = caller(request)
    return rules.within(found.scopes, permission) and rules.may(found.here.role, permission)
