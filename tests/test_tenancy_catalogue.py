"""The database's catalogue proves tenancy: for the tables that are there, and for those that somebody adds."""

import psycopg
import pytest

from conftest import Database
from consult.core import database as roles
from consult.core import grants
from tests import catalogue

ROLES = ("consult_owner", "consult_app", "consult_worker", "consult_edge", "consult_backup", "consult_doors")


def test_the_schema_keeps_every_rule(database: Database) -> None:
    assert catalogue.problems(database.ask) == []
    # What must never loosen, in plain words: whoever weakens a declaration has to come here as well.
    declared = catalogue.isolated()
    assert declared["accounts_audit"].app == ("select", "insert")
    assert declared["intake_submission"].app == ("select",)
    assert declared["intake_formversion"].app == ("select", "insert")
    assert "delete" not in declared["accounts_agency"].app
    assert len(declared) >= 11
    assert grants.GLOBAL_TABLES["accounts_signinlink"][0] == ("select", "insert", "update")
    assert grants.DOORS["accounts_signingkey"] == ("select",)
    for table in ("django_migrations", "django_admin_log", "auth_permission", "auth_group"):
        assert grants.GLOBAL_TABLES[table][0] == grants.READ
    assert set(grants.DOORS) == {"procrastinate_jobs", "procrastinate_events", "accounts_signingkey", "intake_edge"}
    assert grants.GLOBAL_TABLES["intake_edge"][0] == grants.READ
    # What came in is what the edge's doors wrote; the office resolves what is set aside, and deletes none of it.
    assert declared["intake_setaside"].app == ("select", "update")
    assert declared["intake_file"].app == declared["intake_tally"].app == ("select",)


# A statement that somebody may come to write, as owner unless said otherwise, and what the check says about it.
CANARIES = {
    "CREATE TABLE canary (id int)": "canary: neither isolated nor listed",
    "CREATE TABLE canary (agency_id bigint)": "canary: has an agency_id, but is not isolated",
    "CREATE VIEW canary AS SELECT 1 AS one": "canary: a view without security_invoker",
    "CREATE MATERIALIZED VIEW canary AS SELECT 1 AS one": "canary: a relation of kind m",
    "CREATE SCHEMA other; GRANT USAGE ON SCHEMA other TO consult_app": "schema other: consult_app may USAGE",
    "CREATE FUNCTION canary() RETURNS int LANGUAGE sql AS 'SELECT 1'": "canary(): a function that is not listed",
    "ALTER TABLE crm_client NO FORCE ROW LEVEL SECURITY": "crm_client: row-level security is enabled=True, forced",
    "ALTER TABLE crm_client DISABLE ROW LEVEL SECURITY": "crm_client: row-level security is enabled=False",
    "DROP POLICY crm_client_agency ON crm_client": "crm_client: missing policy",
    "CREATE POLICY more ON crm_client USING (true)": "crm_client: unexpected policy",
    "ALTER POLICY crm_client_agency ON crm_client TO consult_app": "crm_client: missing policy",
    "ALTER POLICY crm_client_agency ON crm_client WITH CHECK (true)": "crm_client: missing policy",
    "ALTER TABLE crm_client ALTER agency_id DROP NOT NULL": "crm_client: agency_id may be NULL",
    "ALTER TABLE inbox_counter DROP CONSTRAINT inbox_counter_agency_id_id": "inbox_counter: no UNIQUE (agency_id, id)",
    "ALTER TABLE inbox_counter ALTER id TYPE text": "inbox_counter: id is not a UUID",
    "ALTER TABLE inbox_counter DROP CONSTRAINT inbox_counter_pkey": "inbox_counter: id is not a UUID",
    "CREATE TYPE mood AS ENUM ('good'); ALTER TABLE crm_client ADD mood mood": "crm_client: mood is mood, whose",
    "RESET ROLE; ALTER ROLE consult_app SET consult.agency = '1'": "consult_app begins with consult.agency=1",
    "RESET ROLE; ALTER DATABASE {database} SET consult.agency = '1'": "everybody begins with consult.agency=1",
    "CREATE INDEX ON crm_client (name)": "crm_client: the index on ('name',) does not lead",
    "ALTER TABLE inbox_note ADD FOREIGN KEY (enquiry_id) REFERENCES inbox_enquiry (id)": "inbox_enquiry without",
    "ALTER TABLE crm_client ADD parent_id uuid": "crm_client: parent_id refers to something",
    "ALTER TABLE inbox_note ADD FOREIGN KEY (agency_id, author_id) REFERENCES accounts_member (agency_id, id)"
    " ON DELETE CASCADE": "cascades",
    "ALTER TABLE inbox_note DROP CONSTRAINT inbox_note_agency_fk, ADD CONSTRAINT inbox_note_agency_fk"
    " FOREIGN KEY (agency_id) REFERENCES accounts_agency (id)": "keeps the agency from being deleted",
    "ALTER TABLE inbox_note ADD FOREIGN KEY (agency_id, author_id) REFERENCES accounts_member (agency_id, id)"
    " ON DELETE SET NULL": "SET NULL would empty agency_id",
    "ALTER TABLE inbox_note ADD FOREIGN KEY (agency_id, author_id) REFERENCES accounts_member (agency_id, id)"
    " NOT VALID": "never checked",
    "GRANT TRUNCATE ON crm_client TO consult_app": "crm_client: consult_app may",
    "GRANT UPDATE ON accounts_audit TO consult_app": "accounts_audit: consult_app may",
    "GRANT SELECT ON accounts_user TO consult_edge": "accounts_user: consult_edge may",
    "GRANT SELECT (email) ON accounts_user TO consult_edge": "accounts_user.email: has grants of its own",
    "GRANT SELECT ON crm_client TO consult_backup WITH GRANT OPTION": "crm_client: consult_backup may pass",
    "GRANT SELECT ON crm_client TO PUBLIC": "crm_client: PUBLIC may",
    "GRANT USAGE ON SEQUENCE accounts_user_id_seq TO consult_edge": "accounts_user_id_seq: consult_edge may USAGE",
    "GRANT EXECUTE ON FUNCTION procrastinate_notify_queue_job_inserted_v1 TO PUBLIC": "PUBLIC",
    "SET ROLE consult_doors; GRANT EXECUTE ON FUNCTION intake_form_v2 TO consult_backup": "intake_form_v2(",
    "SET ROLE consult_doors; ALTER FUNCTION intake_form_v2 RESET search_path": "search_path is not pinned",
    "SET ROLE consult_doors; ALTER FUNCTION intake_form_v2 SECURITY INVOKER": "intake_form_v2(text,integer): owner",
}


def test_each_rule_can_fail(database: Database) -> None:
    for statement, said in CANARIES.items():
        # Tried in a transaction that is taken back, so that one database serves all.
        with psycopg.connect(database.urls["superuser"]) as direct:
            # Adding a foreign key reads the rows there are, which under FORCE wants an agency.
            direct.execute("SET LOCAL consult.agency = '0'; SET ROLE consult_owner")
            direct.execute(statement.replace("{database}", database.name))
            direct.execute("RESET ROLE")
            found = catalogue.problems(lambda query: direct.execute(query).fetchall())
            direct.rollback()
        assert any(said in problem for problem in found), (statement, found)


def test_what_the_owner_creates_is_nobodys_at_first(database: Database) -> None:
    database.ask("CREATE TABLE canary (id serial)", role="consult_owner")
    database.ask("CREATE FUNCTION canary() RETURNS int LANGUAGE sql AS 'SELECT 1'", role="consult_owner")
    for role in ("consult_app", "consult_worker", "consult_edge", "consult_backup"):
        for statement in ("SELECT * FROM canary", "SELECT canary()", "SELECT nextval('canary_id_seq')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                database.ask(statement, role=role)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.ask("CREATE TABLE mine (id int)", role=role)


def test_the_roles_may_no_more_than_their_work(database: Database) -> None:
    found = dict(
        database.ask(
            "SELECT rolname, (rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolcanlogin)::text"
            " FROM pg_roles WHERE rolname ~ '^consult'"
        )
    )
    assert found == {role: f"(f,f,f,f,f,{'f' if role == 'consult_doors' else 't'})" for role in ROLES}
    members = database.ask("SELECT member::regrole::text, roleid::regrole::text FROM pg_auth_members")
    assert [pair for pair in members if pair[0].startswith("consult")] == [("consult_owner", "consult_doors")]
    owners = {row[0] for row in database.ask("SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE oid > 16384")}
    assert owners <= {"consult_owner", "postgres"}
    for role in ("consult_app", "consult_worker", "consult_edge"):
        for other in {*ROLES, "postgres"} - {role}:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                database.ask(f"SET ROLE {other}", role=role)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(database.urls["consult_app"].replace("consult_app", "consult_doors"))


def _as(database: Database, role: str) -> None:
    roles.addresses["office"] = database.urls[role]
    roles.use("office")


def test_a_process_refuses_a_role_that_sees_too_much(database: Database) -> None:
    for role in ("consult_app", "consult_worker", "consult_edge", "consult_backup"):
        _as(database, role)
        roles.check_own_role()
    for role, why in (("superuser", "is a superuser"), ("consult_owner", "owns tables")):
        _as(database, role)
        with pytest.raises(roles.UnsafeRole, match=why):
            roles.check_own_role()
        with pytest.raises(roles.UnsafeRole):
            roles.refuse_unsafe_role()
    # Roles belong to the server, which all tests share: these go back at once.
    for change, back, why in (
        ("ALTER ROLE consult_app BYPASSRLS", "ALTER ROLE consult_app NOBYPASSRLS", "has BYPASSRLS"),
        ("GRANT consult_owner TO consult_app", "REVOKE consult_owner FROM consult_app", "consult_owner”, which owns"),
    ):
        database.ask(change)
        try:
            _as(database, "consult_app")
            with pytest.raises(roles.UnsafeRole, match=why):
                roles.check_own_role()
        finally:
            database.ask(back)
