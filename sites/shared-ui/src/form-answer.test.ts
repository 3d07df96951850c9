import assert from "node:assert/strict";
import { test } from "node:test";
import { asJson, readAnswer } from "./form-answer.ts";

const nothing = { kind: "refused", detail: "", fallback: "", errors: [] };

test("a stored submission gives its receipt", () => {
  const answer = readAnswer(201, { ok: true, id: "1", receipt: "K7QF-2M9X-4TDA", next: "http://127.0.0.1/t" });
  assert.deepEqual(answer, { kind: "accepted", receipt: "K7QF-2M9X-4TDA" });
});

test("what is kept to be stored later is as good as stored", () => {
  const answer = readAnswer(202, { ok: true, receipt: "K7QF-2M9X-4TDA", next: "http://127.0.0.1/t" });
  assert.deepEqual(answer, { kind: "accepted", receipt: "K7QF-2M9X-4TDA" });
});

test("what was kept although its key was used before need not be sent again", () => {
  const body = { ok: false, code: "key_reused", receipt: "K7QF-2M9X-4TDA" };
  assert.deepEqual(readAnswer(409, body), { kind: "accepted", receipt: "K7QF-2M9X-4TDA" });
  assert.equal(readAnswer(409, { ok: false, code: "key_reused" }).kind, "refused");
});

test("another way to reach the site is told", () => {
  const answer = readAnswer(503, { ok: false, detail: "Later, please.", fallback: "hello@site.example" });
  assert.deepEqual(answer, { ...nothing, detail: "Later, please.", fallback: "hello@site.example" });
});

test("a receipt without dashes is shown in fours", () => {
  assert.deepEqual(readAnswer(201, { ok: true, receipt: "K7QF2M9X4TDA" }), {
    kind: "accepted",
    receipt: "K7QF-2M9X-4TDA",
  });
});

test("a success that does not say ok is none", () => {
  assert.deepEqual(readAnswer(200, null), nothing);
  assert.deepEqual(readAnswer(200, "<h1>Sign in to the hotspot</h1>"), nothing);
  assert.deepEqual(readAnswer(201, { receipt: "K7QF-2M9X-4TDA" }), nothing);
});

test("ok with an error status is a refusal", () => {
  assert.equal(readAnswer(503, { ok: true }).kind, "refused");
});

test("a problem keeps its words and the errors that can be shown", () => {
  const body = {
    ok: false,
    title: "Some answers cannot be taken",
    detail: "Look at the e-mail address.",
    errors: [{ code: "email", field: "email", message: "No such address." }, { code: "x", field: "name" }, "?"],
  };
  assert.deepEqual(readAnswer(422, body), {
    kind: "refused",
    detail: "Look at the e-mail address.",
    fallback: "",
    errors: [{ field: "email", message: "No such address." }],
  });
});

test("an answer of another shape is a refusal without words", () => {
  for (const body of [undefined, [], { errors: "many", title: 7 }]) assert.deepEqual(readAnswer(500, body), nothing);
});

test("fields become an object, repeated names a list", () => {
  const entries = [["a", "1"], ["b", "2"], ["a", "3"], ["a", "4"], ["c", ""]] as const;
  assert.deepEqual(asJson(entries), { a: ["1", "3", "4"], b: "2", c: "" });
});

test("a field may have any name", () => {
  const fields = asJson([["constructor", "1"], ["__proto__", "2"]]);
  assert.equal(JSON.stringify(fields), '{"constructor":"1","__proto__":"2"}');
});
