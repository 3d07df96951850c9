"""GET /f/<form key>: a page for whoever has no site, and the thank-you page."""

import re
import time

import altcha
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


def _options(*options: str, required: bool = False) -> dict[str, object]:
    label = "Was hätten Sie gern?"
    return {"name": "meals", "label": label, "type": "checkbox", "required": required, "options": options}


def test_page_speaks_the_forms_language(http: httpx.Client, office: Database) -> None:
    key = office.add_form(language="de")
    page = http.get(f"/f/{key}", headers=PAGE)
    assert '<html lang="de" dir="ltr">' in page.text
    assert ">Absenden</button>" in page.text
    assert page.headers["content-language"] == "de"
    assert "Vielen Dank" in http.get(f"/f/{key}/thanks?receipt=K7QF-2M9X-4TDA", headers=PAGE).text
    missing = http.get(f"/f/frm_{'x' * 22}", headers=PAGE | {"accept-language": "fr-CH, en;q=0.5"})
    assert '<html lang="fr"' in missing.text


def test_group_of_boxes_is_sent_as_one_field_with_several_values(http: httpx.Client, office: Database) -> None:
    key = office.add_form(fields=[_options("Frühstück", "Mittag", "Abend", required=True)], language="de")
    page = http.get(f"/f/{key}", headers=PAGE).text
    boxes = re.findall(r'<input type="checkbox" id="[^"]+" name="meals" value="([^"]+)">', page)
    assert boxes == ["Frühstück", "Mittag", "Abend"]
    assert "<legend>Was hätten Sie gern?" in page

    assert http.post(f"/f/{key}", data={"meals": ["Mittag", "Abend"]}, headers=PAGE).status_code == 303
    (row,) = office.submissions(key)
    assert row.fields == [["meals", "Mittag"], ["meals", "Abend"]]

    wrong = http.post(f"/f/{key}", data={"meals": ["Mittag", "Brunch"]}, headers=PAGE)
    assert wrong.status_code == 422
    assert "Was hätten Sie gern: „Brunch“ steht nicht zur Auswahl." in wrong.text
    assert 'value="Mittag" checked' in wrong.text
    none = http.post(f"/f/{key}", data={"other": "x"}, headers=PAGE)
    assert "Was hätten Sie gern: Diese Angabe wird gebraucht." in none.text


def test_own_page_says_which_version_it_shows_and_since_when(http: httpx.Client, office: Database, key: str) -> None:
    page = http.get(f"/f/{key}", headers=PAGE).text
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))
    assert hidden["_version"] == "3"
    assert abs(int(hidden["_rendered"]) - time.time()) < 60
    data = {"name": "Ann", "email": "ann@visitor.example", **hidden}
    assert http.post(f"/f/{key}", data=data, headers=PAGE).status_code == 303
    (row,) = office.submissions(key)
    assert row.signals == ["too_fast"], "a test types faster than a person"
    assert not any(name.startswith("_") for name, _value in row.fields)


def test_older_page_is_never_refused_for_what_is_newly_required(http: httpx.Client, office: Database) -> None:
    phone = {"name": "phone", "label": "Phone", "type": "tel", "required": True, "required_since": 3}
    name = {"name": "name", "label": "Name", "type": "text", "required": True}
    key = office.add_form(fields=[name, phone])
    assert http.post(f"/f/{key}", data={"name": "Ann"}, headers=PAGE).status_code == 303
    (row,) = office.submissions(key)
    assert row.signals == ["older_page"]
    assert http.post(f"/f/{key}", data={"name": "Bob", "phone": ""}, headers=PAGE).status_code == 422
    assert http.post(f"/f/{key}", data={"name": "Bob", "_version": "3"}, headers=PAGE).status_code == 422


def test_form_that_takes_files_is_sent_in_parts(http: httpx.Client, office: Database) -> None:
    cv = {"name": "cv", "label": "Your CV", "type": "file", "required": True}
    files = {"count": 2, "bytes": 1_000_000, "total": 2_000_000, "types": ["image/*", "application/pdf"]}
    key = office.add_form(fields=[cv], files=files)
    page = http.get(f"/f/{key}", headers=PAGE).text
    assert 'enctype="multipart/form-data"' in page
    assert '<input type="file" multiple accept="image/*,application/pdf"' in page
    assert "enctype" not in http.get(f"/f/{office.add_form()}", headers=PAGE).text
    assert http.post(f"/f/{key}", data={"name": "Ann", "cv": ""}, headers=PAGE).status_code == 422


def test_proof_of_work_is_asked_for_by_the_form_alone(http: httpx.Client, office: Database, key: str) -> None:
    assert http.get(f"/f/{key}/challenge").status_code == 404
    asking = office.add_form(proof_of_work=True)
    answer = http.get(f"/f/{asking}/challenge", headers={"origin": "https://grind.example"})
    assert answer.headers["access-control-allow-origin"] == "https://grind.example"
    asked = altcha.Challenge.from_dict(answer.json())
    found = altcha.solve_challenge(asked)
    assert found
    solution = altcha.Payload(asked, found).to_base64()
    sent = {"name": "Ann", "email": "ann@visitor.example"}
    for message, proof in (("first", solution), ("twice", solution), ("without", None)):
        data = {**sent, "message": message, **({"altcha": proof} if proof else {})}
        assert http.post(f"/f/{asking}", json=data).status_code == 201
    assert {row["message"]: row.signals for row in office.submissions(asking)} == {
        "first": ["proof_ok"],
        "twice": ["proof_bad"],
        "without": [],
    }
