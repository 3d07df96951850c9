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
      /** Empty when the server gave no reason that can be shown. */
      readonly title: string;
      readonly detail: string;
      readonly errors: readonly FieldError[];
    };

/**
 * What the edge's answer means. `body` is the parsed JSON, or anything else when it was none.
 * Only a success that says `"ok": true` counts: a proxy's or a hotspot's page with status 200 does not.
 */
export function readAnswer(status: number, body: unknown): Answer {
  const answer = isObject(body) ? body : {};
  if (status >= 200 && status < 300 && answer["ok"] === true) {
    return { kind: "accepted", receipt: showReceipt(asText(answer["receipt"])) };
  }
  const errors = Array.isArray(answer["errors"]) ? answer["errors"] : [];
  return {
    kind: "refused",
    title: asText(answer["title"]),
    detail: asText(answer["detail"]),
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
