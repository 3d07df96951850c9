import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { contrast, inkAndPaper } from "./contrast.ts";

test("contrast is that of WCAG", () => {
  assert.equal(contrast("#000000", "#ffffff").toFixed(2), "21.00");
  assert.equal(contrast("#777777", "#ffffff").toFixed(2), "4.48");
  assert.throws(() => contrast("brown", "#ffffff"), /brown/);
});

const themes = globSync(`${import.meta.dirname}/../../*/src/theme.css`);

test("there are themes to look at", () => {
  assert.ok(themes.length >= 2 && themes.every((theme) => existsSync(theme)));
});

for (const theme of themes) {
  test(`ink can be read on paper: ${theme.split("/").at(-3) ?? theme}`, () => {
    const pair = inkAndPaper(readFileSync(theme, "utf8"));
    assert.ok(pair, `${theme}: write --color-primary and --color-base-100 as #rrggbb`);
    const ratio = contrast(...pair);
    assert.ok(ratio >= 4.5, `${theme}: ${pair.join(" on ")} has ${ratio.toFixed(2)} : 1, text needs 4.5 : 1`);
  });
}
