"""Typed in by staff: a submission with its receipt, like everything that comes by a form."""

import datetime as dt
import re
import threading
import uuid
from typing import Any

import psycopg
import pytest
from django.db import connection

from conftest import Cast, Database
from consult.core import tenancy
from consult.inbox import services
from consult.inbox.tests.conftest import change_form
from consult.intake import reports
from tests import worker

URL = "/a/inbox/new/"


def typed(cast: Cast, **more: str) -> dict[str, str]:
    return {
        "id": str(uuid.uuid4()),
        "form_id": str(cast.form_a),
        "channel": "phone",
        "name": "Ann Caller",
        "email": "",
        "phone": "+44 20 7946 0000",
        "company": "",
        "message": "Wants a new website by May",
        **more,
    }


def test_it_works(database: Database, cast: Cast) -> None:
    change_form(cast, notify_addresses=["team@a.example"], auto_reply=True, hold_score=1)
    answer = cast.bob.client.post(URL, typed(cast, message="See https://a.example https://b.example https://c.example"))
    assert answer["Location"] == "/a/inbox/1/"
    [(signals, channel, receipt)] = database.ask("SELECT signals, origin, receipt FROM intake_submission")
    assert (signals, channel) == (["typed_in"], "phone")
    page = cast.vera.client.get("/a/inbox/1/").content.decode()
    assert "Ann Caller" in page
    assert "typed it in" in page
    assert re.search(r"-".join(re.findall("....", receipt)), page)
    # Open whatever it scores, and nobody is written to: who typed it in knows.
    assert database.ask("SELECT status FROM inbox_enquiry") == [("open",)]
    assert {name for name, *_rest in worker.jobs(database)} == {"inbox.receive_submissions"}
    # The job of the door finds it done; and the count adds up.
    worker.run_jobs(database)
    assert database.ask("SELECT count(*) FROM inbox_enquiry") == [(1,)]
    assert database.ask("SELECT source, accepted FROM intake_tally") == [("office", 1)]
    actions = [row[0] for row in database.ask("SELECT action FROM accounts_audit WHERE action LIKE '%%type_in%%'")]
    assert sorted(actions) == ["inbox.type_in_enquiry", "intake.type_in"]


def test_pasted_from_anywhere(database: Database, cast: Cast) -> None:
    pasted = "From: Joe <joe@visitor.example>\nHi, do you cater?\n--\njoe@visitor.example."
    cast.bob.client.post(URL, typed(cast, name="", phone="", message=pasted))
    assert database.ask("SELECT sender_email FROM inbox_enquiry") == [("joe@visitor.example",)]
    # Of two addresses none is taken; nobody can be told, and so it is asked.
    answer = cast.bob.client.post(URL, typed(cast, name="", phone="", message="a@x.example b@x.example"))
    assert answer.status_code == 422


def test_the_same_page_twice_is_one(database: Database, cast: Cast) -> None:
    posted = typed(cast)
    for _ in range(2):
        assert cast.bob.client.post(URL, posted)["Location"] == "/a/inbox/1/"
    answer = cast.bob.client.post(URL, {**posted, "message": "Something else"})
    assert answer.status_code == 422
    assert "Something else" in answer.content.decode()
    assert database.ask("SELECT count(*) FROM intake_submission") == [(1,)]


def test_two_at_once_are_one(database: Database, cast: Cast) -> None:
    id, numbers = uuid.uuid4(), list[Any]()
    start = threading.Barrier(2)

    def run() -> None:
        try:
            connection.ensure_connection()
            start.wait()
            numbers.append(
                services.type_in_enquiry(
                    agency_id=cast.a, id=id, form_id=cast.form_a, channel="phone", by=None,
                    now=dt.datetime.now(dt.UTC), name="Ann", message="Hello",
                )
            )  # fmt: skip
        except BaseException as error:
            numbers.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers == [1, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"message": ""},
        {"message": "x" * 20_001},
        {"name": "", "phone": ""},
        {"email": "nobody"},
        {"channel": "pigeon"},
        {"form_id": str(uuid.uuid4())},
        {"form_id": "x"},
        {"id": "x"},
    ],
)
def test_bad_input_keeps_what_was_typed(database: Database, cast: Cast, wrong: dict[str, str]) -> None:
    answer = cast.bob.client.post(URL, typed(cast, **wrong))
    assert answer.status_code == 422
    if "message" not in wrong:
        assert "Wants a new website by May" in answer.content.decode()
    assert database.ask("SELECT count(*) FROM intake_submission") == [(0,)]


def test_the_door_knows_one_agency_and_the_office_no_other_way(database: Database, cast: Cast) -> None:
    call = "SELECT intake_type_in_v1(%s, %s, 'K7QF2M9X4TDA', '\\x00', '[]', 'phone', '')"
    with psycopg.connect(database.urls["consult_app"]) as office:
        with pytest.raises(psycopg.errors.UndefinedObject):
            office.execute(call, [uuid.uuid4(), cast.form_a])
        office.rollback()
        office.execute("SELECT set_config('consult.agency', %s, true)", [str(cast.b)])
        with pytest.raises(psycopg.errors.NoDataFound):
            office.execute(call, [uuid.uuid4(), cast.form_a])
        office.rollback()
        office.execute("SELECT set_config('consult.agency', %s, true)", [str(cast.a)])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            office.execute("INSERT INTO intake_submission DEFAULT VALUES")


def test_the_conservation_count_has_it(database: Database, cast: Cast) -> None:
    cast.bob.client.post(URL, typed(cast))
    with tenancy.agency(cast.a):
        [day] = reports.conservation(cast.a, dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1))
    assert (day.accepted, day.stored, day.difference) == (1, 1, 0)


def test_who_may_not(database: Database, cast: Cast) -> None:
    for client, expected in ((cast.vera.client, 403), (cast.charlie.client, 404), (cast.stranger, 302)):
        assert client.get(URL).status_code == expected
        assert client.post(URL, typed(cast)).status_code == expected
    # Charlie's own agency does not know the form.
    assert cast.charlie.client.post("/b/inbox/new/", typed(cast)).status_code == 422
    assert database.ask("SELECT count(*) FROM intake_submission") == [(0,)]
