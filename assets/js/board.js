import { select, selected } from "./list.js";

// Deals are dragged from stage to stage; a drop sends the form that the card's own menu has.
let dragged = null;

const stageAt = (event) => event.target.closest?.("[data-stage]");
const mark = (stage) => {
  for (const marked of document.querySelectorAll("[data-stage][data-over]")) if (marked !== stage) marked.removeAttribute("data-over");
  stage?.setAttribute("data-over", "");
};

document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-deal]") ?? null;
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
  // There is none for the stage that it is in.
  const button = form?.querySelector(`button[name="stage"][value="${CSS.escape(stage.dataset.stage)}"]`);
  // A click, since htmx asks which button was clicked last.
  button?.click();
});

// Whichever deal one is at stays so, wherever it has gone.
let kept = null;
document.addEventListener("htmx:beforeSwap", (event) => {
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
  dragged = null;
  mark(null);
});
