// <time data-age> shows how long ago, short, and stays true while the page is open. Its title keeps the full date.
import { words } from "./words.js";

const units = [
  ["minute", 60],
  ["hour", 3600],
  ["day", 86400],
  ["week", 7 * 86400],
];
const language = document.documentElement.lang || "en";

function short(seconds) {
  if (seconds < 60) return words("now");
  let [unit, size] = units[0];
  for (const [name, length] of units) if (seconds >= length) [unit, size] = [name, length];
  const amount = Math.floor(seconds / size);
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "narrow" }).format(amount);
}

function refresh() {
  const now = Date.now();
  for (const time of document.querySelectorAll("time[data-age]")) {
    const seconds = (now - Date.parse(time.dateTime)) / 1000;
    if (seconds < 8 * 7 * 86400) time.textContent = short(seconds);
  }
}

document.addEventListener("DOMContentLoaded", refresh);
document.addEventListener("htmx:afterSettle", refresh);
setInterval(refresh, 30_000);
