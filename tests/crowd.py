"""Many agencies at once, as SQL: enough rows for a plan to matter, each agency with something of everything."""

# Statements are put together from numbers here: nobody else has a say in them.
# ruff: noqa: S608

# Agency ids, and their owners' user ids, are 1001 and on.
BIGGEST = 1001


def fill(*, agencies: int, enquiries: int, biggest: int | None = None, days: int = 50) -> str:
    """Return SQL for `agencies` agencies with `enquiries` each; the first one has `biggest`. Tallies of `days` days."""
    biggest = enquiries if biggest is None else biggest
    return f"""
CREATE TEMP TABLE agencies AS SELECT 1000 + n AS id, gen_random_uuid() AS member, gen_random_uuid() AS site,
    gen_random_uuid() AS form, gen_random_uuid() AS grant_id FROM generate_series(1, {agencies}) n;
INSERT INTO accounts_agency (id, slug, name, time_zone, created_at)
    SELECT id, 'agency-' || id, 'Agency ' || id, 'UTC', now() FROM agencies;
INSERT INTO accounts_user (id, password, is_superuser, email, name, time_zone, is_active, is_staff, created_at)
    SELECT id, '', false, id || '@example.com', 'Person ' || id, 'UTC', true, false, now() FROM agencies;
INSERT INTO accounts_member (id, agency_id, created_at, role, user_id)
    SELECT member, id, now(), 'owner', id FROM agencies;
INSERT INTO intake_site (id, agency_id, created_at, name, url, fallback_contact)
    SELECT site, id, now(), 'Site', 'https://site.example', '' FROM agencies;
INSERT INTO intake_form (id, agency_id, created_at, site_id, name, key, version,
                         allowed_origins, redirect_targets, notify_addresses, language, hold_score, address_limit,
                         form_limit, over_limit, daily_cap, proof_of_work, secret, auto_reply, auto_reply_text,
                         keep_address_days)
    SELECT form, id, now(), site, 'Contact', 'frm_' || id, 1, '[]', '[]', '[]', 'en', 50, '20/minute', '600/minute',
           'hold', 10000, false, '', false, '', 30 FROM agencies;
INSERT INTO intake_formversion (id, agency_id, created_at, form_id, version, name, fields, honeypot, files)
    SELECT gen_random_uuid(), id, now(), form, 1, 'Contact', '[]', 'hp', '{{}}' FROM agencies;
CREATE TEMP TABLE sent AS SELECT gen_random_uuid() AS id, gen_random_uuid() AS enquiry, a.id AS agency_id, a.form,
    a.member, n, now() - n * interval '7 minutes' AS at
    FROM agencies a, generate_series(1, CASE WHEN a.id = {BIGGEST} THEN {biggest} ELSE {enquiries} END) n;
INSERT INTO intake_submission (id, agency_id, created_at, form_id, form_version, receipt, received_at, fields,
                               page_url, referrer, origin, remote_addr, user_agent, content_type, signals)
    SELECT id, agency_id, at, form, 1, upper(substr(md5(id::text), 1, 12)), at, '[["message", "Hello"]]',
           '', '', '', '', '', '', '[]' FROM sent;
INSERT INTO intake_tally (id, agency_id, created_at, form_id, day, source, accepted)
    SELECT gen_random_uuid(), id, now(), form, now()::date - n, 'edge-1', n FROM agencies, generate_series(1, {days}) n;
INSERT INTO intake_setaside (id, agency_id, created_at, form_id, form_key, receipt, received_at, reason, content,
                             resolved_at)
    SELECT id, agency_id, at, form, '', '', at, '', '', CASE WHEN n % 10 > 0 THEN now() END FROM sent;
INSERT INTO inbox_enquiry (id, agency_id, created_at, number, submission_id, form_id, status, assignee_id,
                           sender_name, sender_email, subject, excerpt, signals, received_at)
    SELECT enquiry, agency_id, at, n, id, form, CASE WHEN n % 3 = 0 THEN 'closed' ELSE 'open' END,
           CASE WHEN n % 4 = 0 THEN member END, 'Ann', 'ann@visitor.example', 'Subject', 'Hello', '[]', at FROM sent;
INSERT INTO inbox_note (id, agency_id, created_at, enquiry_id, author_id, body)
    SELECT gen_random_uuid(), agency_id, at, enquiry, member, 'Called back' FROM sent;
INSERT INTO accounts_audit (id, agency_id, created_at, action, by_id, subject_id, data)
    SELECT gen_random_uuid(), agency_id, at, 'inbox.open_enquiry', NULL, enquiry, '{{}}' FROM sent;
INSERT INTO accounts_apitoken (id, agency_id, created_at, name, member_id, role, scopes, token_hash, hint, made_by_id)
    SELECT gen_random_uuid(), id, now(), 'Sync', member, '', '["read"]', encode(sha256(id::text::bytea), 'hex'), '0000',
           member FROM agencies;
INSERT INTO accounts_invitation (id, agency_id, created_at, email, role, token_hash, expires_at, invited_by_id)
    SELECT gen_random_uuid(), id, now(), 'new@example.com', 'member', encode(sha256(id::text::bytea), 'hex'),
           now() + interval '7 days', member FROM agencies;
INSERT INTO accounts_grant (id, agency_id, created_at, member_id, client_id, scopes, last_used_at, ends_at, user_agent,
                            address)
    SELECT grant_id, id, now(), member, 'abc', '["read"]', now(), now() + interval '7 days', '', '' FROM agencies;
INSERT INTO accounts_refreshtoken (id, agency_id, created_at, grant_id, token_hash, expires_at)
    SELECT gen_random_uuid(), id, now(), grant_id, encode(sha256(id::text::bytea), 'hex'), now() + interval '7 days'
      FROM agencies;
INSERT INTO accounts_authorizationcode (id, agency_id, created_at, member_id, code_hash, client_id, redirect_uri,
                                        challenge, scopes, expires_at)
    SELECT gen_random_uuid(), id, now(), member, encode(sha256(id::text::bytea), 'hex'), 'abc', '', '', '[]', now()
      FROM agencies;
INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts)
    SELECT 'default', 'inbox.notify_enquiry', jsonb_build_object('agency_id', agency_id), 'succeeded', 1 FROM sent;
INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts)
    SELECT 'default', 'inbox.notify_enquiry', jsonb_build_object('agency_id', id), 'failed', 10 FROM agencies;
ANALYZE;
"""
