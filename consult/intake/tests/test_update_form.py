"""Changing a form: what was sent before keeps the form as it was."""

import threading
from typing import Any

import pytest
from django.db import connection

from conftest import Cast, Database, Enquiry
from consult.intake import rules, services

GOOD: dict[str, Any] = {
    "name": "Write to us",
    "allowed_origins": "*",
    "redirect_targets": "",
    "notify_addresses": "ann@a.example",
    "field-0-label": "What about",
    "field-0-name": "message",
    "field-0-type": "textarea",
}


def url(cast: Cast) -> str:
    return f"/a/forms/{cast.form_a}/edit/"


def test_it_works(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    text = cast.alice.client.get(url(cast)).content.decode()
    for known in ("Contact", "https://a.example", 'value="E-mail"', 'value="email"'):
        assert known in text
    assert cast.alice.client.post(url(cast), GOOD)["Location"] == f"/a/forms/{cast.form_a}/"
    [(form,)] = database.ask("SELECT intake_form_v2(%s)", [cast.key_a], role="consult_edge")
    assert (form["version"], form["name"], form["allowed_origins"]) == (2, "Write to us", ["*"])
    assert [field["name"] for field in form["fields"]] == ["message"]
    [(data, by)] = database.ask("SELECT data, by_id FROM accounts_audit WHERE action = 'intake.update_form'")
    assert by == cast.alice.member_id
    assert data == {
        "version": 2,
        "before": {"name": "Contact", "allowed_origins": ["https://a.example"], "notify_addresses": []},
        "after": {"name": "Write to us", "allowed_origins": ["*"], "notify_addresses": ["a…@a.example"]},
    }
    # What was sent before is shown with the labels of its time.
    old = cast.bob.client.get("/a/inbox/1/").content.decode()
    assert "E-mail" in old
    assert "What about" not in old
    assert database.ask("SELECT version FROM intake_formversion WHERE agency_id = %s ORDER BY 1", [cast.a]) == [
        (1,),
        (2,),
    ]


BAD: list[dict[str, str]] = [{"name": ""}, {"field-0-name": "9"}, {"allowed_origins": "nowhere"}]


def test_bad_input_changes_nothing(database: Database, cast: Cast) -> None:
    for bad in BAD:
        before = database.ask("SELECT * FROM intake_form ORDER BY id")
        answer = cast.alice.client.post(url(cast), GOOD | bad)
        assert answer.status_code == 422
        assert "What about" in answer.content.decode()
        assert "ann@a.example" in answer.content.decode()
        assert database.ask("SELECT * FROM intake_form ORDER BY id") == before
        assert database.ask("SELECT count(*) FROM intake_formversion") == [(2,)]


def test_who_may_not(database: Database, cast: Cast) -> None:
    for client, status in (
        (cast.vera.client, 403),
        (cast.bob.client, 403),
        (cast.charlie.client, 404),
        (cast.stranger, 302),
    ):
        assert client.post(url(cast), GOOD).status_code == status
    assert cast.charlie.client.post(url(cast).replace("/a/", "/b/"), GOOD).status_code == 404
    assert database.ask("SELECT max(version) FROM intake_form") == [(1,)]


def test_what_was_sent_cannot_be_changed(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    """Not by a mistake in the office either: its role lacks the right."""
    for statement in (
        "UPDATE intake_submission SET fields = '[]'",
        "DELETE FROM intake_submission",
        "INSERT INTO intake_submission DEFAULT VALUES",
        "UPDATE intake_formversion SET fields = '[]'",
        "DELETE FROM intake_formversion",
        "UPDATE accounts_audit SET action = 'x'",
        "DELETE FROM accounts_audit",
    ):
        for role in ("consult_app", "consult_worker"):
            with pytest.raises(Exception, match="permission denied"):
                database.ask(statement, role=role)


def test_two_at_once_become_two_versions(database: Database, cast: Cast) -> None:
    start = threading.Barrier(3)
    failures: list[BaseException] = []

    def edit(name: str) -> None:
        try:
            connection.ensure_connection()
            start.wait()
            services.update_form(
                agency_id=cast.a,
                form_id=cast.form_a,
                name=name,
                fields=rules.CONTACT_FIELDS,
                allowed_origins=[],
                redirect_targets=[],
                notify_addresses=[],
            )
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=edit, args=(f"Name {number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert database.ask("SELECT version FROM intake_form WHERE id = %s", [cast.form_a]) == [(4,)]
    assert database.ask("SELECT count(DISTINCT name) FROM intake_formversion WHERE version > 1") == [(3,)]


def test_a_form_that_is_not_there(cast: Cast) -> None:
    with pytest.raises(services.NoSuchForm):
        services.update_form(
            agency_id=cast.a,
            form_id=cast.form_b,
            name="x",
            fields=rules.CONTACT_FIELDS,
            allowed_origins=[],
            redirect_targets=[],
            notify_addresses=[],
        )
