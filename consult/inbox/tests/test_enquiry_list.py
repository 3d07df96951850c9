"""The inbox: views, search, pages."""

import base64
import datetime as dt
import re
import uuid
from typing import Any

import pytest
from django.test import Client

from conftest import Cast, Database
from consult.inbox import services

START = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def fill(database: Database, agency_id: int, count: int, *, same_moment: bool = False) -> None:
    """Put in enquiries 1…count, the newest last."""
    database.ask(
        "INSERT INTO inbox_enquiry (id, agency_id, created_at, number, status, sender_name, sender_email, subject,"
        " excerpt, signals, received_at) SELECT gen_random_uuid(), %s, now(), n, 'open', 'Sender ' || n,"
        " n || '@visitor.example', 'Subject ' || n, 'Excerpt', '[]', %s + n * %s FROM generate_series(1, %s) n",
        [agency_id, START, dt.timedelta(0 if same_moment else 1), count],
    )


def numbers(client: Client, query: str = "", slug: str = "a") -> list[int]:
    """Return the numbers on a page, in their order."""
    answer = client.get(f"/{slug}/inbox/{query}")
    assert answer.status_code == 200
    return [int(number) for number in re.findall(r'id="enquiry-(\d+)"', answer.content.decode())]


def counts(client: Client, query: str = "") -> dict[str, int]:
    text = client.get(f"/a/inbox/{query}").content.decode()
    return {name: int(count) for name, count in re.findall(r'data-count="(\w+)">(\d+)<', text)}


def words_of(client: Client, query: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", client.get(f"/a/inbox/{query}").content.decode()).split())


def test_each_view_holds_what_it_says(database: Database, cast: Cast) -> None:
    fill(database, cast.a, 5)
    fill(database, cast.b, 3)
    # Closed, and so in no view of what is to be done, whosever it was.
    services.assign_enquiry(agency_id=cast.a, number=1, member_id=cast.bob.member_id, by=cast.bob.member_id)
    services.close_enquiry(agency_id=cast.a, number=1, by=None, now=START)
    services.assign_enquiry(agency_id=cast.a, number=2, member_id=cast.bob.member_id, by=cast.bob.member_id)
    services.assign_enquiry(agency_id=cast.a, number=3, member_id=cast.alice.member_id, by=cast.bob.member_id)
    bob = cast.bob.client
    assert numbers(bob) == [5, 4, 3, 2]
    assert numbers(bob, "?view=mine") == [2]
    assert numbers(bob, "?view=unassigned") == [5, 4]
    assert numbers(bob, "?view=closed") == [1]
    assert numbers(bob, "?view=all") == [5, 4, 3, 2, 1]
    assert numbers(bob, "?view=rubbish") == [5, 4, 3, 2]
    assert counts(bob) == {
        "open": 4, "mine": 1, "unassigned": 2, "waiting": 0, "snoozed": 0, "held": 0, "closed": 1, "spam": 0, "all": 5
    }  # fmt: skip
    assert counts(cast.vera.client)["mine"] == 0
    assert numbers(cast.charlie.client, slug="b") == [3, 2, 1]


def test_a_row_leads_to_its_enquiry(database: Database, cast: Cast) -> None:
    fill(database, cast.a, 1)
    text = cast.vera.client.get("/a/inbox/").content.decode()
    assert 'href="/a/inbox/1/"' in text
    for part in ("Sender 1", "Subject 1", "Excerpt"):
        assert part in text
    # Who only reads is shown no way to change.
    assert "/close/" not in text
    assert "/close/" in cast.bob.client.get("/a/inbox/").content.decode()


@pytest.mark.parametrize("same_moment", [False, True])
def test_pages_hold_every_enquiry_once(database: Database, cast: Cast, same_moment: bool) -> None:
    fill(database, cast.a, 107, same_moment=same_moment)
    seen: list[int] = []
    query = "?view=all"
    for expected in (50, 50, 7):
        text = cast.bob.client.get(f"/a/inbox/{query}").content.decode()
        page = numbers(cast.bob.client, query)
        assert len(page) == expected
        seen += page
        more = re.search(r'href="(\?[^"]*before=[^"]+)"', text)
        query = more[1].replace("&amp;", "&") if more else ""
    assert query == ""
    assert seen == list(range(107, 0, -1))


def test_an_unreadable_cursor_is_the_first_page(database: Database, cast: Cast) -> None:
    fill(database, cast.a, 2)
    odd = [
        "x",
        "é",
        "%00",
        "=" * 9,
        "A" * 5000,
        *(
            base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
            for text in (
                "2026-03-01T12:00:00|1",
                "2026-03-01T12:00:00+00:00|x",
                "|",
                "never|7",
                "2026-03-01T12:00:00+00:00|",
            )
        ),
    ]
    for cursor in odd:
        assert numbers(cast.bob.client, f"?before={cursor}") == [2, 1], cursor
    # Readable, but at the edges of time and number.
    for text in (
        f"9999-12-31T23:59:59-23:59|{10**30}",
        f"0001-01-01T00:00:00+23:59|{10**30}",
        f"2999-01-01T00:00:00+00:00|{10**30}",
        "2999-01-01T00:00:00+00:00|-5",
    ):
        cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        assert cast.bob.client.get(f"/a/inbox/?before={cursor}").status_code == 200, text


def test_search_finds_by_everything_that_is_shown(database: Database, cast: Cast) -> None:
    sent = [
        ["name", "Ann Müller"],
        ["email", "ann@visitor.example"],
        ["subject", "Opening hours"],
        ["message", "100% beans_only \\ now"],
    ]
    submission_id, _outcome = database.submit(cast.key_a, *[(name, value) for name, value in sent])
    services.receive_submissions(agency_id=cast.a, submission_ids=[submission_id])
    for number in range(2, 14):
        other, _outcome = database.submit(cast.key_a, ("name", f"Other {number}"), ("message", "Nothing"))
        services.receive_submissions(agency_id=cast.a, submission_ids=[other])
    [(receipt,)] = database.ask("SELECT receipt FROM intake_submission WHERE id = %s", [submission_id])
    client = cast.vera.client
    for found in (
        "ann", "MÜLLER", "visitor.example", "opening", "100%25", "beans_only", "beans%20ann", "onl", receipt,
        f"{receipt[:4]}-{receipt[4:8]}-{receipt[8:]}", f"%20{receipt.lower()}%20",
    ):  # fmt: skip
        assert numbers(client, f"?q={found}") == [1], found
    assert numbers(client, "?q=%2313") == [13]
    assert numbers(client, "?q=13") == [13]
    for nothing in ("%5C", "%25", "ann%20zebra", "zebra", "9" * 17, "9" * 40, "'; --", "x" * 3000):
        assert numbers(client, f"?q={nothing}") == [], nothing
    assert numbers(client, "?q=%00ann") == [1]
    # It looks everywhere, unless a view was chosen.
    services.close_enquiry(agency_id=cast.a, number=1, by=None, now=START)
    assert numbers(client, "?q=ann") == [1]
    assert numbers(client, "?q=ann&view=open") == []
    # And never elsewhere.
    assert numbers(cast.charlie.client, "?q=ann", slug="b") == []
    assert numbers(cast.charlie.client, f"?q={receipt}", slug="b") == []


def test_what_was_searched_for_is_shown_as_text(cast: Cast) -> None:
    text = cast.vera.client.get('/a/inbox/?q="><script>alert(1)</script>').content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_what_visitors_send_is_shown_as_text(database: Database, cast: Cast) -> None:
    nasty = "<script>alert(1)</script>{{ 7|add:7 }}{% now %}"
    submission_id, _outcome = database.submit(
        cast.key_a, ("name", nasty), ("email", '"><img src=x onerror=alert(1)>@x.example'), ("message", nasty),
        page_url="javascript:alert(1)", signals=["cleaned", "<b>"],
    )  # fmt: skip
    services.receive_submissions(agency_id=cast.a, submission_ids=[submission_id])
    for path in ("/a/inbox/", "/a/inbox/1/"):
        text = cast.vera.client.get(path).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert 'href="javascript:' not in text
        assert "&lt;script&gt;" in text
        assert "{{ 7|add:7 }}" in text


def test_what_is_held_is_listed_with_its_reasons(database: Database, cast: Cast) -> None:
    links = " ".join(f"https://{n}.example" for n in range(4))
    ids = [
        database.submit(cast.key_a, ("name", "Spam"), ("message", links), signals=["honeypot", "proof_ok"])[0],
        database.submit(cast.key_a, ("name", "Ann"), ("message", links))[0],
    ]
    services.receive_submissions(agency_id=cast.a, submission_ids=ids)
    bob = cast.bob.client
    assert (numbers(bob), numbers(bob, "?view=held"), numbers(bob, "?view=spam")) == ([2], [1], [])
    assert (counts(bob)["open"], counts(bob)["held"]) == (1, 1)
    shown = words_of(bob, "?view=held")
    for reason in ("Hidden field filled in (+60)", "4 links (+45)", "Proof of work done (−30)"):
        assert reason in shown, reason
    # It says so in the other lists as well.
    assert ">Held</span>" in bob.get("/a/inbox/?view=all").content.decode()
    assert "4 links (+45)" in words_of(bob, "")


def test_a_long_list_asks_no_more_questions(database: Database, cast: Cast, django_assert_max_num_queries: Any) -> None:
    fill(database, cast.a, 60)
    for number in range(3):
        database.submit(cast.key_a, id=uuid.uuid4(), origin=str(number))
    # The first page in five minutes also writes when somebody was here.
    numbers(cast.bob.client)
    # Session, person, memberships, agency, list, members, forms, counts, saved views, sites with forms and clients.
    with django_assert_max_num_queries(16):
        assert len(numbers(cast.bob.client)) == 50


def test_an_empty_inbox_says_what_to_do(cast: Cast) -> None:
    for view in ("open", "mine", "unassigned", "held", "closed", "spam", "all"):
        assert cast.bob.client.get(f"/a/inbox/?view={view}").status_code == 200
    assert "/a/sites/" in cast.alice.client.get("/a/inbox/").content.decode()
