"""A double click, a reload, a retry: one submission and the same receipt."""

import concurrent.futures
import uuid

import httpx
import pytest

from edge import receipts
from edge.tests.database import Database
from edge.tests.program import PAGE, Program, running

SENT = {"name": "Ann", "email": "a@b.example", "message": "Two bags, please"}


def test_the_same_words_again_get_the_same_receipt(http: httpx.Client, office: Database, key: str) -> None:
    first = http.post(f"/f/{key}", json=SENT)
    again = http.post(f"/f/{key}", json=SENT)

    (row,) = office.submissions(key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {
        "ok": True,
        "receipt": first.json()["receipt"],
        "next": first.json()["next"],
        "duplicate": True,
    }
    assert first.json()["id"] == str(row.id)


def test_a_browser_s_reload_leads_to_the_same_page(http: httpx.Client, office: Database, key: str) -> None:
    first = http.post(f"/f/{key}", data={**SENT, "message": "a\r\nb"}, headers=PAGE)
    again = http.post(f"/f/{key}", data={**SENT, "message": "a\r\nb"}, headers=PAGE)
    # A script that took over sends line breaks as it has them.
    script = http.post(f"/f/{key}", json={**SENT, "message": "a\nb"})
    assert (first.status_code, again.status_code, script.status_code) == (303, 303, 200)
    assert (
        first.headers["location"] == again.headers["location"] == script.json()["next"].removeprefix(str(http.base_url))
    )
    assert len(office.submissions(key)) == 1


def test_no_limit_stands_in_the_way_of_a_repetition(http: httpx.Client, office: Database) -> None:
    key = office.add_form(address_limit="1/minute", over_limit="refuse", daily_cap=2)
    first = http.post(f"/f/{key}", json=SENT, headers={"idempotency-key": "one"})
    again = http.post(f"/f/{key}", json=SENT, headers={"idempotency-key": "one"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["receipt"] == first.json()["receipt"]
    assert http.post(f"/f/{key}", json=SENT).status_code == 429
    assert len(office.submissions(key)) == 1


def test_other_words_other_forms_and_other_senders_are_others(http: httpx.Client, office: Database, key: str) -> None:
    other = office.add_form()
    http.post(f"/f/{key}", json=SENT)
    http.post(f"/f/{key}", json={**SENT, "message": "Three bags"})
    http.post(f"/f/{key}", json=SENT, headers={"x-forwarded-for": "203.0.113.7"})
    http.post(f"/f/{other}", json=SENT)
    assert (len(office.submissions(key)), len(office.submissions(other))) == (3, 1)


def test_what_came_ten_minutes_before_counts_too(edge_database: tuple[str, str], office: Database, key: str) -> None:
    """Its id has the bucket before in it: as if it had been sent then, to a process that is gone."""

    def post() -> httpx.Response:
        with running(edge_database[0]) as program:
            return httpx.post(f"{program.url}/f/{key}", json=SENT)

    first = post().json()
    shift = "UPDATE intake_submission SET id = $1, receipt = $2"
    where = "WHERE form_id = (SELECT id FROM intake_form WHERE key = $3)"
    for minutes, status in ((10, 200), (20, 201)):
        id = uuid.UUID(first["id"]).bytes
        moved = (int.from_bytes(id[:6]) - minutes * 60_000).to_bytes(6) + id[6:]
        receipt = receipts.of(moved, b"moved")
        office.execute(f"{shift} {where}", uuid.UUID(bytes=moved), receipt, key)
        again = post()
        assert again.status_code == status
        assert (again.json()["receipt"] == receipts.shown(receipt)) == (minutes == 10)
    assert len(office.submissions(key)) == 2


@pytest.mark.parametrize("place", ["header", "field"])
def test_a_key_says_what_belongs_together(http: httpx.Client, office: Database, key: str, place: str) -> None:
    def post(number: str, text: str) -> httpx.Response:
        sent = {**SENT, "message": text}
        if place == "field":
            return http.post(f"/f/{key}", json={**sent, "_key": number})
        return http.post(f"/f/{key}", json=sent, headers={"idempotency-key": number})

    first, again, same_words = post("k1", "Hello"), post("k1", "Hello"), post("k2", "Hello")
    assert [answer.status_code for answer in (first, again, same_words)] == [201, 200, 201]
    assert first.json()["receipt"] == again.json()["receipt"] != same_words.json()["receipt"]

    reused = post("k1", "Something else")
    assert reused.status_code == 409
    assert reused.json()["code"] == "key_reused"
    found = {row.meta["signals"][0] if row.signals else "": row for row in office.submissions(key)}
    assert len(office.submissions(key)) == 3
    # Both are kept, and the second one's receipt is told.
    assert found["key_reused"]["message"] == "Something else"
    assert reused.json()["receipt"].replace("-", "") == found["key_reused"].receipt
    # Again it is the same.
    assert post("k1", "Something else").json()["receipt"] == reused.json()["receipt"]
    assert len(office.submissions(key)) == 3
    assert all("_key" not in dict(row.fields) for row in office.submissions(key))


def test_a_reused_key_is_told_on_a_page_that_does_not_ask_to_send_again(
    http: httpx.Client, office: Database, key: str
) -> None:
    http.post(f"/f/{key}", data={**SENT, "_key": "k1"}, headers=PAGE)
    page = http.post(f"/f/{key}", data={**SENT, "message": "Else", "_key": "k1"}, headers=PAGE)
    (kept,) = [row for row in office.submissions(key) if row["message"] == "Else"]
    assert page.status_code == 409
    assert f"{kept.receipt[:4]}-{kept.receipt[4:8]}-{kept.receipt[8:]}" in page.text
    assert "<textarea" not in page.text


def test_many_at_once_are_one(edge: Program, office: Database, key: str) -> None:
    def post(_number: int) -> httpx.Response:
        return httpx.post(f"{edge.url}/f/{key}", json=SENT, timeout=20)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(post, range(48)))
    assert len(office.submissions(key)) == 1
    assert sorted(answer.status_code for answer in answers) == [200] * 47 + [201]
    assert len({answer.json()["receipt"] for answer in answers}) == 1
