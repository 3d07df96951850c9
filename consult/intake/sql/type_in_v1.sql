-- The office's way into intake_submission, for what staff type in: a phone call, somebody at the door. It may not insert
-- itself, so that nothing it does can change or invent what a visitor has sent; and the edge's door takes rows for every
-- agency. This one takes the agency from the setting, marks the row, dates it now, and goes through the edge's own door:
-- the same job, count and receipt as for anything else.
-- `p_fields` is [[name, value], …]. Returns what intake_accept_v2 says: NULL when it was stored, duplicate when it was
-- there already, conflict when its id has other content. Raises no_data_found when the agency has no such form.
CREATE FUNCTION intake_type_in_v1(
    p_id uuid, p_form_id uuid, p_receipt text, p_digest bytea, p_fields jsonb, p_channel text, p_request_id text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    v_key text;
    v_version int;
    v_outcome text;
BEGIN
    SELECT f.key, f.version INTO STRICT v_key, v_version
      FROM intake_form f WHERE f.agency_id = current_setting('consult.agency')::bigint AND f.id = p_form_id;
    -- The order of edge/submission.py, as intake_sent_v2 reads it.
    SELECT a.outcome INTO v_outcome
      FROM intake_accept_v2('office', false, jsonb_build_array(jsonb_build_array(
               encode(decode(replace(p_id::text, '-', ''), 'hex'), 'base64'), NULL, v_key, v_version, 0, p_receipt,
               clock_timestamp(), encode(p_digest, 'base64'), p_fields::text, '', '', p_channel, '', '',
               'text/x-typed-in', '["typed_in"]', p_request_id, NULL)), '[]') AS a;
    RETURN v_outcome;
END
$$;

REVOKE EXECUTE ON FUNCTION intake_type_in_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake_type_in_v1 TO consult_app, consult_worker;
ALTER FUNCTION intake_type_in_v1 OWNER TO consult_doors;
