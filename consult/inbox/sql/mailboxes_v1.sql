-- The agencies whose mailbox is due, for the job that enters each of them; those that have waited longest come first.
CREATE FUNCTION inbox_mailboxes_due_v1(p_now timestamptz)
RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT agency_id FROM inbox_mailbox
     WHERE next_at <= p_now AND (busy_until IS NULL OR busy_until <= p_now)
     ORDER BY next_at
$$;

REVOKE EXECUTE ON FUNCTION inbox_mailboxes_due_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inbox_mailboxes_due_v1 TO consult_worker;
ALTER FUNCTION inbox_mailboxes_due_v1 OWNER TO consult_doors;
