-- Doors of intake: all that the edge may do. Owned by consult_doors; the edge's role reads no table.

-- A form as the edge needs it, by its public key; NULL when there is none. `p_version` asks for what it was at that
-- version (a page that still shows it); without it, or when there is no such version, for the present one.
CREATE FUNCTION intake_form_v2(p_key text, p_version int DEFAULT NULL)
RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT jsonb_build_object(
               'key', f.key, 'agency_id', f.agency_id, 'version', v.version, 'name', v.name,
               'site', jsonb_build_object('name', s.name, 'url', s.url, 'fallback_contact', s.fallback_contact),
               'fields', v.fields, 'honeypot', v.honeypot, 'files', v.files,
               'allowed_origins', f.allowed_origins, 'redirect_targets', f.redirect_targets,
               'language', f.language, 'address_limit', f.address_limit, 'form_limit', f.form_limit,
               'over_limit', f.over_limit, 'daily_cap', f.daily_cap,
               'proof_of_work', f.proof_of_work, 'secret', f.secret, 'today', d.today,
               'accepted_today', (SELECT coalesce(sum(t.accepted), 0) FROM intake_tally t
                                   WHERE (t.agency_id, t.form_id, t.day) = (f.agency_id, f.id, d.today)))
      FROM intake_form f
     CROSS JOIN (SELECT (now() AT TIME ZONE 'UTC')::date AS today) AS d
      JOIN intake_site s ON (s.agency_id, s.id) = (f.agency_id, f.site_id)
      JOIN intake_formversion v ON (v.agency_id, v.form_id) = (f.agency_id, f.id)
                               AND v.version IN (f.version, p_version)
     WHERE f.key = p_key
     ORDER BY v.version = p_version DESC NULLS LAST
     LIMIT 1
$$;

-- What the edge sends of a batch, as rows: `p_rows` is an array of arrays, one for each submission, in the order of
-- edge/submission.py. Bytes are in base64; `files` is NULL where there are none. One text instead of eighteen arrays
-- takes the edge a twentieth of the time. For the door below only.
CREATE FUNCTION intake_sent_v2(p_rows jsonb)
RETURNS TABLE (
    "position" int, id uuid, earlier uuid, form_key text, form_version int, receipt text, received_at timestamptz,
    digest bytea, fields text, page_url text, referrer text, origin text, address text, user_agent text,
    content_type text, signals text, request_id text, files text)
LANGUAGE sql STABLE
AS $$
    SELECT a.number::int, encode(decode(a.sent ->> 0, 'base64'), 'hex')::uuid,
           encode(decode(a.sent ->> 1, 'base64'), 'hex')::uuid, a.sent ->> 2, (a.sent ->> 3)::int, a.sent ->> 5,
           (a.sent ->> 6)::timestamptz, decode(a.sent ->> 7, 'base64'), a.sent ->> 8, a.sent ->> 9, a.sent ->> 10,
           a.sent ->> 11, a.sent ->> 12, a.sent ->> 13, a.sent ->> 14, a.sent ->> 15, a.sent ->> 16, a.sent ->> 17
      FROM jsonb_array_elements(p_rows) WITH ORDINALITY AS a (sent, number)
$$;

-- Store a batch of submissions with their files and, for each agency among them, one job that opens its enquiries.
-- `earlier` is the id that the same content had in the ten minutes before, NULL where a key made the id: is it there
-- with the same digest, then this one is its repetition.
-- Direct rows (p_spooled false) are counted for `p_source`; rows from a spool come with the spool's own ledger.
-- Returns only what was not simply stored: the position (from 1), the outcome and, where there is one, the receipt
-- that the submission already had.
--   duplicate         it is there already: a retry changes nothing
--   duplicate_direct  a spooled row that another acceptance had stored and counted: a direct attempt whose answer was
--                     lost, another spool, or this one at another time (two acceptances never have one received_at)
--   conflict          its id is there with another digest
--   unknown_form
CREATE FUNCTION intake_accept_v2(p_source text, p_spooled boolean, p_rows jsonb, p_ledger jsonb)
RETURNS TABLE ("position" int, outcome text, receipt text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
-- Each row is looked up by its key, however few submissions there were when the plan was made: one that reads the whole
-- table is right for an empty one and is kept while it grows.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off
AS $$
#variable_conflict use_column
DECLARE
    v_ids uuid[];
    v_requests text[];
    v_files boolean;
    v_stored int;
BEGIN
    SELECT array_agg(id), array_agg(request_id), bool_or(files IS NOT NULL) INTO v_ids, v_requests, v_files
      FROM intake_sent_v2(p_rows);

    WITH stored AS (
        INSERT INTO intake_submission (
            id, agency_id, form_id, form_version, receipt, received_at, created_at, fields, page_url, referrer,
            origin, remote_addr, user_agent, content_type, signals, digest, spooled)
        SELECT a.id, f.agency_id, f.id, least(a.form_version, f.version), a.receipt, a.received_at,
               statement_timestamp(), a.fields::jsonb, a.page_url, a.referrer, a.origin, a.address,
               a.user_agent, a.content_type, a.signals::jsonb, a.digest, p_spooled
          FROM intake_sent_v2(p_rows) AS a
          JOIN intake_form f ON f.key = a.form_key
         WHERE NOT EXISTS (SELECT FROM intake_submission e WHERE e.id = a.earlier AND e.digest = a.digest)
        -- Of every unique key: of two edges that send one id at the same time, one would fail at the next key.
        ON CONFLICT DO NOTHING
        RETURNING id, agency_id, form_id, received_at
    ), jobs AS (
        SELECT ROW('default', 'inbox.receive_submissions', 0, NULL, NULL,
                   jsonb_build_object(
                       'agency_id', agency_id, 'submission_ids', jsonb_agg(id),
                       -- For the job's log lines: whose requests these were, as far as they fit.
                       'request_id', (SELECT string_agg(v_requests[array_position(v_ids, n)], ',')
                                        FROM unnest((array_agg(id))[1:5]) AS few (n))),
                   NULL)::procrastinate_job_to_defer_v1 AS job
          FROM stored GROUP BY agency_id
    ), queued AS (
        SELECT procrastinate_defer_jobs_v1(array_agg(job)) AS job_ids FROM jobs HAVING count(*) > 0
    ), counted AS (
        INSERT INTO intake_tally AS t (id, agency_id, created_at, form_id, day, source, accepted)
        SELECT gen_random_uuid(), agency_id, statement_timestamp(), form_id, (received_at AT TIME ZONE 'UTC')::date,
               p_source, count(*)
          FROM stored WHERE NOT p_spooled GROUP BY agency_id, form_id, (received_at AT TIME ZONE 'UTC')::date
        ON CONFLICT (agency_id, form_id, day, source) DO UPDATE SET accepted = t.accepted + EXCLUDED.accepted
    )
    SELECT count(*) INTO v_stored FROM stored s LEFT JOIN queued q ON true WHERE q.job_ids IS NOT NULL;

    IF v_files THEN
        INSERT INTO intake_file (
            id, agency_id, created_at, submission_id, field, name, media_type, size, sha256, location)
        SELECT x.id, s.agency_id, statement_timestamp(), s.id, x.field, x.name, x.media_type, x.size, x.sha256,
               x.location
          -- Of twins in the batch the first one's: the edge discards those of the others, as it is told below.
          FROM (SELECT DISTINCT ON (id, digest) id, digest, files
                  FROM intake_sent_v2(p_rows) ORDER BY id, digest, position) AS a
          JOIN intake_submission s ON s.id = a.id AND s.digest = a.digest
         CROSS JOIN jsonb_to_recordset(a.files::jsonb)
               AS x (id uuid, field text, name text, media_type text, size bigint, sha256 text, location text)
         WHERE a.files IS NOT NULL
           -- The files of a repetition are copies: those of the first stay.
           AND NOT EXISTS (SELECT FROM intake_file o WHERE (o.agency_id, o.submission_id) = (s.agency_id, s.id))
        ON CONFLICT DO NOTHING;
    END IF;
    IF p_spooled THEN
        PERFORM intake_ledger_v1(p_source, p_ledger);
    END IF;
    IF v_stored = cardinality(v_ids) THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM intake_sent_v2(p_rows) AS a
                 JOIN intake_form f ON f.key = a.form_key
                WHERE NOT EXISTS (SELECT FROM intake_submission s WHERE s.id = a.id)
                  AND NOT EXISTS (SELECT FROM intake_submission e WHERE e.id = a.earlier AND e.digest = a.digest)) THEN
        RAISE unique_violation USING MESSAGE = 'another submission has this receipt';
    END IF;

    RETURN QUERY
    SELECT b.position, b.outcome, b.receipt
      FROM (
        SELECT a.position,
               CASE WHEN f.key IS NULL THEN 'unknown_form'
                    WHEN s.id IS NULL THEN 'duplicate'  -- of the one before
                    WHEN s.digest <> a.digest THEN 'conflict'
                    -- Stored by this very statement; twice in one batch is one and its repetition.
                    WHEN s.xmin = pg_current_xact_id()::xid THEN
                        CASE WHEN row_number() OVER (PARTITION BY s.id, s.digest = a.digest ORDER BY a.position) = 1
                             THEN NULL ELSE 'duplicate' END
                    WHEN p_spooled AND (NOT s.spooled OR s.received_at <> a.received_at) THEN 'duplicate_direct'
                    ELSE 'duplicate' END AS outcome,
               coalesce(s.receipt, e.receipt)::text AS receipt
          FROM intake_sent_v2(p_rows) AS a
          LEFT JOIN intake_form f ON f.key = a.form_key
          LEFT JOIN intake_submission s ON s.id = a.id
          LEFT JOIN intake_submission e ON e.id = a.earlier AND e.digest = a.digest
      ) AS b
     WHERE b.outcome IS NOT NULL
     ORDER BY b.position;
END
$$;

-- What a spool has accepted and still holds, by form and UTC day: absolute numbers, so telling them twice is harmless.
-- p_ledger is [{"form": key, "day": "2026-03-01", "accepted": 3, "spooled": 1}, …]. For the doors below and above only.
CREATE FUNCTION intake_ledger_v1(p_source text, p_ledger jsonb)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    INSERT INTO intake_tally (id, agency_id, created_at, form_id, day, source, accepted, spooled)
    SELECT gen_random_uuid(), f.agency_id, statement_timestamp(), f.id, l.day, p_source, l.accepted, l.spooled
      FROM jsonb_to_recordset(p_ledger) AS l (form text, day date, accepted bigint, spooled bigint)
      JOIN intake_form f ON f.key = l.form
     -- Always in the same order: two that tell at once wait for each other, not for ever.
     ORDER BY f.id, l.day
    ON CONFLICT (agency_id, form_id, day, source)
    DO UPDATE SET accepted = EXCLUDED.accepted, spooled = EXCLUDED.spooled
$$;

-- Keep what the tables do not take, raw, each with its reason. `p_agencies` counts where the form is gone.
-- Returns the ids that are kept now, or were already: all but those of neither form nor agency. `counted` is false for
-- those that the conservation count does not have from this call: without a form, or kept by another acceptance before.
CREATE FUNCTION intake_set_aside_v1(
    p_source text, p_spooled boolean, p_ids uuid[], p_form_keys text[], p_agencies bigint[], p_receipts text[],
    p_received_at timestamptz[], p_reasons text[], p_contents bytea[], p_ledger jsonb)
RETURNS TABLE (id uuid, counted boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    WITH kept AS (
        INSERT INTO intake_setaside (
            id, agency_id, created_at, form_id, form_key, receipt, received_at, reason, content, spooled)
        SELECT a.id, g.id, statement_timestamp(), f.id, a.form_key, a.receipt, a.received_at, a.reason, a.content,
               p_spooled
          FROM unnest(p_ids, p_form_keys, p_agencies, p_receipts, p_received_at, p_reasons, p_contents)
               AS a (id, form_key, agency, receipt, received_at, reason, content)
          LEFT JOIN intake_form f ON f.key = a.form_key
          JOIN accounts_agency g ON g.id = coalesce(f.agency_id, a.agency)
        ON CONFLICT DO NOTHING
        RETURNING agency_id, form_id, received_at
    )
    INSERT INTO intake_tally AS t (id, agency_id, created_at, form_id, day, source, accepted)
    SELECT gen_random_uuid(), agency_id, statement_timestamp(), form_id, (received_at AT TIME ZONE 'UTC')::date,
           p_source, count(*)
      FROM kept WHERE form_id IS NOT NULL AND NOT p_spooled
     GROUP BY agency_id, form_id, (received_at AT TIME ZONE 'UTC')::date
    ON CONFLICT (agency_id, form_id, day, source) DO UPDATE SET accepted = t.accepted + EXCLUDED.accepted;
    IF p_spooled THEN
        PERFORM intake_ledger_v1(p_source, p_ledger);
    END IF;
    RETURN QUERY
    SELECT s.id, s.form_id IS NOT NULL AND s.spooled = p_spooled AND (NOT p_spooled OR s.received_at = a.received_at)
      FROM unnest(p_ids, p_received_at) AS a (id, received_at)
      JOIN intake_setaside s ON s.id = a.id;
END
$$;

-- An edge tells of itself and of its spool.
CREATE FUNCTION intake_report_v1(
    p_source text, p_host text, p_started_at timestamptz, p_spooled bigint, p_oldest_at timestamptz, p_ledger jsonb)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    INSERT INTO intake_edge (source, host, started_at, seen_at, spooled, oldest_at)
    VALUES (p_source, p_host, p_started_at, statement_timestamp(), p_spooled, p_oldest_at)
    ON CONFLICT (source) DO UPDATE SET host = EXCLUDED.host, started_at = EXCLUDED.started_at,
        seen_at = EXCLUDED.seen_at, spooled = EXCLUDED.spooled, oldest_at = EXCLUDED.oldest_at;
    SELECT intake_ledger_v1(p_source, p_ledger);
$$;

-- Cut short the senders' addresses that are older than their form keeps them: a network, no longer a person.
-- Returns how many there were; call it again until that is less than p_limit.
CREATE FUNCTION intake_forget_addresses_v1(p_now timestamptz, p_limit int)
RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH due AS (
        SELECT s.id
          FROM intake_form f
          JOIN intake_submission s ON (s.agency_id, s.form_id) = (f.agency_id, f.id)
         WHERE s.received_at < p_now - make_interval(days => f.keep_address_days)
           AND s.remote_addr <> '' AND strpos(s.remote_addr, '/') = 0
         LIMIT p_limit
    ), cut AS (
        UPDATE intake_submission s
           SET remote_addr = CASE
                   WHEN s.remote_addr ~ '^\d{1,3}(\.\d{1,3}){3}$' THEN regexp_replace(s.remote_addr, '\d+$', '0/24')
                   -- As text: a cast would fail at whatever is no address, and with it all the others, each day.
                   WHEN s.remote_addr ~ '^[0-9a-f:]*:[0-9a-f:]*$'
                       THEN array_to_string((string_to_array(split_part(s.remote_addr, '::', 1), ':'))[1:3], ':')
                           || '::/48'
                   ELSE '' END
          FROM due WHERE s.id = due.id
        RETURNING 1
    )
    SELECT count(*)::int FROM cut
$$;

REVOKE EXECUTE ON FUNCTION intake_form_v2, intake_sent_v2, intake_accept_v2, intake_ledger_v1, intake_set_aside_v1,
    intake_report_v1, intake_forget_addresses_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake_form_v2, intake_accept_v2, intake_set_aside_v1, intake_report_v1 TO consult_edge;
GRANT EXECUTE ON FUNCTION intake_forget_addresses_v1 TO consult_worker;
ALTER FUNCTION intake_form_v2 OWNER TO consult_doors;
ALTER FUNCTION intake_sent_v2 OWNER TO consult_doors;
ALTER FUNCTION intake_accept_v2 OWNER TO consult_doors;
ALTER FUNCTION intake_ledger_v1 OWNER TO consult_doors;
ALTER FUNCTION intake_set_aside_v1 OWNER TO consult_doors;
ALTER FUNCTION intake_report_v1 OWNER TO consult_doors;
ALTER FUNCTION intake_forget_addresses_v1 OWNER TO consult_doors;
