-- Doors of intake: all that the edge may do. Owned by consult_doors; the edge's role reads no table.

-- A form as the edge needs it, by its public key; NULL when there is none.
CREATE FUNCTION intake_form_v1(p_key text)
RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT jsonb_build_object(
               'key', f.key, 'agency_id', f.agency_id, 'form_id', f.id, 'version', f.version, 'name', v.name,
               'site', jsonb_build_object('name', s.name, 'url', s.url),
               'fields', v.fields, 'honeypot', v.honeypot,
               'allowed_origins', f.allowed_origins, 'redirect_targets', f.redirect_targets)
      FROM intake_form f
      JOIN intake_site s ON (s.agency_id, s.id) = (f.agency_id, f.site_id)
      JOIN intake_formversion v ON (v.agency_id, v.form_id, v.version) = (f.agency_id, f.id, f.version)
     WHERE f.key = p_key
$$;

-- Store a batch of submissions and, for each agency among them, one job that opens its enquiries.
-- Arrays are parallel, one element a submission. Returns each id with `stored`, `duplicate` (the id was
-- there already: a retry changes nothing) or `unknown_form`.
CREATE FUNCTION intake_accept_v1(
    p_ids uuid[], p_form_keys text[], p_form_versions int[], p_receipts text[],
    p_received_at timestamptz[], p_fields jsonb[], p_meta jsonb[])
RETURNS TABLE (id uuid, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_stored uuid[];
BEGIN
    WITH stored AS (
        INSERT INTO intake_submission (
            id, agency_id, form_id, form_version, receipt, received_at, created_at, fields, page_url, referrer,
            origin, remote_addr, user_agent, content_type, signals)
        SELECT a.id, f.agency_id, f.id, least(a.form_version, f.version), a.receipt, a.received_at,
               statement_timestamp(), a.fields,
               coalesce(a.meta->>'page_url', ''), coalesce(a.meta->>'referrer', ''),
               coalesce(a.meta->>'origin', ''), coalesce(a.meta->>'remote_addr', ''),
               coalesce(a.meta->>'user_agent', ''), coalesce(a.meta->>'content_type', ''),
               coalesce(a.meta->'signals', '[]'::jsonb)
          FROM unnest(p_ids, p_form_keys, p_form_versions, p_receipts, p_received_at, p_fields, p_meta)
               AS a (id, form_key, form_version, receipt, received_at, fields, meta)
          JOIN intake_form f ON f.key = a.form_key
        ON CONFLICT (id) DO NOTHING
        RETURNING id, agency_id
    ), jobs AS (
        SELECT ROW('default', 'inbox.receive_submissions', 0, NULL, NULL,
                   jsonb_build_object(
                       'agency_id', agency_id, 'submission_ids', jsonb_agg(DISTINCT id),
                       -- For the job's log lines: whose requests these were, as far as they fit.
                       'request_id', coalesce(left(string_agg(DISTINCT a.meta->>'request_id', ','), 200), '')),
                   NULL)::procrastinate_job_to_defer_v1 AS job
          FROM stored JOIN unnest(p_ids, p_meta) AS a (id, meta) USING (id) GROUP BY agency_id
    ), queued AS (
        SELECT procrastinate_defer_jobs_v1(array_agg(job)) AS job_ids FROM jobs HAVING count(*) > 0
    )
    SELECT array_agg(s.id) INTO v_stored FROM stored s, queued q WHERE q.job_ids IS NOT NULL;
    RETURN QUERY
    SELECT a.id,
           CASE WHEN a.id = ANY (v_stored) THEN 'stored'
                WHEN f.key IS NULL THEN 'unknown_form'
                ELSE 'duplicate' END
      FROM unnest(p_ids, p_form_keys) AS a (id, form_key)
      LEFT JOIN intake_form f ON f.key = a.form_key;
END
$$;

-- Tell the edge that a form, or the site that it belongs to, changed: it forgets what it knew.
CREATE FUNCTION intake_form_changed_v1()
RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF TG_TABLE_NAME = 'intake_site' THEN
        PERFORM pg_notify('consult_forms', f.key) FROM intake_form f
          WHERE (f.agency_id, f.site_id) = (NEW.agency_id, NEW.id);
    ELSE
        -- Both: a form that goes, or gets another key, is unknown under the old one.
        PERFORM pg_notify('consult_forms', key) FROM (VALUES (OLD.key), (NEW.key)) AS k (key) WHERE key IS NOT NULL;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER intake_form_changed AFTER INSERT OR UPDATE OR DELETE ON intake_form
    FOR EACH ROW EXECUTE FUNCTION intake_form_changed_v1();
CREATE TRIGGER intake_site_changed AFTER UPDATE ON intake_site
    FOR EACH ROW EXECUTE FUNCTION intake_form_changed_v1();

REVOKE EXECUTE ON FUNCTION intake_form_v1, intake_accept_v1, intake_form_changed_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake_form_v1, intake_accept_v1 TO consult_edge;
ALTER FUNCTION intake_form_v1 OWNER TO consult_doors;
ALTER FUNCTION intake_accept_v1 OWNER TO consult_doors;
