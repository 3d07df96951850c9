-- Tables made before an agency could be deleted refuse that; from now on its rows go with it. Written for tables that
-- are there already: newer ones are made so (consult/core/isolation.py).
DO $$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT c.conname AS name, t.relname AS tab
          FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
         WHERE c.contype = 'f' AND c.confdeltype <> 'c' AND c.conname = t.relname || '_agency_fk'
           AND c.confrelid = 'accounts_agency'::regclass
    LOOP
        -- The check reads both tables as their owner, whom FORCE would let see nothing.
        EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', found.tab);
        ALTER TABLE accounts_agency NO FORCE ROW LEVEL SECURITY;
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', found.tab, found.name);
        EXECUTE format(
            'ALTER TABLE %I ADD CONSTRAINT %I FOREIGN KEY (agency_id) REFERENCES accounts_agency (id) ON DELETE CASCADE',
            found.tab, found.name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', found.tab);
        ALTER TABLE accounts_agency FORCE ROW LEVEL SECURITY;
    END LOOP;
END $$;
