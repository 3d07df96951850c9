"""A real Chromium in front of the running installation and the built coffee shop."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import ROOT, Running, eventually

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Nothing but this machine: a page that asks for anything else fails at once.
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
ARTIFACTS = ROOT / "artifacts"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Gone before other tests come: while Playwright runs, Django takes this thread for an asynchronous one."""
    program = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    assert program, "No Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=[OFFLINE])
        yield started
        started.close()


@pytest.fixture(scope="session")
def site(running: Running) -> str:
    """The address of the coffee shop, which `consult up` builds after everything else runs."""
    return str(eventually(lambda: running.facts["site"], seconds=120))


@pytest.fixture
def staff(running: Running, browser: Browser) -> Iterator[Page]:
    """A browser tab of the demo owner, in the inbox. A page error or a refused script fails the test."""
    errors: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(running.sign_in_link())
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def picture(page: Page, name: str) -> None:
    """Keep what the page looks like among the test's artifacts."""
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=Path(ARTIFACTS / f"{name}.png"), full_page=True)
