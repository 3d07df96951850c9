"""Every page that a link leads to: axe finds nothing in either theme, and at 320 px nothing is scrolled sideways.

Pages find their own way in here: whatever is linked from another one is looked at.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import ROOT, Running, eventually

AXE = ROOT / "assets" / "node_modules" / "axe-core" / "axe.min.js"
# WCAG 2.2 AA, as axe tags its rules: https://github.com/dequelabs/axe-core/blob/develop/doc/API.md#axe-core-tags
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = "rules => axe.run(document, {runOnly: rules}).then(found => found.violations)"
# Colours change in steps: half-way there they have another contrast.
PAINT = """theme => {
  document.documentElement.dataset.theme = theme;
  return Promise.all(document.getAnimations().map(each => each.finished));
}"""
# Not pages; Django's own ones, which superusers see; ways out.
NOT_HERE = re.compile(r"/admin/|/logout/|/raw/|/files/|/mail/.*(html|raw)|\.(csv|json|zip|ics)$|/live-token/|/static/")
FEWEST = 12


def shape(url: str) -> str:
    """Pages that differ by a number or an id alone are one."""
    path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", "…", urlsplit(url).path)
    return path + ("?" + re.sub(r"=[^&]*", "", query) if (query := urlsplit(url).query) else "")


def linked(page: Page, start: str) -> Iterator[str]:
    """Every page of this installation that can be reached by links from `start`, one of each shape."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(start))
    waiting, seen = [start], {shape(start)}
    while waiting:
        url = waiting.pop(0)
        answer = page.goto(url)
        assert answer is not None
        assert answer.ok, f"{url}: {answer.status}"
        yield url
        for href in page.eval_on_selector_all("a[href]", "links => links.map(link => link.href.split('#')[0])"):
            new = shape(href)
            if href.startswith(origin) and new not in seen and not NOT_HERE.search(urlsplit(href).path):
                seen.add(new)
                waiting.append(href)


def look(page: Page, url: str) -> list[str]:
    """What is wrong with the page that is open, in both themes and at the smallest width."""
    found = []
    for theme in ("consult", "consult-dark"):
        page.evaluate(PAINT, theme)
        # Past the policy that keeps scripts of others away: the browser's own door.
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for violation in page.evaluate(RUN, RULES):
            places = [" ".join(node["target"]) for node in violation["nodes"][:3]]
            found.append(f"{url} ({theme}): {violation['id']}: {violation['help']}: {places}")
    size = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 640})
    width = page.evaluate("document.documentElement.scrollWidth")
    if width > 320:
        found.append(f"{url}: {width} px wide on a screen of 320 px")
    page.set_viewport_size(size or {"width": 1280, "height": 800})
    return found


def test_pages_of_a_member(running: Running, staff: Page, site: str) -> None:
    for sent in ({"message": "A person"}, {"message": "A machine", "_gotcha": "filled"}):
        httpx.post(running.facts["form"]["post"], json={"name": "Ann", "email": "ann@visitor.example"} | sent)
    eventually(lambda: running.ask("SELECT count(*) >= 2 FROM inbox_enquiry")[0][0])
    inbox = staff.url
    # So that there is a contact, a company and a deal to look at.
    [(number,)] = running.ask("SELECT number FROM inbox_enquiry WHERE status = 'open' ORDER BY number LIMIT 1")
    staff.goto(f"{inbox.partition('?')[0]}{number}/convert/")
    staff.check("input[name=company][value=new]")
    staff.fill("input[name=company_name]", "Rosa GmbH")
    staff.check("input[name=deal]")
    staff.fill("input[name=deal_title]", "New shop")
    staff.get_by_role("button", name="Convert", exact=True).click()
    staff.wait_for_url("**/?converted=*")
    wrong, pages = [], 0
    for url in linked(staff, inbox):
        pages += 1
        wrong += look(staff, url)
    assert wrong == []
    assert pages >= FEWEST


def test_pages_of_a_stranger(running: Running, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    wrong = [fault for url in linked(page, running.facts["office"] + "/") for fault in look(page, url)]
    for path in ("/no-such-page/", "/demo/inbox/?q=%00"):
        page.goto(running.facts["office"] + path)
        wrong += look(page, path)
    context.close()
    assert wrong == []


@pytest.mark.parametrize("broken", ["<img src='/x.png'>", "<div style='width: 900px'>wide</div>"])
def test_it_can_fail(running: Running, browser: Browser, broken: str) -> None:
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(running.facts["office"] + "/")
    page.evaluate("html => document.querySelector('main').insertAdjacentHTML('beforeend', html)", broken)
    assert look(page, "here") != []
    context.close()
