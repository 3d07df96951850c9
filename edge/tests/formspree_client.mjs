// Sends with @formspree/core, as a page would: node formspree_client.mjs <endpoint> <form key>, posts as JSON on stdin.
// Prints what the client makes of each answer, as a JSON list.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const sites = createRequire(new URL("../../sites/package.json", import.meta.url));
const { createClient, isSubmissionError } = sites("@formspree/core");

// In a browser it sends its session's data as a header.
globalThis.window = {};
globalThis.document = { documentElement: { getAttribute: () => null } };
globalThis.navigator ??= { webdriver: false };

const [endpoint, key] = process.argv.slice(2);
const client = createClient();
const told = [];
for (const { as, fields } of JSON.parse(readFileSync(0, "utf8"))) {
  const data = as === "json" ? fields : new FormData();
  if (data instanceof FormData) for (const [name, value] of Object.entries(fields)) data.append(name, value);
  const result = await client.submitForm(key, data, { endpoint, clientName: "test" });
  told.push(
    isSubmissionError(result)
      ? { kind: result.kind, form: result.getFormErrors(), fields: result.getAllFieldErrors() }
      : { kind: result.kind, next: result.next },
  );
}
process.stdout.write(JSON.stringify(told));
