-- Doors of accounts for invitations, logos, exports and an agency's end.

-- The agencies of one user, by name.
CREATE FUNCTION accounts_memberships_v3(p_user bigint)
RETURNS TABLE (agency_id bigint, slug text, name text, time_zone text, member_id uuid, role text,
               currency text, week_start smallint, closes_at timestamptz, logo text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT a.id, a.slug, a.name, a.time_zone, m.id, m.role, a.currency, a.week_start, a.closes_at, a.logo
      FROM accounts_member m JOIN accounts_agency a ON a.id = m.agency_id
     WHERE m.user_id = p_user AND m.left_at IS NULL
     ORDER BY a.name, a.id
$$;

-- Where an invitation leads, by the hash of its link's secret, and what became of it: open, accepted, revoked, expired.
CREATE FUNCTION accounts_invitation_v1(p_hash text, p_now timestamptz)
RETURNS TABLE (agency_id bigint, invitation_id uuid, state text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT i.agency_id, i.id,
           CASE WHEN i.accepted_at IS NOT NULL THEN 'accepted'
                WHEN i.revoked_at IS NOT NULL THEN 'revoked'
                WHEN i.expires_at <= p_now THEN 'expired'
                ELSE 'open' END
      FROM accounts_invitation i
     WHERE i.token_hash = p_hash
$$;

-- The agencies whose time of grace is over, and those with an export that is.
CREATE FUNCTION accounts_due_v1(p_now timestamptz)
RETURNS TABLE (agency_id bigint, what text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT a.id, 'close' FROM accounts_agency a WHERE a.closes_at <= p_now
    UNION
    SELECT e.agency_id, 'export' FROM accounts_export e WHERE e.expires_at <= p_now AND e.state <> 'expired'
$$;

-- Delete an agency and everything of it, if its time of grace is over: this looks for itself. Says whether it did.
CREATE FUNCTION accounts_delete_agency_v1(p_agency bigint, p_now timestamptz)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    DELETE FROM accounts_agency WHERE id = p_agency AND closes_at <= p_now;
    RETURN FOUND;
END
$$;

REVOKE EXECUTE ON FUNCTION
    accounts_memberships_v3, accounts_invitation_v1, accounts_due_v1, accounts_delete_agency_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts_memberships_v3, accounts_invitation_v1 TO consult_app, consult_worker;
-- The office asks for the end of an agency; only the worker brings it about.
GRANT EXECUTE ON FUNCTION accounts_due_v1, accounts_delete_agency_v1 TO consult_worker;
ALTER FUNCTION accounts_memberships_v3 OWNER TO consult_doors;
ALTER FUNCTION accounts_invitation_v1 OWNER TO consult_doors;
ALTER FUNCTION accounts_due_v1 OWNER TO consult_doors;
ALTER FUNCTION accounts_delete_agency_v1 OWNER TO consult_doors;
