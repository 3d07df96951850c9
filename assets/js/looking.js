// Who else has this enquiry open: the page says every fifteen seconds that it is there, at once when a nudge says that
// somebody came, went or began to write, and that it goes when it does. A tab in the background is not looking.
const EVERY_MS = 15_000;
const WRITING_MS = 30_000;

const sign = () => document.getElementById("looking");
let typedAt = -Infinity;

const doing = () => (Date.now() - typedAt < WRITING_MS ? "writing" : "looking");

function say() {
  const place = sign();
  if (!place || document.visibilityState !== "visible") return;
  globalThis.htmx.ajax("POST", place.dataset.looking, { source: place, target: place, swap: "outerHTML", values: { doing: doing() } }).catch(() => {});
}

function leave() {
  const place = sign();
  const token = document.querySelector("input[name=csrfmiddlewaretoken]")?.value;
  if (!place || !token) return;
  const told = new FormData();
  told.set("doing", "gone");
  told.set("csrfmiddlewaretoken", token);
  navigator.sendBeacon(place.dataset.looking, told);
}

document.addEventListener("DOMContentLoaded", () => {
  const enquiry = document.getElementById("enquiry-refresh")?.dataset.enquiry;
  if (!sign() || !enquiry) return;
  say();
  setInterval(say, EVERY_MS);
  document.body.addEventListener(`consult:looking-${enquiry}`, say);
  document.addEventListener("visibilitychange", () => (document.visibilityState === "visible" ? say() : leave()));
  addEventListener("pagehide", leave);
  document.addEventListener("input", (event) => {
    if (event.target.id !== "reply") return;
    const began = doing() !== "writing";
    typedAt = Date.now();
    if (began) say();
  });
});
