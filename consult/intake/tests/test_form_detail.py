"""The page of a form: its snippet is what a developer pastes."""

import html
from html.parser import HTMLParser
from typing import Any

from conftest import Cast, Database
from consult.intake import queries, services

NASTY = "\"><script>alert(1)</script>&'"
FIELDS: list[dict[str, Any]] = [
    {"name": "name", "label": NASTY, "type": "text", "required": True},
    {"name": "email", "label": "E-mail", "type": "email"},
    {"name": "phone", "label": "Phone", "type": "tel"},
    {"name": "beans", "label": "Beans", "type": "select", "options": ["House", NASTY]},
    {"name": "news", "label": "News", "type": "checkbox"},
    {"name": "message", "label": "Message", "type": "textarea"},
]


class Controls(HTMLParser):
    """What a browser makes of the snippet."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())


def form(cast: Cast, **more: Any) -> Any:
    return services.create_form(agency_id=cast.a, site_id=cast.site_a, name="Order", fields=FIELDS, **more)


def test_the_snippet_is_whole_and_harmless(cast: Cast) -> None:
    id = form(cast, key="frm_Nasty")
    text = cast.vera.client.get(f"/a/forms/{id}/").content.decode()
    assert "<script>alert" not in text
    [snippet] = [part.partition("</code>")[0] for part in text.split('<code id="snippet">')[1:]]
    # Shown as text, a browser gives back exactly the snippet …
    shown = Controls(html.unescape(snippet))
    controls = {attributes.get("name"): (tag, attributes) for tag, attributes in shown.found if attributes.get("name")}
    assert set(controls) == {"name", "email", "phone", "beans", "news", "message", "hp_topic", "_version"}
    # … in which the nasty text is text.
    assert "script" not in {tag for tag, _attributes in shown.found}
    assert NASTY in shown.words
    assert shown.found[0] == (
        "form",
        {"action": "http://edge.test/f/frm_Nasty", "method": "post", "accept-charset": "utf-8"},
    )
    assert "required" in controls["name"][1]
    assert "required" not in controls["email"][1]
    assert controls["name"][1]["autocomplete"] == "name"
    assert controls["phone"][1]["type"] == "tel"
    assert controls["message"] == ("textarea", {"name": "message", "rows": "6", "maxlength": "20000"})
    assert [attributes for tag, attributes in shown.found if tag == "div"] == [{"hidden": None}]


def test_the_page_says_what_is_set(database: Database, cast: Cast) -> None:
    id = form(
        cast,
        key="frm_Order",
        allowed_origins=["https://a.example"],
        redirect_targets=["https://a.example/thanks"],
        notify_addresses=["ann@a.example"],
    )
    database.submit("frm_Order")
    page = cast.vera.client.get(f"/a/forms/{id}/").content.decode()
    for part in (
        "Order",
        "frm_Order",
        "http://edge.test/f/frm_Order",
        "https://a.example/thanks",
        "ann@a.example",
        "Version 1",
        "1 submission",
    ):
        assert part in page
    assert "/edit/" not in page
    assert f"/a/forms/{id}/edit/" in cast.alice.client.get(f"/a/forms/{id}/").content.decode()


def test_others_forms_are_not_there(cast: Cast) -> None:
    assert cast.alice.client.get(f"/a/forms/{cast.form_b}/").status_code == 404
    assert cast.charlie.client.get(f"/b/forms/{cast.form_a}/").status_code == 404


def test_the_list_asks_the_same_number_of_questions_for_many(cast: Cast, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        site_id = services.create_site(agency_id=cast.a, name=f"Site {number}", url="https://x.example")
        services.create_form(agency_id=cast.a, site_id=site_id, name="Contact", fields=FIELDS)
    with django_assert_max_num_queries(12):
        page = cast.vera.client.get("/a/sites/")
    assert page.content.decode().count("Site 1") >= 3


def test_control_without_a_type_of_its_own() -> None:
    text = queries.snippet(
        "http://edge.test/f/x", [{"name": "a", "label": "A", "type": "text", "required": False, "max_length": 5}], "hp"
    )
    assert '<input type="text" name="a" maxlength="5">' in text
