"""Raw SQL against every isolated table: from another agency, from none, after a commit, in a job, in the admin."""

# Statements are put together from names of tables and columns here: nobody else has a say in them.
# ruff: noqa: S608

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import psycopg
import psycopg_pool
import pytest
from django.contrib import admin
from django.db import DatabaseError, connection
from django.test import Client, override_settings
from django.utils import timezone

from conftest import Cast, Database
from consult.accounts import models as accounts_models
from consult.accounts import services as accounts
from consult.core import queue, tenancy
from consult.crm import services as crm
from consult.inbox import models as inbox_models
from consult.inbox import rules as inbox_rules
from consult.inbox import services as inbox
from consult.intake import models as intake_models
from consult.intake import services as intake
from consult.tasks import services as tasks
from tests import catalogue, worker

NOBODYS = (psycopg.errors.UndefinedObject, psycopg.errors.InvalidTextRepresentation)
FILE = {
    "field": "cv",
    "name": "cv.pdf",
    "media_type": "application/pdf",
    "size": 3,
    "sha256": "0" * 64,
    "location": "a/b",
}


@pytest.fixture
def both(database: Database, cast: Cast, tmp_path: Path) -> Database:
    """Both agencies with at least a row in every isolated table; whoever adds a table adds its row here."""
    for agency_id, key, person in ((cast.a, cast.key_a, cast.alice), (cast.b, cast.key_b, cast.charlie)):
        submission_id, _outcome = database.submit(key, files=[FILE | {"id": str(uuid.uuid4())}])
        database.set_aside(key)
        inbox.receive_submissions(agency_id=agency_id, submission_ids=[submission_id])
        inbox.add_note(agency_id=agency_id, number=1, body="Called back", by=person.member_id)
        with tenancy.agency(agency_id):
            told: dict[str, Any] = {"kind": "assigned", "feature": "inbox", "subject_ids": [submission_id], "by": None}
            accounts.notify(agency_id=agency_id, now=timezone.now(), **told)
        inbox.label_enquiry(agency_id=agency_id, number=1, names=["Wedding"], by=person.member_id)
        inbox.save_view(
            agency_id=agency_id, name="Mine", filters=inbox_rules.Filters(), shared=True, by=person.member_id
        )
        with override_settings(CONSULT_FILES_URL=tmp_path.as_uri()):
            inbox.send_reply(
                agency_id=agency_id,
                number=1,
                text="On Tuesday",
                by=person.member_id,
                now=timezone.now(),
                uploads=[inbox.Upload("a.txt", "text/plain", b"a")],
            )
            inbox.keep_mail(hook_agency_id=agency_id, raw=b"From: ann@example.com\r\n\r\nHello")
        inbox.connect_mailbox(
            agency_id=agency_id,
            address="team@in.example",
            plus=True,
            host="imap.in.example",
            port=993,
            security="tls",
            user="team",
            password="secret",
            folder="INBOX",
            by=person.member_id,
            now=timezone.now(),
        )
        inbox.renew_hook(agency_id=agency_id, by=person.member_id, now=timezone.now())
        intake.block_sender(agency_id=agency_id, sender="@spam.example", by=person.member_id)
        inbox.create_template(agency_id=agency_id, name="Thanks", body="Thank you", by=person.member_id)
        client_id = crm.ensure_client(agency_id=agency_id, name="Client")
        accounts.create_api_token(
            agency_id=agency_id, name="Own", scopes=["read"], by=person.member_id, member_id=person.member_id
        )
        company_id = crm.create_company(agency_id=agency_id, name="Company", by=person.member_id)
        contact_id, alias_id, other_id = (
            crm.create_contact(
                agency_id=agency_id,
                name=name,
                by=person.member_id,
                emails=["ann@example.com"] * (name == "Ann"),
                phones=["+442079460000"] * (name == "Ann"),
            )
            for name in ("Ann", "Anna", "Anne")
        )
        deal_id = crm.create_deal(agency_id=agency_id, title="Deal", by=person.member_id, contact_id=contact_id)
        bearers: tuple[tuple[Literal["contact", "company", "deal"], uuid.UUID], ...] = (
            ("contact", contact_id),
            ("company", company_id),
            ("deal", deal_id),
        )
        for place, id in bearers:
            crm.add_note(agency_id=agency_id, place=place, id=id, body="Moved", by=person.member_id)
            crm.set_labels(agency_id=agency_id, place=place, id=id, names=["VIP"], by=person.member_id)
        crm.tell_apart(agency_id=agency_id, contact_id=contact_id, other_id=other_id, by=person.member_id)
        crm.merge_contacts(
            agency_id=agency_id,
            keep_id=contact_id,
            alias_id=alias_id,
            take=(),
            by=person.member_id,
            now=timezone.now(),
        )
        crm.create_field(agency_id=agency_id, place="contact", name="Size", kind="text", by=person.member_id)
        with override_settings(CONSULT_FILES_URL=tmp_path.as_uri()):
            import_id = crm.create_import(
                agency_id=agency_id,
                place="contact",
                name="people.csv",
                chunks=[b"name\nCleo\n"],
                by=person.member_id,
                now=timezone.now(),
            )
            moved: dict[str, Any] = {"agency_id": agency_id, "import_id": import_id}
            crm.check_import(**moved, mapping=["name"], on_known="update", by=person.member_id, now=timezone.now())
            crm.check_rows(**moved)
            crm.start_import(**moved, by=person.member_id, now=timezone.now())
            crm.run_import(**moved)
        project_id = tasks.create_project(
            agency_id=agency_id, name="Site", key="SITE", client_id=client_id, by=person.member_id
        )
        key = tasks.create_task(
            agency_id=agency_id,
            project_id=project_id,
            title="Fix the menu",
            by=person.member_id,
            now=timezone.now(),
            deal_id=deal_id,
            assignee_ids=[person.member_id],
        )
        comment_id = tasks.add_comment(
            agency_id=agency_id, key=key, body="On it", by=person.member_id, now=timezone.now()
        )
        tasks.edit_comment(
            agency_id=agency_id,
            key=key,
            comment_id=comment_id,
            body="Done",
            by=person.member_id,
            now=timezone.now(),
        )
        accounts.invite_member(
            agency_id=agency_id, email="ann@example.com", role="member", by=person.member_id, now=timezone.now()
        )
        accounts.start_export(agency_id=agency_id, by=person.member_id, now=timezone.now())
        accounts.claim_idempotency_key(
            agency_id=agency_id, token_id=uuid.uuid4(), key="1", request=b"", now=timezone.now()
        )
        program = {"client_id": "abc", "redirect_uri": "https://abc.chromiumapp.org/"}
        code = accounts.authorize(
            agency_id=agency_id,
            member_id=person.member_id,
            challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            scopes=["read"],
            now=timezone.now(),
            **program,
        )
        # The pair of RFC 7636, appendix B.
        verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        accounts.exchange_code(code=code, verifier=verifier, device=accounts.Device(), now=timezone.now(), **program)
        with tenancy.agency(agency_id):
            intake_models.Site.objects.update(client_id=client_id)
            intake_models.Alarm.objects.create(agency_id=agency_id, checked_at=timezone.now())
            inbox_models.Enquiry.objects.update(assignee_id=person.member_id)
    for table, constraint in catalogue.isolated().items():
        found = {row[0] for row in database.ask(f"SELECT DISTINCT {constraint.column} FROM {table}")}
        assert found == {cast.a, cast.b}, f"no row of both agencies in {table}"
    return database


@contextmanager
def inside(database: Database, role: str, agency_id: int | None) -> Iterator[psycopg.Connection]:
    """A transaction of `role` in an agency, taken back at the end."""
    with psycopg.connect(database.urls[role]) as direct:
        if agency_id is not None:
            direct.execute("SELECT set_config('consult.agency', %s, true)", [str(agency_id)])
        direct.execute("SET CONSTRAINTS ALL IMMEDIATE")
        yield direct
        direct.rollback()


def one(direct: psycopg.Connection, statement: str, parameters: list[Any] | None = None) -> Any:
    row = direct.execute(statement, parameters).fetchone()
    assert row
    return row[0]


def test_another_agencys_rows_are_not_there(both: Database, cast: Cast) -> None:
    for role in ("consult_app", "consult_worker", "consult_owner"):
        for table, constraint in catalogue.isolated().items():
            column = constraint.column
            total = dict(both.ask(f"SELECT {column}, count(*) FROM {table} GROUP BY 1"))
            for here, there in ((cast.a, cast.b), (cast.b, cast.a)):
                with inside(both, role, here) as direct:
                    assert one(direct, f"SELECT count(*) FROM {table}") == total[here], table
                    elsewhere = f"FROM {table} WHERE {column} = {there}"
                    assert one(direct, f"SELECT count(*) {elsewhere}") == 0, table
                    rights = constraint.app if role != "consult_owner" else ("update", "delete")
                    if "update" in rights:
                        statement = f"UPDATE {table} SET created_at = now() WHERE {column} = {there}"
                        assert direct.execute(statement).rowcount == 0, table
                    if "delete" in rights:
                        assert direct.execute(f"DELETE {elsewhere}").rowcount == 0, table


def test_without_an_agency_nothing_can_be_asked(both: Database) -> None:
    for role in ("consult_app", "consult_worker", "consult_owner"):
        for table in catalogue.isolated():
            with pytest.raises(NOBODYS), inside(both, role, None) as direct:
                direct.execute(f"SELECT 1 FROM {table}")


def test_the_edge_may_read_no_table(both: Database, cast: Cast) -> None:
    for (table,) in both.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for table"),
            inside(both, "consult_edge", cast.a) as direct,
        ):
            direct.execute(f"SELECT 1 FROM {table}")


def test_the_backup_reads_every_row_and_writes_none(both: Database) -> None:
    for table in catalogue.isolated():
        count = f"SELECT count(*) FROM {table}"
        assert both.ask(count, role="consult_backup") == both.ask(count)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            both.ask(f"DELETE FROM {table}", role="consult_backup")


def test_a_row_cannot_be_put_into_another_agency(both: Database, cast: Cast) -> None:
    for role in ("consult_app", "consult_owner"):
        for table, constraint in catalogue.isolated().items():
            column = constraint.column
            foreign = {column: cast.b} if column == "id" else {"id": str(uuid.uuid4()), column: cast.b}
            written = both.ask(
                "SELECT string_agg(attname::text, ', ') FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
                [table],
            )[0][0]
            copy = (
                f"INSERT INTO {table} ({written}) SELECT {written} FROM (SELECT (jsonb_populate_record(NULL::{table}, "
                f"to_jsonb(t) || %s)).* FROM {table} t LIMIT 1) AS copied"
            )
            may = constraint.app if role != "consult_owner" else ("insert", "update")
            for right, statement, parameters in (
                ("insert", copy, [psycopg.types.json.Jsonb(foreign)]),
                ("update", f"UPDATE {table} SET {column} = %s", [cast.b]),
            ):
                why = "row-level security" if right in may else "permission denied"
                with (
                    pytest.raises(psycopg.errors.InsufficientPrivilege, match=why),
                    inside(both, role, cast.a) as direct,
                ):
                    direct.execute(statement, parameters)


def test_a_reference_cannot_reach_into_another_agency(both: Database, cast: Cast) -> None:
    found = both.ask(
        """
        SELECT c.conrelid::regclass::text, c.confrelid::regclass::text,
               ARRAY(SELECT attname::text FROM unnest(c.conkey) WITH ORDINALITY k(n, o)
                       JOIN pg_attribute a ON (a.attrelid, a.attnum) = (c.conrelid, k.n) ORDER BY k.o),
               ARRAY(SELECT attname::text FROM unnest(c.confkey) WITH ORDINALITY k(n, o)
                       JOIN pg_attribute a ON (a.attrelid, a.attnum) = (c.confrelid, k.n) ORDER BY k.o)
          FROM pg_constraint c WHERE c.contype = 'f' AND cardinality(c.conkey) > 1
        """
    )
    tried = 0
    for table, target, near, far in found:
        if "agency_id" not in near:
            continue
        theirs = both.ask(f"SELECT {', '.join(far[1:])} FROM {target} WHERE agency_id = {cast.b}")[0]
        change = ", ".join(f"{column} = %s" for column in near[1:])
        # A row of these names one thing alone: what it names may become another, not more.
        named = table in ("crm_labelling", "crm_note") and near[-1] in ("contact_id", "company_id", "deal_id")
        # One row alone: several that came to name the same would break another rule first.
        one = f"SELECT ctid FROM {table} {f'WHERE {near[-1]} IS NOT NULL' if named else ''} LIMIT 1"
        change += f" WHERE ctid = ({one})"
        with (
            pytest.raises(psycopg.errors.ForeignKeyViolation),
            inside(both, "consult_owner", cast.a) as direct,
        ):
            direct.execute(f"UPDATE {table} SET {change}", theirs)
        tried += 1
    assert tried >= 9


def test_nothing_stays_on_the_connection(both: Database, cast: Cast) -> None:
    def ask(statement: str) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0]

    before = ask("SELECT pg_backend_pid()")

    def empty() -> None:
        assert ask("SELECT coalesce(current_setting('consult.agency', true), '')") == ""
        assert tenancy.current() is None
        with pytest.raises(DatabaseError):
            list(inbox_models.Enquiry.objects.all())

    empty()
    for agency_id in (cast.a, cast.b):
        with tenancy.agency(agency_id):
            assert {enquiry.agency_id for enquiry in inbox_models.Enquiry.objects.all()} == {agency_id}
        empty()
        with pytest.raises(inbox.NoSuchEnquiry), tenancy.agency(agency_id):
            inbox.reopen_enquiry(agency_id=agency_id, number=99, by=None)
        empty()
        with pytest.raises(DatabaseError), tenancy.agency(agency_id), connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
        empty()
    # A whole request, of each kind of end.
    for path in ("/a/inbox/", "/a/inbox/99/", "/a/sites/new/"):
        cast.alice.client.get(path)
        empty()
    assert ask("SELECT pg_backend_pid()") == before, "not the same connection: nothing is proved"


def test_a_pooled_connection_brings_nothing_along(both: Database, cast: Cast) -> None:
    """One connection, lent to one agency's transaction after another's, table by table."""
    with psycopg_pool.ConnectionPool(both.urls["consult_app"], min_size=1, max_size=1) as pool:

        def seen(table: str, column: str, agency_id: int | None, *, fail: bool = False) -> set[int]:
            with pool.connection() as lent:
                pids.add(lent.info.backend_pid)
                if agency_id is not None:
                    lent.execute(f"SET LOCAL consult.agency = '{agency_id}'")
                found = {row[0] for row in lent.execute(f"SELECT {column} FROM {table}").fetchall()}
                if fail:
                    lent.execute("SELECT 1/0")
            return found

        pids: set[int] = set()
        for table, constraint in catalogue.isolated().items():
            for agency_id in (cast.a, cast.b):
                assert seen(table, constraint.column, agency_id) == {agency_id}, table
                with pytest.raises(NOBODYS):
                    seen(table, constraint.column, None)
                # Given back in the middle of a transaction that has failed.
                with pytest.raises(psycopg.errors.DivisionByZero):
                    seen(table, constraint.column, agency_id, fail=True)
                with pytest.raises(NOBODYS):
                    seen(table, constraint.column, None)
        assert len(pids) == 1, "not the same connection: nothing is proved"


def test_a_view_shows_no_more_than_its_table(both: Database, cast: Cast) -> None:
    """As the catalogue demands them (security_invoker); the other kind is seen to leak, which is why it does."""
    kinds = (("canary", "WITH (security_invoker = true)", "consult_owner"), ("leak", "", "superuser"))
    isolated = {table: constraint.column for table, constraint in catalogue.isolated().items()}
    for name, options, owner in kinds:
        for table in isolated:
            both.ask(f"CREATE VIEW {name}_{table} {options} AS SELECT * FROM {table}", role=owner)
        both.ask("GRANT SELECT ON ALL TABLES IN SCHEMA public TO consult_app, consult_worker", role=owner)
    for role in ("consult_app", "consult_worker"):
        for here in (cast.a, cast.b):
            with inside(both, role, here) as direct:
                for table, column in isolated.items():
                    rows = direct.execute(f"SELECT DISTINCT {column} FROM canary_{table}").fetchall()
                    assert rows == [(here,)], table
                    leaked = direct.execute(f"SELECT DISTINCT {column} FROM leak_{table}").fetchall()
                    assert {row[0] for row in leaked} == {cast.a, cast.b}, (
                        "the other kind does not leak: why refuse it?"
                    )
        for table in isolated:
            with pytest.raises(NOBODYS), inside(both, role, None) as direct:
                direct.execute(f"SELECT 1 FROM canary_{table}")


def test_a_job_stays_in_its_agency(both: Database, cast: Cast) -> None:
    theirs, _outcome = both.submit(cast.key_b)
    both.ask("TRUNCATE procrastinate_jobs CASCADE")
    with tenancy.agency(cast.a):
        queue.enqueue("inbox.receive_submissions", submission_ids=[str(theirs)])
    worker.run_jobs(both)
    assert both.ask("SELECT count(*) FROM inbox_enquiry WHERE submission_id = %s", [theirs]) == [(0,)]
    assert worker.jobs(both)[0][:2] == ("inbox.receive_submissions", "succeeded")


def test_the_admin_shows_the_chosen_agency_alone(both: Database, cast: Cast) -> None:
    user_id = accounts.create_user(email="root@example.com", name="Root", superuser=True)
    client = Client()
    client.force_login(accounts_models.User.objects.get(pk=user_id))
    isolated = [model for model in admin.site._registry if model._meta.db_table in catalogue.isolated()]
    shown = [model for model in isolated if model is not accounts_models.Agency]
    theirs = {
        model: both.ask(f"SELECT id::text FROM {model._meta.db_table} WHERE agency_id = {cast.b}") for model in shown
    }
    assert len(theirs) >= 18
    for agency_id, seen in ((cast.a, False), (cast.b, True)):
        assert client.post("/admin/accounts/agency/choose/", {"agency": agency_id}).status_code == 302
        for model, ids in theirs.items():
            base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
            page = client.get(base)
            assert page.status_code == 200
            for (id,) in ids:
                assert (f"{base}{id}/change/" in page.content.decode()) is seen, (base, id)
                assert client.get(f"{base}{id}/change/").status_code == (200 if seen else 302)


def test_inside_one_agency_no_other_can_be_entered(both: Database, cast: Cast) -> None:
    with tenancy.agency(cast.a):
        with pytest.raises(tenancy.WrongAgency), tenancy.agency(cast.b):
            pass
        assert tenancy.current() == cast.a
        assert inbox_models.Enquiry.objects.count() == 1
        with tenancy.agency(cast.a):
            assert inbox_models.Enquiry.objects.count() == 1
    with pytest.raises(tenancy.WrongAgency), tenancy.agency(cast.a):
        inbox.close_enquiry(agency_id=cast.b, number=1, by=None, now=dt.datetime.now(dt.UTC))
