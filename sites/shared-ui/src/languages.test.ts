import assert from "node:assert/strict";
import { test } from "node:test";
import { beyondEnglish, wordsIn } from "./languages.ts";
import { english, type Words } from "./words.ts";

const parts = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

test("every language says everything, with the same parts", () => {
  for (const lang of ["de", "fr", "es", "pt"]) {
    const words = wordsIn(lang);
    for (const name of Object.keys(english) as (keyof Words)[]) {
      assert.ok(words[name], `${lang} lacks ${name}`);
      assert.deepEqual(parts(words[name]), parts(english[name]), `${lang}: ${name}`);
    }
    assert.notEqual(words.send, english.send);
  }
});

test("a region speaks its language, an unknown one English", () => {
  assert.deepEqual(wordsIn("de-AT"), wordsIn("de"));
  assert.deepEqual(wordsIn("pt-BR"), wordsIn("pt"));
  assert.deepEqual(wordsIn("tlh"), english);
});

test("a site's own texts win", () => {
  assert.equal(wordsIn("de", { send: "Los" }).send, "Los");
});

test("the script is told only what it would not say itself", () => {
  assert.deepEqual(beyondEnglish(wordsIn("en-GB", { send: "Go" })), { send: "Go" });
  assert.equal(beyondEnglish(wordsIn("fr")).sending, "Envoi en cours…");
});
