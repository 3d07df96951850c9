/** The part of Storage that is needed here. */
export type Shelf = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export type Entries = readonly (readonly [name: string, value: string])[];

interface Kept {
  readonly key: string;
  readonly entries: Entries;
}

/**
 * One text on its way to the edge, and the key that makes all attempts to send it one submission. It is kept until an
 * answer came, so that neither a reload nor a second click sends it twice, and nothing typed is lost with the page.
 */
export class Attempt {
  readonly #place: string;
  readonly #shelf: Shelf | null;
  #kept: Kept | null;

  /** `place` names the form; without a `shelf` (none is allowed to sites here) the page itself remembers. */
  constructor(place: string, shelf: Shelf | null) {
    this.#place = `consult:${place}`;
    this.#shelf = shelf;
    this.#kept = this.#read();
  }

  /** What was on its way when the page went. */
  get entries(): Entries {
    return this.#kept?.entries ?? [];
  }

  /** The key for this text: the same for the same text, until `done`. */
  key(entries: Entries): string {
    if (this.#kept === null || JSON.stringify(this.#kept.entries) !== JSON.stringify(entries)) {
      this.#kept = { key: newKey(), entries };
      try {
        this.#shelf?.setItem(this.#place, JSON.stringify(this.#kept));
      } catch {
        // No room: the page remembers as long as it lives.
      }
    }
    return this.#kept.key;
  }

  /** It has arrived. */
  done(): void {
    this.#kept = null;
    this.#shelf?.removeItem(this.#place);
  }

  #read(): Kept | null {
    try {
      const found: unknown = JSON.parse(this.#shelf?.getItem(this.#place) ?? "null");
      return isKept(found) ? found : null;
    } catch {
      return null;
    }
  }
}

/** The storage of this tab, unless the browser forbids it. */
export function tabStorage(): Shelf | null {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

function newKey(): string {
  // randomUUID is there on https alone.
  if ("randomUUID" in crypto) return crypto.randomUUID();
  const bytes = (crypto as Crypto).getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function isKept(found: unknown): found is Kept {
  return (
    typeof found === "object" &&
    found !== null &&
    "key" in found &&
    typeof found.key === "string" &&
    "entries" in found &&
    Array.isArray(found.entries) &&
    found.entries.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === "string"))
  );
}
