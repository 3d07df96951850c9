"""The audit's rows: where from by themselves, what it was before, people by id only, and nobody changes them."""

import ast
import datetime as dt
import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.test import Client, override_settings

from conftest import Cast, Database, Enquiry
from consult.accounts import models, reports, services
from consult.core import origin, queue, tenancy
from consult.intake import services as intake
from tests import worker

ROOT = Path(__file__).resolve().parents[3]


def origins(database: Database, action: str) -> list[tuple[str, uuid.UUID | None]]:
    return database.ask("SELECT origin, token_id FROM accounts_audit WHERE action = %s ORDER BY created_at", [action])


def test_a_request_says_its_network(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    for address in ("203.0.113.77", "2001:db8:1:2:3::4", "::ffff:198.51.100.9", ""):
        for act in ("close", "reopen"):
            assert cast.bob.client.post(f"/a/inbox/1/{act}/", REMOTE_ADDR=address).status_code == 302
    expected = [("203.0.113.0/24", None), ("2001:db8:1::/48", None), ("198.51.100.0/24", None), ("", None)]
    assert origins(database, "inbox.close_enquiry") == origins(database, "inbox.reopen_enquiry") == expected
    assert origin.current() == origin.Origin(), "the request has ended"


@override_settings(CONSULT_TRUSTED_PROXIES=["10.0.0.0/8"])
def test_it_is_the_address_that_the_proxy_saw(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    behind = Client(REMOTE_ADDR="10.1.2.3", headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.9"})
    behind.cookies = cast.bob.client.cookies
    assert behind.post("/a/inbox/1/close/").status_code == 302
    assert origins(database, "inbox.close_enquiry") == [("203.0.113.0/24", None)]


def test_a_job_says_its_name_and_a_command_that_it_is_one(database: Database, cast: Cast) -> None:
    database.submit(cast.key_a)
    worker.run_jobs(database)
    assert origins(database, "inbox.open_enquiry") == [("job inbox.receive_submissions", None)]
    assert set(origins(database, "intake.create_site")) == {("command", None)}, "as the fixture made them"
    assert origin.current() == origin.Origin()


def test_a_job_that_fails_leaves_nothing_behind() -> None:
    @queue.job("accounts.test_breaks", retry=False)
    def breaks() -> None:
        assert origin.current().place == "job accounts.test_breaks"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        breaks()
    assert origin.current() == origin.Origin()


def test_the_admin_says_so(database: Database, cast: Cast) -> None:
    seen: list[str] = []

    def note(*_arguments: object) -> dict[str, object]:
        seen.append(origin.current().place)
        return {}

    user_id = services.create_user(email="root@example.com", name="Root", superuser=True)
    root = Client()
    root.force_login(models.User.objects.get(pk=user_id))
    assert root.post("/admin/accounts/agency/choose/", {"agency": cast.a}).status_code == 302
    patch = pytest.MonkeyPatch()
    with patch.context() as patched:
        patched.setattr("consult.core.admin.Records.get_list_display", lambda self, request: note() or ["id"])
        assert root.get("/admin/accounts/member/", REMOTE_ADDR="203.0.113.5").status_code == 200
    assert set(seen) == {"admin 203.0.113.0/24"}


def test_a_token_is_named(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    _id, secret = services.create_api_token(
        agency_id=cast.a, name="CI", scopes=["write"], by=cast.alice.member_id, member_id=cast.alice.member_id
    )
    with origin.bound("203.0.113.0/24"):
        caller = services.believe_api_token(secret, now=dt.datetime.now(dt.UTC))
        with tenancy.agency(cast.a):
            services.record("inbox.add_note", agency_id=cast.a, by=caller.here.member_id)
            services.record_each("inbox.open_enquiry", agency_id=cast.a, subject_ids=[enquiry.submission_id])
    assert origins(database, "inbox.add_note") == [("203.0.113.0/24", caller.token_id)]
    assert origins(database, "inbox.open_enquiry")[-1] == ("203.0.113.0/24", caller.token_id)


def test_changes_are_told_with_what_was_before(database: Database, cast: Cast) -> None:
    intake.update_site(
        agency_id=cast.a, site_id=cast.site_a, name="New", url="https://a.example", by=cast.alice.member_id
    )
    [(data,)] = database.ask("SELECT data FROM accounts_audit WHERE action = 'intake.update_site'")
    assert data == {"before": {"name": "Site a"}, "after": {"name": "New"}}


def test_changes_hide_secrets_and_shorten_people() -> None:
    assert services.changes({"a": 1, "b": [1]}, {"a": 1, "b": [1]}) == {}
    assert services.changes({"smtp_password": "hunter2", "x": 1}, {"smtp_password": "hunter3", "x": 2}) == {
        "before": {"smtp_password": "[hidden]", "x": 1},
        "after": {"smtp_password": "[hidden]", "x": 2},
    }
    found = services.changes({}, {"to": ["ann.miller@studio.example"], "from": "Studio <hello@studio.example>"})
    assert found == {"before": {}, "after": {"to": ["a…@studio.example"], "from": "Studio <h…@studio.example>"}}
    assert len(services.changes({}, {"text": "x" * 10_000})["after"]["text"]) == 201
    json.dumps(found)


def test_the_offices_roles_may_not_change_it(database: Database, cast: Cast) -> None:
    for role in ("consult_app", "consult_worker"):
        for statement in (
            "UPDATE accounts_audit SET action = 'nothing'",
            "UPDATE accounts_audit SET origin = ''",
            "DELETE FROM accounts_audit",
            "TRUNCATE accounts_audit",
            "INSERT INTO accounts_audit SELECT * FROM accounts_audit ON CONFLICT (id) DO UPDATE SET action = 'nothing'",
            "MERGE INTO accounts_audit a USING accounts_agency g ON a.agency_id = g.id WHEN MATCHED THEN DELETE",
        ):
            with psycopg.connect(database.urls[role]) as direct:
                direct.execute("SELECT set_config('consult.agency', %s, true)", [str(cast.a)])
                assert direct.execute("SELECT count(*) FROM accounts_audit").fetchone() != (0,)
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for table"):
                    direct.execute(statement)


def recorded() -> Iterator[tuple[str, str]]:
    """Yield (action, file) for every action that the code gives to `record`, by whatever way it goes there."""
    for file in sorted((ROOT / "consult").rglob("*.py")):
        path = file.relative_to(ROOT).as_posix()
        if "/tests/" in path or "/migrations/" in path or file.name == "apps.py":
            continue
        tree = ast.parse(file.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in RECORDING:
                for each in ast.walk(node):
                    if isinstance(each, ast.Constant) and isinstance(each.value, str) and ACTION.fullmatch(each.value):
                        yield each.value, path


# What takes an action's name: the audit itself, and the services' own ways to it.
RECORDING = {
    "record",
    "record_each",
    "_changed",
    "_mark_set_aside",
    "_change_logo",
    "_end",
    "_tell",
    "_set_status",
    "_record",
    "bring_back",
    "change",
    "tell",
    "_save",
    "_download",
    "_put",
}
ACTION = re.compile(r"(accounts|crm|intake|tasks|inbox|thread)\.[a-z_]+")


def test_every_action_has_its_words_and_every_word_its_action() -> None:
    found = dict(recorded())
    assert len(found) > 15
    assert sorted(set(found) - set(reports.actions())) == []
    assert sorted(set(reports.actions()) - set(found)) == []
