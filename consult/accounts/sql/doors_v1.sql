-- Doors of accounts: look-ups before an agency is known. Owned by consult_doors, which may read just these tables.

-- The agencies of one user, by name.
CREATE FUNCTION accounts_memberships_v1(p_user bigint)
RETURNS TABLE (agency_id bigint, slug text, name text, time_zone text, member_id uuid, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT a.id, a.slug, a.name, a.time_zone, m.id, m.role
      FROM accounts_member m JOIN accounts_agency a ON a.id = m.agency_id
     WHERE m.user_id = p_user
     ORDER BY a.name, a.id
$$;

-- Every agency's id, address and name: for the admin's chooser and the command line.
CREATE FUNCTION accounts_agencies_v1()
RETURNS TABLE (id bigint, slug text, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT a.id, a.slug, a.name FROM accounts_agency a ORDER BY a.name, a.id
$$;

-- The public keys with which the edge checks live tokens.
CREATE FUNCTION accounts_public_keys_v1()
RETURNS TABLE (kid text, public_key text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT k.kid, k.public_key FROM accounts_signingkey k ORDER BY k.created_at
$$;

REVOKE EXECUTE ON FUNCTION accounts_memberships_v1, accounts_agencies_v1, accounts_public_keys_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts_memberships_v1, accounts_agencies_v1 TO consult_app, consult_worker;
GRANT EXECUTE ON FUNCTION accounts_public_keys_v1 TO consult_edge;
ALTER FUNCTION accounts_memberships_v1 OWNER TO consult_doors;
ALTER FUNCTION accounts_agencies_v1 OWNER TO consult_doors;
ALTER FUNCTION accounts_public_keys_v1 OWNER TO consult_doors;
