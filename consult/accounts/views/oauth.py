"""OAuth 2.0 for the browser extension: RFC 6749 with PKCE (RFC 7636), 7009, 7517, 8414 and 9207."""

import base64
import dataclasses
import datetime as dt
import re
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.cache import cache
from django.core.exceptions import (
    BadRequest,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consult.accounts import queries, rules, services
from consult.core import origin

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
STATE_LENGTH = 1_000
# A program refreshes every ten minutes; an office behind one address may have many of them.
REQUESTS_PER_MINUTE = 120


class Refused(Exception):
    """A request that is answered with one of RFC 6749's errors."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.description, self.status = error, description, status


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a program asks of the member, checked."""

    client_id: str
    redirect_uri: str
    challenge: str
    scopes: list[str]
    state: str
    prompt: str


def _one(given: QueryDict, name: str, *, needed: bool = True) -> str:
    """Return a parameter that is there at most once. Raise Refused."""
    values = given.getlist(name)
    if len(values) > 1:
        raise Refused("invalid_request", f"{name} is there twice.")
    if needed and not (values and values[0]):
        raise Refused("invalid_request", f"{name} is missing.")
    return str(values[0]) if values else ""


def _client(given: QueryDict) -> str:
    client_id = _one(given, "client_id")
    if client_id not in settings.CONSULT_EXTENSION_IDS:
        raise Refused("invalid_client", "This program is not known here.", 401)
    return client_id


def _scopes(text: str) -> list[str]:
    scopes = list(dict.fromkeys(text.split())) or list(rules.PROGRAM_SCOPES)
    if not set(scopes) <= set(rules.PROGRAM_SCOPES):
        raise Refused("invalid_scope", f"The scopes are: {' '.join(rules.PROGRAM_SCOPES)}.")
    return scopes


# --- in the browser ---


@never_cache
@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """Ask the member whether the program may act for them; once, as long as a sign-in of it stands."""
    now = dt.datetime.now(dt.UTC)
    try:
        client_id, redirect_uri = _where(request.GET)
    except Refused as refused:
        # Whoever sent the browser here is not to be trusted with it.
        return render(request, "accounts/authorize_refused.html", {"why": refused.description}, status=400)
    state = (request.GET.getlist("state") or [""])[0]
    try:
        asked = _asked(request.GET, client_id, redirect_uri)
    except Refused as refused:
        state = state if len(state) <= STATE_LENGTH else ""
        return _back(redirect_uri, state, error=refused.error, error_description=refused.description)
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    memberships = [each for each in queries.memberships(request.user.pk) if each.member_id]
    if request.method == "POST":
        return _decided(request, asked, memberships, now)
    known = [each for each in memberships if _has_consented(each, asked, now)]
    if len(known) == 1 and asked.prompt != "consent":
        return _onward(request, _granted(asked, known[0], now))
    return _page(request, asked, memberships)


def _where(given: QueryDict) -> tuple[str, str]:
    client_id, redirect_uri = _client(given), _one(given, "redirect_uri")
    if not rules.is_redirect(client_id, redirect_uri):
        raise Refused("invalid_request", "The address to go back to is not this program's own.")
    return client_id, redirect_uri


def _asked(given: QueryDict, client_id: str, redirect_uri: str) -> Asked:
    if _one(given, "response_type") != "code":
        raise Refused("unsupported_response_type", "Only response_type=code is known here.")
    challenge = _one(given, "code_challenge")
    if _one(given, "code_challenge_method") != "S256" or not CHALLENGE.fullmatch(challenge):
        raise Refused("invalid_request", "PKCE with code_challenge_method=S256 is needed.")
    state = _one(given, "state", needed=False)
    if len(state) > STATE_LENGTH:
        raise Refused("invalid_request", "state is too long.")
    scopes = _scopes(_one(given, "scope", needed=False))
    return Asked(client_id, redirect_uri, challenge, scopes, state, _one(given, "prompt", needed=False))


def _has_consented(here: queries.Membership, asked: Asked, now: dt.datetime) -> bool:
    return here.member_id is not None and services.has_consented(
        agency_id=here.agency_id,
        member_id=here.member_id,
        client_id=asked.client_id,
        scopes=_within(asked.scopes, here.role),
        now=now,
    )


def _within(scopes: list[str], role: str) -> list[str]:
    return [scope for scope in scopes if scope in rules.scopes_of(role)]


def _decided(
    request: HttpRequest, asked: Asked, memberships: list[queries.Membership], now: dt.datetime
) -> HttpResponse:
    if request.POST.get("decision") != "allow":
        return _back(asked.redirect_uri, asked.state, error="access_denied", error_description="The member said no.")
    chosen = next((each for each in memberships if each.slug == request.POST.get("agency")), None)
    if chosen is None:
        return _page(request, asked, memberships, problem=_("Choose the agency that it may work in."))
    return _granted(asked, chosen, now)


def _page(request: HttpRequest, asked: Asked, memberships: list[queries.Membership], problem: str = "") -> HttpResponse:
    context = {
        "asked": asked,
        "memberships": memberships,
        "problem": problem,
        "writes": "write" in asked.scopes,
        "chosen": request.POST.get("agency", ""),
    }
    response = render(request, "accounts/authorize.html", context, status=422 if problem else 200)
    # Chromium holds the answer to the form to this as well, and the answer leads back to the program.
    origin = rules.redirect_origin(asked.client_id)
    response._csp_update = {"form-action": [origin]}  # type: ignore[attr-defined]
    return response


def _granted(asked: Asked, here: queries.Membership, now: dt.datetime) -> HttpResponse:
    if here.member_id is None:
        raise TypeError("a person is always a member")
    code = services.authorize(
        agency_id=here.agency_id,
        member_id=here.member_id,
        client_id=asked.client_id,
        redirect_uri=asked.redirect_uri,
        challenge=asked.challenge,
        scopes=_within(asked.scopes, here.role),
        now=now,
    )
    return _back(asked.redirect_uri, asked.state, code=code)


def _back(redirect_uri: str, state: str, **answer: str) -> HttpResponse:
    """Lead the browser back to the program, with who answers (RFC 9207)."""
    parameters = {**answer, **({"state": state} if state else {}), "iss": settings.CONSULT_OFFICE_URL}
    return HttpResponse(
        status=303,
        headers={
            "Location": f"{redirect_uri}?{urlencode(parameters)}",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        },
    )


def _onward(request: HttpRequest, back: HttpResponse) -> HttpResponse:
    """Redirect, or right after our own sign-in form lead on by a page.

    Chromium holds a whole chain of redirects to the form-action of the page that it began on, and the sign-in page
    knows no program's origin.
    """
    if request.headers.get("Sec-Fetch-Site") != "same-origin":
        return back
    return render(request, "accounts/authorize_continue.html", {"address": back["Location"]})


# --- from the program ---


@csrf_exempt
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """Exchange a code or a refresh token for an access token. No cookie is looked at."""
    try:
        _limit(request)
        issued = _issued(request, dt.datetime.now(dt.UTC))
    except Refused as refused:
        return _refusal(refused)
    return _json(
        {
            "access_token": issued.access_token,
            "token_type": "Bearer",
            "expires_in": issued.expires_in,
            "refresh_token": issued.refresh_token,
            "scope": " ".join(issued.scopes),
        }
    )


def _issued(request: HttpRequest, now: dt.datetime) -> services.Issued:
    given = _form(request)
    kind, client_id = _one(given, "grant_type"), _client(given)
    device = services.Device(request.headers.get("User-Agent", ""), request.META.get("REMOTE_ADDR", ""))
    try:
        if kind == "authorization_code":
            code, redirect_uri = _one(given, "code"), _one(given, "redirect_uri")
            verifier = _one(given, "code_verifier")
            if not VERIFIER.fullmatch(verifier):
                raise Refused("invalid_request", "code_verifier has 43 to 128 letters, digits or - . _ ~.")
            return services.exchange_code(
                code=code, client_id=client_id, redirect_uri=redirect_uri, verifier=verifier, device=device, now=now
            )
        if kind == "refresh_token":
            secret, scopes = _one(given, "refresh_token"), _one(given, "scope", needed=False).split()
            return services.refresh(token=secret, client_id=client_id, device=device, now=now, scopes=scopes)
    except services.BadGrant:
        raise Refused("invalid_grant", "This code or refresh token gives nothing, or no longer.") from None
    except services.BadScopes:
        raise Refused("invalid_scope", "That is more than was granted.") from None
    raise Refused("unsupported_grant_type", "It is authorization_code or refresh_token.")


@csrf_exempt
@require_POST
def revoke(request: HttpRequest) -> HttpResponse:
    """Sign the program out (RFC 7009): 200 also for a token that nobody knows."""
    try:
        _limit(request)
        given = _form(request)
        client_id, secret = _client(given), _one(given, "token")
    except Refused as refused:
        return _refusal(refused)
    services.revoke(token=secret, client_id=client_id, now=dt.datetime.now(dt.UTC))
    return HttpResponse(headers={"Cache-Control": "no-store"})


def _form(request: HttpRequest) -> QueryDict:
    """Return what was sent. Raise Refused for what is no form (RFC 6749, 5.2: also that is answered in JSON)."""
    try:
        return request.POST
    except (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent):
        raise Refused("invalid_request", "That is too much for a form.", 413) from None
    except (BadRequest, SuspiciousOperation, MultiPartParserError, LookupError, UnicodeError):
        raise Refused("invalid_request", "Send application/x-www-form-urlencoded, in UTF-8.") from None


def _limit(request: HttpRequest) -> None:
    """Count the address's requests of this minute. Raise Refused. Two at once may be counted as one: it is a brake."""
    now = dt.datetime.now(dt.UTC)
    key = f"oauth:{origin.sender(request.META.get('REMOTE_ADDR', ''))}:{now:%H%M}"
    if not cache.add(key, 1, timeout=120):
        try:
            if cache.incr(key) > REQUESTS_PER_MINUTE:
                raise Refused("temporarily_unavailable", "Too many requests; wait a minute.", 429)
        except ValueError:
            # It went out between the two.
            return


def _refusal(refused: Refused) -> JsonResponse:
    response = _json({"error": refused.error, "error_description": refused.description}, refused.status)
    if refused.status == 429:
        response["Retry-After"] = "60"
    return response


def _json(document: dict[str, Any], status: int = 200) -> JsonResponse:
    return JsonResponse(document, status=status, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


# --- for everybody ---


@require_GET
def jwks(request: HttpRequest) -> HttpResponse:
    """The public keys, RFC 7517; the next one is among them long before it signs."""
    keys = [_jwk(kid, pem) for kid, pem in queries.public_keys().items()]
    return _published({"keys": keys})


def _jwk(kid: str, pem: str) -> dict[str, str]:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError("a signing key is not an elliptic curve key")
    numbers = key.public_numbers()
    x, y = (
        base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode() for number in (numbers.x, numbers.y)
    )
    return {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": x, "y": y}


@require_GET
def metadata(request: HttpRequest) -> HttpResponse:
    """Where everything is, RFC 8414."""
    office = settings.CONSULT_OFFICE_URL
    return _published(
        {
            "issuer": office,
            "authorization_endpoint": f"{office}/oauth/authorize",
            "token_endpoint": f"{office}/oauth/token",
            "revocation_endpoint": f"{office}/oauth/revoke",
            "jwks_uri": f"{office}/.well-known/jwks.json",
            "scopes_supported": list(rules.PROGRAM_SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
    )


def _published(document: dict[str, Any]) -> JsonResponse:
    seconds = int(services.JWKS_MAX_AGE.total_seconds())
    return JsonResponse(document, headers={"Cache-Control": f"public, max-age={seconds}"})
