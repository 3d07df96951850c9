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

REVOKE EXECUTE ON FUNCTION intake_form_changed_v1 FROM PUBLIC;
