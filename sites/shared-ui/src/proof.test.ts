import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { createChallenge, verifySolution } from "altcha-lib";
import { deriveKey } from "altcha-lib/algorithms/web/pbkdf2";
import { prove } from "./proof.ts";

const secrets = { hmacSignatureSecret: "secret", hmacKeySignatureSecret: "key secret" };

// As the edge does it: asked for by GET, or 404 where the form wants none.
const edge = createServer(async (request, response) => {
  const wanted = request.url === "/f/asking/challenge";
  const challenge = await createChallenge({ algorithm: "PBKDF2/SHA-256", cost: 10, counter: 200, deriveKey, ...secrets });
  response.writeHead(wanted ? 200 : 404, { "Content-Type": "application/json" });
  response.end(JSON.stringify(wanted ? challenge : {}));
});
let origin = "";

before(async () => {
  await new Promise<void>((resolve) => edge.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(edge.address() as AddressInfo).port}`;
});
after(() => edge.close());

test("the work is done and can be checked", async () => {
  const { challenge, solution } = JSON.parse(atob(await prove(`${origin}/f/asking/challenge`)));
  assert.equal(solution.counter, 200);
  const checked = await verifySolution({ challenge, solution, deriveKey, ...secrets });
  assert.equal(checked.verified, true);
});

test("where there is nothing to do it says so", async () => {
  await assert.rejects(prove(`${origin}/f/other/challenge`), /No challenge: 404/);
});
