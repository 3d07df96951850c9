"""GET /f/<form key>: a page for whoever has no site, and the thank-you page."""

import re

import httpx

from edge.tests.database import Database
from edge.tests.program import PAGE


def test_page_has_every_field_and_posts_to_itself(http: httpx.Client, key: str) -> None:
    page = http.get(f"/f/{key}", headers=PAGE)

    assert page.status_code == 200
    assert f'method="post" action="/f/{key}"' in page.text
    labels = dict(re.findall(r'<label for="([^"]+)">([^<]+)', page.text))
    for name, kind in (("name", "text"), ("email", "email")):
        entry = re.search(rf'<input[^>]*name="{name}"[^>]*>', page.text)
        assert entry
        assert f'type="{kind}"' in entry[0]
        assert " required" in entry[0]
        assert labels[f"field-{name}"]
    assert '<textarea rows="6" maxlength="5000"' in page.text
    assert '<option value="Beans">Beans</option>' in page.text
    assert '<input type="checkbox"' in page.text
    assert 'class="away" aria-hidden="true"' in page.text
    assert 'name="website"' in page.text


def test_page_needs_nothing_from_elsewhere(http: httpx.Client, key: str) -> None:
    page = http.get(f"/f/{key}", headers=PAGE)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert "<script" not in page.text
    assert "style=" not in page.text
    (sheet,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.text)
    style = http.get(sheet)
    assert style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text
    assert "immutable" in style.headers["cache-control"]


def test_redirects_after_the_post_are_within_the_policy(http: httpx.Client, office: Database) -> None:
    key = office.add_form(redirect_targets=["https://shop.example/thanks", "/danke"])
    policy = http.get(f"/f/{key}", headers=PAGE).headers["content-security-policy"]
    assert policy.endswith("form-action 'self' https://grind.example https://shop.example")


def test_definition_is_escaped(http: httpx.Client, office: Database) -> None:
    evil = '"><script>alert(1)</script>'
    field = {
        "name": evil,
        "label": evil,
        "type": "select",
        "required": True,
        "options": [evil],
        "max_length": 9,
    }
    key = office.add_form(name=evil, site={"name": evil, "url": "javascript:alert(1)"}, fields=[field], honeypot=evil)
    for path in (f"/f/{key}", f"/f/{key}/thanks?receipt=K7QF-2M9X-4TDA"):
        page = http.get(path, headers=PAGE).text
        assert "<script" not in page
        assert "javascript:" not in page


def test_thanks_shows_the_receipt_and_the_way_back(http: httpx.Client, key: str) -> None:
    page = http.get(f"/f/{key}/thanks", params={"receipt": "k7qf2m9x4tda"}, headers=PAGE)
    assert page.status_code == 200
    assert "K7QF-2M9X-4TDA" in page.text
    assert 'href="https://grind.example"' in page.text
    assert page.headers["cache-control"] == "no-store"


def test_thanks_without_a_receipt_does_not_say_thanks(http: httpx.Client, key: str) -> None:
    for query in ("", "?receipt=", "?receipt=<b>", "?receipt=K7QF-2M9X-4TD", "?receipt=" + "A" * 5000):
        page = http.get(f"/f/{key}/thanks{query}", headers=PAGE)
        assert page.status_code == 404
        assert "Thank you" not in page.text


def test_head_is_get_without_a_body(http: httpx.Client, key: str) -> None:
    answer = http.head(f"/f/{key}", headers=PAGE)
    assert answer.status_code == 200
    assert answer.content == b""


def test_who_writes_on_the_hosted_page_stays_on_it(http: httpx.Client, office: Database) -> None:
    """The form's own thank-you pages belong to a site, which may not be there (yet)."""
    key = office.add_form(redirect_targets=["https://shop.example/thanks"])
    assert f'name="_next" value="/f/{key}/thanks"' in http.get(f"/f/{key}").text
    data = {"name": "Ann", "email": "ann@visitor.example", "_next": f"/f/{key}/thanks"}
    stays = http.post(f"/f/{key}", data=data, headers=PAGE)
    assert (stays.status_code, stays.headers["location"].partition("?")[0]) == (303, f"/f/{key}/thanks")
    goes = http.post(f"/f/{key}", data=data | {"_next": ""}, headers=PAGE)
    assert goes.headers["location"].startswith("https://shop.example/thanks?receipt=")
