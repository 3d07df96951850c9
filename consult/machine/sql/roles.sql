-- The roles of Consult, what they may reach, and the extensions that its tables use.
--
-- Run it in Consult's own database as a superuser, or as the database's creator with CREATEROLE; again at any time, it
-- changes nothing that is right already. PostgreSQL 15 or newer. On a server of your own:
--
--   createdb consult
--   psql --set ON_ERROR_STOP=1 --dbname consult --file consult/core/sql/roles.sql
--   psql --dbname consult --command '\password consult_owner'      -- and app, worker, edge, backup
--
-- Passwords come separately: a role without one cannot log in.

-- Who there is. consult_owner migrates, consult_app is the office, consult_worker runs jobs, consult_edge takes what the
-- internet sends, consult_backup reads everything. consult_doors logs in nowhere: it owns the functions that look
-- things up before an agency is known.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY[
        'consult_owner', 'consult_app', 'consult_worker', 'consult_edge', 'consult_backup', 'consult_doors'
    ] LOOP
        -- Two databases of one server may be prepared at once: roles belong to the server.
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I', role_name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
        IF EXISTS (
            SELECT FROM pg_roles
            WHERE rolname = role_name AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
        ) THEN
            RAISE EXCEPTION 'role % may do more than Consult allows it (superuser, bypassrls, createrole, createdb or replication)',
                role_name;
        END IF;
        IF EXISTS (
            SELECT FROM pg_roles
            WHERE rolname = role_name AND (rolinherit OR rolcanlogin IS DISTINCT FROM (role_name <> 'consult_doors'))
        ) THEN
            EXECUTE format(
                'ALTER ROLE %I NOINHERIT %s', role_name, CASE role_name WHEN 'consult_doors' THEN 'NOLOGIN' ELSE 'LOGIN' END
            );
        END IF;
    END LOOP;
END
$$;

-- The owner hands functions over to the doors; nobody else may become another role. Whoever is no superuser has to be
-- a member of both to do the rest of this file.
DO $$
BEGIN
    IF NOT pg_has_role('consult_owner', 'consult_doors', 'MEMBER') THEN
        GRANT consult_doors TO consult_owner;
    END IF;
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT consult_owner, consult_doors TO %I', current_user);
    END IF;
END
$$;

-- The database and its one schema.
DO $$
DECLARE
    this_database text := current_database();
BEGIN
    IF (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = this_database) <> 'consult_owner' THEN
        -- Handing over takes the rights of whoever creates extensions below; so they come first.
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
        CREATE EXTENSION IF NOT EXISTS unaccent;
        CREATE EXTENSION IF NOT EXISTS btree_gist;
        EXECUTE format('GRANT CREATE ON DATABASE %I TO %I', this_database, current_user);
        EXECUTE format('ALTER DATABASE %I OWNER TO consult_owner', this_database);
    END IF;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', this_database);
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO consult_owner, consult_app, consult_worker, consult_edge, consult_backup', this_database
    );
END
$$;

CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS btree_gist;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO consult_app, consult_worker, consult_edge, consult_backup;
GRANT CREATE, USAGE ON SCHEMA public TO consult_owner, consult_doors;

-- Everybody may execute every new function by default: not here. Each function names who may.
ALTER DEFAULT PRIVILEGES FOR ROLE consult_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE consult_doors REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
