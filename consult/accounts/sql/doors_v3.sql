-- Doors of accounts, third version: programs that members have signed in, and keys that come and go.

-- The place that an access token gives, by its grant and the key that signed it: while both stand, and the member.
CREATE FUNCTION accounts_grant_v1(p_grant uuid, p_kid text, p_now timestamptz)
RETURNS TABLE (grant_id uuid, scopes jsonb, user_id bigint,
               agency_id bigint, slug text, name text, time_zone text, member_id uuid, role text,
               currency text, week_start smallint, closes_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT g.id, g.scopes, m.user_id,
           a.id, a.slug, a.name, a.time_zone, m.id, m.role, a.currency, a.week_start, a.closes_at
      FROM accounts_grant g
      JOIN accounts_agency a ON a.id = g.agency_id
      JOIN accounts_member m ON m.agency_id = g.agency_id AND m.id = g.member_id
     WHERE g.id = p_grant
       AND g.revoked_at IS NULL AND g.ends_at > p_now
       AND m.left_at IS NULL
       AND EXISTS (SELECT FROM accounts_signingkey k WHERE k.kid = p_kid AND k.state <> 'revoked')
$$;

-- Whose an authorization code or a refresh token is, by its hash: the agency to enter.
CREATE FUNCTION accounts_grant_secret_v1(p_hash text)
RETURNS TABLE (agency_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT r.agency_id FROM accounts_refreshtoken r WHERE r.token_hash = p_hash
    UNION ALL
    SELECT c.agency_id FROM accounts_authorizationcode c WHERE c.code_hash = p_hash
$$;

-- The public keys that tokens are believed with: the next one as well, so that everybody has it before it signs.
CREATE FUNCTION accounts_public_keys_v2()
RETURNS TABLE (kid text, public_key text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT k.kid, k.public_key FROM accounts_signingkey k WHERE k.state <> 'revoked' ORDER BY k.created_at
$$;

REVOKE EXECUTE ON FUNCTION accounts_grant_v1, accounts_grant_secret_v1, accounts_public_keys_v2 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts_grant_v1, accounts_grant_secret_v1 TO consult_app, consult_worker;
GRANT EXECUTE ON FUNCTION accounts_public_keys_v2 TO consult_edge;
ALTER FUNCTION accounts_grant_v1 OWNER TO consult_doors;
ALTER FUNCTION accounts_grant_secret_v1 OWNER TO consult_doors;
ALTER FUNCTION accounts_public_keys_v2 OWNER TO consult_doors;
