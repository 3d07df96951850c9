"""A browser extension that signs in: its side of OAuth, through the test's own client."""

import dataclasses
import datetime as dt
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client
from django.utils.http import urlencode

from consult.accounts import services

ID = "abcdefghijklmnopabcdefghijklmnop"
REDIRECT = f"https://{ID}.chromiumapp.org/signed-in"
# The pair of RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
ASKED = {
    "response_type": "code",
    "client_id": ID,
    "redirect_uri": REDIRECT,
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "scope": "read write",
    "state": "xyz",
}


def answer(response: Any) -> dict[str, str]:
    """What the browser brings back to the extension."""
    assert response.status_code == 303, response.content
    address = urlsplit(response["Location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == REDIRECT
    return {name: value for name, [value] in parse_qs(address.query).items()}


def consent(browser: Client, agency: str = "a", **changes: str) -> str:
    """Say yes in this browser; return the code."""
    response = browser.post(f"/oauth/authorize?{urlencode(ASKED | changes)}", {"decision": "allow", "agency": agency})
    return answer(response)["code"]


def exchange(code: str, **changes: str) -> Any:
    given = {
        "grant_type": "authorization_code",
        "client_id": ID,
        "redirect_uri": REDIRECT,
        "code": code,
        "code_verifier": VERIFIER,
    }
    return Client().post("/oauth/token", given | changes, headers={"User-Agent": "Extension 1"})


def refresh(token: str, **changes: str) -> Any:
    return Client().post(
        "/oauth/token", {"grant_type": "refresh_token", "client_id": ID, "refresh_token": token} | changes
    )


@dataclasses.dataclass(frozen=True)
class SignedIn:
    access_token: str
    refresh_token: str


def sign_in(browser: Client, agency: str = "a") -> SignedIn:
    """Everything from consent to tokens."""
    told: dict[str, Any] = exchange(consent(browser, agency)).json()
    return SignedIn(told["access_token"], told["refresh_token"])


def works(token: str, now: dt.datetime | None = None) -> bool:
    try:
        services.believe(token, now=now or dt.datetime.now(dt.UTC))
    except services.BadToken:
        return False
    return True
