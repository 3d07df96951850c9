import { asJson, readAnswer, type Answer, type FieldError } from "./form-answer.ts";
import { fill, siteWords, type Words } from "./words.ts";

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** After this many milliseconds without an answer the visitor is told and may try again. */
const PATIENCE = 20_000;

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
    this.#words = siteWords(JSON.parse(this.#form.dataset["words"] ?? "{}") as Partial<Words>);
    this.#form.noValidate = true;
    const page = part(root, "[name=_page]", HTMLInputElement);
    page.value = location.href.split("#", 1)[0] ?? "";
    page.disabled = false;
    this.#listen();
  }

  #listen(): void {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
    this.#form.addEventListener("input", ({ target }) => {
      const control = controls(this.#form).find((one) => one === target);
      if (control?.getAttribute("aria-invalid")) showFieldError(control, fault(control, this.#words));
    });
    this.#retry.addEventListener("click", () => void this.#send());
    // Past a proxy or a browser extension that stops scripts from sending, an ordinary post still gets through.
    this.#plain.addEventListener("click", () => HTMLFormElement.prototype.submit.call(this.#form));
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
      this.#showProblem(this.#words.failedTitle, "", errors);
    } else if (!navigator.onLine) {
      this.#showProblem(this.#words.offlineTitle, this.#words.offlineText);
    } else {
      this.#setSending(true);
      await post(this.#form).then(
        (answer) => this.#show(answer),
        () => this.#showNoAnswer(),
      );
      this.#setSending(false);
    }
  }

  #show(answer: Answer): void {
    if (answer.kind === "refused") {
      const { title, detail, errors } = answer;
      const reason = detail || (title || errors.length > 0 ? "" : this.#words.failedText);
      this.#showProblem(title || this.#words.failedTitle, reason, errors);
      return;
    }
    part(this.#sent, "[data-receipt]", HTMLElement).hidden = answer.receipt === "";
    part(this.#sent, "[data-receipt-code]", HTMLElement).textContent = answer.receipt;
    this.#form.reset();
    this.#form.hidden = true;
    this.#sent.hidden = false;
    part(this.#sent, "h3", HTMLElement).focus();
  }

  /** fetch tells a lost connection, a timeout and a blocked request alike. */
  #showNoAnswer(): void {
    if (navigator.onLine) this.#showProblem(this.#words.noAnswerTitle, this.#words.noAnswerText);
    else this.#showProblem(this.#words.offlineTitle, this.#words.offlineText);
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
  #showProblem(title: string, reason: string, errors: readonly FieldError[] = []): void {
    const faulty = controls(this.#form).filter(({ name }) => errors.some(({ field }) => field === name));
    for (const control of faulty) {
      showFieldError(control, errors.find(({ field }) => field === control.name)?.message ?? "");
    }
    const count = { count: String(errors.length) };
    const summary = errors.length === 0 ? "" : fill(errors.length === 1 ? this.#words.fixOne : this.#words.fixMany, count);
    // What belongs to no field of this page can only be said here.
    const homeless = errors.filter(({ field }) => !faulty.some(({ name }) => name === field));
    const lines = [reason, summary, ...homeless.map(({ message }) => message)].filter((line) => line !== "");
    this.#problem.hidden = false;
    this.#problemActions.hidden = errors.length > 0;
    this.#problemText.replaceChildren(paragraph(title, "font-semibold"), ...lines.map((line) => paragraph(line)));
    if (faulty[0]) faulty[0].focus();
    else if (errors.length === 0) this.#retry.focus();
  }
}

async function post(form: HTMLFormElement): Promise<Answer> {
  const entries = [...new FormData(form)].flatMap(([name, value]): [string, string][] =>
    typeof value === "string" ? [[name, value]] : [],
  );
  const response = await fetch(form.getAttribute("action") ?? "", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(asJson(entries)),
    credentials: "omit",
    signal: AbortSignal.timeout(PATIENCE),
  });
  const body: unknown = await response.json().catch(() => null);
  return readAnswer(response.status, body);
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
