import assert from "node:assert/strict";
import { test } from "node:test";
import { showReceipt } from "./receipt.ts";

test("a receipt is shown in fours", () => {
  assert.equal(showReceipt("k7qf2m9x4tda"), "K7QF-2M9X-4TDA");
  assert.equal(showReceipt(" K7QF-2M9X-4TDA "), "K7QF-2M9X-4TDA");
});

test("what is no receipt is not shown", () => {
  for (const text of ["", "K7QF-2M9X", "K7QF-2M9X-4TDAA", "K7QF-2M9X-4TDU", "<b>K7QF2M9X4"]) {
    assert.equal(showReceipt(text), "");
  }
});
