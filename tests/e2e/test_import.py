"""A list of people comes in with its errors and goes again; two contacts become one, and two again."""

from pathlib import Path

from playwright.sync_api import Page

from tests.conftest import Running
from tests.e2e.conftest import picture
from tests.e2e.test_accessibility import PAINT, look

PEOPLE = """Name;E-Mail;Telefon;Firma;Position
Ann Müller;ann@rosa.example;+44 20 7946 0000;Rosa GmbH;Owner
Ben Novak;ben@new.example;;New Ltd;Buyer
Broken;ben@@new;;;
Anna Mueller;anna@rosa.example;+44 20 7946 0000;Rosa GmbH;
"""


def looks_right(page: Page, name: str) -> list[str]:
    """What axe finds on the open page in both themes and at 320 px; keep pictures of it, wide and narrow."""
    for theme in ("consult", "consult-dark"):
        page.evaluate(PAINT, theme)
        picture(page, f"{name}-{theme}")
    page.set_viewport_size({"width": 390, "height": 844})
    picture(page, f"{name}-390")
    page.set_viewport_size({"width": 1280, "height": 800})
    return look(page, name)


def test_import_with_errors_and_undo(running: Running, staff: Page, tmp_path: Path) -> None:
    wrong: list[str] = []
    office = staff.url.partition("/inbox/")[0]
    file = tmp_path / "people.csv"
    file.write_bytes(PEOPLE.encode("windows-1252"))
    staff.goto(f"{office}/contacts/import/")
    wrong += looks_right(staff, "import-form")
    staff.set_input_files("#file", file)
    staff.get_by_role("button", name="Upload and look").click()
    staff.wait_for_url("**/imports/*/")
    assert staff.get_by_label("E-Mail").input_value() == "emails"
    assert staff.get_by_label("Encoding").input_value() == "windows-1252"
    wrong += looks_right(staff, "import-columns")
    staff.get_by_role("button", name="Check the file").click()
    # The page looks for itself when the job is done.
    staff.get_by_role("heading", name="What would happen").wait_for()
    assert staff.get_by_text("“ben@@new” is no e-mail address").is_visible()
    wrong += looks_right(staff, "import-checked")
    with staff.expect_download() as told:
        staff.get_by_role("link", name="As CSV").click()
    assert "ben@@new" in Path(told.value.path()).read_text("utf-8-sig")
    staff.get_by_role("button", name="Import now").click()
    staff.get_by_role("button", name="Take all of it back").wait_for()
    wrong += looks_right(staff, "import-done")
    detail = staff.url
    staff.goto(f"{office}/contacts/")
    assert staff.get_by_role("link", name="Ben Novak").is_visible()
    wrong += looks_right(staff, "contacts-imported")

    # Two who are one: suggested, merged by a person, and apart again.
    staff.get_by_role("link", name="Ann Müller").click()
    staff.get_by_role("heading", name="Perhaps the same person").wait_for()
    staff.get_by_role("link", name="Compare and merge").click()
    staff.get_by_role("button", name="Merge into one").click()
    staff.get_by_role("heading", name="Merged").wait_for()
    assert staff.get_by_text("anna@rosa.example").first.is_visible()
    staff.get_by_role("button", name="Take the merge back").click()
    staff.get_by_text("They are two contacts again").wait_for()

    staff.goto(detail)
    staff.get_by_role("button", name="Take all of it back").click()
    staff.get_by_text("Taken back, but for what somebody has worked with since.").wait_for()
    # With whom somebody has worked since stays, and is named.
    assert staff.get_by_role("heading", name="Kept").is_visible()
    assert staff.get_by_role("link", name="Ann Müller").is_visible()
    wrong += looks_right(staff, "import-undone")
    staff.goto(f"{office}/contacts/")
    assert staff.get_by_role("link", name="Ben Novak").count() == 0
    staff.goto(f"{office}/settings/stages/")
    wrong += looks_right(staff, "stages")
    assert wrong == []


def test_a_file_that_is_too_large_is_said_before_it_is_sent(running: Running, staff: Page, tmp_path: Path) -> None:
    office = staff.url.partition("/inbox/")[0]
    file = tmp_path / "large.csv"
    with file.open("wb") as large:
        large.truncate(51 * 1024 * 1024)
    staff.goto(f"{office}/contacts/import/")
    staff.set_input_files("#file", file)
    assert "larger than 50 MB" in staff.evaluate("document.querySelector('#file').validationMessage")
    staff.get_by_role("button", name="Upload and look").click()
    assert staff.url.endswith("/contacts/import/")
