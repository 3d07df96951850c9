"""A contact's page, its timeline and what an alias leads to."""

import datetime as dt
import re

from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import Cast, Database
from consult.crm import services
from consult.crm.tests.conftest import Known

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def test_it_shows_everything_about_them(cast: Cast, known: Known) -> None:
    services.add_note(
        agency_id=cast.a, place="contact", id=known.contact_id, body="<b>Call</b> back", by=cast.bob.member_id
    )
    text = cast.vera.client.get(f"/a/contacts/{known.contact_id}/").content.decode()
    for shown in ("Ann Müller", "ann@rosa.example", "ann@gmail.com", "+44 20 7946 0000", "Rosa GmbH", "New shop",
                  "EUR 4,800", "&lt;b&gt;Call&lt;/b&gt; back", "added the contact", "opened the deal"):  # fmt: skip
        assert shown in text, shown
    for action in ("/edit/", "/notes/", "/labels/"):
        assert action not in text
        assert action in cast.bob.client.get(f"/a/contacts/{known.contact_id}/").content.decode()
    for client, path in ((cast.charlie.client, "/a/"), (cast.charlie.client, "/b/")):
        assert client.get(f"{path}contacts/{known.contact_id}/").status_code == 404


def test_the_timeline_is_paged_and_holds_every_line_once(cast: Cast, known: Known) -> None:
    for number in range(65):
        # Several at the same moment.
        services.record_event(
            agency_id=cast.a, kind="inbox.open_enquiry", at=NOW + dt.timedelta(minutes=number // 4),
            contact_id=known.contact_id, data={"text": f"line {number};", "path": f"inbox/{number}/", "number": number},
        )  # fmt: skip
    seen: list[str] = []
    query = ""
    for _page in range(9):
        text = cast.vera.client.get(f"/a/contacts/{known.contact_id}/{query}").content.decode()
        seen += re.findall(r"[Ll]ine (\d+);", text)
        more = re.search(r'href="(\?before=[^"#]+)', text)
        if not more:
            break
        query = more[1]
    assert sorted(map(int, seen)) == list(range(65))
    # It leads to where it came from.
    assert 'href="/a/inbox/0/"' in text
    assert cast.vera.client.get(f"/a/contacts/{known.contact_id}/?before=rubbish").status_code == 200


def test_the_number_of_queries_is_bounded(database: Database, cast: Cast, known: Known) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            cast.bob.client.get(f"/a/contacts/{known.contact_id}/")
        return len(asked)

    few = count()
    for number in range(15):
        services.create_deal(agency_id=cast.a, title=f"D{number}", by=None, contact_id=known.contact_id)
        services.add_note(agency_id=cast.a, place="contact", id=known.contact_id, body="n", by=cast.bob.member_id)
        services.create_contact(agency_id=cast.a, name="Ann Müller", by=None, emails=["ann@rosa.example"])
    assert count() <= few + 9
    assert few <= 34
