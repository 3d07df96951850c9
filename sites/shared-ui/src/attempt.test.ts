import assert from "node:assert/strict";
import { test } from "node:test";
import { Attempt, type Shelf } from "./attempt.ts";

function shelf(): Shelf & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, text) => void kept.set(name, text),
    removeItem: (name) => void kept.delete(name),
  };
}

const text = [["name", "Ann"], ["message", "Hello"]] as const;

test("the same text has the same key, another text another one", () => {
  const attempt = new Attempt("form", shelf());
  const key = attempt.key(text);
  assert.match(key, /^[0-9a-f-]{32,36}$/);
  assert.equal(attempt.key([["name", "Ann"], ["message", "Hello"]]), key);
  assert.notEqual(attempt.key([["name", "Ann"], ["message", "Hello!"]]), key);
});

test("a reload keeps text and key until an answer came", () => {
  const storage = shelf();
  const key = new Attempt("form", storage).key(text);
  const reloaded = new Attempt("form", storage);
  assert.deepEqual(reloaded.entries, text);
  assert.equal(reloaded.key(text), key);
  assert.deepEqual(new Attempt("another form", storage).entries, []);
  reloaded.done();
  assert.equal(storage.kept.size, 0);
  assert.deepEqual(reloaded.entries, []);
  assert.notEqual(reloaded.key(text), key);
});

test("without a storage, or with a full one, the page remembers", () => {
  const full: Shelf = {
    ...shelf(),
    setItem: () => {
      throw new Error("full");
    },
  };
  for (const storage of [null, full]) {
    const attempt = new Attempt("form", storage);
    assert.equal(attempt.key(text), attempt.key(text));
  }
});

test("what somebody else left in the storage is not taken for a text", () => {
  for (const left of ["{", "7", '{"key":1}', '{"key":"k","entries":[["a"]]}', '{"key":"k","entries":[[1,2]]}', "null"]) {
    const storage = shelf();
    storage.setItem("consult:form", left);
    assert.deepEqual(new Attempt("form", storage).entries, []);
  }
});
