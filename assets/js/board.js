import { select, selected } from "./list.js";

// Deals are dragged from stage to stage, tasks to a place in a column; a drop sends the form that the card's own menu has.
let dragged = null;

const stageAt = (event) => event.target.closest?.(dragged?.matches("[data-task]") ? "[data-column]" : "[data-stage]");
const mark = (stage) => {
  for (const marked of document.querySelectorAll(":is([data-stage], [data-column])[data-over]")) if (marked !== stage) marked.removeAttribute("data-over");
  stage?.setAttribute("data-over", "");
};

document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-deal], [data-task]") ?? null;
  if (dragged) event.dataTransfer.effectAllowed = "move";
});

document.addEventListener("dragover", (event) => {
  const stage = dragged && stageAt(event);
  mark(stage);
  if (stage) event.preventDefault();
});

document.addEventListener("drop", (event) => {
  const stage = dragged && stageAt(event);
  if (!stage) return;
  event.preventDefault();
  const form = dragged.querySelector("form[data-move]");
  if (dragged.matches("[data-task]")) return dropTask(dragged, stage, cardAbove(stage, event.clientY));
  // There is none for the stage that it is in.
  const button = form?.querySelector(`button[name="stage"][value="${CSS.escape(stage.dataset.stage)}"]`);
  // A click, since htmx asks which button was clicked last.
  button?.click();
});

// Whichever deal one is at stays so, wherever it has gone.
let kept = null;
// What one holds is not taken out of one's hand: the board refreshes when it is let go.
let held = false;
let missed = false;
const letGo = () => {
  dragged = null;
  held = false;
  if (missed) document.body.dispatchEvent(new CustomEvent("consult:resync"));
  missed = false;
};
document.addEventListener("pointerdown", (event) => {
  held = Boolean(event.target.closest?.("[draggable=true]"));
});
document.addEventListener("pointerup", letGo);
document.addEventListener("htmx:beforeSwap", (event) => {
  if (held && event.detail.target?.id === "board") {
    event.detail.shouldSwap = false;
    missed = true;
  }
  if (event.detail.target?.id === "board" && event.detail.shouldSwap) kept = selected()?.id ?? null;
});
// A move changes only the card and two heads.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (event.detail.target?.hasAttribute?.("data-deal")) kept = selected()?.id ?? event.detail.target.id;
});
document.addEventListener("htmx:oobAfterSwap", (event) => {
  const row = event.detail.target?.closest?.("#board") && kept && document.getElementById(kept);
  if (row && document.activeElement === document.body) select(row);
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id !== "board" || !kept) return;
  const row = document.getElementById(kept);
  // Not away from where somebody else has begun to type meanwhile.
  if (row && (document.activeElement === document.body || row.contains(document.activeElement))) select(row);
});

document.addEventListener("dragend", () => {
  letGo();
  mark(null);
});

// --- tasks: they have a place in their column -----------------------------------------------------------------------

const cards = (column) => [...column.querySelectorAll("[data-task]")];
const cardAbove = (column, y) =>
  cards(column).filter((card) => card !== dragged && card.getBoundingClientRect().top + card.offsetHeight / 2 < y).at(-1) ?? null;

// The card goes to its place at once; the office's answer is the board as it is, also when it says no.
export function dropTask(card, column, above) {
  const form = card.querySelector("form[data-move]");
  const button = form?.querySelector(`button[name="state"][value="${CSS.escape(column.dataset.column)}"]`);
  if (!button) return;
  const next = above ? above.nextElementSibling : column.querySelector("ul").firstElementChild;
  if (next === card || above === card) return;
  form.elements.below.value = above?.dataset.key ?? "";
  if (above) above.after(card);
  else column.querySelector("ul").prepend(card);
  select(card);
  button.click();
  form.elements.below.value = "";
}

// Shift and an arrow move the chosen card: up and down in its column, left and right to the next one.
document.addEventListener("keydown", (event) => {
  if (!event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const steps = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
  const card = event.target.closest?.("[data-task]");
  if (!steps || !card || event.target.matches("input, textarea, select")) return;
  event.preventDefault();
  const column = card.closest("[data-column]");
  const columns = [...document.querySelectorAll("[data-column]")];
  const own = cards(column);
  const at = own.indexOf(card);
  if (steps[0]) {
    const other = columns[columns.indexOf(column) + steps[0]];
    if (other) dropTask(card, other, null);
  } else if (steps[1] < 0 && at > 0) dropTask(card, column, own[at - 2] ?? null);
  else if (steps[1] > 0 && at < own.length - 1) dropTask(card, column, own[at + 1]);
});
