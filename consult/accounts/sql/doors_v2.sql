-- Doors of accounts, second version: who has left is no member, and agencies have settings.

-- The agencies of one user, by name.
CREATE FUNCTION accounts_memberships_v2(p_user bigint)
RETURNS TABLE (agency_id bigint, slug text, name text, time_zone text, member_id uuid, role text,
               currency text, week_start smallint, closes_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT a.id, a.slug, a.name, a.time_zone, m.id, m.role, a.currency, a.week_start, a.closes_at
      FROM accounts_member m JOIN accounts_agency a ON a.id = m.agency_id
     WHERE m.user_id = p_user AND m.left_at IS NULL
     ORDER BY a.name, a.id
$$;

-- The place that an API token gives, by the token's hash: the member's, or the agency's own (member_id is null).
CREATE FUNCTION accounts_token_v1(p_hash text, p_now timestamptz)
RETURNS TABLE (token_id uuid, scopes jsonb, last_used_at timestamptz, user_id bigint,
               agency_id bigint, slug text, name text, time_zone text, member_id uuid, role text,
               currency text, week_start smallint, closes_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT t.id, t.scopes, t.last_used_at, m.user_id,
           a.id, a.slug, a.name, a.time_zone, m.id, coalesce(m.role, t.role), a.currency, a.week_start, a.closes_at
      FROM accounts_apitoken t
      JOIN accounts_agency a ON a.id = t.agency_id
      LEFT JOIN accounts_member m ON m.agency_id = t.agency_id AND m.id = t.member_id
     WHERE t.token_hash = p_hash
       AND t.revoked_at IS NULL
       AND (t.expires_at IS NULL OR t.expires_at > p_now)
       AND (t.role <> '' OR (m.id IS NOT NULL AND m.left_at IS NULL))
$$;

REVOKE EXECUTE ON FUNCTION accounts_memberships_v2, accounts_token_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts_memberships_v2, accounts_token_v1 TO consult_app, consult_worker;
ALTER FUNCTION accounts_memberships_v2 OWNER TO consult_doors;
ALTER FUNCTION accounts_token_v1 OWNER TO consult_doors;
