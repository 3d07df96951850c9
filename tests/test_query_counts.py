"""How many statements a page asks, for a member who is signed in: a page that begins to ask more fails here.

The figure of the project is 12 for a page with an empty list. Raise a number only with a reason in the commit.
"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import Cast, Database
from consult.inbox import services as inbox
from tests.test_route_matrix import ROUTES, path

EMPTY_AT_MOST = 12
# Route: statements with nothing there, and with some (the same for one row as for twenty).
PAGES = {
    "<slug:agency>/inbox/": (12, 12),
    "<slug:agency>/sites/": (10, 10),
    "<slug:agency>/sites/<uuid:site_id>/": (10, 10),
    "<slug:agency>/forms/<uuid:form_id>/": (10, 10),
    "<slug:agency>/reports/": (12, 12),
    "<slug:agency>/attention/": (13, 13),
    "<slug:agency>/jobs/": (8, 8),
    "<slug:agency>/contacts/": (10, 10),
    "<slug:agency>/companies/": (10, 10),
    "<slug:agency>/deals/": (10, 10),
    "<slug:agency>/settings/people/": (11, 11),
    "<slug:agency>/settings/tokens/": (10, 10),
    "<slug:agency>/settings/data/": (9, 9),
    # One for each kind of subject: blocked senders are one.
    "<slug:agency>/settings/audit/": (15, 16),
    "<slug:agency>/settings/privacy/": (12, 12),
}

# What is never empty: a site with its form, and the audit, which names what its lines are about.
FULL = {
    "<slug:agency>/sites/<uuid:site_id>/",
    "<slug:agency>/forms/<uuid:form_id>/",
    "<slug:agency>/settings/audit/",
    # Looks after whatever may go wrong, whether there is anything or not.
    "<slug:agency>/attention/",
}


def count(cast: Cast, route: str) -> int:
    address = path(route, cast)
    assert cast.alice.client.get(address).status_code == 200
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert cast.alice.client.get(address).status_code == 200
    return len(asked)


def test_pages_ask_no_more_than_they_did(database: Database, cast: Cast) -> None:
    assert set(PAGES) <= set(ROUTES)
    empty = {route: count(cast, route) for route in PAGES}
    ids = [database.submit(cast.key_a, ("message", f"number {number}"))[0] for number in range(20)]
    inbox.receive_submissions(agency_id=cast.a, submission_ids=ids[:1])
    one = {route: count(cast, route) for route in PAGES}
    inbox.receive_submissions(agency_id=cast.a, submission_ids=ids)
    for number in range(1, 21):
        inbox.label_enquiry(agency_id=cast.a, number=number, by=None, names=["Wedding", f"Number {number}"])
    many = {route: count(cast, route) for route in PAGES}
    assert one == many, "a page asks once more for each row"
    assert {route: (empty[route], many[route]) for route in PAGES} == PAGES
    assert max(empty[route] for route in PAGES.keys() - FULL) <= EMPTY_AT_MOST


def test_a_page_that_asks_more_is_found(database: Database, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from consult.inbox import queries

    before = queries.aside
    monkeypatch.setattr(queries, "aside", lambda *args, **how: before(*args, **how) and before(*args, **how))
    assert count(cast, "<slug:agency>/inbox/") == PAGES["<slug:agency>/inbox/"][0] + 1
