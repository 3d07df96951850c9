import { readAnswer, type Answer } from "./form-answer.ts";

/** What came back: `body` is the parsed JSON, or null when it was none; `retryAfter` is the header, or null. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter: string | null;
}

/** Seconds before the second and the third try. */
const PAUSES = [1, 4];

/** Longer than this nobody is kept waiting: they are told, and may try again themselves. */
const LONGEST_PAUSE = 15;

/** What may be over in a moment: the edge or something in front of it cannot at present. */
const PASSING = [429, 502, 503, 504];

/**
 * Sends up to three times, always the same, because the edge makes one submission of them by their key.
 * Rejects when no try had an answer.
 *
 * @param send - One try; rejects when no answer came.
 * @param wait - Waits so many seconds; false when waiting is in vain (offline).
 */
export async function deliver(send: () => Promise<Reply>, wait: (seconds: number) => Promise<boolean>): Promise<Answer> {
  for (let tries = 0; ; tries += 1) {
    const reply = await send().catch((error: unknown) => ({ error }));
    const told = "error" in reply ? null : reply;
    const pause = PAUSES[tries];
    const wanted = Math.max(pause ?? 0, told ? asked(told) : 0);
    const passing = told === null || PASSING.includes(told.status);
    const again = passing && pause !== undefined && wanted <= LONGEST_PAUSE && (await wait(wanted));
    if (again) continue;
    if ("error" in reply) throw reply.error;
    return readAnswer(reply.status, reply.body);
  }
}

/** How many seconds the answer asks to wait. */
function asked({ body, retryAfter }: Reply): number {
  const own = typeof body === "object" && body !== null && "retry_after" in body ? Number(body.retry_after) : NaN;
  const header = retryAfter === null ? NaN : Number(retryAfter);
  return [own, header].find((seconds) => Number.isFinite(seconds) && seconds >= 0) ?? 0;
}
