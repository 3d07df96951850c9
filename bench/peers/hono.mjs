// Peer (a): Hono on Node with postgres.js.
import { hash, randomBytes, randomUUID } from "node:crypto";
import { serve } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { Hono } from "hono";
import postgres from "postgres";

// postgres.js prepares each statement once for each connection and pipelines on it.
const sql = postgres(process.env.DATABASE_URL, { max: Number(process.env.PEER_POOL), onnotice: () => {} });
const forms = new Map();

async function findForm(key) {
  let form = forms.get(key);
  if (form === undefined) {
    [form] = await sql`
      SELECT f.agency_id, f.id, f.version, v.honeypot
        FROM intake_form f
        JOIN intake_formversion v ON (v.agency_id, v.form_id, v.version) = (f.agency_id, f.id, f.version)
       WHERE f.key = ${key}`;
    if (form !== undefined) forms.set(key, form);
  }
  return form;
}

const app = new Hono();

app.post("/f/:key", async (c) => {
  const form = await findForm(c.req.param("key"));
  if (form === undefined) return c.json({ error: "unknown_form" }, 404);
  let body;
  try {
    body = await c.req.json();
  } catch {
    return c.json({ error: "malformed" }, 400);
  }
  const { [form.honeypot]: trap, ...sent } = body;
  const fields = Object.entries(sent);
  const now = new Date();
  const id = randomUUID();
  const receipt = randomBytes(6).toString("hex");
  const referrer = c.req.header("referer") ?? "";
  await sql`
    INSERT INTO intake_submission (
      id, agency_id, created_at, form_id, form_version, receipt, received_at, fields, page_url, referrer, origin,
      remote_addr, user_agent, content_type, signals, digest, spooled)
    VALUES (
      ${id}, ${form.agency_id}, ${now}, ${form.id}, ${form.version}, ${receipt}, ${now}, ${sql.json(fields)},
      ${referrer}, ${referrer}, ${c.req.header("origin") ?? ""}, ${getConnInfo(c).remote.address ?? ""},
      ${c.req.header("user-agent") ?? ""}, ${c.req.header("content-type") ?? ""},
      ${sql.json(trap ? ["honeypot"] : [])}, ${hash("md5", JSON.stringify(fields), "buffer")}, false)`;
  return c.json({ ok: true, id, receipt }, 201);
});

serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.env.PORT) });
