-- Doors of accounts for notifications.

-- The agencies of one user, by name, each with how many notifications they have not read there (a hundred: or more).
CREATE FUNCTION accounts_memberships_v4(p_user bigint)
RETURNS TABLE (agency_id bigint, slug text, name text, time_zone text, member_id uuid, role text,
               currency text, week_start smallint, closes_at timestamptz, logo text, unread bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT a.id, a.slug, a.name, a.time_zone, m.id, m.role, a.currency, a.week_start, a.closes_at, a.logo,
           (SELECT count(*) FROM (SELECT FROM accounts_notification n
                                   WHERE n.agency_id = m.agency_id AND n.member_id = m.id AND n.read_at IS NULL
                                   LIMIT 100) AS unread)
      FROM accounts_member m JOIN accounts_agency a ON a.id = m.agency_id
     WHERE m.user_id = p_user AND m.left_at IS NULL
     ORDER BY a.name, a.id
$$;

-- The agencies with notifications that wait for a morning, or whose e-mail has been on its way since before that moment.
CREATE FUNCTION accounts_digests_v1(p_before timestamptz)
RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT DISTINCT agency_id FROM accounts_notification
     WHERE mail = 'daily' OR (mail IN ('due', 'sending') AND mailed_at < p_before)
$$;

REVOKE EXECUTE ON FUNCTION accounts_memberships_v4, accounts_digests_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts_memberships_v4 TO consult_app, consult_worker;
GRANT EXECUTE ON FUNCTION accounts_digests_v1 TO consult_worker;
ALTER FUNCTION accounts_memberships_v4 OWNER TO consult_doors;
ALTER FUNCTION accounts_digests_v1 OWNER TO consult_doors;
