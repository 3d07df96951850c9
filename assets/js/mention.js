// `@` in a note offers the members: arrows choose, enter or tab takes, escape leaves it. Without this file `@name` is typed.
const field = (target) => target.closest?.("textarea[data-mentions]");
const list = (area) => document.getElementById(area.dataset.mentions);
const shown = (options) => [...options.children].filter((option) => !option.hidden);

// What stands between the last @ and the caret; null where no name is being typed.
function asked(area) {
  if (area.selectionStart !== area.selectionEnd) return null;
  const before = area.value.slice(0, area.selectionStart);
  return /(?:^|[^\p{L}\p{N}@.])@([\p{L}\p{N}'’.-]*(?: [\p{L}\p{N}'’.-]*)?)$/u.exec(before)?.[1] ?? null;
}

function close(area) {
  const options = list(area);
  if (!options || options.hidden) return;
  options.hidden = true;
  area.removeAttribute("aria-activedescendant");
  area.removeAttribute("aria-controls");
}

function choose(area, option) {
  for (const other of list(area).children) other.setAttribute("aria-selected", String(other === option));
  if (option) area.setAttribute("aria-activedescendant", option.id);
  option?.scrollIntoView({ block: "nearest" });
}

function offer(area) {
  const options = list(area);
  const typed = options && asked(area)?.toLowerCase();
  if (typed === undefined || typed === null) return close(area);
  for (const option of options.children) {
    const name = option.dataset.name.toLowerCase();
    option.hidden = !(name.startsWith(typed) || name.split(/\s+/u).some((part) => part.startsWith(typed)));
  }
  const found = shown(options);
  if (found.length === 0) return close(area);
  options.hidden = false;
  area.setAttribute("aria-controls", options.id);
  choose(area, found[0]);
}

function take(area, option) {
  const typed = asked(area) ?? "";
  const start = area.selectionStart - typed.length;
  area.setRangeText(`${option.dataset.name} `, start, area.selectionStart, "end");
  close(area);
  // So that what is typed is kept over a reload (keep.js).
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("input", (event) => field(event.target) && offer(field(event.target)));
document.addEventListener("focusout", (event) => field(event.target) && close(field(event.target)));

document.addEventListener("keydown", (event) => {
  const area = field(event.target);
  const options = area && list(area);
  if (!options || options.hidden || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const found = shown(options);
  const at = found.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) choose(area, found[(at + step + found.length) % found.length]);
  else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey) take(area, found[Math.max(0, at)]);
  else if (event.key === "Escape") close(area);
  else return;
  event.preventDefault();
  event.stopImmediatePropagation();
});

// A pointer takes one without taking the focus from the text.
document.addEventListener("pointerdown", (event) => {
  const option = event.target.closest?.(".mention-names [role=option]");
  const area = option && document.querySelector(`textarea[data-mentions="${option.parentElement.id}"]`);
  if (!area) return;
  event.preventDefault();
  take(area, option);
});
