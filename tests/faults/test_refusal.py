"""PostgreSQL answers, and refuses to write: visitors get receipts from the spool, and no row is blamed for it."""

from edge.tests.database import Database
from tests.faults import ledger
from tests.faults.cluster import Server
from tests.faults.conftest import Launch, Scale, Steady

# SQLSTATE: disk full, read-only, out of memory, not allowed, not in the state for it.
REFUSALS = ("53100", "25006", "53200", "42501", "55000")


def test_postgres_refuses_to_write(
    server: Server, office: Database, key: str, launch: Launch, steady: Steady, scale: Scale
) -> None:
    edge = launch(server.edge_url)
    with steady(edge.url) as visitors:
        for sqlstate in REFUSALS[: scale.rounds]:
            visitors.more(201, 20)
            office.execute(
                "CREATE FUNCTION refuse_writes() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN RAISE EXCEPTION 'as if' USING ERRCODE = '{sqlstate}'; END $$;"
                " CREATE TRIGGER refuse_writes BEFORE INSERT ON intake_submission"
                " FOR EACH STATEMENT EXECUTE FUNCTION refuse_writes()"
            )
            try:
                visitors.more(202, scale.many)
            finally:
                office.execute("DROP TRIGGER refuse_writes ON intake_submission; DROP FUNCTION refuse_writes")
    assert not visitors.refused
    assert office.set_aside(key) == []
    ledger.check(office, key, visitors)


def test_no_connection_is_left(
    server: Server, office: Database, key: str, launch: Launch, steady: Steady, scale: Scale
) -> None:
    """Others have taken all of them, and those that the edge had."""
    edge = launch(server.edge_url)
    with steady(edge.url) as visitors:
        visitors.more(201, 20)
        office.execute("ALTER ROLE consult_edge CONNECTION LIMIT 0")
        try:
            server.terminate_edges()
            visitors.more(202, scale.many)
        finally:
            office.execute("ALTER ROLE consult_edge CONNECTION LIMIT -1")
        visitors.more(201, scale.many)
    assert not visitors.refused
    ledger.check(office, key, visitors)
