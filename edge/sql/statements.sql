-- accept_submissions: Stores a batch in one commit; says only what was not simply stored.
SELECT position, outcome, receipt
FROM intake_accept_v2($1, $2, $3::text::jsonb, $4::text::jsonb);

-- set_aside: Keeps rows that the tables do not take, raw; says which ids are kept.
SELECT id, counted
FROM intake_set_aside_v1(
    $1, $2, $3::uuid[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[], $8::text[], $9::bytea[],
    $10::text::jsonb
);

-- report: Tells the office of this edge and its spool.
SELECT intake_report_v1($1, $2, $3, $4, $5, $6::text::jsonb);

-- find_form: The definition of one form as it is, or as it was at a version; NULL when there is none with this key.
SELECT intake_form_v2($1::text, $2::int);

-- list_public_keys: The keys that live tokens may be signed with.
SELECT kid, public_key FROM accounts_public_keys_v2();

-- role_faults: What our own role may do and must not: an empty list is good.
-- 'MEMBER' is wider than SET ROLE alone (which only PostgreSQL 16 can tell apart): inherited rights count too.
WITH reachable AS (
    SELECT oid, rolname, rolsuper, rolbypassrls
    FROM pg_catalog.pg_roles
    WHERE pg_catalog.pg_has_role(session_user, oid, 'MEMBER')
       OR rolname IN (session_user, current_user)
)
SELECT 'is or can become a superuser' AS fault
WHERE EXISTS (SELECT 1 FROM reachable WHERE rolsuper)
UNION ALL
SELECT 'bypasses row-level security, or can become a role that does'
WHERE EXISTS (SELECT 1 FROM reachable WHERE rolbypassrls)
UNION ALL
SELECT 'owns a table, or can become a role that does'
WHERE EXISTS (
    SELECT 1
    FROM pg_catalog.pg_class AS c
    JOIN reachable ON reachable.oid = c.relowner
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
);
