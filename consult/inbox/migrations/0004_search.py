from pathlib import Path

from django.db import migrations

from consult.core import doors

SQL = Path(__file__).resolve().parents[1] / "sql" / "search_v1.sql"

# The agency stands among the words (which are letters and digits: none is like it), so that the index leads to those of one agency alone.
COLUMN = """
ALTER TABLE inbox_enquiry ADD COLUMN search tsvector
    GENERATED ALWAYS AS (array_to_tsvector(words || ('=' || agency_id::text))) STORED
"""
INDEXES = """
CREATE INDEX inbox_enquiry_search ON inbox_enquiry USING gin (search) WITH (fastupdate = off);
CREATE INDEX inbox_word_near ON inbox_word USING gist (agency_id, word gist_trgm_ops)
"""
# Those that are there already are found by what they were sent with, as nearly as the database knows the words.
FILL = """
ALTER TABLE inbox_enquiry NO FORCE ROW LEVEL SECURITY;
ALTER TABLE inbox_note NO FORCE ROW LEVEL SECURITY;
ALTER TABLE inbox_word NO FORCE ROW LEVEL SECURITY;
ALTER TABLE intake_submission NO FORCE ROW LEVEL SECURITY;
UPDATE inbox_enquiry e SET words = ARRAY(
    SELECT DISTINCT left(word, 60) COLLATE "C"
      FROM regexp_split_to_table(unaccent(lower(concat_ws(' ', e.sender_name, e.sender_email, e.subject, e.excerpt,
               (SELECT string_agg(field ->> 1, ' ')
                  FROM intake_submission s CROSS JOIN jsonb_array_elements(s.fields) AS field
                 WHERE (s.agency_id, s.id) = (e.agency_id, e.submission_id)),
               (SELECT string_agg(n.body, ' ') FROM inbox_note n
                 WHERE (n.agency_id, n.enquiry_id) = (e.agency_id, e.id))))), '[^[:alnum:]]+') AS word
     WHERE word <> '' ORDER BY 1 LIMIT 2000);
INSERT INTO inbox_word (id, agency_id, created_at, word)
SELECT gen_random_uuid(), agency_id, now(), word
  FROM (SELECT DISTINCT agency_id, unnest(words) AS word FROM inbox_enquiry) AS known;
ALTER TABLE inbox_enquiry FORCE ROW LEVEL SECURITY;
ALTER TABLE inbox_note FORCE ROW LEVEL SECURITY;
ALTER TABLE inbox_word FORCE ROW LEVEL SECURITY;
ALTER TABLE intake_submission FORCE ROW LEVEL SECURITY
"""


class Migration(migrations.Migration):
    dependencies = [("inbox", "0003_states"), ("intake", "0006_alarm")]

    operations = [
        # First: the new column is written with the words, not twice.
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(COLUMN, "ALTER TABLE inbox_enquiry DROP COLUMN search"),
        migrations.RunSQL(INDEXES, "DROP INDEX inbox_word_near; DROP INDEX IF EXISTS inbox_enquiry_search"),
        doors.install(SQL, "inbox_search_v1", "inbox_near_words_v1", "inbox_agencies_to_wake_v1"),
    ]
