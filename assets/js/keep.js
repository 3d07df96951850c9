// Nothing typed is ever lost: the text of a form marked data-keep="<key>" stays in this tab's storage until it is sent.
import { words } from "./words.js";

const fields = (form) => form.querySelectorAll("textarea[name], input[type=text][name]");
const slot = (form, field) => `consult-kept:${form.dataset.keep}:${field.name}`;

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("form[data-keep]");
  if (!form || !event.target.name) return;
  try {
    if (event.target.value) sessionStorage.setItem(slot(form, event.target), event.target.value);
    else sessionStorage.removeItem(slot(form, event.target));
  } catch {
    // storage is full or blocked: the text is still in the field
  }
});

function forget(form) {
  for (const field of fields(form)) sessionStorage.removeItem(slot(form, field));
}

// A part that refreshes by itself stays as it is while somebody types in it.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const typing = document.activeElement;
  if (typing?.matches("input:not([type=checkbox], [type=radio]), textarea") && event.detail.target?.contains(typing)) event.detail.shouldSwap = false;
});

// Not when it was answered with the sign-in page, which guard.js does not let in.
document.addEventListener("htmx:beforeSwap", (event) => {
  const form = event.detail.requestConfig?.elt;
  if (form?.matches?.("form[data-keep]") && event.detail.shouldSwap && event.detail.xhr.status < 300) forget(form);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  // Without htmx the page goes away with the text; it comes back only when the office did not take it.
  if (form.matches("form[data-keep]") && !globalThis.htmx) forget(form);
  if (form.matches("[data-sign-out]")) {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith("consult-kept:")) sessionStorage.removeItem(key);
  }
});

document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form[data-keep]")) {
    for (const field of fields(form)) {
      const kept = sessionStorage.getItem(slot(form, field));
      if (!kept || field.value) continue;
      field.value = kept;
      const line = form.querySelector("[data-kept]");
      if (line) [line.textContent, line.hidden] = [words("kept"), false];
    }
  }
});
