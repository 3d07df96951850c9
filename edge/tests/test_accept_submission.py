"""POST /f/<form key> when all is well: stored once, then answered."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx

from edge import receipts
from edge.tests.database import Database
from edge.tests.program import PAGE, Program

FIELDS = {"name": "Ann", "email": "ann@example.com", "message": "Two bags,\r\nplease", "news": "yes"}


def test_browser_form_is_stored_and_sent_to_its_receipt(http: httpx.Client, office: Database, key: str) -> None:
    answer = http.post(f"/f/{key}", data=FIELDS, headers=PAGE)

    (row,) = office.submissions(key)
    place = urlsplit(answer.headers["location"])
    assert answer.status_code == 303
    assert place.path == f"/f/{key}/thanks"
    assert parse_qs(place.query)["receipt"] == [receipts.shown(row.receipt)]
    assert row.fields == [list(pair) for pair in FIELDS.items()]
    thanks = http.get(answer.headers["location"], headers=PAGE)
    assert receipts.shown(row.receipt) in thanks.text


def test_json_is_stored_and_answered_with_json(http: httpx.Client, office: Database, key: str) -> None:
    sent = {
        "name": "Ann",
        "email": "a@b.example",
        "guests": 2,
        "big": 1.5,
        "vip": True,
        "days": ["Mon", "Tue"],
    }
    answer = http.post(f"/f/{key}", json=sent)

    (row,) = office.submissions(key)
    told = answer.json()
    assert answer.status_code == 201
    assert told["ok"] is True
    assert told["id"] == str(row.id)
    assert re.fullmatch(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){2}", told["receipt"])
    assert told["next"].startswith("http")
    assert told["receipt"] in told["next"]
    assert row.fields[2:] == [
        ["guests", "2"],
        ["big", "1.5"],
        ["vip", "true"],
        ["days", "Mon"],
        ["days", "Tue"],
    ]


def test_script_with_a_form_body_gets_json(http: httpx.Client, key: str) -> None:
    answer = http.post(f"/f/{key}", data=FIELDS, headers={"accept": "application/json"})
    assert answer.status_code == 201


def test_multipart_fields_are_stored_and_files_noted(http: httpx.Client, office: Database, key: str) -> None:
    files = {"cv": ("Lebenslauf ü.pdf", b"%PDF-1.7 ...", "application/pdf")}
    answer = http.post(f"/f/{key}", data=FIELDS, files=files, headers=PAGE)

    (row,) = office.submissions(key)
    assert answer.status_code == 303
    assert row["message"] == FIELDS["message"]
    assert row["cv"] == "Lebenslauf ü.pdf"
    assert row.signals == ["file_refused"]


def test_honeypot_is_stored_with_a_signal(http: httpx.Client, office: Database, key: str) -> None:
    answer = http.post(f"/f/{key}", data={**FIELDS, "website": "http://spam.example"}, headers=PAGE)

    (row,) = office.submissions(key)
    assert answer.status_code == 303
    assert row.signals == ["honeypot"]
    assert row["website"] == "http://spam.example"


def test_empty_honeypot_leaves_no_trace(http: httpx.Client, office: Database, key: str) -> None:
    http.post(f"/f/{key}", data={**FIELDS, "website": ""}, headers=PAGE)
    (row,) = office.submissions(key)
    assert row.signals == []
    assert "website" not in dict(row.fields)


def test_foreign_origin_is_stored_with_a_signal(http: httpx.Client, office: Database, key: str) -> None:
    answer = http.post(f"/f/{key}", data=FIELDS, headers={**PAGE, "origin": "https://elsewhere.example"})

    (row,) = office.submissions(key)
    assert answer.status_code == 303
    assert row.signals == ["foreign_origin"]
    assert row.meta["origin"] == "https://elsewhere.example"


def test_own_pages_and_the_site_are_not_foreign(http: httpx.Client, office: Database, key: str, edge: Program) -> None:
    for origin in ("https://grind.example", edge.url):
        http.post(f"/f/{key}", data={**FIELDS, "message": origin}, headers={**PAGE, "origin": origin})
    assert [row.signals for row in office.submissions(key)] == [[], []]


def test_nul_and_bad_bytes_are_replaced_and_flagged(http: httpx.Client, office: Database, key: str) -> None:
    form = b"name=A%00nn&email=a%40b.example&message=%81%fe&x=%ed%a0%80"
    urlencoded = {"content-type": "application/x-www-form-urlencoded"}
    script = b'{"name": "A\\u0000", "email": "a@b.example", "message": "\\ud800!", "path": "C:\\\\ud800"}'
    assert http.post(f"/f/{key}", content=form, headers=urlencoded | PAGE).status_code == 303
    assert http.post(f"/f/{key}", content=script, headers={"content-type": "application/json"}).status_code == 201

    first, second = sorted(office.submissions(key), key=lambda row: len(row["name"]), reverse=True)
    assert first.signals == second.signals == ["cleaned"]
    assert first["name"] == "A\ufffdnn"
    assert first["message"] == "\ufffdþ"
    assert second["name"] == "A\ufffd"
    assert second["message"] == "\ufffd!"
    assert second["path"] == "C:\\ud800"


def test_redirect_goes_only_to_allowed_targets(http: httpx.Client, office: Database) -> None:
    key = office.add_form(redirect_targets=["https://grind.example/thanks?lang=de", "/danke"])

    def target(wanted: str) -> str:
        data = {**FIELDS, "_next": wanted}
        location: str = http.post(f"/f/{key}", data=data, headers=PAGE).headers["location"]
        return re.sub(r"receipt=[0-9A-Z-]{14}$", "receipt=…", location)

    first = "https://grind.example/thanks?lang=de&receipt=…"
    assert target("/danke") == "https://grind.example/danke?receipt=…"
    assert target("") == first
    assert target("https://evil.example/") == first
    assert target("/danke?x=1") == first
    assert all("_next" not in dict(row.fields) for row in office.submissions(key))


def test_page_and_sender_are_noted(http: httpx.Client, office: Database, key: str) -> None:
    told = {
        "referer": "https://grind.example/contact",
        "user-agent": "Test/1",
        "x-forwarded-for": "6.6.6.6, 203.0.113.9",
    }
    http.post(f"/f/{key}", data=FIELDS, headers={**PAGE, **told})
    menu = {**FIELDS, "message": "Menu", "_page": "https://grind.example/menu"}
    http.post(f"/f/{key}", data=menu, headers={**PAGE, **told})
    http.post(f"/f/{key}", data={**FIELDS, "message": "Script", "_page": "javascript:alert(1)"}, headers=PAGE)

    found = {row["message"]: row for row in office.submissions(key)}
    first, second, third = found[FIELDS["message"]], found["Menu"], found["Script"]
    assert first.meta["page_url"] == "https://grind.example/contact"
    assert first.meta["remote_addr"] == "203.0.113.9"
    assert first.meta["user_agent"] == "Test/1"
    assert second.meta["page_url"] == "https://grind.example/menu"
    assert "page_url" not in third.meta
