-- accept_submissions: Stores a batch in one commit; says for each id whether it is stored, a duplicate or of no form.
SELECT id, outcome
FROM intake_accept_v1(
    $1::uuid[], $2::text[], $3::int[], $4::text[], $5::timestamptz[], $6::jsonb[], $7::jsonb[]
);

-- find_form: The definition of one form, NULL when there is no form with this key.
SELECT intake_form_v1($1::text);

-- list_public_keys: The keys that live tokens may be signed with.
SELECT kid, public_key FROM accounts_public_keys_v1();

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
