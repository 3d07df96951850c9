-- Whether an agency has this name already: asked by who has no agency yet.
CREATE FUNCTION accounts_slug_taken_v1(p_slug text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM accounts_agency WHERE slug = p_slug)
$$;

REVOKE EXECUTE ON FUNCTION accounts_slug_taken_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts_slug_taken_v1 TO consult_app, consult_worker;
ALTER FUNCTION accounts_slug_taken_v1 OWNER TO consult_doors;
