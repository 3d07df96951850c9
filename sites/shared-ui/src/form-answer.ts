import { showReceipt } from "./receipt.ts";

/** What is wrong with one field, in the words of the server. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

export type Answer =
  | { readonly kind: "accepted"; readonly receipt: string }
  | {
      readonly kind: "refused";
      /** In the form's language; empty when the server gave no reason that can be shown. */
      readonly detail: string;
      /** How else to reach the site, when the message cannot be stored; empty when there is no such way. */
      readonly fallback: string;
      readonly errors: readonly FieldError[];
    };

/**
 * What the edge's answer means. 202 is a success like 201: what could not be stored at once is kept until it can.
 * `body` is the parsed JSON, or anything else when it was none.
 * Only a success that says `"ok": true` counts: a proxy's or a hotspot's page with status 200 does not.
 */
export function readAnswer(status: number, body: unknown): Answer {
  const answer = isObject(body) ? body : {};
  const receipt = showReceipt(asText(answer["receipt"]));
  const stored = status >= 200 && status < 300 && answer["ok"] === true;
  // Its key was used for another text before: both were kept, so there is nothing to send again.
  if (stored || (status === 409 && answer["code"] === "key_reused" && receipt !== "")) return { kind: "accepted", receipt };
  const errors = Array.isArray(answer["errors"]) ? answer["errors"] : [];
  return {
    kind: "refused",
    detail: asText(answer["detail"]),
    fallback: asText(answer["fallback"]),
    errors: errors
      .filter(isObject)
      .map((error) => ({ field: asText(error["field"]), message: asText(error["message"]) }))
      .filter(({ message }) => message !== ""),
  };
}

/** The fields of a form as a JSON object; a name that repeats becomes a list. */
export function asJson(entries: Iterable<readonly [string, string]>): Record<string, string | string[]> {
  const fields = new Map<string, string | string[]>();
  for (const [name, value] of entries) {
    const earlier = fields.get(name);
    fields.set(name, earlier === undefined ? value : [earlier, value].flat());
  }
  return Object.fromEntries(fields);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
