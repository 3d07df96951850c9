"""The coffee shop's form when the way to the edge is bad: nothing typed is lost, and nothing is sent twice."""

import re
from typing import Any

from playwright.sync_api import Page, Request, Route, expect

from tests.e2e.conftest import picture
from tests.e2e.test_thread import open_inbox, write

POSTS = re.compile(r"/f/frm_\w+$")


def _keys(posts: list[dict[str, Any]]) -> set[str]:
    return {post["_key"] for post in posts}


def _watched(visitor: Page) -> list[dict[str, Any]]:
    """What the page posts, as it posts it."""
    posts: list[dict[str, Any]] = []

    def note(request: Request) -> None:
        if request.method == "POST" and POSTS.search(request.url):
            sent: dict[str, Any] = request.post_data_json or {}
            posts.append(sent)

    visitor.on("request", note)
    return posts


def test_an_answer_that_gets_lost_makes_no_second_enquiry(staff: Page, visitor: Page, site: str) -> None:
    open_inbox(staff)
    posts = _watched(visitor)
    lost: list[int] = []

    def lose_the_first_answer(route: Route) -> None:
        if lost or route.request.method != "POST":
            route.continue_()
        else:
            lost.append(route.fetch().status)
            route.abort("connectionreset")

    visitor.route(POSTS, lose_the_first_answer)
    write(visitor, site, "Lena Lost", "Did this arrive?")
    expect(visitor.get_by_role("heading", name="Thank you, we have your message")).to_be_visible()
    assert lost == [201]
    assert len(posts) == 2
    assert len(_keys(posts)) == 1
    assert int(posts[1]["_elapsed"]) >= int(posts[0]["_elapsed"]) > 0
    rows = staff.get_by_role("listitem").filter(has_text="Lena Lost")
    expect(rows).to_have_count(1)


def test_a_text_survives_a_reload_and_keeps_its_key(visitor: Page, site: str) -> None:
    posts = _watched(visitor)
    visitor.route(POSTS, lambda route: route.abort("connectionrefused"))
    write(visitor, site, "Rita Reload", "Still here?")
    alert = visitor.locator("[data-problem]")
    expect(alert).to_contain_text("No answer came", timeout=15_000)
    picture(visitor, "site-no-answer")
    assert len(posts) == 3

    visitor.unroute(POSTS)
    visitor.reload()
    expect(visitor.get_by_label("Your message")).to_have_value("Still here?")
    visitor.get_by_role("button", name="Send message").click()
    expect(visitor.get_by_role("heading", name="Thank you, we have your message")).to_be_visible()
    assert len(_keys(posts)) == 1

    visitor.get_by_role("button", name="Send another message").click()
    expect(visitor.get_by_label("Your message")).to_have_value("")
    visitor.reload()
    expect(visitor.get_by_label("Your message")).to_have_value("")
