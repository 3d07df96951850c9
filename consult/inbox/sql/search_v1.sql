-- Doors of the inbox. Searching under row-level security could use no index: @@ and % are not leakproof. So they run
-- as consult_doors, with the agency taken from the setting, never from the caller. Without an agency they fail.

-- The ids of enquiries, newest first. `p_query` is a tsquery over words, empty for everything; NULLs filter nothing.
-- `p_nobody`: only those that nobody has. `p_since` ≤ received_at ≤ `p_until`; what lies before the cursor
-- (`p_before_at`, `p_before_number`).
CREATE FUNCTION inbox_search_v1(
    p_query text, p_statuses text[], p_assignee uuid, p_nobody boolean, p_forms uuid[], p_since timestamptz,
    p_until timestamptz, p_before_at timestamptz, p_before_number bigint, p_limit int)
RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
-- A frequent word is read in the order of time, a rare one by its index: that needs the plan to know the word.
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    v_agency bigint := current_setting('consult.agency')::bigint;
    -- The index holds the agency as a word of its own, which nobody can type: those of others are never fetched.
    v_query tsquery := ('''=' || v_agency || '''')::tsquery && p_query::tsquery;
BEGIN
    RETURN QUERY
    SELECT e.id
      FROM inbox_enquiry e
     WHERE e.agency_id = v_agency
       AND e.search @@ v_query
       AND (p_statuses IS NULL OR e.status = ANY (p_statuses))
       AND (p_assignee IS NULL OR e.assignee_id = p_assignee)
       AND (NOT p_nobody OR e.assignee_id IS NULL)
       AND (p_forms IS NULL OR e.form_id = ANY (p_forms))
       AND (p_since IS NULL OR e.received_at >= p_since)
       AND (p_until IS NULL OR e.received_at <= p_until)
       AND (p_before_at IS NULL OR (e.received_at, e.number) < (p_before_at, p_before_number))
     ORDER BY e.received_at DESC, e.number DESC
     LIMIT p_limit;
END
$$;

-- For each word with which no word of the agency begins: those of the agency that are written nearly so, nearest first.
CREATE FUNCTION inbox_near_words_v1(p_words text[])
RETURNS TABLE (word text, near text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET pg_trgm.similarity_threshold = 0.3
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    v_agency bigint := current_setting('consult.agency')::bigint;
BEGIN
    RETURN QUERY
    SELECT asked.word,
           ARRAY(SELECT known.word::text FROM inbox_word known
                  WHERE known.agency_id = v_agency AND known.word % asked.word
                  ORDER BY known.word <-> asked.word, known.word LIMIT 8)
      FROM unnest(p_words) AS asked (word)
     WHERE NOT EXISTS (SELECT FROM inbox_word known
                        WHERE known.agency_id = v_agency
                          AND known.word >= asked.word COLLATE "C" AND known.word < (asked.word || chr(1114111)) COLLATE "C");
END
$$;

-- The agencies with something to wake, for the job that enters each of them.
CREATE FUNCTION inbox_agencies_to_wake_v1(p_now timestamptz)
RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT DISTINCT agency_id FROM inbox_enquiry WHERE status = 'snoozed' AND snoozed_until <= p_now
$$;

REVOKE EXECUTE ON FUNCTION inbox_search_v1, inbox_near_words_v1, inbox_agencies_to_wake_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inbox_search_v1, inbox_near_words_v1 TO consult_app, consult_worker;
GRANT EXECUTE ON FUNCTION inbox_agencies_to_wake_v1 TO consult_worker;
ALTER FUNCTION inbox_search_v1 OWNER TO consult_doors;
ALTER FUNCTION inbox_near_words_v1 OWNER TO consult_doors;
ALTER FUNCTION inbox_agencies_to_wake_v1 OWNER TO consult_doors;
