import assert from "node:assert/strict";
import { test } from "node:test";
import { deliver, type Reply } from "./delivery.ts";

const stored: Reply = { status: 201, body: { ok: true, receipt: "K7QF2M9X4TDA" }, retryAfter: null };
const lost = new TypeError("Failed to fetch");

function away(seconds: number): Reply {
  return { status: 503, body: { ok: false, detail: "Later.", retry_after: seconds }, retryAfter: null };
}

/** Sends by a script of answers; notes how long it waited in between. */
function scene(...answers: (Reply | Error)[]) {
  const waits: number[] = [];
  const send = async (): Promise<Reply> => {
    const next = answers.shift();
    if (next === undefined) throw new Error("tried too often");
    if (next instanceof Error) throw next;
    return next;
  };
  const wait = async (seconds: number): Promise<boolean> => waits.push(seconds) > 0;
  return { waits, answers, sent: () => deliver(send, wait), offline: () => deliver(send, async () => false) };
}

test("an answer ends it", async () => {
  const { sent, waits } = scene(stored);
  assert.equal((await sent()).kind, "accepted");
  assert.deepEqual(waits, []);
});

test("a lost connection and a moment's absence are tried again", async () => {
  const { sent, waits } = scene(lost, { status: 502, body: null, retryAfter: null }, stored);
  assert.equal((await sent()).kind, "accepted");
  assert.deepEqual(waits, [1, 4]);
});

test("as long is waited as the edge asks for", async () => {
  const header: Reply = { status: 429, body: null, retryAfter: "7" };
  const { sent, waits } = scene(away(5), header, stored);
  await sent();
  assert.deepEqual(waits, [5, 7]);
});

test("nobody is kept waiting for long", async () => {
  const { sent, waits } = scene(away(3_600));
  assert.equal((await sent()).kind, "refused");
  assert.deepEqual(waits, []);
});

test("after three tries it is told", async () => {
  const busy = scene(away(1), away(1), away(1));
  assert.deepEqual(await busy.sent(), { kind: "refused", detail: "Later.", fallback: "", errors: [] });
  assert.equal(busy.answers.length, 0);
  await assert.rejects(scene(lost, lost, lost).sent(), lost);
});

test("what is wrong with the text is told at once", async () => {
  const wrong: Reply = { status: 422, body: { ok: false, errors: [{ field: "name", message: "Who?" }] }, retryAfter: null };
  const { sent, waits } = scene(wrong);
  assert.equal((await sent()).kind, "refused");
  assert.deepEqual(waits, []);
});

test("offline there is nothing to wait for", async () => {
  await assert.rejects(scene(lost).offline(), lost);
});
