"""What nobody means to send: it is answered clearly, and never with a broken page."""

import base64
import datetime as dt
import json
import uuid

import pytest

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import queries, services
from consult.crm.tests.conftest import Known, at_once

# One sign that is eighteen letters once it is folded.
LIGATURE = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}"


def cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize("page", ["contacts/?after=", "companies/?after=", "deals/list/?after="])
def test_cursors_that_nobody_gave_out(cast: Cast, known: Known, page: str) -> None:
    some = str(uuid.uuid4())
    for text in (
        cursor("\ud800", some),
        cursor("a\0", some),
        cursor("2026-01-01T00:00:00+23:59:59.999999", some),
        cursor("0001-01-01T00:00:00+14:00", some),
        cursor(["a"], some),
        cursor({"a": 1}, some),
        cursor("a", "b"),
        cursor(10**400, some),
        cursor(),
        "W" * 9_000,
        "%00",
        "é",
    ):
        assert cast.bob.client.get(f"/a/{page}{text}").status_code == 200, text


def test_a_timelines_cursor(cast: Cast, known: Known) -> None:
    for text in (cursor("\ud800", str(uuid.uuid4())), cursor("x", "y"), "%"):
        assert cast.bob.client.get(f"/a/contacts/{known.contact_id}/?before={text}").status_code == 200, text


def test_signs_that_grow_when_they_are_folded(cast: Cast, known: Known) -> None:
    client = cast.bob.client
    assert client.post("/a/contacts/new/", {"name": LIGATURE * 200}).status_code == 302
    assert client.post("/a/companies/new/", {"name": LIGATURE * 200}).status_code == 302
    labels = client.post(f"/a/contacts/{known.contact_id}/labels/", {"labels": f"{LIGATURE * 50},{LIGATURE * 49}x"})
    assert labels.status_code == 302
    assert client.get("/a/contacts/", {"find": LIGATURE * 300}).status_code == 200
    # An address that is longer than any once it is written as it is stored.
    address = f"a@{'.'.join([LIGATURE * 50] * 4)}.com"
    refused = client.post("/a/contacts/new/", {"name": "Ann", "emails": address})
    assert refused.status_code == 422
    assert "is no e-mail address" in refused.content.decode()


def test_a_contact_that_goes_by_a_long_address(cast: Cast, database: Database, known: Known) -> None:
    address = f"{'a' * 250}@example.com"
    assert cast.bob.client.post("/a/contacts/new/", {"name": "", "emails": address}).status_code == 302
    assert database.ask("SELECT address FROM crm_email WHERE length(address) > 250") == [(address,)]
    assert database.ask("SELECT name FROM crm_contact WHERE starts_with(name, 'aaa')") == [(address[:200],)]


def test_a_website_that_is_too_long_with_its_scheme(cast: Cast, known: Known) -> None:
    answer = cast.bob.client.post("/a/companies/new/", {"name": "Long", "website": "example.com/" + "a" * 485})
    assert answer.status_code == 422
    assert "at most 500 characters" in answer.content.decode()


def test_a_contact_that_is_nobodys_name(cast: Cast, known: Known) -> None:
    """Marks alone are no name, and so name nobody, least of all somebody of another agency."""
    answer = cast.bob.client.post(
        "/a/deals/new/",
        {"title": "x", "currency": "EUR", "contact": "\N{COMBINING ACUTE ACCENT}", "contact_id": str(uuid.uuid4())}
        | {"stage": stage(cast)},
    )
    assert answer.status_code == 422


def stage(cast: Cast) -> str:
    with tenancy.agency(cast.a):
        return str(queries.stages(cast.a)[0].id)


def test_a_number_of_nothing_is_a_number(cast: Cast, database: Database, known: Known) -> None:
    field = services.create_field(agency_id=cast.a, place="company", name="Staff", kind="number", by=None)
    for typed, kept in (("0", "0"), ("1e3", "1000"), ("2.50", "2.50")):
        sent = cast.bob.client.post("/a/companies/new/", {"name": f"Firm {typed}", f"own-{field}": typed})
        assert sent.status_code == 302
        [(custom,)] = database.ask("SELECT custom FROM crm_company WHERE name = %s", [f"Firm {typed}"])
        assert custom == {str(field): kept}
        assert "Staff" in cast.bob.client.get(sent["Location"]).content.decode()
    for typed in ("NaN", "Infinity", "1e999", "x", "9" * 30, "\0"):
        sent = cast.bob.client.post("/a/companies/new/", {"name": "Firm", f"own-{field}": typed})
        assert sent.status_code == 422, typed


def test_a_search_for_noughts_finds_what_has_noughts(cast: Cast, known: Known) -> None:
    services.create_contact(agency_id=cast.a, name="Nora", by=None)
    with tenancy.agency(cast.a):
        assert [row.name for row in queries.contacts(cast.a, search="00000").contacts] == []
        assert [row.name for row in queries.contacts(cast.a, search="%").contacts] == []
        assert [row.name for row in queries.contacts(cast.a, search="_").contacts] == []
        assert [row.name for row in queries.contacts(cast.a, search="\\").contacts] == []
        assert [row.name for row in queries.contacts(cast.a, search="020 7946 0000").contacts] == ["Ann Müller"]
    assert cast.bob.client.get("/a/contacts/", {"find": "%_\\" * 3_334}).status_code == 200


def test_a_label_is_shown_as_it_is_written(cast: Cast, known: Known) -> None:
    path = f"/a/contacts/{known.contact_id}/"
    cast.bob.client.post(f"{path}labels/", {"labels": "<img src=x onerror=alert(1)>"})
    for page in (path, "/a/contacts/"):
        shown = cast.bob.client.get(page).content.decode()
        assert "<img src=x" not in shown
        assert "&lt;img src=x onerror=alert(1)&gt;" in shown


def test_labels_at_once_and_merges(cast: Cast, database: Database, known: Known) -> None:
    """Labelling somebody who is merged meanwhile: the label is there once, and nobody gets an error."""
    for number in range(6):
        keep = services.create_contact(agency_id=cast.a, name=f"Keep {number}", by=None)
        gone = services.create_contact(agency_id=cast.a, name=f"Gone {number}", by=None)
        services.set_labels(agency_id=cast.a, place="contact", id=gone, names=["VIP"], by=None)

        def label(keep: uuid.UUID = keep) -> None:
            services.set_labels(agency_id=cast.a, place="contact", id=keep, names=["VIP"], by=None)

        def merge(keep: uuid.UUID = keep, gone: uuid.UUID = gone) -> uuid.UUID:
            return services.merge_contacts(
                agency_id=cast.a, keep_id=keep, alias_id=gone, take=(), by=None, now=dt.datetime.now(dt.UTC)
            )

        results = at_once(label, merge)
        assert not [each for each in results if isinstance(each, Exception)]
        assert database.ask("SELECT count(*) FROM crm_labelling WHERE contact_id = %s", [keep]) == [(1,)]
