// Ctrl or ⌘ K: go to a room, to what is called so, or do what the page offers. An ARIA combobox: the field keeps the
// focus, arrows move through the list, enter takes, escape closes and gives the focus back (the dialog's own doing).
import { openDialog } from "./menus.js";

const WAIT_MS = 120;
// What a page offers, by the marks that its keys have as well; the first of each that can be seen.
const ACTIONS = [
  "[data-create]", "[data-done]", "[data-wait]", "[data-snooze-menu]", "[data-spam]", "[data-restore]", "#reopen", "[data-label-menu]",
  "[data-convert]", "[data-block-menu]", "[data-take-back]", "[data-move-menu]", "#assignee", "#reply", "#note",
];

const dialog = () => document.getElementById("palette");
const field = () => document.getElementById("palette-field");
const list = () => document.getElementById("palette-list");
const options = () => [...list().querySelectorAll("[role=option]")];
let own = []; // rooms and actions: {text, kind, icon, run}
let asking = null;
let waiting = 0;

const words = (element) =>
  (element.getAttribute("aria-label") ?? (element.matches("input, select, textarea") ? element.labels?.[0]?.textContent : element.textContent) ?? "")
    .replace(/\s+/gu, " ").trim();
const seen = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;

function act(element) {
  if (element.matches("summary")) {
    element.parentElement.open = true;
    (element.parentElement.querySelector("input:not([type=hidden]), select, button") ?? element).focus();
  } else if (element.matches("input, select, textarea")) element.focus();
  else element.click();
}

// The page is read when the palette opens: its actions may have changed since it came.
function gather() {
  const actions = ACTIONS.map((mark) => [...document.querySelectorAll(`main ${mark}`)].find(seen)).filter(Boolean);
  const rooms = [...document.querySelectorAll(".rail-link, #bell, header a.drop-item, main .tab-link")];
  own = [
    ...actions.map((element) => ({ text: words(element), icon: element.querySelector("svg"), run: () => act(element), done: true })),
    ...rooms.map((link) => ({ text: words(link), icon: link.querySelector("svg"), run: () => location.assign(link.href) })),
    { text: words(document.querySelector("button[data-open-dialog=shortcuts]")), icon: document.querySelector("[data-open-dialog=shortcuts] svg"), run: () => openDialog("shortcuts") },
  ].filter((each, at, all) => each.text && all.findIndex((other) => other.text === each.text) === at);
}

function fits(text, asked) {
  const plain = text.toLowerCase();
  return asked.split(/\s+/u).every((word) => plain.includes(word));
}

function row(each, at) {
  const made = document.createElement("li");
  made.className = "palette-item";
  made.id = `palette-own-${at}`;
  made.setAttribute("role", "option");
  made.setAttribute("aria-selected", "false");
  const icon = each.icon?.cloneNode(true) ?? document.createElement("span");
  if (!each.icon) icon.className = "palette-blank";
  made.append(icon);
  const text = document.createElement("span");
  text.className = "min-w-0 flex-1 truncate";
  text.textContent = each.text;
  made.append(text);
  made.run = each.run;
  return made;
}

function choose(option) {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  if (option) field().setAttribute("aria-activedescendant", option.id);
  else field().removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
}

// `found` is the office's own list for what was typed, or nothing yet.
function show(found = []) {
  const asked = field().value.trim().toLowerCase();
  const fitting = own.map(row).filter((_each, at) => fits(own[at].text, asked));
  // A number or a name that there is goes before rooms; looking for it comes last.
  const search = found.filter((option) => option.id === "found-search");
  const there = found.filter((option) => option.id !== "found-search");
  list().replaceChildren(...(asked ? [...there, ...fitting, ...search] : fitting));
  choose(options()[0]);
  dialog().querySelector(".palette-none").hidden = options().length > 0;
  const count = dialog().querySelector("[data-palette-count]");
  const { one, many } = count.dataset;
  count.textContent = options().length === 1 ? one : many.replace("{n}", String(options().length));
}

async function ask() {
  asking?.abort();
  const asked = field().value.trim();
  if (!asked) return;
  const mine = (asking = new AbortController());
  try {
    const answer = await fetch(`${dialog().dataset.palette}?q=${encodeURIComponent(asked)}`, { signal: mine.signal, headers: { "HX-Request": "true" } });
    if (!answer.ok || answer.redirected) return;
    const made = new DOMParser().parseFromString(`<ul>${await answer.text()}</ul>`, "text/html");
    if (asking === mine && dialog().open) show([...made.querySelectorAll("[role=option]")]);
  } catch (error) {
    if (error.name !== "AbortError") console.warn("palette", error.message);
  }
}

function take(option) {
  if (!option) return;
  const { href } = option.dataset;
  const { run } = option;
  dialog().close();
  // After the dialog has given the focus back.
  if (run) setTimeout(run);
  else if (href) location.assign(href);
}

document.addEventListener("consult:opened", (event) => {
  if (event.target.id !== "palette") return;
  gather();
  field().value = "";
  show();
  field().focus();
});

document.addEventListener("input", (event) => {
  if (event.target.id !== "palette-field") return;
  show();
  clearTimeout(waiting);
  waiting = setTimeout(ask, WAIT_MS);
});

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && dialog()) {
    event.preventDefault();
    if (dialog().open) dialog().close();
    else if (!document.querySelector("dialog[open]")) openDialog("palette");
    return;
  }
  if (event.target.id !== "palette-field" || event.isComposing) return;
  const all = options();
  const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const to = { ArrowDown: (at + 1) % all.length, ArrowUp: (at - 1 + all.length) % all.length, Home: event.ctrlKey ? 0 : null, End: event.ctrlKey ? all.length - 1 : null }[event.key];
  if (Number.isInteger(to)) choose(all[to]);
  else if (event.key === "Enter") take(all[at]);
  else return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  const option = event.target.closest?.("#palette-list [role=option]");
  if (option) take(option);
});
