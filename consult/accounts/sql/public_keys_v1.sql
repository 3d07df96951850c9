-- The public keys with which the edge checks live tokens.
CREATE FUNCTION accounts_public_keys_v1()
RETURNS TABLE (kid text, public_key text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT k.kid, k.public_key FROM accounts_signingkey k ORDER BY k.created_at
$$;

REVOKE EXECUTE ON FUNCTION accounts_public_keys_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts_public_keys_v1 TO consult_edge;
ALTER FUNCTION accounts_public_keys_v1 OWNER TO consult_doors;
