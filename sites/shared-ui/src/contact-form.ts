import { Attempt, tabStorage, type Entries } from "./attempt.ts";
import { deliver, type Reply } from "./delivery.ts";
import { asJson, type Answer, type FieldError } from "./form-answer.ts";
import { english, fill, type Words } from "./words.ts";

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** After this many milliseconds without an answer a try counts as lost. */
const PATIENCE = 20_000;

/** A message does not wait longer than this many milliseconds for its proof of work. */
const PROOF_PATIENCE = 10_000;

/** The edge takes a proof for twenty minutes. */
const PROOF_LIFE = 18 * 60_000;

/** What goes with a text and is no part of it. */
const ATTENDANTS = ["_key", "_elapsed", "_page", "_version", "altcha"];

/** One form that answers in place. Everything it needs is in the markup; without it the form still posts. */
class ContactForm {
  readonly #form: HTMLFormElement;
  readonly #words: Words;
  readonly #sent: HTMLElement;
  readonly #problem: HTMLElement;
  readonly #problemText: HTMLElement;
  readonly #problemActions: HTMLElement;
  readonly #retry: HTMLButtonElement;
  readonly #plain: HTMLButtonElement;
  readonly #status: HTMLElement;
  readonly #submit: HTMLButtonElement;
  readonly #attempt: Attempt;
  readonly #loaded = performance.now();
  #proof: { readonly made: number; readonly solution: Promise<string> } | null = null;
  #sending = false;

  constructor(root: HTMLElement) {
    this.#form = part(root, "form", HTMLFormElement);
    this.#sent = part(root, "[data-sent]", HTMLElement);
    this.#problem = part(root, "[data-problem]", HTMLElement);
    this.#problemText = part(root, "[data-problem-text]", HTMLElement);
    this.#problemActions = part(root, "[data-problem-actions]", HTMLElement);
    this.#retry = part(root, "[data-retry]", HTMLButtonElement);
    this.#plain = part(root, "[data-plain]", HTMLButtonElement);
    this.#status = part(root, "[data-status]", HTMLElement);
    this.#submit = part(root, "[type=submit]", HTMLButtonElement);
    this.#words = { ...english, ...(JSON.parse(this.#form.dataset["words"] ?? "{}") as Partial<Words>) };
    this.#attempt = new Attempt(this.#form.getAttribute("action") ?? "", tabStorage());
    this.#form.noValidate = true;
    const page = part(root, "[name=_page]", HTMLInputElement);
    page.value = location.href.split("#", 1)[0] ?? "";
    page.disabled = false;
    putBack(this.#form, this.#attempt.entries);
    this.#listen();
  }

  #listen(): void {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
    this.#form.addEventListener("focusin", () => void this.#prove(), { once: true });
    this.#form.addEventListener("input", ({ target }) => {
      const control = controls(this.#form).find((one) => one === target);
      if (control?.getAttribute("aria-invalid")) showFieldError(control, fault(control, this.#words));
    });
    this.#retry.addEventListener("click", () => void this.#send());
    // Past a proxy or a browser extension that stops scripts from sending, an ordinary post still gets through.
    this.#plain.addEventListener("click", () => {
      this.#attend();
      HTMLFormElement.prototype.submit.call(this.#form);
    });
    part(this.#sent, "[data-another]", HTMLButtonElement).addEventListener("click", () => {
      this.#sent.hidden = true;
      this.#form.hidden = false;
      controls(this.#form)[0]?.focus();
    });
    addEventListener("online", () => {
      const waiting = !this.#problem.hidden && !this.#problemActions.hidden && !this.#sending;
      if (waiting) this.#status.textContent = this.#words.onlineAgain;
    });
  }

  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#clearProblem();
    const errors = controls(this.#form).flatMap((control) => {
      const message = fault(control, this.#words);
      return message ? [{ field: control.name, message }] : [];
    });
    if (errors.length > 0) {
      this.#showProblem(this.#words.failedTitle, [], errors);
    } else if (!navigator.onLine) {
      this.#showProblem(this.#words.offlineTitle, [this.#words.offlineText]);
    } else {
      this.#setSending(true);
      attendant(this.#form, "altcha").value = await this.#prove();
      this.#attend();
      await deliver(
        () => post(this.#form),
        (seconds) => this.#wait(seconds),
      ).then(
        (answer) => this.#show(answer),
        () => this.#showNoAnswer(),
      );
      this.#setSending(false);
    }
  }

  /** Says when and under which key: the same one for the same text, however often it is sent. */
  #attend(): void {
    attendant(this.#form, "_key").value = this.#attempt.key(written(this.#form));
    attendant(this.#form, "_elapsed").value = String(Math.round(performance.now() - this.#loaded));
  }

  /** The proof of work, where the form asks for it; empty otherwise, and when it cannot be done here. */
  async #prove(): Promise<string> {
    const address = this.#form.dataset["proof"];
    // Browsers have the cryptography for it on https alone.
    if (!address || !isSecureContext) return "";
    if (this.#proof === null || performance.now() - this.#proof.made > PROOF_LIFE) {
      const solution = import("./proof.ts").then(({ prove }) => prove(address));
      this.#proof = { made: performance.now(), solution };
    }
    const inTime = new Promise<string>((resolve) => setTimeout(resolve, PROOF_PATIENCE, ""));
    return Promise.race([this.#proof.solution, inTime]).catch(() => {
      this.#proof = null;
      return "";
    });
  }

  async #wait(seconds: number): Promise<boolean> {
    if (!navigator.onLine) return false;
    this.#status.textContent = this.#words.sendingAgain;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000 * (1 + Math.random() / 4)));
    return navigator.onLine;
  }

  #show(answer: Answer): void {
    // A proof counts once, and this one has been looked at.
    this.#proof = null;
    if (answer.kind === "refused") {
      const { detail, fallback, errors } = answer;
      const reason = detail || (errors.length > 0 ? "" : this.#words.failedText);
      const other = fallback && fill(this.#words.failedFallback, { contact: fallback });
      this.#showProblem(this.#words.failedTitle, [reason, other], errors);
      return;
    }
    this.#attempt.done();
    part(this.#sent, "[data-receipt]", HTMLElement).hidden = answer.receipt === "";
    part(this.#sent, "[data-receipt-code]", HTMLElement).textContent = answer.receipt;
    this.#form.reset();
    this.#form.hidden = true;
    this.#sent.hidden = false;
    part(this.#sent, "h3", HTMLElement).focus();
  }

  /** fetch tells a lost connection, a timeout and a blocked request alike. */
  #showNoAnswer(): void {
    if (navigator.onLine) this.#showProblem(this.#words.noAnswerTitle, [this.#words.noAnswerText]);
    else this.#showProblem(this.#words.offlineTitle, [this.#words.offlineText]);
    this.#plain.hidden = !navigator.onLine;
  }

  #setSending(now: boolean): void {
    this.#sending = now;
    // aria-disabled rather than disabled: the button keeps the keyboard's focus.
    this.#submit.setAttribute("aria-disabled", String(now));
    this.#submit.classList.toggle("opacity-60", now);
    this.#status.textContent = now ? this.#words.sending : "";
  }

  #clearProblem(): void {
    this.#problem.hidden = true;
    this.#plain.hidden = true;
    this.#problemText.replaceChildren();
    this.#status.textContent = "";
    for (const control of controls(this.#form)) showFieldError(control, "");
  }

  /** Without errors at fields there is nothing to correct, so trying again is offered. */
  #showProblem(title: string, reasons: readonly string[], errors: readonly FieldError[] = []): void {
    const faulty = controls(this.#form).filter(({ name }) => errors.some(({ field }) => field === name));
    for (const control of faulty) {
      showFieldError(control, errors.find(({ field }) => field === control.name)?.message ?? "");
    }
    const count = { count: String(errors.length) };
    const summary = errors.length === 0 ? "" : fill(errors.length === 1 ? this.#words.fixOne : this.#words.fixMany, count);
    // What belongs to no field of this page can only be said here.
    const homeless = errors.filter(({ field }) => !faulty.some(({ name }) => name === field));
    const lines = [...reasons, summary, ...homeless.map(({ message }) => message)].filter((line) => line !== "");
    this.#problem.hidden = false;
    this.#problemActions.hidden = errors.length > 0;
    this.#problemText.replaceChildren(paragraph(title, "font-semibold"), ...lines.map((line) => paragraph(line)));
    if (faulty[0]) faulty[0].focus();
    else if (errors.length === 0) this.#retry.focus();
  }
}

async function post(form: HTMLFormElement): Promise<Reply> {
  const data = new FormData(form);
  const files = [...data.values()].some((value) => typeof value !== "string" && value.name !== "");
  const response = await fetch(form.getAttribute("action") ?? "", {
    method: "POST",
    // With files a browser names the type itself, because it chooses the boundary.
    headers: { Accept: "application/json", ...(files ? {} : { "Content-Type": "application/json" }) },
    body: files ? data : JSON.stringify(asJson(texts(data))),
    credentials: "omit",
    signal: AbortSignal.timeout(PATIENCE),
  });
  const body: unknown = await response.json().catch(() => null);
  return { status: response.status, body, retryAfter: response.headers.get("Retry-After") };
}

/** All but the files. */
function texts(data: FormData): [string, string][] {
  return [...data].flatMap(([name, value]): [string, string][] => (typeof value === "string" ? [[name, value]] : []));
}

/** What the visitor wrote and chose. A file is known by its name, size and time. */
function written(form: HTMLFormElement): Entries {
  return [...new FormData(form)]
    .filter(([name]) => !ATTENDANTS.includes(name))
    .map(([name, value]) => [
      name,
      typeof value === "string" ? value : `${value.name} ${value.size} ${value.lastModified}`,
    ]);
}

/** Puts a text that was on its way back into the fields that are still empty. */
function putBack(form: HTMLFormElement, entries: Entries): void {
  for (const control of form.querySelectorAll<Control>("[name]")) {
    const values = entries.filter(([name]) => name === control.name).map(([, value]) => value);
    if (control.type === "checkbox") (control as HTMLInputElement).checked ||= values.includes(control.value);
    else if (control.type !== "file" && control.value === "") control.value = values[0] ?? "";
  }
}

/** The hidden field with this name, which is no field of the page without a script. */
function attendant(form: HTMLFormElement, name: string): HTMLInputElement {
  const there = form.querySelector<HTMLInputElement>(`input[type=hidden][name=${name}]`);
  if (there) return there;
  const made = document.createElement("input");
  made.type = "hidden";
  made.name = name;
  form.append(made);
  return made;
}

/** What the browser can see is wrong with a control, in plain words; empty when nothing is. */
function fault(control: Control, words: Words): string {
  const label = control.dataset["label"] ?? control.name;
  const blank = control.required && control.value.trim() === "";
  if (blank || control.validity.valueMissing) return fill(words.fieldRequired, { label });
  if (control.type === "email" && control.validity.typeMismatch) return words.fieldEmail;
  return control.validity.valid ? "" : fill(words.fieldInvalid, { label });
}

function showFieldError(control: Control, message: string): void {
  const place = document.getElementById(`${control.id}-error`);
  if (place) place.textContent = message;
  if (message) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}

/** The visible fields of a form, in order. */
function controls(form: HTMLFormElement): Control[] {
  return [...form.querySelectorAll<Control>("[data-label]")];
}

function paragraph(text: string, className = ""): HTMLParagraphElement {
  const element = document.createElement("p");
  element.className = className;
  element.textContent = text;
  return element;
}

function part<T extends HTMLElement>(root: ParentNode, selector: string, type: new () => T): T {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`The contact form lacks ${selector}`);
  return found;
}

for (const root of document.querySelectorAll<HTMLElement>("[data-contact]")) new ContactForm(root);
