"""The extension signs in through a real browser: consent, code, tokens, refresh, and what happens to a stolen token.

`identity.launchWebAuthFlow` opens a window and takes the address that the browser is sent to; here a route does that.
"""

import base64
import hashlib
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Error, Page, Request, Route, expect

from tests.conftest import EXTENSION_ID, ROOT, Running
from tests.e2e.conftest import picture

OWNER = "owner@demo.example"
PASSWORD = secrets.token_urlsafe(16)
REDIRECT = f"https://{EXTENSION_ID}.chromiumapp.org/signed-in"


class Extension:
    """What the extension does itself: PKCE, state, and HTTP of its own."""

    def __init__(self, office: str) -> None:
        self.http = httpx.Client(base_url=office)
        self.verifier, self.state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        self.caught: list[str] = []

    def address(self, **more: str) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": EXTENSION_ID,
            "redirect_uri": REDIRECT,
            "scope": "read write",
            "state": self.state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{self.http.base_url}/oauth/authorize?{urlencode(asked | more)}"

    def hear(self, request: Request) -> None:
        if request.url.startswith(REDIRECT):
            self.caught.append(request.url)

    def catch(self, route: Route) -> None:
        route.fulfill(status=200, content_type="text/html", body="<title>caught</title>")

    def answer(self) -> dict[str, str]:
        address = urlsplit(self.caught.pop())
        assert f"{address.scheme}://{address.netloc}{address.path}" == REDIRECT
        told = {name: value for name, [value] in parse_qs(address.query).items()}
        assert told.pop("state") == self.state
        return told

    def exchange(self, code: str) -> httpx.Response:
        return self.token(
            grant_type="authorization_code", code=code, redirect_uri=REDIRECT, code_verifier=self.verifier
        )

    def refresh(self, token: str) -> httpx.Response:
        return self.token(grant_type="refresh_token", refresh_token=token)

    def token(self, **given: str) -> httpx.Response:
        return self.http.post("/oauth/token", data={"client_id": EXTENSION_ID, **given})


@pytest.fixture
def extension(running: Running) -> Iterator[Extension]:
    made = Extension(running.facts["office"])
    yield made
    made.http.close()


def window(page: Page, extension: Extension) -> Page:
    page.on("request", extension.hear)
    page.context.route(f"https://{EXTENSION_ID}.chromiumapp.org/**", extension.catch)
    return page


def sign_in(page: Page, extension: Extension) -> dict[str, Any]:
    page.goto(extension.address(prompt="consent"))
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page).to_have_title("caught")
    told: dict[str, Any] = extension.exchange(extension.answer()["code"]).json()
    return told


def give_password(running: Running) -> None:
    change = (
        "from consult.accounts.models import User;"
        f"user = User.objects.get(email={OWNER!r}); user.set_password({PASSWORD!r}); user.save()"
    )
    subprocess.run([sys.executable, "manage.py", "shell", "-c", change], cwd=ROOT, env=running.environment, check=True)


def test_the_whole_sign_in(staff: Page, extension: Extension, running: Running) -> None:
    page = window(staff, extension)
    page.goto(extension.address())
    expect(page.get_by_role("heading", name="Sign in the browser extension?")).to_be_visible()
    picture(page, "authorize")
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page).to_have_title("caught")
    told = extension.answer()
    assert told["iss"] == running.facts["office"]
    first = extension.exchange(told["code"]).json()
    assert first["token_type"] == "Bearer"

    # A second time nobody is asked: the browser is sent straight back, to a host that is only there in an extension's
    # window (and Playwright's routes see no redirect of an address that was typed in).
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        page.goto(extension.address())
    assert "code" in extension.answer()

    second = extension.refresh(first["refresh_token"]).json()
    third = extension.refresh(second["refresh_token"]).json()
    page.goto(f"{running.facts['office']}/demo/settings/tokens/")
    expect(page.get_by_text("Browser extension", exact=False).first).to_be_visible()
    picture(page, "tokens")

    # Somebody else has the first one: both are out.
    assert extension.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert extension.refresh(third["refresh_token"]).json()["error"] == "invalid_grant"
    page.reload()
    expect(page.get_by_text("None. The extension appears here")).to_be_visible()


def test_no(staff: Page, extension: Extension) -> None:
    page = window(staff, extension)
    page.goto(extension.address(prompt="consent"))
    page.get_by_role("button", name="Do not allow").click()
    expect(page).to_have_title("caught")
    assert extension.answer()["error"] == "access_denied"


def test_signed_out_at_the_page(staff: Page, extension: Extension, running: Running) -> None:
    page = window(staff, extension)
    tokens = sign_in(page, extension)
    page.goto(f"{running.facts['office']}/demo/settings/tokens/")
    page.get_by_role("button", name=re.compile("^Sign out this program")).first.click()
    expect(page.get_by_text("The program is signed out.")).to_be_visible()
    assert extension.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_through_the_sign_in_page(staff: Page, browser: Browser, extension: Extension, running: Running) -> None:
    """Consent was given before, the session is over: from the sign-in form straight back to the extension."""
    sign_in(window(staff, extension), extension)
    context = browser.new_context()
    page = window(context.new_page(), extension)
    violations: list[str] = []
    page.on("console", lambda message: violations.append(message.text) if message.type == "error" else None)
    give_password(running)
    page.goto(extension.address())
    page.get_by_label("E-mail").fill(OWNER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_title("caught")
    assert "code" in extension.answer()
    assert violations == []
    context.close()


def test_an_api_token_is_shown_once(staff: Page, running: Running) -> None:
    staff.goto(f"{running.facts['office']}/demo/settings/tokens/new/")
    staff.get_by_label("Name", exact=True).fill("Nightly report")
    picture(staff, "token-new")
    staff.get_by_role("button", name="Make the token").click()
    secret = staff.locator("#secret").inner_text()
    assert re.fullmatch(r"cst_[A-Za-z0-9_-]{43}", secret)
    expect(staff.get_by_role("button", name="Copy the secret")).to_be_visible()
    picture(staff, "token-made")
    staff.get_by_role("link", name="I have copied it").click()
    row = staff.get_by_role("listitem").filter(has_text="Nightly report")
    expect(row).to_contain_text(secret[-4:])
    assert secret not in staff.content()
    row.get_by_role("button", name="Revoke Nightly report").click()
    expect(staff.get_by_text("The token is revoked")).to_be_visible()
