"""The audit's page and file: who may, what is said, filters, pages, and nothing of another agency."""

import csv
import datetime as dt
import io
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from conftest import Cast, Database, Enquiry
from consult.accounts import models, reports, services
from consult.core import tenancy
from consult.intake import services as intake

PAGE = "/a/settings/audit/"
FILE = "/a/settings/audit.csv"


def text(client: Client, query: str = "", status: int = 200) -> str:
    answer = client.get(PAGE + query)
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


def table(client: Client, query: str = "") -> list[dict[str, str]]:
    answer = client.get(FILE + query)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def test_it_says_who_did_what_and_from_where(cast: Cast, enquiry: Enquiry) -> None:
    cast.bob.client.post("/a/inbox/1/close/", REMOTE_ADDR="203.0.113.77")
    intake.update_site(agency_id=cast.a, site_id=cast.site_a, name="<b>New</b>", url="https://a.example", by=None)
    page = text(cast.alice.client)
    assert '<span class="font-medium">Bob</span> closed an enquiry: <a class="link-text" href="/a/inbox/1/">' in page
    assert "from 203.0.113.0/24" in page
    assert "203.0.113.77" not in page
    assert '<span class="font-medium">Consult</span> changed a site' in page
    assert "by a command on the server" in page
    assert "Site a</del>" in page
    assert "&lt;b&gt;New&lt;/b&gt;</ins>" in page
    assert '<span class="font-medium">Alice</span> founded the agency' in page


def test_who_may(cast: Cast) -> None:
    for path in (PAGE, FILE):
        assert cast.alice.client.get(path).status_code == 200
        for person in (cast.bob, cast.vera):
            refused = person.client.get(path)
            assert refused.status_code == 403
            assert "read the audit" in refused.content.decode()
        assert cast.charlie.client.get(path).status_code == 404
        assert cast.stranger.get(path)["Location"] == f"/accounts/login/?next={path}"
        assert cast.alice.client.post(path).status_code == 405


def test_nothing_of_another_agency(database: Database, cast: Cast) -> None:
    with tenancy.agency(cast.b):
        services.record("inbox.add_note", agency_id=cast.b, by=cast.charlie.member_id)
    for rows in (table(cast.alice.client), table(cast.alice.client, f"?subject={cast.form_b}")):
        assert not any(row["member_id"] == str(cast.charlie.member_id) for row in rows)
    assert "Charlie" not in text(cast.alice.client)
    assert text(cast.alice.client, f"?who={cast.charlie.member_id}", status=422)


def test_somebody_who_left_and_somebody_erased(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.bob.client.post("/a/inbox/1/close/")
    with tenancy.agency(cast.a):
        models.Member.objects.filter(id=cast.bob.member_id).update(left_at=dt.datetime.now(dt.UTC))
    assert ">Bob</span> closed an enquiry" in text(cast.alice.client), "whoever left keeps what they did"
    database.ask("DELETE FROM accounts_member WHERE id = %s", [cast.bob.member_id])
    page = text(cast.alice.client)
    assert "Bob" not in page
    assert ">Somebody who left</span> closed an enquiry" in page
    assert table(cast.alice.client, "?action=inbox.close_enquiry")[0]["member_id"] == ""


@pytest.fixture
def many(database: Database, cast: Cast) -> list[uuid.UUID]:
    """120 rows of one action, a minute apart, the latest at noon of 5 March; in groups of three of the same moment."""
    noon = dt.datetime(2026, 3, 5, 12, tzinfo=dt.UTC)
    ids = [uuid.uuid4() for _ in range(120)]
    with tenancy.agency(cast.a):
        services.record_each("inbox.add_note", agency_id=cast.a, subject_ids=ids, by=cast.bob.member_id)
    for number, id in enumerate(ids):
        database.ask(
            "UPDATE accounts_audit SET created_at = %s WHERE subject_id = %s",
            [noon - dt.timedelta(minutes=number // 3), id],
        )
    return ids


def test_pages_show_each_row_once(cast: Cast, many: list[uuid.UUID]) -> None:
    seen: list[uuid.UUID | None] = []
    cursor = ""
    for _ in range(3):
        with tenancy.agency(cast.a):
            page = reports.audit(cast.a, reports.Wanted(action="inbox.add_note"), before=cursor)
        seen += [line.subject_id for line in page.lines]
        cursor = page.next_cursor
    assert (len(seen), set(seen), cursor) == (120, set(many), "")
    # The same by the links of the page.
    first = text(cast.alice.client, "?action=inbox.add_note")
    [older] = [part.split('"')[0] for part in first.split('href="?')[1:] if "before=" in part.split('"')[0]]
    query = parse_qs(older.replace("&amp;", "&"))
    assert query["action"] == ["inbox.add_note"]
    assert text(cast.alice.client, "?" + older.replace("&amp;", "&")).count("added a note") == 51  # 50 and the choice
    for rubbish in ("x", "%00", "eA", "MjAyNi0wMy0wNVQxMjowMDowMHxub3QtYW4taWQ", "a" * 5000):
        assert text(cast.alice.client, f"?before={rubbish}")


def test_the_file_has_every_row_in_as_many_questions_as_needed(
    cast: Cast, many: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "AT_ONCE", 50)
    rows = table(cast.alice.client, "?action=inbox.add_note")
    assert [row["subject_id"] for row in rows] != []
    assert {row["subject_id"] for row in rows} == {str(id) for id in many}
    assert len(rows) == 120
    assert rows[0]["time_utc"] == "2026-03-05T12:00:00+00:00"
    assert (rows[0]["who"], rows[0]["what"], rows[0]["from"]) == ("Bob", "added a note", "command")
    assert [row["who"] for row in table(cast.alice.client, "?action=accounts.download_audit")][-1:] == ["Alice"]


def test_filters(cast: Cast, many: list[uuid.UUID], enquiry: Enquiry) -> None:
    alice = cast.alice.client
    assert len(table(alice, f"?who={cast.bob.member_id}")) == 120
    assert {row["who"] for row in table(alice, f"?who={cast.alice.member_id}")} == {"Alice"}
    assert {row["who"] for row in table(alice, "?who=program")} == {"Consult"}
    assert len(table(alice, f"?subject={many[7]}")) == 1
    # Days are those of the reader: 2026-03-05T11:30Z is still 5 March in Honolulu.
    assert len(table(alice, "?since=2026-03-05&until=2026-03-05")) == 120
    assert table(alice, "?since=2026-03-06&until=2026-03-06") == []
    assert table(alice, "?until=2026-03-04") == []
    models.User.objects.filter(pk=cast.alice.user_id).update(time_zone="Pacific/Kiritimati")
    assert table(alice, "?since=2026-03-05&until=2026-03-05") == [], "there it was 6 March already"
    assert len(table(alice, "?since=2026-03-06&until=2026-03-06")) == 120
    page = text(alice, "?action=inbox.add_note&since=2026-03-06")
    assert 'value="2026-03-06"' in page, "what was typed stays"
    assert "Nothing of this kind" in text(alice, "?since=2027-01-01")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?since=yesterday", "Enter a valid date"),
        ("?since=2026-03-05&until=2026-03-01", "lies before the first one"),
        ("?action=inbox.no_such", "Select a valid choice"),
        ("?who=nobody", "Select a valid choice"),
        ("?subject=not-an-id", ""),
        ("?since=0001-01-01&until=9999-12-31", None),
        ("?who=%00", "Select a valid choice"),
    ],
)
def test_bad_filters_are_told(cast: Cast, query: str, said: str | None) -> None:
    for path in (PAGE, FILE):
        answer = cast.alice.client.get(path + query)
        assert answer.status_code == (200 if said is None else 422)
        if said:
            assert said in answer.content.decode()


def test_a_formula_in_a_name_stays_text(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    models.User.objects.filter(pk=cast.bob.user_id).update(name='=HYPERLINK("https://evil.example")')
    cast.bob.client.post("/a/inbox/1/close/")
    [row] = table(cast.alice.client, "?action=inbox.close_enquiry")
    assert row["who"] == '\'=HYPERLINK("https://evil.example")'


def test_the_download_keeps_the_filters(cast: Cast) -> None:
    page = text(cast.alice.client, "?action=inbox.add_note&who=program")
    [href] = [part.split('"')[0] for part in page.split('href="')[1:] if "audit.csv" in part.split('"')[0]]
    assert parse_qs(urlsplit(href.replace("&amp;", "&")).query) == {"action": ["inbox.add_note"], "who": ["program"]}
