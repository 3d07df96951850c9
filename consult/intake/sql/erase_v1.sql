-- The office's way to blank submissions, which it may not change: a person was erased, or their form's time is over.
-- What counts stays: the row, its form, time, receipt and signals, and how large its files were. The digest stays too:
-- by it a late replay of the same row out of a spool is known, and brings nothing back.
-- Takes the agency from the setting. A second time changes nothing. Returns where the files lie that have to go.
CREATE FUNCTION intake_erase_submissions_v1(p_ids uuid[], p_now timestamptz)
RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    v_agency bigint := current_setting('consult.agency')::bigint;
BEGIN
    UPDATE intake_submission s
       SET fields = '[]', page_url = '', referrer = '', origin = '', remote_addr = '', user_agent = '',
           content_type = '', erased_at = coalesce(s.erased_at, p_now)
     WHERE s.agency_id = v_agency AND s.id = ANY (p_ids);
    RETURN QUERY
      WITH gone AS (
        SELECT f.id, f.location::text AS place FROM intake_file f
         WHERE f.agency_id = v_agency AND f.submission_id = ANY (p_ids) AND f.location <> ''
           FOR UPDATE
      ), blanked AS (
        UPDATE intake_file f SET name = '', sha256 = '', location = '' FROM gone WHERE f.id = gone.id
      )
      SELECT g.place FROM gone g;
END
$$;

REVOKE EXECUTE ON FUNCTION intake_erase_submissions_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake_erase_submissions_v1 TO consult_app, consult_worker;
ALTER FUNCTION intake_erase_submissions_v1 OWNER TO consult_doors;
