"""Migrations go up from nothing, down and up again, on a database in which two agencies have data."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, migrations, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from conftest import Cast, Database
from consult.core import database as consult_database
from consult.core import isolation
from consult.inbox import services as inbox
from consult.intake import rules
from consult.intake import services as intake
from consult.machine import postgres_roles
from tests import catalogue


def _point_at(database: Database, role: str) -> None:
    consult_database.addresses["office"] = database.urls[role]
    consult_database.use("office")


@pytest.fixture
def owner(database: Database, cast: Cast) -> Iterator[Database]:
    """Connected to as migrations are."""
    _point_at(database, "consult_owner")
    yield database
    _point_at(database, "consult_app")


def migrate(*target: str) -> None:
    call_command("migrate", *target, verbosity=0)


def schema(database: Database) -> list[object]:
    """Everything that a migration could leave behind or forget: columns, constraints, policies, rights, functions."""
    return [
        *database.ask(
            "SELECT c.relname, c.relkind::text, c.relrowsecurity, c.relforcerowsecurity, c.relacl::text[],"
            " ARRAY(SELECT (attname, atttypid::regtype, attnotnull)::text FROM pg_attribute a"
            "  WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum)"
            " FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') ORDER BY 1"
        ),
        *database.ask("SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1, 2"),
        *database.ask("SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2"),
        *database.ask("SELECT tablename, policyname, roles::text[], cmd, qual, with_check FROM pg_policies ORDER BY 2"),
        *database.ask("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"),
        *database.ask(
            "SELECT p.oid::regprocedure::text, proowner::regrole::text, proacl::text[], md5(prosrc) FROM pg_proc p"
            " WHERE pronamespace = 'public'::regnamespace ORDER BY 1"
        ),
    ]


def seed(database: Database, cast: Cast) -> None:
    for agency_id, key in ((cast.a, cast.key_a), (cast.b, cast.key_b)):
        submission_id, _outcome = database.submit(key)
        inbox.receive_submissions(agency_id=agency_id, submission_ids=[submission_id])


def test_no_change_of_a_model_lacks_its_migration(database: Database) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_every_migration_has_a_name_and_goes_back() -> None:
    loader = MigrationLoader(None)
    ours = [each for each in loader.disk_migrations.values() if each.__module__.startswith("consult.")]
    assert len(ours) >= 6
    for migration in ours:
        assert "_auto_" not in migration.name
        assert all(operation.reversible for operation in migration.operations), migration


# How far each step goes back, features from the top of the line down. Agencies and people (accounts 0001) stay: below
# them there is nothing to keep.
STEPS = [
    (("inbox", "zero"), "inbox_enquiry"),
    (("tasks", "zero"), "tasks_task"),
    (("intake", "0001"), ""),
    (("intake", "zero"), "intake_submission"),
    (("crm", "zero"), "crm_client"),
    (("accounts", "0001"), ""),
]


def test_down_and_up_again_with_data(owner: Database, cast: Cast) -> None:
    _point_at(owner, "consult_app")
    seed(owner, cast)
    _point_at(owner, "consult_owner")
    before = schema(owner)
    people = owner.ask("SELECT id, agency_id, role, user_id FROM accounts_member ORDER BY id")
    for step, gone in STEPS:
        migrate(*step)
        assert not gone or owner.ask(f"SELECT to_regclass('{gone}')") == [(None,)]
    left = {row[0] for row in owner.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    assert {table for table in left if table.startswith(("inbox_", "tasks_", "intake_", "crm_"))} == set()
    functions = owner.ask("SELECT proname FROM pg_proc WHERE proname ~ '^(accounts|intake|tasks|inbox|crm)_'")
    assert functions == []
    migrate()
    after = schema(owner)
    assert after == before
    assert catalogue.problems(owner.ask) == []
    assert owner.ask("SELECT id, agency_id, role, user_id FROM accounts_member ORDER BY id") == people
    # What was rebuilt works for the agencies that stayed.
    _point_at(owner, "consult_app")
    site_id = intake.create_site(agency_id=cast.a, name="Again", url="https://again.example")
    intake.create_form(agency_id=cast.a, site_id=site_id, name="Contact", fields=rules.CONTACT_FIELDS, key=cast.key_a)
    assert owner.submit(cast.key_a)[1] == "stored"


def test_all_the_way_up_from_nothing(owner: Database, cast: Cast) -> None:
    name = f"{owner.name}_empty"
    owner.ask(f'CREATE DATABASE "{name}" OWNER consult_owner')
    try:
        urls = {role: url.replace(owner.name, name) for role, url in owner.urls.items()}
        empty = Database(name, urls)
        with psycopg.connect(urls["superuser"], autocommit=True) as direct:
            direct.execute(postgres_roles.ROLES_SQL.read_bytes())
        _point_at(empty, "consult_owner")
        migrate()
        assert catalogue.problems(empty.ask) == []
        assert schema(empty) == schema(owner)
        for role in ("consult_app", "consult_worker", "consult_edge", "consult_backup"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                empty.ask("CREATE TEMP TABLE scratch (id int)", role=role)
    finally:
        _point_at(owner, "consult_owner")
        owner.ask(f'DROP DATABASE "{name}" WITH (FORCE)')


# --- constraints added to tables that hold rows already ---


def _added(constraint: models.BaseConstraint, *, app: str, model: str) -> None:
    """Add a constraint as a migration does."""
    state: ProjectState = MigrationExecutor(connection).loader.project_state()
    after = state.clone()
    operation = migrations.AddConstraint(model, constraint)
    operation.state_forwards(app, after)
    with transaction.atomic(), connection.schema_editor(atomic=False) as editor:
        operation.database_forwards(app, editor, state, after)


def test_a_reference_added_later_looks_at_the_rows_there_are(owner: Database, cast: Cast) -> None:
    """Under FORCE the owner sees no row of any agency: a check that ran so would call bad rows good."""
    for table in ("inbox_note", "inbox_enquiry", "accounts_member"):
        owner.ask(f"ALTER TABLE {table} ADD other_id uuid, ADD person_id bigint", role="consult_owner")
    _point_at(owner, "consult_app")
    seed(owner, cast)
    inbox.add_note(agency_id=cast.a, number=1, body="Hello", by=cast.alice.member_id)
    _point_at(owner, "consult_owner")
    charlie = str(cast.charlie.member_id)
    for bad in (str(uuid.uuid4()), charlie):
        owner.ask("UPDATE inbox_note SET other_id = %s", [bad])
        for on_delete in ("restrict", "set null", "cascade"):
            with pytest.raises(IntegrityError):
                _added(
                    isolation.SameAgency(
                        name="note_other",
                        columns=("other_id",),
                        target="accounts_member",
                        on_delete=on_delete,
                    ),
                    app="inbox",
                    model="note",
                )
    owner.ask("UPDATE inbox_note SET person_id = 4711")
    person = isolation.ToGlobal(name="note_person", column="person_id", target="accounts_user")
    with pytest.raises(IntegrityError):
        _added(person, app="inbox", model="note")
    # What failed left the walls as they were.
    assert owner.ask("SELECT relname FROM pg_class WHERE relrowsecurity AND NOT relforcerowsecurity") == []
    owner.ask("UPDATE inbox_note SET other_id = %s, person_id = %s", [cast.alice.member_id, cast.alice.user_id])
    _added(
        isolation.SameAgency(name="note_other", columns=("other_id",), target="accounts_member"),
        app="inbox",
        model="note",
    )
    _added(person, app="inbox", model="note")
    assert owner.ask("SELECT relname FROM pg_class WHERE relrowsecurity AND NOT relforcerowsecurity") == []


def test_a_table_with_rows_of_no_agency_is_not_isolated_silently(owner: Database, cast: Cast) -> None:
    owner.ask("CREATE TABLE inbox_late (id uuid PRIMARY KEY, agency_id bigint NOT NULL)", role="consult_owner")
    owner.ask("INSERT INTO inbox_late VALUES (gen_random_uuid(), 4711)")
    late = isolation.Isolated(name="inbox_late_isolated")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(late._create("inbox_late"))
    owner.ask("TRUNCATE inbox_late")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(late._create("inbox_late"))
    assert [problem for problem in catalogue.problems(owner.ask) if "inbox_late" in problem] != []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(late._remove("inbox_late"))
    [(enabled, forced, acl)] = owner.ask(
        "SELECT relrowsecurity, relforcerowsecurity, relacl::text FROM pg_class WHERE relname = 'inbox_late'"
    )
    assert (enabled, forced) == (False, False)
    assert "consult_app" not in acl


def test_deleting_a_member_leaves_what_they_did(owner: Database, cast: Cast) -> None:
    """ON DELETE SET NULL acts as the owner, past the rights that the office lacks, and empties one column alone."""
    _point_at(owner, "consult_app")
    seed(owner, cast)
    inbox.add_note(agency_id=cast.a, number=1, body="Hello", by=cast.bob.member_id)
    inbox.assign_enquiry(agency_id=cast.a, number=1, member_id=cast.bob.member_id, by=cast.bob.member_id)
    with psycopg.connect(owner.urls["consult_app"]) as direct:
        direct.execute("SELECT set_config('consult.agency', %s, true)", [str(cast.a)])
        direct.execute("DELETE FROM accounts_member WHERE id = %s", [cast.bob.member_id])
    assert owner.ask("SELECT agency_id, author_id FROM inbox_note") == [(cast.a, None)]
    assert owner.ask("SELECT assignee_id FROM inbox_enquiry WHERE agency_id = %s", [cast.a]) == [(None,)]
    audit = owner.ask("SELECT DISTINCT agency_id, by_id FROM accounts_audit WHERE action = 'inbox.add_note'")
    assert audit == [(cast.a, None)]
