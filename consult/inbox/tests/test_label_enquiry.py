"""Labels of an enquiry: typed on its page, given to and taken from several, filtered by, undone."""

import re

import pytest

from conftest import Cast, Database, Enquiry
from consult.inbox import services

URL = "/a/inbox/1/labels/"
BULK = "/a/inbox/change/"
HTMX = {"HX-Request": "true"}


def borne(database: Database) -> list[tuple[int, str]]:
    return database.ask(
        "SELECT e.number, l.name FROM inbox_labelling b JOIN crm_label l ON l.id = b.label_id"
        " JOIN inbox_enquiry e ON e.id = b.enquiry_id ORDER BY e.number, l.name"
    )


@pytest.fixture
def three(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    ids = [database.submit(cast.key_a, ("email", f"{n}@visitor.example"), ("message", "Blue"))[0] for n in range(2)]
    services.receive_submissions(agency_id=cast.a, submission_ids=ids)


def test_it_works(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    assert (
        cast.bob.client.post(URL, {"labels": " Wedding, urgent,, WEDDING\0 ", "seen": "1"})["Location"] == "/a/inbox/1/"
    )
    assert borne(database) == [(1, "Wedding"), (1, "urgent")]
    text = cast.vera.client.get("/a/inbox/1/").content.decode()
    assert 'class="mark mark-label">urgent' in text
    assert "labelled it Wedding, urgent" in text
    assert "Wedding" in cast.vera.client.get("/a/inbox/").content.decode()
    cast.bob.client.post(URL, {"labels": "urgent", "seen": "2"})
    assert borne(database) == [(1, "urgent")]
    [(data,)] = database.ask("SELECT data FROM accounts_audit WHERE action = 'inbox.label_enquiry' ORDER BY id LIMIT 1")
    assert len(data["after"]["label_ids"]) == 2
    assert data["before"]["label_ids"] == []


def test_it_is_undone(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.bob.client.post(URL, {"labels": "One, Two"})
    answer = cast.bob.client.post(URL, {"labels": "Two"}, headers=HTMX)
    assert 'value="Two"' in answer.content.decode()
    assert "consult:said" in answer["HX-Trigger"]
    cast.bob.client.post("/a/inbox/undo/", {"change": "1:3"})
    assert borne(database) == [(1, "One"), (1, "Two")]
    assert "took back: changed the labels" in cast.bob.client.get("/a/inbox/1/").content.decode()


def test_the_second_of_two_is_shown_what_the_first_did(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.alice.client.post(URL, {"labels": "Hers", "seen": "1"})
    answer = cast.bob.client.post(URL, {"labels": "His", "seen": "1"})
    assert answer.status_code == 409
    assert "labelled it" in answer.content.decode()
    assert borne(database) == [(1, "Hers")]
    # What touched another thing is no conflict.
    cast.alice.client.post("/a/inbox/1/close/", {"seen": "2"})
    assert cast.bob.client.post(URL, {"labels": "Hers, His", "seen": "2"}).status_code == 302


def test_bad_labels_are_said_and_kept(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    for typed in ("x" * 51, ",".join(map(str, range(21)))):
        for headers in ({}, HTMX):
            answer = cast.bob.client.post(URL, {"labels": typed}, headers=headers)
            assert answer.status_code == 422
            assert "At most 20 labels" in answer.content.decode()
            assert typed in answer.content.decode()
        assert cast.bob.client.post(BULK, {"action": "label", "labels": typed, "chosen": "1:1"}).status_code == 400
    assert borne(database) == []


def test_several_at_once(database: Database, cast: Cast, three: None) -> None:
    chosen = ["1:1", "2:1", "3:1"]
    cast.alice.client.post("/a/inbox/2/labels/", {"labels": "Old"})
    answer = cast.bob.client.post(BULK, {"action": "label", "labels": "Wedding", "chosen": chosen}, headers=HTMX)
    assert "3 labelled." in answer["HX-Trigger"]
    assert borne(database) == [(1, "Wedding"), (2, "Old"), (2, "Wedding"), (3, "Wedding")]
    # Somebody who looks at an older page takes only what was named.
    cast.bob.client.post(BULK, {"action": "unlabel", "labels": "wedding, nobody's", "chosen": chosen})
    assert borne(database) == [(2, "Old")]
    assert database.ask("SELECT count(*) FROM crm_label") == [(2,)], "taking makes none"
    cast.bob.client.post("/a/inbox/undo/", {"change": ["1:3", "3:3"]})
    assert borne(database) == [(1, "Wedding"), (2, "Old"), (3, "Wedding")]


def test_one_that_bears_too_many_stays(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    cast.bob.client.post(URL, {"labels": ",".join(f"L{n}" for n in range(20))})
    answer = cast.bob.client.post(BULK, {"action": "label", "labels": "More", "chosen": "1"}, headers=HTMX)
    assert "does not apply" in answer["HX-Trigger"]
    assert len(borne(database)) == 20


def numbers(cast: Cast, query: str) -> list[str]:
    text = cast.vera.client.get(f"/a/inbox/?{query}").content.decode()
    return re.findall(r'data-number="(\d+)"', text)


def test_the_list_is_narrowed_by_one(database: Database, cast: Cast, three: None) -> None:
    cast.bob.client.post(BULK, {"action": "label", "labels": "Wedding", "chosen": ["1", "3"]})
    cast.bob.client.post("/a/inbox/2/labels/", {"labels": "Other"})
    [(id,)] = database.ask("SELECT id FROM crm_label WHERE name = 'Wedding'")
    assert sorted(numbers(cast, f"label={id}")) == ["1", "3"]
    assert numbers(cast, f"label={id}&q=blue") == ["3"]
    assert numbers(cast, f"label={id}&q=%232") == []
    assert sorted(numbers(cast, "label=nonsense")) == ["1", "2", "3"]
    assert "Label: Wedding" in cast.vera.client.get(f"/a/inbox/?label={id}").content.decode()
    saved = cast.bob.client.post("/a/inbox/views/", {"name": "Weddings", "query": f"label={id}"})
    assert f"label={id}" in saved["Location"]


def test_links_of_the_list_carry_only_what_it_knows(cast: Cast, enquiry: Enquiry) -> None:
    text = cast.vera.client.get("/a/inbox/?view=all&token=hunter2&before=hunter2").content.decode()
    assert "hunter2" not in text
    assert 'hx-get="?view=all"' in text


def test_who_may_not(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    for client, status in ((cast.vera.client, 403), (cast.charlie.client, 404), (cast.stranger, 302)):
        assert client.post(URL, {"labels": "x"}).status_code == status
    assert cast.charlie.client.post("/b/inbox/1/labels/", {"labels": "x"}).status_code == 404
    assert borne(database) == []
