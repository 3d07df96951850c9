-- Rows of many agencies, the same every time: everything follows from numbers and their hashes. Run by bench/office_rows.py,
-- which first makes the table `plan` (agency, enquiries, contacts, deals, open_deals) and the setting bench.until.

CREATE FUNCTION pg_temp.h(what text, a bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashtextextended(what COLLATE "C", a * 1000003 + n) & 9223372036854775807;

-- As the office makes them (UUIDv7): the milliseconds first, so that rows lie in the order in which they came.
CREATE FUNCTION pg_temp.uid(what text, a bigint, n bigint, at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
        || substr(md5(what || ' ' || a || ' ' || n), 1, 3) || '8' || substr(md5(what || ' ' || a || ' ' || n), 4, 15))::uuid;

CREATE FUNCTION pg_temp.until() RETURNS timestamptz LANGUAGE sql STABLE RETURN current_setting('bench.until')::timestamptz;

-- A word that can be said, other for each number below 160,000.
CREATE FUNCTION pg_temp.said(n bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (ARRAY['ba','be','bi','bo','da','de','di','do','fa','fe','ga','ge','ka','ke','la','le','ma','me','na','ne'])[1 + n % 20]
    || (ARRAY['ra','re','ri','ro','sa','se','si','so','ta','te','ti','to','va','ve','vi','vo','wa','we','za','ze'])[1 + n / 20 % 20]
    || (ARRAY['lin','mer','nor','pel','ras','sen','tor','ver','wen','zel','dan','fin','gal','hem','jor','kan','lun','mos','nel','por'])[1 + n / 400 % 20]
    || CASE WHEN n < 8000 THEN '' ELSE (ARRAY['a','o','i','u','es','er','en','el','et','ia','io','um','us','is','as','os','an','on','in','ett'])[1 + n / 8000 % 20] END;

CREATE TEMP TABLE firsts AS SELECT n, initcap(pg_temp.said(n * 7 + 3)) AS name FROM generate_series(0, 399) n;
CREATE TEMP TABLE lasts AS SELECT n, initcap(pg_temp.said(9000 + n * 3)) AS name FROM generate_series(0, 19999) n;
-- What people write: words as frequent as words are, the first ones in nearly every message.
CREATE TEMP TABLE bodies AS
    SELECT m AS n, string_agg(pg_temp.said(word), ' ' ORDER BY k) AS text, array_agg(DISTINCT pg_temp.said(word)) AS words
      FROM generate_series(0, 19999) m,
           LATERAL (SELECT k, floor(power(8000::float8, (pg_temp.h('word', m, k) % 1000000) / 1e6::float8))::bigint - 1 AS word
                      FROM generate_series(1, 26) k) w
     GROUP BY m;
ALTER TABLE bodies ADD PRIMARY KEY (n);

-- Whose they are -----------------------------------------------------------------------------------------------------
INSERT INTO accounts_agency (id, slug, name, time_zone, created_at)
    SELECT agency, 'rows-' || enquiries || '-' || agency, 'Rows ' || agency, 'Europe/Berlin', pg_temp.until() - interval '3 years'
      FROM plan;
INSERT INTO accounts_user (id, password, is_superuser, email, name, time_zone, is_active, is_staff, created_at)
    SELECT agency * 100 + k, '', false, agency || '-' || k || '@rows.example',
           f.name || ' ' || initcap(pg_temp.said(k)), 'Europe/Berlin', true, false, pg_temp.until() - interval '3 years'
      FROM plan, generate_series(1, 8) k JOIN firsts f ON f.n = k;
CREATE TEMP TABLE members AS
    SELECT agency, k, pg_temp.uid('member', agency, k, pg_temp.until() - interval '3 years') AS id FROM plan, generate_series(1, 8) k;
INSERT INTO accounts_member (id, agency_id, created_at, role, user_id)
    SELECT id, agency, pg_temp.until() - interval '3 years', CASE k WHEN 1 THEN 'owner' ELSE 'member' END, agency * 100 + k FROM members;
CREATE TEMP TABLE clients AS
    SELECT agency, k, pg_temp.uid('client', agency, k, pg_temp.until() - interval '3 years') AS id FROM plan, generate_series(0, 5) k;
INSERT INTO crm_client (id, agency_id, created_at, name)
    SELECT id, agency, pg_temp.until() - interval '3 years', 'Client ' || initcap(pg_temp.said(k * 31)) FROM clients;
CREATE TEMP TABLE forms AS
    SELECT agency, k, k / 2 AS site, pg_temp.uid('site', agency, k / 2, pg_temp.until() - interval '3 years') AS site_id,
           pg_temp.uid('form', agency, k, pg_temp.until() - interval '3 years') AS id
      FROM plan, generate_series(0, 15) k;
INSERT INTO intake_site (id, agency_id, created_at, name, url, client_id, fallback_contact)
    SELECT DISTINCT ON (f.site_id) f.site_id, f.agency, pg_temp.until() - interval '3 years', initcap(pg_temp.said(f.site * 57)),
           'https://' || pg_temp.said(f.site * 57) || '.example', c.id, ''
      FROM forms f LEFT JOIN clients c ON (c.agency, c.k) = (f.agency, f.site) ORDER BY f.site_id;
INSERT INTO intake_form (id, agency_id, created_at, site_id, name, key, version, allowed_origins, redirect_targets,
                         notify_addresses, language, hold_score, address_limit, form_limit, over_limit, daily_cap,
                         proof_of_work, secret, auto_reply, auto_reply_text, keep_address_days)
    SELECT id, agency, pg_temp.until() - interval '3 years', site_id, CASE k % 2 WHEN 0 THEN 'Contact' ELSE 'Booking' END,
           'frm_rows_' || agency || '_' || k, 1, '[]', '[]', '[]', 'en', 50, '20/minute', '600/minute', 'hold', 10000, false,
           '', false, '', 30 FROM forms;
INSERT INTO intake_formversion (id, agency_id, created_at, form_id, version, name, fields, honeypot, files)
    SELECT pg_temp.uid('formversion', agency, k, pg_temp.until() - interval '3 years'), agency, pg_temp.until() - interval '3 years', id, 1,
           'Contact', '[{"name": "name", "label": "Name", "type": "text", "since": 1}, {"name": "email", "label": "E-mail", "type": "email", "since": 1}, {"name": "message", "label": "Message", "type": "textarea", "since": 1}]',
           'hp', '{}' FROM forms;

-- People, companies, deals -------------------------------------------------------------------------------------------
CREATE TEMP TABLE companies AS
    SELECT agency, n, pg_temp.uid('company', agency, n, at) AS id, at, initcap(pg_temp.said(pg_temp.h('company', agency, n) % 160000)) AS name
      FROM plan, LATERAL (SELECT n, pg_temp.until() - (contacts / 5 - n) * interval '3 years' / (contacts / 5) AS at
                            FROM generate_series(0, contacts / 5 - 1) n) made;
INSERT INTO crm_company (id, agency_id, created_at, name, normal_name, name_key, website, domain, phone, address, custom, version)
    SELECT id, agency, at, name || ' Ltd', lower(name) || ' ltd', lower(name), 'https://' || lower(name) || n || '.example',
           lower(name) || n || '.example', '', '', '{}', 1 FROM companies;
CREATE TEMP TABLE people AS
    SELECT (pg_temp.h('of', agency, made.n) % (contacts / 5))::int AS company, agency, made.n, pg_temp.uid('contact', agency, made.n, at) AS id, at, f.name AS first, l.name AS last,
           lower(f.name || '.' || l.name) || made.n || '@visitor.example' AS email, '+4420' || lpad((made.n % 100000000)::text, 8, '0') AS phone, contacts
      FROM (SELECT agency, contacts, n, pg_temp.until() - (contacts - n) * interval '3 years' / contacts AS at
              FROM plan, generate_series(0, contacts - 1) n) made
      JOIN firsts f ON f.n = pg_temp.h('first', agency, made.n) % 400
      JOIN lasts l ON l.n = pg_temp.h('last', agency, made.n) % 20000;
CREATE UNIQUE INDEX ON people (agency, n);
CREATE UNIQUE INDEX ON companies (agency, n);
ANALYZE people; ANALYZE companies;
INSERT INTO crm_contact (id, agency_id, created_at, name, normal_name, search, job_title, company_id, client_id, custom, version)
    SELECT p.id, p.agency, p.at, p.first || ' ' || p.last, lower(p.first || ' ' || p.last),
           lower(p.first || ' ' || p.last) || ' ' || p.email || CASE p.n % 2 WHEN 0 THEN ' ' || substr(p.phone, 2) ELSE '' END, '', c.id, NULL, '{}', 1
      FROM people p LEFT JOIN companies c ON c.agency = p.agency AND p.n % 3 < 2 AND c.n = p.company;
INSERT INTO crm_email (id, agency_id, created_at, contact_id, address, normal, is_primary)
    SELECT pg_temp.uid('email', agency, n, at), agency, at, id, email, email, true FROM people;
INSERT INTO crm_phone (id, agency_id, created_at, contact_id, number, normal, is_primary)
    SELECT pg_temp.uid('phone', agency, n, at), agency, at, id, phone, phone, true FROM people WHERE n % 2 = 0;
INSERT INTO crm_label (id, agency_id, created_at, name, normal_name)
    SELECT pg_temp.uid('label', agency, k, pg_temp.until() - interval '3 years'), agency, pg_temp.until() - interval '3 years', initcap(pg_temp.said(k)), pg_temp.said(k)
      FROM plan, generate_series(0, 9) k;
INSERT INTO crm_labelling (id, agency_id, created_at, label_id, contact_id)
    SELECT pg_temp.uid('labelling', agency, n, at), agency, at, pg_temp.uid('label', agency, n / 4 % 10, pg_temp.until() - interval '3 years'), id
      FROM people WHERE n % 4 = 0;
INSERT INTO crm_stage (id, agency_id, created_at, name, position)
    SELECT pg_temp.uid('stage', agency, k, pg_temp.until() - interval '3 years'), agency, pg_temp.until() - interval '3 years',
           (ARRAY['New', 'Qualified', 'Proposal', 'Negotiation'])[k + 1], k + 1 FROM plan, generate_series(0, 3) k;
CREATE TEMP TABLE sold AS
    SELECT made.agency, made.n, made.at, pg_temp.uid('deal', made.agency, made.n, made.at) AS id, made.n / 3 % 4 AS stage, p.id AS contact_id, status
      FROM (SELECT agency, contacts, n, pg_temp.until() - (deals - n + 1) * interval '3 years' / deals AS at,
                   CASE WHEN n > deals - open_deals THEN 'open' WHEN n % 5 < 2 THEN 'won' ELSE 'lost' END AS status
              FROM plan, generate_series(1, deals) n) made
      JOIN people p ON (p.agency, p.n) = (made.agency, pg_temp.h('buys', made.agency, made.n) % made.contacts);
INSERT INTO crm_deal (id, agency_id, created_at, title, stage_id, stage_entered_at, status, value_minor, currency, contact_id, company_id,
                      owner_id, expected_on, lost_reason, closed_at, custom, version)
    SELECT s.id, s.agency, s.at, initcap(b.words[1]) || ' for ' || c.name, pg_temp.uid('stage', s.agency, s.stage, pg_temp.until() - interval '3 years'),
           s.at + interval '1 hour', s.status, 50000 + pg_temp.h('value', s.agency, s.n) % 5000000, 'EUR', s.contact_id, c.company_id, m.id,
           (s.at + interval '60 days')::date, CASE s.status WHEN 'lost' THEN 'Too expensive' ELSE '' END,
           CASE s.status WHEN 'open' THEN NULL ELSE s.at + interval '20 days' END, '{}', 1
      FROM sold s JOIN crm_contact c ON (c.agency_id, c.id) = (s.agency, s.contact_id)
      JOIN members m ON m.agency = s.agency AND m.k = 1 + s.n % 8
      JOIN bodies b ON b.n = s.n % 20000;

-- Enquiries ----------------------------------------------------------------------------------------------------------
CREATE TEMP TABLE sent AS
    SELECT e.agency, e.n, e.at, pg_temp.uid('submission', e.agency, e.n, e.at) AS id, pg_temp.uid('enquiry', e.agency, e.n, e.at) AS enquiry,
           f.id AS form, m.id AS member, p.n AS person, p.id AS contact_id, p.first, p.last, p.email, e.body,
           CASE WHEN e.back > 60 AND e.dice >= 30 OR e.dice >= 900 THEN
                     CASE WHEN e.dice >= 970 THEN 'spam' ELSE 'closed' END
                WHEN e.dice < 3 THEN 'held' WHEN e.dice < 6 THEN 'snoozed' WHEN e.dice < 14 THEN 'waiting' ELSE 'open' END AS status,
           e.score
      FROM (SELECT agency, contacts, n, pg_temp.until() - (enquiries - n + 1) * interval '3 years' / enquiries AS at, (enquiries - n) * 1095.0 / enquiries AS back,
                   pg_temp.h('dice', agency, n) % 1000 AS dice, (pg_temp.h('body', agency, n) % 20000)::int AS body,
                   (pg_temp.h('who', agency, n) % contacts)::int AS who, (pg_temp.h('form', agency, n) % 16)::int AS form,
                   (pg_temp.h('has', agency, n) % 8 + 1)::int AS has, (pg_temp.h('score', agency, n) % 100)::int AS score
              FROM plan, generate_series(1, enquiries) n) e
      JOIN forms f ON (f.agency, f.k) = (e.agency, e.form) JOIN members m ON (m.agency, m.k) = (e.agency, e.has)
      JOIN people p ON (p.agency, p.n) = (e.agency, e.who);
ANALYZE sent;
INSERT INTO intake_submission (id, agency_id, created_at, form_id, form_version, receipt, received_at, fields, page_url, referrer, origin,
                               remote_addr, user_agent, content_type, signals)
    SELECT s.id, agency, at, form, 1, upper(substr(translate(md5('receipt ' || agency || ' ' || s.n), '01ilou', 'wxyzqr'), 1, 12)), at,
           jsonb_build_array(jsonb_build_array('name', first || ' ' || last), jsonb_build_array('email', email), jsonb_build_array('message', b.text)),
           'https://site.example/contact/?utm_campaign=' || b.words[2], '', 'https://site.example', '', 'Mozilla/5.0', 'application/x-www-form-urlencoded', '[]'
      FROM sent s JOIN bodies b ON b.n = s.body ORDER BY agency, s.n;
INSERT INTO inbox_enquiry (id, agency_id, created_at, number, submission_id, form_id, status, assignee_id, sender_name, sender_email, subject,
                           excerpt, signals, words, score, reasons, received_at, contact_id, closed_at, close_reason, waiting_since, snoozed_until,
                           first_answer_at, delivered_at, version)
    SELECT enquiry, agency, at, s.n, s.id, form, status, CASE WHEN s.n % 3 > 0 THEN member END, first || ' ' || last, email, '', left(b.text, 280), '[]',
           ARRAY(SELECT DISTINCT word COLLATE "C" FROM unnest(b.words || ARRAY[lower(first), lower(last), lower(last) || person, 'visitor', 'example']) word ORDER BY 1),
           CASE WHEN status IN ('held', 'spam') THEN 50 + score ELSE score % 20 END,
           CASE WHEN status IN ('held', 'spam') THEN '[{"code": "honeypot", "points": 60}]'::jsonb ELSE '[]' END, at,
           CASE WHEN s.n % 4 = 0 THEN contact_id END,
           CASE WHEN status = 'closed' THEN at + (score + 1) * interval '1 hour' END, CASE WHEN status = 'closed' THEN 'answered' ELSE '' END,
           CASE WHEN status = 'waiting' THEN at + interval '2 hours' END, CASE WHEN status = 'snoozed' THEN pg_temp.until() + interval '400 days' END,
           CASE WHEN status IN ('closed', 'waiting') AND s.n % 5 > 0 THEN at + (1 + score * score / 9) * interval '7 minutes' END,
           CASE WHEN status NOT IN ('held', 'spam') THEN at END, 1
      FROM sent s JOIN bodies b ON b.n = s.body ORDER BY agency, s.n;
INSERT INTO inbox_counter (id, agency_id, created_at, last_number)
    SELECT pg_temp.uid('counter', agency, 0, pg_temp.until() - interval '3 years'), agency, pg_temp.until() - interval '3 years', enquiries FROM plan;
INSERT INTO inbox_word (id, agency_id, created_at, word)
    SELECT pg_temp.uid('word ' || word, agency, 0, pg_temp.until() - interval '3 years'), agency, pg_temp.until() - interval '3 years', word
      FROM (SELECT DISTINCT agency_id AS agency, unnest(words) AS word FROM inbox_enquiry WHERE agency_id IN (SELECT agency FROM plan)) known;
INSERT INTO inbox_delivery (id, agency_id, created_at, enquiry_id, kind, address, detail, at)
    SELECT pg_temp.uid(kind, agency, n, at), agency, at, enquiry, kind, '', '{}', at + later
      FROM sent, (VALUES ('stored', interval '0'), ('scored', interval '1 s')) each (kind, later);
INSERT INTO inbox_note (id, agency_id, created_at, enquiry_id, author_id, body)
    SELECT pg_temp.uid('note', agency, s.n, at), agency, at + interval '1 hour', enquiry, member, left(b.text, 90)
      FROM sent s JOIN bodies b ON b.n = s.body WHERE s.n % 5 = 0;
INSERT INTO inbox_message (id, agency_id, created_at, enquiry_id, direction, state, kind, member_id, subject, text, html, shortened,
                           message_id, in_reply_to, thread, from_name, from_address, to_address, tries, detail, sent_at)
    SELECT pg_temp.uid('message', agency, s.n, at), agency, at + interval '1 hour', enquiry, 'out', 'sent', 'answer', member, 'Re: your message', b.text, '', false,
           '<' || agency || '.' || s.n || '@rows.example>', '', '', '', '', email, 1, '{}', at + interval '1 hour'
      FROM sent s JOIN bodies b ON b.n = s.body WHERE s.n % 4 = 1 AND status IN ('closed', 'waiting');
INSERT INTO accounts_audit (id, agency_id, created_at, action, by_id, subject_id, data)
    SELECT pg_temp.uid('audit', agency, n, at), agency, at, 'inbox.open_enquiry', NULL, enquiry, '{}' FROM sent;
INSERT INTO intake_tally (id, agency_id, created_at, form_id, day, source, accepted)
    SELECT pg_temp.uid('tally ' || form || day, agency, 0, pg_temp.until() - interval '3 years'), agency, day, form, day, 'edge-1', accepted
      FROM (SELECT agency, form, (at AT TIME ZONE 'UTC')::date AS day, count(*) AS accepted FROM sent GROUP BY 1, 2, 3) each;

-- What happened with them --------------------------------------------------------------------------------------------
INSERT INTO crm_event (id, agency_id, created_at, kind, at, by_id, contact_id, subject_id, data)
    SELECT pg_temp.uid('created', agency, n, at), agency, at, 'crm.create_contact', at, NULL, id, NULL, '{}' FROM people;
INSERT INTO crm_event (id, agency_id, created_at, kind, at, by_id, contact_id, subject_id, data)
    SELECT pg_temp.uid('wrote', agency, n, at), agency, at, 'inbox.open_enquiry', at, NULL, contact_id, enquiry, jsonb_build_object('number', n)
      FROM sent WHERE n % 4 = 0;
INSERT INTO crm_event (id, agency_id, created_at, kind, at, by_id, contact_id, deal_id, subject_id, data)
    SELECT pg_temp.uid('moved' || step, s.agency, s.n, s.at), s.agency, s.at, CASE step WHEN 0 THEN 'crm.create_deal' ELSE 'crm.move_deal' END, s.at + step * interval '20 minutes', m.id,
           s.contact_id, s.id, NULL, jsonb_build_object('stage', pg_temp.uid('stage', s.agency, LEAST(step, 3), pg_temp.until() - interval '3 years'),
           'from', pg_temp.uid('stage', s.agency, GREATEST(step - 1, 0), pg_temp.until() - interval '3 years'), 'seconds', 1200)
      FROM sold s JOIN members m ON m.agency = s.agency AND m.k = 1 + s.n % 8, LATERAL generate_series(0, s.stage) step;
-- One contact of each agency with much behind it: a two-hundredth of the enquiries, 5,000 lines at most.
INSERT INTO crm_event (id, agency_id, created_at, kind, at, by_id, contact_id, subject_id, data)
    SELECT pg_temp.uid('again', agency, n, at), agency, at, 'inbox.open_enquiry', at, NULL, pg_temp.uid('contact', agency, 0, pg_temp.until() - interval '3 years'),
           enquiry, jsonb_build_object('number', n)
      FROM sent WHERE n % 200 = 0;
INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts)
    SELECT 'default', 'inbox.notify_enquiry', jsonb_build_object('agency_id', agency), 'succeeded', 1 FROM sent WHERE n % 10 = 0;
