-- What erasure needs beyond the office's rights: lines of the ledger are never changed and words never removed by it.
-- Both take the agency from the setting, and a second time change nothing.

-- Take these addresses (small letters) out of the ledger of these enquiries; what happened and when stays.
CREATE FUNCTION inbox_erase_deliveries_v1(p_enquiries uuid[], p_addresses text[])
RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH found AS (
        SELECT id, row_number() OVER (PARTITION BY enquiry_id, kind ORDER BY at, id) AS nth FROM inbox_delivery
         WHERE agency_id = current_setting('consult.agency')::bigint AND enquiry_id = ANY (p_enquiries)
           AND lower(address) = ANY (p_addresses)
    ), blanked AS (
        -- Some lines are told once for each address: of one enquiry's no two may look alike.
        UPDATE inbox_delivery d SET address = CASE WHEN nth = 1 THEN '' ELSE 'erased ' || nth END
          FROM found WHERE d.id = found.id
        RETURNING 1
    )
    SELECT count(*)::int FROM blanked
$$;

-- Remove those of these words that no enquiry of the agency is found by any more.
CREATE FUNCTION inbox_forget_words_v1(p_words text[])
RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    v_agency bigint := current_setting('consult.agency')::bigint;
    v_count int;
BEGIN
    DELETE FROM inbox_word w
     WHERE w.agency_id = v_agency AND w.word = ANY (p_words)
       AND NOT EXISTS (
            SELECT FROM inbox_enquiry e
             WHERE e.agency_id = v_agency
               AND e.search @@ (('''=' || v_agency || '''')::tsquery
                                && ('''' || replace(replace(w.word, '\', '\\'), '''', '''''') || '''')::tsquery));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;

REVOKE EXECUTE ON FUNCTION inbox_erase_deliveries_v1, inbox_forget_words_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inbox_erase_deliveries_v1, inbox_forget_words_v1 TO consult_app, consult_worker;
ALTER FUNCTION inbox_erase_deliveries_v1 OWNER TO consult_doors;
ALTER FUNCTION inbox_forget_words_v1 OWNER TO consult_doors;
