"""Somebody has written; staff find them, hand out everything that is held, and erase them: in a real browser."""

import json
import zipfile

import httpx
from playwright.sync_api import Page, expect

from tests.conftest import Running, eventually
from tests.e2e.conftest import picture
from tests.e2e.test_accessibility import PAINT, look

ADDRESS = "wilhelmina@thistledown.example"


def pictures(page: Page, name: str) -> None:
    """In both themes, on a desk and on a telephone."""
    for theme, suffix in (("consult", "light"), ("consult-dark", "dark")):
        page.evaluate(PAINT, theme)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 800})
            picture(page, f"{name}-{suffix}-{width}")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.evaluate(PAINT, "consult")


def test_a_person_is_erased(running: Running, staff: Page) -> None:
    sent = {"name": "Wilhelmina Thistledown", "email": ADDRESS, "message": "Do you roast decaffeinated pumpernickel?"}
    httpx.post(running.facts["form"]["post"], json=sent).raise_for_status()
    found = "SELECT number FROM inbox_enquiry WHERE sender_key = %s"
    [(number,)] = eventually(lambda: running.ask(found, (ADDRESS,)))
    inbox = staff.url.partition("?")[0]
    staff.goto(inbox.replace("/inbox/", "/settings/privacy/"))
    staff.get_by_label("E-mail address").fill(ADDRESS.upper())
    staff.get_by_role("button", name="Find").click()
    expect(staff.get_by_text("Has written, and is no contact")).to_be_visible()
    problems = look(staff, staff.url)
    pictures(staff, "privacy")
    staff.get_by_role("link", name="What is held").click()
    expect(staff.get_by_role("heading", name="What is held")).to_be_visible()
    problems += look(staff, staff.url)
    pictures(staff, "person")

    staff.get_by_role("button", name="Export this person").click()
    with staff.expect_download() as download:
        staff.get_by_role("link", name="Download").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        told = json.loads(archive.read("person.json"))
    assert [each["number"] for each in told["enquiries"]] == [number]
    assert "pumpernickel" in json.dumps(told["submissions"])

    staff.get_by_label("E-mail address").fill(ADDRESS)
    staff.get_by_role("button", name="Find").click()
    staff.get_by_role("link", name="What is held").click()
    # In a tab of its own: the browser tells its console of every 422.
    other = staff.context.new_page()
    other.goto(staff.url)
    other.get_by_label("Reason").select_option("asked")
    other.get_by_role("textbox", name="to confirm").fill("somebody else")
    other.get_by_role("button", name="Erase this person").click()
    expect(other.get_by_role("alert")).to_contain_text("Nothing was erased")
    problems += look(other, other.url)
    pictures(other, "person-error")
    other.close()
    staff.get_by_label("Reason").select_option("asked")
    staff.get_by_role("textbox", name="to confirm").fill(ADDRESS)
    staff.get_by_role("button", name="Erase this person").click()
    expect(staff.get_by_text("Erased", exact=True)).to_be_visible(timeout=20_000)
    problems += look(staff, staff.url)
    pictures(staff, "privacy-done")

    assert running.ask(found, (ADDRESS,)) == []
    staff.goto(f"{inbox}{number}/")
    expect(staff.get_by_role("heading", name="Erased person")).to_be_visible()
    assert "pumpernickel" not in staff.content()
    problems += look(staff, staff.url)
    pictures(staff, "enquiry-erased")
    staff.goto(f"{inbox}?q=pumpernickel")
    expect(staff.get_by_text("Thistledown")).to_have_count(0)
    assert problems == []
