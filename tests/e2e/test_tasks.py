"""Projects and tasks in a browser: made, moved by mouse and keyboard, and nothing that axe finds."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.conftest import Running, eventually
from tests.e2e.test_accessibility import look

COLUMN = """SELECT number FROM tasks_task JOIN tasks_state AS state ON state.id = state_id
WHERE state.name = 'In progress' ORDER BY rank"""


def test_a_board_by_mouse_and_keyboard(running: Running, staff: Page) -> None:
    office = running.facts["office"]
    staff.goto(f"{office}/demo/projects/new/")
    staff.fill("#id_name", "The Daily Grind")
    staff.fill("#id_key", "SITE")
    staff.get_by_role("button", name="Begin project").click()
    staff.wait_for_url("**/projects/SITE/")
    for line in ("Fix the menu !1 ~2h", "Opening hours", "Photographs"):
        staff.goto(f"{office}/demo/tasks/new/?project=SITE")
        staff.fill("#line", line)
        staff.get_by_role("button", name="Read it").click()
        staff.get_by_role("button", name="Make task").click()
        staff.wait_for_url(re.compile(r"/tasks/SITE-\d/"))

    def column() -> list[Any]:
        return [number for (number,) in running.ask(COLUMN)]

    staff.goto(f"{office}/demo/projects/SITE/board/")
    # The column to the right, by the keyboard; the card keeps the focus wherever it has gone.
    expect(staff.locator("#live")).to_have_attribute("data-state", "live", timeout=10_000)
    staff.locator("[data-key=SITE-1] [data-open]").focus()
    # The answer, and then what every open board hears of it.
    with staff.expect_response("**/move/"), staff.expect_response("**/board/"):
        staff.keyboard.press("Shift+ArrowRight")
    eventually(lambda: column() == [1])
    staff.wait_for_function("document.activeElement.closest('[data-key]')?.dataset.key === 'SITE-1'")
    # Below it, by the mouse.
    with staff.expect_response("**/move/"):
        staff.drag_and_drop("[data-key=SITE-3]", "[data-key=SITE-1]", target_position={"x": 40, "y": 80})
    eventually(lambda: column() == [1, 3])
    with staff.expect_response("**/move/"):
        staff.locator("[data-key=SITE-1] [data-open]").focus()
        staff.keyboard.press("Shift+ArrowDown")
    eventually(lambda: column() == [3, 1])
    wrong = []
    for path in ("tasks/", "tasks/SITE-1/", "projects/SITE/", "projects/SITE/board/", "projects/SITE/settings/"):
        staff.goto(f"{office}/demo/{path}")
        wrong += look(staff, path)
    assert wrong == []
