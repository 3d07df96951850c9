// The keyboard reaches everything, but never while one types, chooses or holds a modifier.
import { actOnPicked, assignToMe, confirmSpam, labelPicked, move, pick, restore, rows, selected, snooze, toggleDone, unpick, wait } from "./list.js";
import { openDialog } from "./menus.js";
import { undoLast } from "./toast.js";

const SEQUENCE_MS = 1200;
let goingUntil = 0;

const typing = (target) => target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
const click = (selector) => {
  const found = document.querySelector(selector);
  found?.click();
  return Boolean(found);
};
const focus = (selector) => {
  const found = document.querySelector(selector);
  found?.focus();
  found?.select?.();
  return Boolean(found);
};
const onRow = (action) => {
  const row = selected();
  if (row) action(row);
  return Boolean(row);
};

// The menu of a row opens with its first entry chosen.
const openMenu = (row) => {
  const menu = row.querySelector("details[data-drop]");
  if (!menu) return;
  menu.open = true;
  menu.querySelector("button, .drop-panel a")?.focus();
};

// What is held or spam has to be restored before anybody answers it.
const restoreOrReply = (row) => {
  if (["held", "spam"].includes(row.dataset.status)) return restore(row);
  const link = row.querySelector("[data-open]");
  if (link?.href) location.assign(`${link.href.split("#")[0]}#reply`);
};

if (location.hash === "#reply") addEventListener("DOMContentLoaded", () => document.getElementById("reply")?.focus());

const openLabels = () => {
  const menu = document.querySelector("[data-label-menu]")?.closest("details");
  if (!menu) return false;
  menu.open = true;
  const field = document.getElementById("labels");
  field.focus();
  // Behind those that are there: what is typed is one more.
  field.setSelectionRange(field.value.length, field.value.length);
  return true;
};

// Each answers whether it did something; only then is the key taken from the browser.
const keys = {
  j: () => rows().length > 0 && (move(1), true),
  k: () => rows().length > 0 && (move(-1), true),
  enter: () => !document.activeElement.closest("a, button, summary") && onRow((row) => row.querySelector("[data-open]").click()),
  x: () => onRow(pick),
  escape: () => unpick(),
  e: () => actOnPicked("close") || onRow(toggleDone) || click("[data-done]"),
  s: () => actOnPicked("spam") || onRow(confirmSpam) || click("[data-spam]"),
  r: () => actOnPicked("restore") || onRow(restoreOrReply) || click("[data-restore]") || focus("#reply"),
  w: () => actOnPicked("wait") || onRow(wait) || click("[data-wait]"),
  b: () => actOnPicked("snooze") || onRow(snooze) || (click("[data-snooze-menu]") && focus("#until")),
  d: () => click("[data-convert]"),
  t: () => click("[data-to-task]"),
  a: () => actOnPicked("assign") || onRow(assignToMe) || focus("#assignee"),
  l: () => labelPicked() || onRow((row) => (pick(row), labelPicked())) || openLabels(),
  n: () => focus("#note"),
  u: () => click("[data-up]"),
  z: () => undoLast() || click("[data-take-back]"),
  c: () => click("[data-create]"),
  m: () => onRow(openMenu) || focus("[data-move-menu]"),
  "/": () => focus("[data-search-here]") || focus("[data-search]"),
  "?": () => (openDialog("shortcuts"), true),
  g: () => (goingUntil = Date.now() + SEQUENCE_MS, true),
};

// The one key for while one types: send what was written.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat || event.isComposing) return;
  const field = event.target.closest?.("textarea[data-send]");
  if (!field) return;
  event.preventDefault();
  field.form.requestSubmit();
});

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]")) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : { Enter: "enter", Escape: "escape" }[event.key] ?? "";
  if (!key || (event.repeat && key !== "j" && key !== "k")) return;
  const going = Date.now() < goingUntil;
  goingUntil = 0;
  if (going ? click(`[data-go="${CSS.escape(key)}"]`) : Object.hasOwn(keys, key) && keys[key]()) event.preventDefault();
});
