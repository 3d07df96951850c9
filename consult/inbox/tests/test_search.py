"""The search: people, text and notes; typing errors forgiven; filters and pages that stay right under them."""

import datetime as dt
import re
from uuid import UUID

import psycopg
import pytest

from conftest import Cast, Database
from consult.crm import services as crm
from consult.inbox import rules, services
from consult.inbox.tests.test_enquiry_list import START, fill, numbers, words_of
from consult.intake import rules as intake_rules
from consult.intake import services as intake


def send(database: Database, cast: Cast, *messages: str, key: str = "", agency_id: int = 0) -> None:
    for message in messages:
        id, _outcome = database.submit(
            key or cast.key_a, ("name", "Visitor"), ("email", "v@visitor.example"), ("message", message)
        )
        services.receive_submissions(agency_id=agency_id or cast.a, submission_ids=[id])


def test_words() -> None:
    assert rules.words("Ann MÜLLER, ann@visitor.example", "Straße 100%") == sorted(
        ["ann", "muller", "visitor", "example", "strasse", "100"]
    )
    assert rules.words("日本 _ ", "\0'\\") == ["日本"]
    assert len(rules.words(" ".join(str(n) for n in range(5_000)))) == rules.MOST_WORDS
    assert rules.words("x" * 500) == ["x" * 60]


def test_it_finds_all_that_was_sent_and_noted(database: Database, cast: Cast) -> None:
    send(database, cast, "Long text " + "filler " * 100 + "with a wombat at its end", "Nothing of that kind")
    assert numbers(cast.vera.client, "?q=wombat") == [1]
    services.add_note(agency_id=cast.a, number=2, body="Reminds me of the platypus", by=cast.bob.member_id)
    assert numbers(cast.vera.client, "?q=platypus") == [2]
    # All words have to be there; the last letters may be left out.
    assert numbers(cast.vera.client, "?q=platypus%20wombat") == []
    assert numbers(cast.vera.client, "?q=platy%20kind") == [2]


@pytest.mark.parametrize(("typo", "word"), [("weding", "wedding"), ("wommbat", "wombat"), ("webiste", "website")])
def test_typing_errors_are_forgiven(database: Database, cast: Cast, typo: str, word: str) -> None:
    send(database, cast, "A wedding for a hundred", "A wombat", "A new website", "Nothing")
    found = {"wedding": [1], "wombat": [2], "website": [3]}
    assert numbers(cast.vera.client, f"?q={typo}") == found[word]
    assert f"Nobody wrote “{typo}”; shown are {word}" in words_of(cast.vera.client, f"?q={typo}")
    # What somebody did write is taken at its word.
    assert "Nobody wrote" not in words_of(cast.vera.client, f"?q={word}")


def test_it_never_finds_another_agencys(database: Database, cast: Cast) -> None:
    send(database, cast, "A wombat", key=cast.key_b, agency_id=cast.b)
    assert numbers(cast.vera.client, "?q=wombat") == []
    # Not even that anybody wrote the word.
    assert "wombat" not in words_of(cast.vera.client, "?q=wommbat").replace("wommbat", "")
    assert numbers(cast.charlie.client, "?q=wombat", slug="b") == [1]


def test_the_doors_know_one_agency(database: Database, cast: Cast) -> None:
    send(database, cast, "A wombat")
    search = (
        "SELECT count(*) FROM inbox_search_v1('wombat', NULL, NULL, false, NULL, NULL, NULL, NULL, NULL, 10)",
        "SELECT count(*) FROM inbox_near_words_v1('{wommbat}') WHERE cardinality(near) > 0",
    )
    with psycopg.connect(database.urls["consult_app"]) as office:
        for statement in search:
            with pytest.raises((psycopg.errors.UndefinedObject, psycopg.errors.InvalidTextRepresentation)):
                office.execute(statement)
            office.rollback()
        for agency_id, expected in ((cast.a, 1), (cast.b, 0)):
            office.execute("SELECT set_config('consult.agency', %s, true)", [str(agency_id)])
            for statement in search:
                assert office.execute(statement).fetchone() == (expected,)
            office.rollback()


def test_what_is_typed_cannot_change_the_question(database: Database, cast: Cast) -> None:
    send(database, cast, "A wombat", "Something")
    for text in ("wombat' | 'something", "wombat | something", "wombat:*", "!something wombat", "(wombat", "agency=1"):
        assert set(numbers(cast.vera.client, f"?q={text}")) <= {1}, text
    assert numbers(cast.vera.client, "?q=agency") == []


def test_filters(database: Database, cast: Cast) -> None:
    client_id = crm.ensure_client(agency_id=cast.a, name="Client")
    site_id = intake.create_site(agency_id=cast.a, name="Shop", url="https://s.example", client_name="Client")
    form_id = intake.create_form(
        agency_id=cast.a, site_id=site_id, name="Order", fields=intake_rules.CONTACT_FIELDS, key="frm_" + "c" * 22
    )
    send(database, cast, "One", "Two")
    send(database, cast, "Three", key="frm_" + "c" * 22)
    services.assign_enquiry(agency_id=cast.a, number=2, member_id=cast.bob.member_id, by=None)
    database.ask("UPDATE inbox_enquiry SET received_at = now() - interval '5 days' WHERE number = 1")
    client = cast.bob.client
    assert numbers(client, f"?site={site_id}") == [3]
    assert numbers(client, f"?form={form_id}") == [3]
    assert numbers(client, f"?form={cast.form_a}") == [2, 1]
    assert numbers(client, f"?client={client_id}") == [3]
    assert numbers(client, f"?site={cast.site_a}&client={client_id}") == []
    assert numbers(client, f"?assignee={cast.bob.member_id}") == [2]
    assert numbers(client, "?assignee=nobody") == [3, 1]
    assert numbers(client, "?age=1d") == [3, 2]
    assert numbers(client, "?age=over3d") == [1]
    assert numbers(client, "?age=over7d") == []
    # With the search as without it.
    assert numbers(client, f"?q=visitor&site={site_id}") == [3]
    assert numbers(client, f"?q=visitor&assignee={cast.bob.member_id}&view=open") == [2]
    assert numbers(client, "?q=visitor&age=over3d") == [1]
    assert numbers(client, "?q=visitor&assignee=nobody&view=mine") == []
    # What cannot be read narrows nothing, and is not shown as chosen.
    assert numbers(client, "?site=x&form=%00&age=never&assignee=me") == [3, 2, 1]
    assert 'id="narrowed"' not in client.get("/a/inbox/?site=x").content.decode()
    assert "Site: Shop" in words_of(client, f"?site={site_id}")
    # Another agency's ids find nothing.
    assert numbers(client, f"?form={cast.form_b}") == []


@pytest.mark.parametrize("query", ["q=excerpt&view=all", "assignee=nobody", "q=excerpt&assignee=nobody&age=over1d"])
def test_pages_under_filters_hold_every_enquiry_once(database: Database, cast: Cast, query: str) -> None:
    fill(database, cast.a, 130, same_moment=True)
    database.ask("UPDATE inbox_enquiry SET words = '{excerpt}', received_at = %s", [START - dt.timedelta(days=400)])
    database.ask("UPDATE inbox_enquiry SET assignee_id = %s WHERE number %% 10 = 0", [cast.bob.member_id])
    expected = [n for n in range(130, 0, -1) if "nobody" not in query or n % 10]
    seen: list[int] = []
    more: str | None = f"?{query}"
    while more:
        text = cast.bob.client.get(f"/a/inbox/{more}").content.decode()
        seen += [int(number) for number in re.findall(r'id="enquiry-(\d+)"', text)]
        found = re.search(r'href="(\?[^"]*before=[^"]+)"', text)
        more = found[1].replace("&amp;", "&") if found else None
    assert seen == expected


def test_a_number_stands_first_and_once(database: Database, cast: Cast) -> None:
    send(database, cast, "Room 2, please", "Second", "Two of room 2")
    assert numbers(cast.vera.client, "?q=2") == [2, 3, 1]
    assert numbers(cast.vera.client, "?q=%232&view=held") == []


def test_a_rule_for_ids() -> None:
    assert rules.is_uuid(str(UUID(int=7)))
    assert not rules.is_uuid("{00000000-0000-0000-0000-000000000007}")
