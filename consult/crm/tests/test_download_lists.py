"""Lists as CSV: what the filters leave, whole, in bounded memory, with own fields, and noted."""

import csv
import io
import tracemalloc
from typing import Any
from unittest import mock

from conftest import Cast, Database, Enquiry
from consult.core import tenancy
from consult.crm import models, services
from consult.crm.tests.conftest import Known
from consult.crm.views import exports


def table(client: Any, path: str) -> list[dict[str, str]]:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.streaming
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"), newline="")))


def test_contacts_as_they_are_filtered(database: Database, cast: Cast, known: Known) -> None:
    size = services.create_field(agency_id=cast.a, place="contact", name="Size", kind="text", by=None)
    services.create_contact(agency_id=cast.a, name="=Ben", by=None, custom={str(size): "L"})
    services.set_labels(agency_id=cast.a, place="contact", id=known.contact_id, names=["VIP", "Warm"], by=None)
    rows = table(cast.vera.client, "/a/contacts/contacts.csv")
    assert [row["Name"] for row in rows] == ["Ann Müller", "'=Ben"]
    assert (rows[0]["E-mail"], rows[0]["Labels"]) == ("ann@rosa.example; ann@gmail.com", "VIP; Warm")
    assert (rows[0]["Phone"], rows[0]["Company"], rows[1]["Size"]) == ("'+44 20 7946 0000", "Rosa GmbH", "L")
    assert [row["Name"] for row in table(cast.bob.client, "/a/contacts/contacts.csv?find=rosa")] == ["Ann Müller"]
    noted = database.ask("SELECT by_id FROM accounts_audit WHERE action = 'crm.download_contacts'")
    assert noted == [(cast.vera.member_id,), (cast.bob.member_id,)]


def test_companies_and_deals(database: Database, cast: Cast, known: Known) -> None:
    [rosa] = table(cast.bob.client, "/a/companies/companies.csv")
    assert (rosa["Name"], rosa["Website"]) == ("Rosa GmbH", "https://rosa.example")
    [deal] = table(cast.bob.client, "/a/deals/deals.csv")
    assert (deal["Title"], deal["Value"], deal["Currency"], deal["Stage"]) == ("New shop", "4800.00", "EUR", "New")
    assert deal["Added"].endswith("+00:00")
    assert table(cast.bob.client, "/a/deals/deals.csv?status=won") == []


def test_the_inbox(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    [row] = table(cast.vera.client, "/a/inbox/enquiries.csv")
    assert (row["Number"], row["Status"], row["Name"], row["Site"]) == ("1", "open", "Ann", "Site a")
    assert table(cast.vera.client, "/a/inbox/enquiries.csv?view=closed") == []


def test_nothing_of_another_agency(database: Database, cast: Cast, known: Known, enquiry: Enquiry) -> None:
    for path in ("contacts/contacts", "companies/companies", "deals/deals", "inbox/enquiries"):
        assert table(cast.charlie.client, f"/b/{path}.csv") == []


def test_a_long_list_is_whole_and_not_in_memory(database: Database, cast: Cast) -> None:
    with tenancy.agency(cast.a):
        models.Contact.objects.bulk_create(
            models.Contact(agency_id=cast.a, name=f"P{number}", normal_name=f"p{number}") for number in range(5_003)
        )
    peaks = []
    for size in (500, 5_003):
        with mock.patch.object(exports, "PAGE", size):
            answer = cast.bob.client.get("/a/contacts/contacts.csv")
            tracemalloc.start()
            count = sum(line.count(b"\r\n") for line in answer.streaming_content)  # type: ignore[attr-defined]
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert count == 5_004
    # A page of them is, not all.
    assert peaks[0] * 3 < peaks[1], peaks
