// Failed requests never pass in silence and never eat the page.
import { post } from "./post.js";
import { toast } from "./toast.js";
import { words } from "./words.js";

let signedOut = false;

// Once, whoever notices first: a part, an action or the live stream.
export function saySignedOut() {
  if (signedOut) return;
  signedOut = true;
  const login = document.body.dataset.login;
  const back = encodeURIComponent(location.pathname + location.search);
  toast(words("outLong"), { stays: true, label: words("signIn"), href: login && `${login}?next=${back}` });
}

// Somebody signed in again in another tab: this page's token is the old one. A note is kept over the reload (keep.js).
function sayStale() {
  toast(words("stale"), { stays: true, label: words("reload"), href: location.pathname + location.search });
}

// The code of the office's answer: in a problem document, or in the mark of a page made for people.
function problem(xhr) {
  try {
    if (xhr.getResponseHeader("Content-Type")?.includes("json")) return JSON.parse(xhr.responseText).code;
    const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
    return page.querySelector("meta[name=problem]")?.content;
  } catch {
    return undefined;
  }
}

const quiet = (element) => element?.closest?.("[data-quiet], #enquiries") !== null;

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  if (!xhr.responseURL) return;
  const landed = new URL(xhr.responseURL).pathname;
  // An expired session answers a part with the sign-in page: swapping that in would empty the desk.
  if (landed !== document.body.dataset.login) return;
  if (new URL(requestConfig.path, location.href).pathname === landed) return;
  event.detail.shouldSwap = false;
  saySignedOut();
});

document.addEventListener("htmx:responseError", (event) => {
  if (quiet(event.detail.elt)) return; // a refresh: the next one comes by itself
  const { xhr } = event.detail;
  if (xhr.status === 401) return saySignedOut();
  if (problem(xhr) === "csrf") return sayStale();
  toast(words(xhr.status === 403 ? "refused" : "failed"), { stays: true });
});

document.addEventListener("htmx:sendError", (event) => {
  if (!quiet(event.detail.elt)) toast(words("unreachable"), { stays: true });
});

// An action that went through, or that found the enquiry changed: the page's other parts may have changed with it.
document.addEventListener("htmx:afterRequest", (event) => {
  // The form itself may be gone with the swap: the event then comes from an ancestor.
  const form = event.detail.requestConfig.elt;
  if (!form.matches("[data-acts]") || !(event.detail.successful || event.detail.xhr.status === 409)) return;
  document.body.dispatchEvent(new CustomEvent("consult:acted"));
});

// What the office says of an action: {text, undo: {url, values} or null, stays}. Undoing is an action like any other,
// and says so in turn.
document.addEventListener("consult:said", (event) => {
  const { text, undo, stays } = event.detail;
  toast(text, { stays, action: undo ? () => takeBack(undo) : null });
});

async function takeBack({ url, values, click }) {
  // The page has a button for it: what comes back has to get its place there.
  if (click) return document.querySelector(click)?.click();
  if (!(await post(url, values))) return;
  document.body.dispatchEvent(new CustomEvent("consult:acted"));
  document.body.dispatchEvent(new CustomEvent("consult:nudge", { detail: { kind: "own" } }));
}

// The office may ask for a message: HX-Trigger: {"consult:toast": {"text": "..."}}
document.addEventListener("consult:toast", (event) => toast(event.detail.text ?? String(event.detail.value ?? "")));
