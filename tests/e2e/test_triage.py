"""Ten enquiries dealt with by keyboard alone, and what colleagues see of each other while they do."""

import functools
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import ROOT, Running, eventually
from tests.e2e.conftest import picture
from tests.e2e.test_accessibility import look

COLLEAGUE = "bo@demo.example"


def status(running: Running, name: str) -> str:
    return str(running.ask("SELECT status FROM inbox_enquiry WHERE sender_name = %s", (name,))[0][0])


def has_status(running: Running, name: str, expected: str) -> bool:
    return status(running, name) == expected


@pytest.fixture
def ten(running: Running) -> str:
    """Ten that nobody has looked at, the latest first in the list; return what their senders' names begin with."""
    mark = f"Guest {uuid.uuid4().hex[:6]}"
    for number in range(1, 11):
        sent = {"name": f"{mark} {number}", "email": f"guest{number}@visitor.example", "message": f"Question {number}"}
        httpx.post(running.facts["form"]["post"], json=sent).raise_for_status()
        eventually(
            functools.partial(running.ask, "SELECT 1 FROM inbox_enquiry WHERE sender_name = %s", (sent["name"],))
        )
    return mark


@pytest.fixture
def colleague(running: Running, browser: Browser) -> Iterator[Page]:
    """A browser of Bo, who is a member of the demo agency as well."""
    if not running.ask("SELECT 1 FROM accounts_user WHERE email = %s", (COLLEAGUE,)):
        made = (
            "from consult.accounts import queries, services\n"
            "[(agency_id, _slug, _name)] = [each for each in queries.agencies() if each[1] == 'demo']\n"
            f"user_id = services.create_user(email='{COLLEAGUE}', name='Bo Lind')\n"
            "services.add_member(agency_id=agency_id, user_id=user_id, role='member')\n"
        )
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-c", made],
            cwd=ROOT,
            env=running.environment,
            check=True,
        )
    told = subprocess.run(
        [sys.executable, "-m", "consult.cli", "sign-in-link", COLLEAGUE],
        cwd=ROOT,
        env=running.environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(told.stdout.strip())
    yield page
    context.close()


def test_ten_enquiries_by_keyboard_alone(running: Running, staff: Page, colleague: Page, ten: str) -> None:
    def row(number: int) -> str:
        return f"{ten} {number}"

    def said(text: str) -> None:
        expect(staff.locator("#toasts")).to_contain_text(text)

    def selected(number: int) -> None:
        expect(staff.locator("[data-row][data-selected]")).to_contain_text(row(number))

    press = staff.keyboard.press
    staff.goto(re.sub(r"/inbox/.*", f"/inbox/?q={ten.replace(' ', '+')}&view=open", staff.url))
    expect(staff.locator("[data-row]")).to_have_count(10)
    # Move: down, and up again.
    press("j")
    selected(10)
    press("j")
    selected(9)
    press("k")
    selected(10)
    # Close, and take it back.
    press("e")
    said("closed")
    eventually(lambda: status(running, row(10)) == "closed")
    press("z")
    eventually(lambda: status(running, row(10)) == "open")
    expect(staff.locator("[data-row]")).to_have_count(10)
    selected(9)
    press("k")
    selected(10)
    press("e")
    eventually(lambda: status(running, row(10)) == "closed")
    # Spam, snooze, assign.
    selected(9)
    press("s")
    eventually(lambda: status(running, row(9)) == "spam")
    selected(8)
    press("b")
    eventually(lambda: status(running, row(8)) == "snoozed")
    selected(7)
    press("a")
    said("is yours")
    # Label.
    press("j")
    selected(6)
    press("l")
    expect(staff.locator("#bulk-labels")).to_be_focused()
    staff.keyboard.type("Wedding")
    press("Enter")
    said("1 labelled")
    expect(staff.locator("[data-row]", has_text=row(6)).locator(".mark-label")).to_have_text("Wedding")
    # The keyboard is the list's again.
    expect(staff.locator("#bulk-labels")).not_to_be_focused()
    selected(6)
    # Several at once: three and two wait for their senders.
    for number in (5, 4, 3):
        press("j")
        selected(number)
        if number != 5:
            press("x")
    expect(staff.locator("[data-picked]")).to_have_text("2")
    press("w")
    said("2 wait")
    eventually(lambda: status(running, row(4)) == status(running, row(3)) == "waiting")
    _palette_and_reply(running, staff, ten)
    assert colleague.url


def _palette_and_reply(running: Running, staff: Page, ten: str) -> None:
    press = staff.keyboard.press
    number = {
        each: running.ask("SELECT number FROM inbox_enquiry WHERE sender_name = %s", (f"{ten} {each}",))[0][0]
        for each in (1, 2, 5, 6)
    }
    # Anywhere by number, and what the page offers by its name.
    press("Control+k")
    expect(staff.locator("#palette-field")).to_be_focused()
    staff.keyboard.type(f"#{number[6]}")
    expect(staff.locator("#palette-list [role=option]").first).to_contain_text(f"#{number[6]}")
    press("Enter")
    staff.wait_for_url(f"**/inbox/{number[6]}/")
    # A draft of a reply.
    press("r")
    expect(staff.locator("#reply")).to_be_focused()
    staff.keyboard.type("We would love to.")
    for _stop in range(8):
        press("Tab")
        if staff.evaluate("document.activeElement.value") == "draft":
            break
    press("Enter")
    eventually(lambda: running.ask("SELECT 1 FROM inbox_message WHERE state = 'undone' AND text = 'We would love to.'"))
    expect(staff.locator("#reply")).to_have_value("We would love to.")
    # A note that tells somebody.
    staff.evaluate("document.activeElement.blur()")
    press("n")
    staff.keyboard.type("Ask @bo")
    expect(staff.locator(".mention-names [aria-selected=true]")).to_have_attribute("data-name", "Bo Lind")
    press("Enter")
    staff.keyboard.type("please")
    press("Control+Enter")
    expect(staff.locator("#enquiry-note-list")).to_contain_text("Ask @Bo Lind please")
    # Label it once more, from its own page.
    staff.evaluate("document.activeElement.blur()")
    press("l")
    staff.keyboard.type(", Urgent")
    press("Enter")
    expect(staff.locator("#enquiry-labels .mark-label")).to_have_text(["Urgent", "Wedding"])
    # Close two by going to them, and one by the palette's own action.
    for each in (5, 2):
        press("Control+k")
        staff.keyboard.type(str(number[each]))
        expect(staff.locator("#palette-list [role=option]").first).to_contain_text(f"#{number[each]}")
        press("Enter")
        staff.wait_for_url(f"**/inbox/{number[each]}/")
        press("e")
        eventually(functools.partial(has_status, running, f"{ten} {each}", "closed"))
    press("Control+k")
    staff.keyboard.type(f"#{number[1]}")
    expect(staff.locator("#palette-list [role=option]").first).to_contain_text(f"#{number[1]}")
    press("Enter")
    staff.wait_for_url(f"**/inbox/{number[1]}/")
    press("Control+k")
    staff.keyboard.type("done")
    expect(staff.locator("#palette-list [aria-selected=true]")).to_contain_text("Done")
    press("Enter")
    eventually(lambda: status(running, f"{ten} 1") == "closed")
    # Escape leaves it, and the focus is where it was.
    staff.locator("#search").focus()
    press("Control+k")
    press("Escape")
    expect(staff.locator("#search")).to_be_focused()
    staff.evaluate("document.activeElement.blur()")
    press("g")
    press("i")
    staff.wait_for_url("**/inbox/")
    # At the end, since axe and pictures leave marks on what they have looked at.
    press("Control+k")
    staff.keyboard.type("in")
    assert look(staff, "the palette") == []
    press("Escape")
    staff.goto(re.sub(r"/inbox/.*", f"/inbox/{number[6]}/", staff.url))
    press("n")
    staff.keyboard.type("@b")
    assert look(staff, "a note") == []
    picture(staff, "enquiry-triaged")


def test_colleagues_see_and_tell_each_other(running: Running, staff: Page, colleague: Page, ten: str) -> None:
    [(number,)] = running.ask("SELECT number FROM inbox_enquiry WHERE sender_name = %s", (f"{ten} 1",))
    address = re.sub(r"/inbox/.*", f"/inbox/{number}/", staff.url)
    staff.goto(address)
    expect(staff.locator("#live")).to_have_attribute("data-state", "live", timeout=10_000)
    colleague.goto(address)
    expect(staff.locator("#looking")).to_contain_text("Bo Lind is looking at it too", timeout=10_000)
    colleague.locator("#reply").press_sequentially("Dear")
    expect(staff.locator("#looking")).to_contain_text("Bo Lind is writing a reply", timeout=10_000)
    colleague.goto(re.sub(r"/inbox/.*", "/sites/", address))
    expect(staff.locator("#looking")).to_be_empty(timeout=10_000)
    # Whoever is given one sees the bell change, without a reload.
    expect(colleague.locator("#live")).to_have_attribute("data-state", "live", timeout=10_000)
    before = int(
        colleague.locator("#bell").evaluate("bell => bell.querySelector('[data-unread]')?.dataset.unread ?? 0")
    )
    colleague.evaluate("window.notReloaded = true")
    staff.select_option("#assignee", label="Bo Lind")
    expect(colleague.locator("#bell [data-unread]")).to_have_attribute("data-unread", str(before + 1), timeout=10_000)
    assert colleague.evaluate("window.notReloaded") is True
    colleague.locator("#bell").click()
    told = colleague.get_by_role("listitem").filter(has_text=f"#{number}").first
    expect(told).to_contain_text("gave you")
    assert look(colleague, "notifications") == []
    picture(colleague, "notifications")
    told.get_by_role("link").click()
    expect(colleague).to_have_url(address)
    colleague.goto(re.sub(r"/inbox/.*", "/notifications/", address))
    expect(colleague.get_by_role("listitem").filter(has_text=f"#{number}").first).not_to_contain_text("Unread")
    # Blocked, said, taken back.
    staff.locator("#block").click()
    staff.get_by_role("button", name="Block", exact=True).click()
    expect(staff.locator("#toasts")).to_contain_text("is held from now on")
    staff.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(staff.locator("#toasts")).to_contain_text("no longer blocked")
    assert running.ask("SELECT 1 FROM intake_block WHERE sender LIKE 'guest%%'") == []
    picture(staff, "enquiry-two")
