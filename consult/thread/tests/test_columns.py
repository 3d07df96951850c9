"""No column in which something of a person could stand is forgotten when they are erased."""

from conftest import Database
from consult.thread.queries import columns

HOLDING = """
SELECT c.relname::text, a.attname::text
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
   AND (t.typcategory IN ('S', 'A', 'I') OR t.typname IN ('json', 'jsonb', 'bytea', 'tsvector', 'xml', 'hstore'))
"""


def test_every_column_is_declared(database: Database) -> None:
    found = {(table, column) for table, column in database.ask(HOLDING)}
    assert len(found) > 100
    assert (
        sorted(found - {*columns.PERSONAL, *columns.IMPERSONAL} - {(t, c) for t, c in found if t in columns.TABLES})
        == []
    )
    assert sorted({*columns.PERSONAL, *columns.IMPERSONAL} - found) == [], "declared, but not there"
    assert sorted(set(columns.TABLES) - {table for table, _column in found}) == [], "declared, but not there"
    assert set(columns.PERSONAL) & set(columns.IMPERSONAL) == set()
    assert {table for table, _column in (*columns.PERSONAL, *columns.IMPERSONAL)} & set(columns.TABLES) == set()


def test_a_new_column_is_noticed(database: Database) -> None:
    database.ask("ALTER TABLE crm_contact ADD COLUMN nickname text, ADD COLUMN seen inet, ADD COLUMN extra jsonb")
    found = {(table, column) for table, column in database.ask(HOLDING)}
    unknown = found - {*columns.PERSONAL, *columns.IMPERSONAL}
    assert {column for table, column in unknown if table not in columns.TABLES} == {"nickname", "seen", "extra"}
