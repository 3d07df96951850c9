"""What each database role is and may do, on every PostgreSQL that this machine has."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from consult.machine import local, postgres, postgres_cluster, postgres_roles

# The embedded one, and the oldest supported where it is installed.
SERVERS: list[Path | None] = [None, *Path("/usr/lib/postgresql").glob("15/bin")]


@pytest.fixture(scope="module", params=SERVERS, ids=lambda folder: "15" if folder else "embedded")
def cluster(request: pytest.FixtureRequest) -> Iterator[postgres_cluster.Cluster]:
    with postgres.temporary(request.param) as cluster:
        yield cluster


def as_role(cluster: postgres_cluster.Cluster, role: str, *statements: str) -> object:
    """The first value of the last statement, all in one transaction that is rolled back."""
    with psycopg.connect(cluster.url(role)) as connection:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        connection.rollback()
    return row[0] if row else None


def test_nobody_may_bypass_anything(cluster: postgres_cluster.Cluster) -> None:
    with psycopg.connect(cluster.url("superuser")) as connection:
        rows = connection.execute(
            "SELECT rolname, rolcanlogin, rolinherit, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR"
            " rolreplication FROM pg_roles WHERE rolname LIKE 'consult%' ORDER BY rolname"
        ).fetchall()
    assert rows == [
        ("consult_app", True, False, False),
        ("consult_backup", True, False, False),
        ("consult_doors", False, False, False),
        ("consult_edge", True, False, False),
        ("consult_owner", True, False, False),
        ("consult_worker", True, False, False),
    ]


def test_only_the_owner_may_become_the_doors(cluster: postgres_cluster.Cluster) -> None:
    assert as_role(cluster, "consult_owner", "SET ROLE consult_doors", "SELECT current_user") == "consult_doors"
    for role in set(local.LOGIN_ROLES) - {"consult_owner"}:
        for other in ("consult_doors", "consult_owner", "postgres"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                as_role(cluster, role, f"SET ROLE {other}")


@pytest.mark.parametrize("role", sorted(set(local.LOGIN_ROLES) - {"consult_owner"}))
def test_the_others_create_nothing(cluster: postgres_cluster.Cluster, role: str) -> None:
    for statement in ("CREATE TABLE t ()", "CREATE TEMP TABLE t ()", "CREATE SCHEMA s", "CREATE EXTENSION hstore"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_role(cluster, role, statement)


@pytest.mark.parametrize("maker", ["consult_owner", "consult_doors"])
def test_new_functions_are_nobodys_by_default(cluster: postgres_cluster.Cluster, maker: str) -> None:
    function = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    acl = "SELECT proacl::text FROM pg_proc WHERE proname = 'f'"
    assert as_role(cluster, "consult_owner", f"SET ROLE {maker}", function, acl) == f"{{{maker}=X/{maker}}}"


def test_a_function_is_handed_to_the_doors(cluster: postgres_cluster.Cluster) -> None:
    owner = as_role(
        cluster,
        "consult_owner",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "ALTER FUNCTION f() OWNER TO consult_doors",
        "SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE proname = 'f'",
    )
    assert owner == "consult_doors"


def test_extensions_and_letters_of_all_languages(cluster: postgres_cluster.Cluster) -> None:
    assert as_role(cluster, "consult_app", "SELECT lower('ÄÖÇŁ')") == "äöçł"
    assert as_role(cluster, "consult_app", "SELECT unaccent('crème') || similarity('abc', 'abc')") == "creme1"
    assert as_role(cluster, "consult_app", "SELECT count(*) FROM pg_extension WHERE extname = 'btree_gist'") == 1


def test_strangers_cannot_enter(cluster: postgres_cluster.Cluster) -> None:
    with psycopg.connect(cluster.url("superuser"), autocommit=True) as connection:
        connection.execute("CREATE ROLE stranger LOGIN PASSWORD 'stranger'")
        try:
            address = cluster.url("consult_app").replace(
                f"consult_app:{cluster.secrets.passwords['consult_app']}", "stranger:stranger"
            )
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(address)
        finally:
            connection.execute("DROP ROLE stranger")


def test_preparing_again_changes_nothing_but_wrong_passwords(cluster: postgres_cluster.Cluster) -> None:
    def verifiers() -> dict[str, str]:
        with psycopg.connect(cluster.url("superuser")) as connection:
            rows = connection.execute("SELECT rolname, rolpassword FROM pg_authid WHERE rolname LIKE 'consult%'")
            return dict(rows.fetchall())

    before = verifiers()
    cluster.prepare()
    assert verifiers() == before
    with psycopg.connect(cluster.url("superuser")) as connection:
        connection.execute("ALTER ROLE consult_app PASSWORD 'other'")
    cluster.prepare()
    assert verifiers().keys() == before.keys()
    assert {role for role, verifier in verifiers().items() if verifier != before[role]} == {"consult_app"}
    psycopg.connect(cluster.url("consult_app")).close()
    log = cluster.log.read_text()
    assert not [role for role, password in cluster.secrets.passwords.items() if password in log]


def test_a_role_that_may_too_much_is_refused(cluster: postgres_cluster.Cluster) -> None:
    with psycopg.connect(cluster.url("superuser"), autocommit=True) as connection:
        connection.execute("ALTER ROLE consult_app BYPASSRLS")
        try:
            with pytest.raises(psycopg.errors.RaiseException, match="consult_app may do more"):
                cluster.prepare()
        finally:
            connection.execute("ALTER ROLE consult_app NOBYPASSRLS")


def test_the_file_also_works_for_a_creator_who_is_no_superuser(cluster: postgres_cluster.Cluster) -> None:
    """As on managed servers: an administrator with CREATEROLE and CREATEDB."""
    roles = ["consult_owner", "consult_app", "consult_worker", "consult_edge", "consult_backup", "consult_doors"]
    with postgres.temporary(cluster.home.bin_dir) as managed:
        with psycopg.connect(managed.url("superuser", "postgres"), autocommit=True) as connection:
            connection.execute("DROP DATABASE consult")
            for role in roles:
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
            connection.execute("CREATE ROLE admin LOGIN CREATEROLE CREATEDB PASSWORD 'admin'")
        address = f"postgresql://admin:admin@127.0.0.1:{managed.port}"
        with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE consult")
        for _ in range(2):
            with psycopg.connect(f"{address}/consult") as connection:
                connection.execute(postgres_roles.ROLES_SQL.read_bytes())
        with psycopg.connect(managed.url("superuser")) as connection:
            row = connection.execute(
                "SELECT pg_get_userbyid(datdba), pg_has_role('consult_owner', 'consult_doors', 'MEMBER')"
                " FROM pg_database WHERE datname = 'consult'"
            ).fetchone()
        assert row == ("consult_owner", True)
