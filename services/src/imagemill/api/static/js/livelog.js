// The activity log: newest first, bounded, and still while it is paused.

import { on } from "./live.js";
import { ago, exact, number, plural } from "./format.js";
import { element } from "./dom.js";
import { typing } from "./keys.js";

const MOST = 500;
const TIMEOUT_MS = 15_000;
const MOST_NAMES = 5000;
const STATES = new Set(["accepted", "stored", "failed"]);
const byId = (id) => document.getElementById(id);
const names = new Map();
const unnamed = new Set();
let waiting = [];
let missed = 0;
let paused = false;
let frame = 0;
let reading = false;
let readLater = false;
let clearedAt = "";

// Counts of cameras come all the time: they are shown when they are asked for.
const OFTEN = "camera-counts";
const wanted = (kind) => (byId("kinds").value ? kind === byId("kinds").value : kind !== OFTEN);

function hear(record) {
  if (record.image && record.name) remember(record.image, record.name);
  if (!wanted(record.kind)) return;
  waiting.push(record);
  if (waiting.length > MOST) {
    waiting.shift();
    missed += 1;
  }
  if (paused) tell();
  else frame ||= requestAnimationFrame(draw);
}

function remember(image, name) {
  names.set(image, name);
  if (names.size > MOST_NAMES) names.delete(names.keys().next().value);
  // Programs tell on their own: that a picture was taken may be heard before its name.
  if (!unnamed.delete(image)) return;
  for (const link of document.querySelectorAll(`[data-image="${CSS.escape(image)}"]`)) link.textContent = name;
}

const ONCE = new Set(["accepted", "stored", "failed"]);
const EACH_ATTEMPT = new Set(["taken", "done"]);

/** The same for what was heard of a mark and what the ledger knows of it; as `key_of` in `page_live.py`. */
function keyOf(record) {
  if (ONCE.has(record.kind) && record.image) return `${record.image} ${record.kind}`;
  if (EACH_ATTEMPT.has(record.kind)) return `${record.image} ${record.kind} ${record.attempt}`;
  return `${record.at} ${record.kind} ${record.by ?? "None"}`;
}

/** Fills the log with what happened while nobody listened. What is heard meanwhile waits; a paused log stays still. */
async function readAgain() {
  readLater = paused;
  if (paused || reading) return;
  reading = true;
  const answer = await fetch(location.href, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => null);
  const page = answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  reading = false;
  const complete = page && merge([...page.querySelectorAll("#log-rows > tr")]);
  if (waiting.length && !paused) draw();
  else tell();
  if (!complete) byId("log-note").textContent = "Some lines were lost: too much happened at once, or the service was away.";
}

/** Whether the fresh rows reach back to those which are shown. */
function merge(fresh) {
  const known = new Set(fresh.map((row) => row.dataset.key));
  const shown = [...byId("log-rows").children];
  const others = shown.filter((row) => !known.has(row.dataset.key));
  const complete = !shown.length || others.length < shown.length;
  waiting = waiting.filter((record) => !known.has(keyOf(record)));
  const rows = [...others, ...fresh.filter((row) => timeOf(row) > clearedAt)];
  rows.sort((one, other) => (timeOf(one) < timeOf(other) ? 1 : timeOf(one) > timeOf(other) ? -1 : 0));
  byId("log-rows").replaceChildren(...rows.slice(0, MOST));
  learnNames();
  if (rows.length) show();
  choose();
  return complete;
}

const timeOf = (row) => row.querySelector("time").dateTime;

function clear() {
  clearedAt = [...byId("log-rows").children].map(timeOf).sort().at(-1) ?? clearedAt;
  byId("log-rows").replaceChildren();
}

function show() {
  byId("log").hidden = false;
  byId("log-empty").hidden = true;
}

function draw() {
  frame = 0;
  if (reading) return;
  const lines = waiting.reverse().map(line);
  waiting = [];
  missed = 0;
  show();
  byId("log-rows").prepend(...lines);
  while (byId("log-rows").children.length > MOST) byId("log-rows").lastElementChild.remove();
  tell();
}

function line(record) {
  const time = element("time", { dateTime: record.at, title: exact(record.at), "data-ago": "" }, ago(record.at));
  const word = record.kind.replaceAll("-", " ");
  const kind = element("span", { class: `state ${STATES.has(record.kind) ? record.kind : ""}` }, word);
  return element("tr", { "data-key": keyOf(record), "data-kind": record.kind },
    element("td", { class: "when" }, time), element("td", {}, kind), element("td", { class: "file" }, subject(record)),
    element("td", {}, record.by ?? ""), element("td", { class: "quiet" }, more(record)));
}

function subject(record) {
  if (record.image) {
    const name = names.get(record.image);
    if (!name) unnamed.add(record.image);
    const text = name ?? element("code", { class: "id" }, record.image);
    return element("a", { href: `/pictures/${record.image}`, "data-image": record.image }, text);
  }
  if (record.number) return element("a", { href: `/alerts/${record.number}` }, `alert ${record.number}`);
  if (record.camera) {
    return element("a", { href: `/alerts/events?camera=${encodeURIComponent(record.camera)}` }, record.camera);
  }
  return record.name ?? record.database ?? "";
}

function more(record) {
  const said = ["recipe", "code", "channel", "result", "state", "problem"].map((name) => record[name]).filter(Boolean);
  if (record.attempt > 1) said.push(`attempt ${record.attempt}`);
  if (record.times) said.push(plural(record.times, "time"));
  if (record.frames !== undefined) said.push(`${number(record.frames)} frames, ${number(record.missed ?? 0)} missed`);
  return said.join(", ");
}

function choose() {
  for (const row of byId("log-rows").children) row.hidden = !wanted(row.dataset.kind);
}

function tell() {
  const since = waiting.length + missed;
  const lost = missed ? `, of which the newest ${number(MOST)} are kept` : "";
  byId("log-note").textContent = paused ? `Paused; ${number(since)} more since${lost}.` : `The newest ${number(MOST)} lines are kept.`;
}

function pause(value) {
  paused = value;
  byId("pause").setAttribute("aria-pressed", String(value));
  byId("pause").textContent = value ? "Go on" : "Pause";
  if (value) tell();
  else if (readLater) readAgain();
  else if (waiting.length) draw();
  else tell();
}

function learnNames() {
  for (const link of document.querySelectorAll("[data-image]")) {
    if (!link.querySelector("code")) remember(link.dataset.image, link.textContent);
    else if (names.has(link.dataset.image)) link.textContent = names.get(link.dataset.image);
    else unnamed.add(link.dataset.image);
  }
}

learnNames();
on("activity", hear);
byId("kinds").addEventListener("change", choose);
on("lost", readAgain);
byId("pause").addEventListener("click", () => pause(!paused));
byId("clear").addEventListener("click", clear);
addEventListener("keydown", (event) => {
  if (event.key !== " " || typing(event) || event.target.closest("button, a, input")) return;
  event.preventDefault();
  pause(!paused);
});
