// The list of enquiries: which row is selected, what happens to a row, and how news come in without a jump.
import { post } from "./post.js";
import { announce } from "./toast.js";
import { words } from "./words.js";

const list = () => document.getElementById("enquiries");
// Every list has j, k and enter; what happens to a row is the enquiries' own.
const LISTS = ":is(#enquiries, [data-list])";
export const rows = () => [...document.querySelectorAll(`${LISTS} [data-row]:not(.row-gone)`)];
export const selected = () => document.querySelector(`${LISTS} [data-row][data-selected]`);

// The selection is the focus of the row's link, so that enter opens it and screen readers say it.
export function select(row) {
  selected()?.removeAttribute("data-selected");
  if (!row) return;
  row.setAttribute("data-selected", "");
  row.querySelector("[data-open]").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

export function move(step) {
  const all = rows();
  if (all.length === 0) return;
  const at = all.indexOf(selected());
  select(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))]);
}

document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.(`${LISTS} [data-row]`);
  if (!row || row.hasAttribute("data-selected")) return;
  selected()?.removeAttribute("data-selected");
  row.setAttribute("data-selected", "");
});

// The list gives each action's address once, for enquiry 0; null when one may only read.
const address = (action, row) => list()?.dataset[action]?.replace(/\/0\/(?=[a-z]+\/$)/, `/${row.dataset.number}/`) ?? null;

const refetch = () => document.body.dispatchEvent(new CustomEvent("consult:nudge", { detail: { kind: "own" } }));

function count(view, change) {
  const badge = document.querySelector(`[data-count="${view}"]`);
  // "1,000+" stays what it is.
  if (badge && /^\d+$/.test(badge.textContent)) badge.textContent = String(Math.max(0, Number(badge.textContent) + change));
}

const WORKED_ON = ["open", "waiting", "snoozed"];

// Done: the row leaves at once and its neighbour takes the selection. The office says what was done and how to undo it.
export async function toggleDone(row) {
  const closing = WORKED_ON.includes(row.dataset.status);
  if (!closing && row.dataset.status !== "closed") return;
  await settle(row, address(closing ? "close" : "reopen", row), closing ? "closed" : "open");
}

// Held or spam goes to the open ones and is delivered; whatever is worked on, or held, goes to the spam.
export async function restore(row) {
  if (["held", "spam"].includes(row.dataset.status)) await settle(row, address("restoreAt", row), "open");
}

export async function confirmSpam(row) {
  if (["held", ...WORKED_ON].includes(row.dataset.status)) await settle(row, address("spamAt", row), "spam");
}

export async function wait(row) {
  if (["open", "snoozed"].includes(row.dataset.status)) await settle(row, address("wait", row), "waiting");
}

export async function snooze(row) {
  if (WORKED_ON.includes(row.dataset.status)) await settle(row, address("snooze", row), "snoozed", { until: "tomorrow" });
}

async function settle(row, act, to, values = {}) {
  if (!act) return;
  const { status } = row.dataset;
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.classList.add("row-gone");
  if (!(await post(act, { seen: row.dataset.version, ...values }))) {
    row.classList.remove("row-gone");
    refetch(); // somebody was faster, perhaps
    return;
  }
  if (["all", to].includes(list().dataset.view)) return refetch();
  count(status, -1);
  count(to, 1);
  // A nudge may have brought the list anew meanwhile: its rows are others.
  select(next && document.getElementById(next.id));
  row.remove();
  if (rows().length === 0) refetch();
}

export async function assignToMe(row) {
  const assign = address("assign", row);
  if (!assign) return;
  await post(assign, { member: document.body.dataset.member, seen: row.dataset.version });
  refetch();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-row-done], [data-row-restore], [data-row-spam]");
  if (!button) return;
  const row = button.closest("[data-row]");
  if (button.matches("[data-row-done]")) toggleDone(row);
  else if (button.matches("[data-row-restore]")) restore(row);
  else confirmSpam(row);
});

// --- several at once ------------------------------------------------------------------------------------------

const picks = () => [...document.querySelectorAll("#enquiries [data-pick]")];
export const picked = () => picks().filter((pick) => pick.checked);

function showPicked() {
  const bar = document.getElementById("bulk");
  if (!bar) return;
  const some = picked().length;
  bar.toggleAttribute("data-some", some > 0);
  bar.querySelector("[data-picked]").textContent = String(some);
}

export function pick(row) {
  const box = row.querySelector("[data-pick]");
  if (!box) return;
  box.checked = !box.checked;
  showPicked();
}

export function unpick() {
  const some = picked();
  for (const box of some) box.checked = false;
  showPicked();
  return some.length > 0;
}

// The bar's button for this action, when some rows are chosen.
export function actOnPicked(action) {
  if (picked().length === 0) return false;
  document.querySelector(`#bulk [data-bulk="${action}"]`)?.click();
  return true;
}

// Which label is typed; enter gives it to all that are chosen.
export function labelPicked() {
  const field = document.querySelector("#bulk [data-label-field]");
  if (!field || picked().length === 0) return false;
  field.focus();
  return true;
}

document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-pick]")) showPicked();
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.requestConfig.elt.id !== "bulk" || !event.detail.successful) return;
  unpick();
  const field = event.detail.requestConfig.elt.querySelector("[data-label-field]");
  if (field) field.value = "";
  if (document.activeElement === field) select(selected() ?? rows()[0]); // the keyboard goes on in the list
  refetch();
});

// --- news -----------------------------------------------------------------------------------------------------

let before = null;

function anchorRow() {
  const visible = (row) => {
    const box = row.getBoundingClientRect();
    return box.bottom > 60 && box.top < innerHeight;
  };
  const chosen = selected();
  if (chosen && visible(chosen)) return chosen;
  const pointed = document.querySelector("#enquiries [data-row]:hover");
  if (pointed) return pointed;
  return scrollY > 80 ? rows().find(visible) : null;
}

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target?.id !== "enquiries" || !event.detail.shouldSwap) return;
  const anchor = anchorRow();
  before = {
    numbers: new Set(rows().map((row) => row.dataset.number)),
    highest: Math.max(0, ...rows().map((row) => Number(row.dataset.number))),
    picked: new Set(picked().map((box) => box.closest("[data-row]").dataset.number)),
    selected: selected()?.dataset.number,
    focused: selected()?.contains(document.activeElement),
    anchor: anchor?.id,
    top: anchor?.getBoundingClientRect().top,
  };
});

// Right after the swap: a key that is pressed before the dust has settled goes on from where one was.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id !== "enquiries" || !before) return;
  const was = before;
  before = null;
  const kept = was.selected && document.getElementById(`enquiry-${was.selected}`);
  if (kept) {
    kept.setAttribute("data-selected", "");
    if (was.focused) kept.querySelector("[data-open]").focus({ preventScroll: true });
  }
  for (const box of picks()) box.checked = was.picked.has(box.closest("[data-row]").dataset.number);
  showPicked();
  // What one looks at stays where it is: rows that came in above are scrolled over.
  const anchor = was.anchor && document.getElementById(was.anchor);
  if (anchor) scrollBy({ top: anchor.getBoundingClientRect().top - was.top, behavior: "instant" });
  welcome(rows().filter((row) => !was.numbers.has(row.dataset.number) && Number(row.dataset.number) > was.highest));
});

function welcome(fresh) {
  if (fresh.length === 0) return;
  for (const row of fresh) row.classList.add("row-fresh");
  const pill = document.getElementById("fresh");
  const hidden = fresh.some((row) => row.getBoundingClientRect().top < 56);
  const waiting = hidden ? Number(pill?.dataset.waiting ?? 0) + fresh.length : 0;
  const text = fresh.length === 1 ? words("newOne") : words("newMany", fresh.length);
  announce(text);
  if (!pill || !hidden) return;
  pill.dataset.waiting = String(waiting);
  pill.querySelector("span").textContent = waiting === 1 ? words("newOne") : words("newMany", waiting);
  pill.hidden = false;
}

function putAway(pill) {
  pill.hidden = true;
  delete pill.dataset.waiting;
}

document.addEventListener("click", (event) => {
  const pill = event.target.closest("#fresh");
  if (!pill) return;
  putAway(pill);
  scrollTo({ top: 0, behavior: "smooth" });
  const first = rows()[0];
  if (first) select(first);
});

addEventListener("scroll", () => {
  const pill = document.getElementById("fresh");
  if (pill && !pill.hidden && scrollY < 8) putAway(pill);
}, { passive: true });

document.addEventListener("DOMContentLoaded", showPicked);
