// One event stream per browser and agency, shared by its tabs. The tab that holds the lock listens to the edge and
// tells the others. Nudges carry ids only; each part fetches itself again through the office and its permissions.
// Events on <body>: consult:nudge {kind, id} for every nudge, consult:nudge-<id> for those who watch one thing,
// consult:resync when something may have been missed.
import { saySignedOut } from "./guard.js";
import { words } from "./words.js";

const POLL_MS = 20_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
const QUIET = new Set(["notification", "looking"]);
const GATHER_MS = 250; // a burst of nudges makes one refresh

const tokenUrl = document.body?.dataset.live ?? null;
const name = `consult-live-${document.body?.dataset.agency}`;
let state = "starting";
let channel = null;
let stream = null;
let leading = false;
let failures = 0;
let gathered = new Map();
let gathering = 0;

function show(next) {
  state = next;
  const sign = document.getElementById("live");
  if (!sign) return;
  sign.dataset.state = next;
  sign.title = words(`${next}Long`);
  sign.querySelector("[data-live-words]").textContent = words(next);
}

function dispatch(type, detail) {
  document.body.dispatchEvent(new CustomEvent(type, { detail }));
}

function hear(nudge) {
  gathered.set(`${nudge.kind} ${nudge.id ?? ""}`, nudge);
  gathering ||= setTimeout(() => {
    const all = [...gathered.values()];
    gathered = new Map();
    gathering = 0;
    // What changes no list is told to those alone who watch it: consult:<kind>-<id>.
    const loud = all.filter((one) => !QUIET.has(one.kind));
    if (loud.length > 0) dispatch("consult:nudge", loud.length === 1 ? loud[0] : { kind: "many", all: loud });
    for (const one of all) if (one.id) dispatch(`consult:${QUIET.has(one.kind) ? one.kind : "nudge"}-${one.id}`, one);
    if (all.some((one) => one.kind === "resync")) dispatch("consult:resync", {});
  }, GATHER_MS);
}

function tell(message) {
  channel?.postMessage(message);
  receive(message);
}

function receive(message) {
  if (message.nudge) hear(message.nudge);
  else if (message.state) show(message.state);
  else if (message.ask && leading) channel.postMessage({ state });
}

async function token() {
  const answer = await fetch(tokenUrl, { headers: { Accept: "application/json" }, redirect: "manual", cache: "no-store" });
  if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403 || answer.status === 404) return null;
  if (!answer.ok) throw new Error(`live token: ${answer.status}`);
  return answer.json();
}

async function connect() {
  let grant;
  try {
    grant = await token();
  } catch {
    return again();
  }
  if (!grant) {
    tell({ state: "out" });
    saySignedOut();
    return;
  }
  if (!leading) return;
  const missed = failures > 0 || state === "polling";
  stream?.close();
  stream = new EventSource(`${grant.url}?token=${encodeURIComponent(grant.token)}`);
  let opened = false;
  stream.onopen = () => {
    opened = true;
    tell({ state: "live" });
    if (missed) tell({ nudge: { kind: "resync" } });
    failures = 0;
  };
  stream.addEventListener("nudge", (event) => tell({ nudge: JSON.parse(event.data) }));
  // The edge says so when it may have missed something itself, or when this reader was too slow.
  stream.addEventListener("resync", () => tell({ nudge: { kind: "resync" } }));
  stream.onerror = () => {
    // EventSource would retry with the token it has; a new one is asked for instead.
    stream.close();
    stream = null;
    again(opened);
  };
}

function again(wasOpen = false) {
  if (!leading) return;
  failures += 1;
  // A stream that was open gets one quick try first: tokens end every few minutes, and that is no outage.
  if (!wasOpen) tell({ state: "polling" });
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
  setTimeout(() => leading && !stream && connect(), longest / 2 + (Math.random() * longest) / 2);
}

function lead() {
  leading = true;
  connect();
  return new Promise(() => {}); // held until the tab goes away
}

function start() {
  if (!tokenUrl) return;
  channel = globalThis.BroadcastChannel ? new BroadcastChannel(name) : null;
  if (channel) {
    channel.onmessage = (event) => receive(event.data);
    channel.postMessage({ ask: true });
  }
  // Without locks (old browsers, plain http on another machine) each tab listens for itself.
  if (navigator.locks) navigator.locks.request(name, lead);
  else {
    channel = null;
    lead();
  }
}

setInterval(() => {
  if (tokenUrl && state !== "live" && state !== "out" && document.visibilityState === "visible") hear({ kind: "resync" });
}, POLL_MS);

document.addEventListener("visibilitychange", () => {
  if (tokenUrl && document.visibilityState === "visible" && state === "polling") hear({ kind: "resync" });
});

addEventListener("online", () => {
  if (leading && !stream) connect();
});

// A page brought back from the browser's memory is old: it listens again and fetches what it missed.
addEventListener("pagehide", () => stream?.close());
addEventListener("pageshow", (event) => {
  if (!event.persisted || !tokenUrl) return;
  stream = null;
  failures = 1;
  if (leading) connect();
  else hear({ kind: "resync" });
});

start();
