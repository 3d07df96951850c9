"""A visitor writes on the coffee shop's site; staff see it in an inbox that is already open, and deal with it."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.conftest import Running
from tests.e2e.conftest import picture


def write(visitor: Page, site: str, name: str, message: str) -> None:
    visitor.goto(site)
    visitor.get_by_label("Your name").fill(name)
    visitor.get_by_label("E-mail").fill("visitor@example.com")
    visitor.get_by_label("Your message").fill(message)
    visitor.get_by_role("button", name="Send message").click()


def open_inbox(staff: Page) -> None:
    """Show the inbox and mark the document: a reload would lose the mark."""
    expect(staff).to_have_url(re.compile(r"/demo/inbox/"))
    expect(staff.locator("#live")).to_have_attribute("data-state", "live", timeout=10_000)
    staff.evaluate("window.notReloaded = true")


def test_with_javascript(staff: Page, visitor: Page, site: str) -> None:
    open_inbox(staff)
    visitor.goto(site)
    picture(visitor, "site")
    write(visitor, site, "Jenny Script", "Do you cater for weddings?")
    expect(visitor.get_by_role("heading", name="Thank you, we have your message")).to_be_visible()
    receipt = visitor.locator("[data-sent] [data-receipt-code]").inner_text()
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}", receipt)
    picture(visitor, "site-sent")

    row = staff.get_by_role("listitem").filter(has_text="Jenny Script")
    expect(row).to_be_visible(timeout=5_000)
    assert staff.evaluate("window.notReloaded") is True
    picture(staff, "inbox")

    row.get_by_role("link").click()
    expect(staff.get_by_text("Do you cater for weddings?").first).to_be_visible()
    expect(staff.get_by_text(receipt).first).to_be_visible()
    picture(staff, "enquiry")

    staff.get_by_role("button", name="Done").click()
    expect(staff.get_by_role("button", name="Open again")).to_be_visible()
    staff.goto(re.sub(r"inbox/.*$", "inbox/", staff.url))
    expect(staff.get_by_role("listitem").filter(has_text="Jenny Script")).to_have_count(0)


def test_without_javascript(staff: Page, browser: Browser, site: str) -> None:
    open_inbox(staff)
    context = browser.new_context(java_script_enabled=False)
    visitor = context.new_page()
    write(visitor, site, "Paula Plain", "No scripts here.")
    expect(visitor).to_have_url(re.compile(r"/thanks/\?receipt=[0-9A-Z-]{14}$"))
    picture(visitor, "site-thanks")
    context.close()

    expect(staff.get_by_role("listitem").filter(has_text="Paula Plain")).to_be_visible(timeout=5_000)
    assert staff.evaluate("window.notReloaded") is True


def test_the_landing_page_leads_to_sign_in(visitor: Page, running: Running) -> None:
    visitor.goto(running.facts["office"])
    picture(visitor, "landing")
    visitor.get_by_role("link", name=re.compile("sign in", re.IGNORECASE)).first.click()
    expect(visitor.get_by_label(re.compile("e-?mail", re.IGNORECASE)).first).to_be_visible()
    picture(visitor, "sign-in")
