-- The least that the edge needs of the office's database: its doors, with the same names, arguments and answers.
CREATE TABLE intake_form (key text PRIMARY KEY, definition jsonb NOT NULL);
CREATE TABLE intake_submission (
    id uuid PRIMARY KEY,
    form_key text NOT NULL,
    form_version int NOT NULL,
    receipt text NOT NULL UNIQUE CHECK (receipt ~ '^[0-9A-HJKMNP-TV-Z]{12}$'),
    received_at timestamptz NOT NULL,
    fields jsonb NOT NULL,
    meta jsonb NOT NULL,
    -- Lets a test make one row of a batch bad.
    CONSTRAINT no_poison CHECK (fields::text NOT LIKE '%POISON%')
);
CREATE TABLE accounts_publickey (kid text PRIMARY KEY, public_key text NOT NULL);

CREATE FUNCTION intake_form_v1(p_key text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
AS $$ SELECT definition FROM intake_form WHERE key = p_key $$;

CREATE FUNCTION intake_accept_v1(
    p_ids uuid[], p_form_keys text[], p_form_versions int[], p_receipts text[],
    p_received_at timestamptz[], p_fields jsonb[], p_meta jsonb[]
) RETURNS TABLE (id uuid, outcome text)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
AS $$
    WITH sent AS (
        SELECT * FROM unnest(p_ids, p_form_keys, p_form_versions, p_receipts, p_received_at, p_fields, p_meta)
            AS t (id, form_key, form_version, receipt, received_at, fields, meta)
    ), stored AS (
        INSERT INTO intake_submission
        SELECT sent.* FROM sent JOIN intake_form ON intake_form.key = sent.form_key
        ON CONFLICT (id) DO NOTHING
        RETURNING intake_submission.id
    )
    SELECT sent.id,
        CASE
            WHEN stored.id IS NOT NULL THEN 'stored'
            WHEN intake_form.key IS NULL THEN 'unknown_form'
            ELSE 'duplicate'
        END
    FROM sent LEFT JOIN stored ON stored.id = sent.id LEFT JOIN intake_form ON intake_form.key = sent.form_key
$$;

CREATE FUNCTION accounts_public_keys_v1() RETURNS TABLE (kid text, public_key text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
AS $$ SELECT kid, public_key FROM accounts_publickey $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO consult_edge;
