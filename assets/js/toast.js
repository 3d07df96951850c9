import { words } from "./words.js";

const SECONDS = 8;

let undo = null;

// Says what happened in the corner of the page and to screen readers; at most one action, such as undo.
// A message with an action that nobody took goes by itself; errors stay until dismissed.
export function toast(text, { action = null, label = words("undo"), stays = false, href = null } = {}) {
  const place = document.getElementById("toasts");
  if (!place) return;
  const card = document.createElement("div");
  card.className = "toast-card";
  const line = document.createElement("span");
  line.className = "min-w-0 flex-1";
  line.textContent = text;
  card.append(line);
  const remove = () => {
    if (undo === act) undo = null;
    card.remove();
  };
  const act = action && (() => { remove(); action(); });
  if (act) card.append(button(label, act));
  if (href) card.append(link(label, href));
  if (stays) card.append(button(words("dismiss"), remove));
  undo = act ?? undo;
  place.replaceChildren(card);
  if (!stays) expire(card, remove);
}

// Takes back the last action that offered it. False when there is none.
export function undoLast() {
  if (!undo) return false;
  undo();
  return true;
}

export function announce(text) {
  const place = document.getElementById("announcer");
  if (place) place.textContent = text;
}

function expire(card, remove) {
  // Whoever reads, points at it or has the focus in it gets more time (WCAG 2.2.1).
  setTimeout(() => {
    if (!card.isConnected) return;
    if (card.matches(":hover, :focus-within")) expire(card, remove);
    else remove();
  }, SECONDS * 1000);
}

function button(text, onClick) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "toast-action";
  made.textContent = text;
  made.addEventListener("click", onClick);
  return made;
}

function link(text, href) {
  const made = document.createElement("a");
  made.className = "toast-action inline-flex items-center";
  made.textContent = text;
  made.href = href;
  return made;
}
