import { solveChallenge } from "altcha-lib";
import { deriveKey } from "altcha-lib/algorithms/web/pbkdf2";
import type { Challenge } from "altcha-lib/types";

/**
 * Does the work that the edge asks for at `address`, and gives it back as the edge reads it. About half a second, in
 * small pieces. Rejects when the challenge cannot be had or done: the form is sent without it then.
 */
export async function prove(address: string): Promise<string> {
  const response = await fetch(address, { headers: { Accept: "application/json" }, credentials: "omit" });
  if (!response.ok) throw new Error(`No challenge: ${response.status}`);
  const challenge = (await response.json()) as Challenge;
  const solution = await solveChallenge({ challenge, deriveKey });
  if (solution === null) throw new Error("The challenge could not be solved in time");
  return btoa(JSON.stringify({ challenge, solution }));
}
