"""What the command palette finds: of one's own agency, by number and by name, however much there is."""

# ruff: noqa: S608 (names of our own columns)

import datetime as dt
import re
import time

from conftest import Cast, Database, Enquiry
from consult.crm import services as crm


def found(cast: Cast, text: str, agency: str = "a") -> list[str]:
    person = cast.vera if agency == "a" else cast.charlie
    page = person.client.get(f"/{agency}/palette/", {"q": text}).content.decode()
    return re.findall(r'data-href="([^"?]*)"', page)


def test_it_works(cast: Cast, enquiry: Enquiry) -> None:
    ann = crm.create_contact(agency_id=cast.a, name="Ann Lee", by=None)
    firm = crm.create_company(agency_id=cast.a, name="Leeds Bäckerei", by=None)
    deal = crm.create_deal(agency_id=cast.a, title="Site for Lee", by=None)
    assert found(cast, "1") == found(cast, "#1") == ["/a/inbox/1/"]
    assert found(cast, "99") == found(cast, "") == found(cast, "\0") == []
    assert found(cast, " LEE ") == [f"/a/contacts/{ann}/", f"/a/companies/{firm}/", f"/a/deals/{deal}/"]
    assert found(cast, "backerei") == [f"/a/companies/{firm}/"]
    assert found(cast, "%") == found(cast, "_ee") == []
    assert found(cast, "9" * 40) == []


def test_who_was_merged_is_not_offered(cast: Cast) -> None:
    keep, alias = (crm.create_contact(agency_id=cast.a, name=name, by=None) for name in ("Ann", "Anna"))
    crm.merge_contacts(agency_id=cast.a, keep_id=keep, alias_id=alias, take=(), by=None, now=dt.datetime.now(dt.UTC))
    assert found(cast, "ann") == [f"/a/contacts/{keep}/"]


def test_another_agency_finds_nothing(cast: Cast, enquiry: Enquiry) -> None:
    crm.create_contact(agency_id=cast.a, name="Ann Lee", by=None)
    crm.create_deal(agency_id=cast.a, title="Lee", by=None)
    assert found(cast, "lee", "b") == found(cast, "1", "b") == []
    assert cast.charlie.client.get("/a/palette/?q=lee").status_code == 404
    assert cast.stranger.get("/a/palette/?q=lee").status_code == 302


def test_what_is_typed_is_text(cast: Cast) -> None:
    page = cast.vera.client.get("/a/palette/", {"q": "<script>alert(1)</script>"}).content.decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_it_is_quick_among_many(database: Database, cast: Cast) -> None:
    """Sixty thousand people: a tenth of the time that it may take, where nobody is called so either."""
    crm.create_contact(agency_id=cast.a, name="Zoe", by=None)
    columns = [
        name
        for (name,) in database.ask(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'crm_contact'"
            " AND column_name NOT IN ('id', 'normal_name', 'name') AND is_generated = 'NEVER' ORDER BY ordinal_position"
        )
    ]
    listed = ", ".join(columns)
    database.ask(
        f"INSERT INTO crm_contact (id, name, normal_name, {listed})"
        f" SELECT gen_random_uuid(), 'Person ' || n, 'person ' || n, {listed}"
        " FROM crm_contact, generate_series(1, 60000) n WHERE normal_name = 'zoe'"
    )
    database.ask("ANALYZE crm_contact")
    assert found(cast, "zo")
    best = 1.0
    for text in ("nobody is called so", "person 59999", "zo"):
        began = time.perf_counter()
        found(cast, text)
        best = min(best, time.perf_counter() - began)
        assert len(found(cast, "person 59999")) == 1
    assert best < 0.08
