"""Ways in that need a real browser: passkeys with a virtual authenticator, and GitHub with its redirects."""

import re
import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, CDPSession, ConsoleMessage, Page, expect

from tests.conftest import Running, eventually
from tests.e2e.conftest import picture
from tests.github import GitHub

PASSWORD = "correct horse battery staple"


@pytest.fixture
def office(running: Running) -> str:
    """Passkeys are bound to a name, which an address of numbers is not."""
    return str(running.facts["office"]).replace("127.0.0.1", "localhost")


def is_ours(message: ConsoleMessage) -> bool:
    """An error, other than that the edge streams to pages at the office's own address alone."""
    about = message.text + str(message.location)
    return message.type == "error" and "/live?" not in about


@pytest.fixture
def tab(browser: Browser, office: str) -> Iterator[Page]:
    """A tab whose page errors and refused scripts fail the test."""
    errors: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=office)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if is_ours(message) else None)
    yield page
    context.close()
    assert errors == []


def mailed_code(running: Running, email: str) -> str:
    """The code in the last mail to this address, as development keeps it."""

    def found() -> str | None:
        for file in sorted((running.directory / "mail").glob("*.eml"), reverse=True):
            text = file.read_text()
            if f"To: {email}" in text and (code := re.search(r"^([A-Z0-9-]{6,})$", text, re.MULTILINE)):
                return code[1]
        return None

    return str(eventually(found))


def sign_up(page: Page, running: Running) -> str:
    """Sign up as somebody new, as a person does; return their address."""
    name = f"nina-{secrets.token_hex(4)}"
    page.goto("/accounts/signup/")
    page.get_by_label("Your name").fill("Nina Petrov")
    page.get_by_label("E-mail").fill(f"{name}@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Name of your agency").fill(name)
    page.get_by_role("button", name="Sign up", exact=True).click()
    expect(page.get_by_role("heading", name="Verify your address")).to_be_visible()
    page.get_by_label("Code").fill(mailed_code(running, f"{name}@example.com"))
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url(f"**/{name}/inbox/")
    return f"{name}@example.com"


def authenticator(page: Page) -> CDPSession:
    """Give this tab a device with a fingerprint reader that always knows its owner."""
    session: CDPSession = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


def add_passkey(page: Page) -> None:
    page.goto("/accounts/passkeys/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name").fill("work laptop")
    page.get_by_role("button", name="Create the passkey").click()
    # The first one comes with recovery codes.
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    expect(page.locator("#recovery-codes li")).to_have_count(10)


def sign_out(page: Page) -> None:
    page.goto("/accounts/")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile(r"localhost:\d+/$"))


def test_a_passkey_signs_in_alone(running: Running, tab: Page) -> None:
    email = sign_up(tab, running)
    authenticator(tab)
    add_passkey(tab)
    picture(tab, "recovery-codes")
    sign_out(tab)
    tab.goto("/accounts/login/")
    tab.get_by_role("button", name="Sign in with a passkey").click()
    tab.wait_for_url(f"**/{email.partition('@')[0]}/inbox/")
    tab.goto("/accounts/passkeys/")
    expect(tab.get_by_text("work laptop").first).to_be_visible()
    expect(tab.get_by_text("last used")).to_be_visible()
    picture(tab, "passkeys")


def test_a_passkey_is_the_second_factor_after_the_password(running: Running, tab: Page) -> None:
    email = sign_up(tab, running)
    device = authenticator(tab)
    add_passkey(tab)
    sign_out(tab)
    tab.goto("/accounts/login/")
    tab.get_by_label("E-mail").fill(email)
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in", exact=True).click()
    expect(tab.get_by_role("heading", name="One more step")).to_be_visible()
    # Nothing is open before that.
    tab.goto("/accounts/")
    expect(tab.get_by_role("heading", name="One more step")).to_be_visible()
    tab.get_by_role("button", name="Use your passkey").click()
    tab.wait_for_url(f"**/{email.partition('@')[0]}/inbox/")
    # What is sensitive is asked for again, and the passkey answers that as well.
    tab.goto("/accounts/2fa/recovery-codes/generate/")
    tab.get_by_role("link", name="With a passkey").click()
    tab.get_by_role("button", name="Use your passkey").click()
    expect(tab.get_by_role("heading", name="Make new recovery codes?")).to_be_visible()
    device.detach()


def test_a_device_that_knows_nothing_gets_a_clear_answer(running: Running, browser: Browser, office: str) -> None:
    context = browser.new_context(base_url=office)
    page = context.new_page()
    session = authenticator(page)
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").fill("typed@example.com")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
    expect(page.get_by_label("E-mail")).to_have_value("typed@example.com")
    session.detach()
    context.close()


def test_github_signs_up_connects_and_signs_in(running: Running, github: GitHub, browser: Browser) -> None:
    login = f"octo-{secrets.token_hex(4)}"
    github.add(secrets.randbelow(10**9), login, (f"{login}@example.com", True, True))
    context = browser.new_context(base_url=running.facts["office"])
    page = context.new_page()
    for step in ("up", "in"):
        page.goto("/accounts/login/")
        page.get_by_role("button", name="Sign in with GitHub").click()
        page.wait_for_url(f"{github.url}/login/oauth/authorize**")
        page.get_by_role("button", name=login).click()
        if step == "up":
            expect(page.get_by_role("heading", name="Almost there")).to_be_visible()
            expect(page.get_by_label("E-mail")).to_have_value(f"{login}@example.com")
            picture(page, "github-sign-up")
            page.get_by_label("Name of your agency").fill(login)
            page.get_by_role("button", name="Sign up").click()
        page.wait_for_url(f"**/{login}/inbox/")
        page.goto("/accounts/")
        expect(page.get_by_text(login, exact=True)).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(re.compile(r":\d+/$"))
    context.close()
