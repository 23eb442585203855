// The activity log: newest first, bounded, and still while it is paused.

import { on } from "./live.js";
import { ago, exact, number, plural } from "./format.js";
import { arrange, element } from "./dom.js";
import { freshPage } from "./follow.js";
import { typing } from "./keys.js";

const MOST = 500;
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
let stale = false;
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
const OTHERS = ["at", "kind", "by", "image", "number", "channel", "camera", "name"];

/** The same for what was heard of a mark and what the ledger knows of it; as `key_of` in `live/page.py`. */
function keyOf(record) {
  if (ONCE.has(record.kind) && record.image) return `${record.image} ${record.kind}`;
  if (EACH_ATTEMPT.has(record.kind)) return `${record.image} ${record.kind} ${record.attempt}`;
  return OTHERS.map((name) => record[name] ?? "").join(" ");
}

/** Fills the log with what happened while nobody listened. What is heard meanwhile waits; a paused log stays still. */
async function readAgain() {
  stale = true;
  if (paused || reading) return;
  reading = true;
  stale = false;
  const page = await freshPage();
  reading = false;
  stale ||= paused;
  if (paused) return;
  const complete = page && merge([...page.querySelectorAll("#log-rows > tr")]);
  if (waiting.length) draw();
  else tell();
  if (!complete) byId("log-note").textContent = "Some lines were lost: too much happened at once, or the service was away.";
  if (stale) readAgain();
}

/** Adds what is not shown, each line where its time is; tells whether the fresh rows reach back to those which are shown. */
function merge(fresh) {
  const known = new Set(fresh.map((row) => row.dataset.key));
  const shown = rowsByKey();
  const complete = !shown.size || [...shown.keys()].some((key) => known.has(key));
  waiting = waiting.filter((record) => !known.has(keyOf(record)));
  for (const row of fresh) if (!shown.has(row.dataset.key) && timeOf(row) > clearedAt) shown.set(row.dataset.key, row);
  const rows = [...shown.values()].sort((one, other) => (timeOf(one) < timeOf(other) ? 1 : timeOf(one) > timeOf(other) ? -1 : 0));
  learnNames(fresh);
  arrange(byId("log-rows"), rows.slice(0, MOST));
  if (rows.length) show();
  choose();
  return complete;
}

const rowsByKey = () => new Map([...byId("log-rows").children].map((row) => [row.dataset.key, row]));
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
  const shown = rowsByKey(); // Of several processes one may tell late what another has told before.
  const lines = waiting.filter((record) => !shown.has(keyOf(record))).reverse().map(line);
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
  else if (stale) readAgain();
  else if (waiting.length) draw();
  else tell();
}

function learnNames(rows) {
  for (const link of rows.flatMap((row) => [...row.querySelectorAll("[data-image]")])) {
    if (!link.querySelector("code")) remember(link.dataset.image, link.textContent);
    else if (names.has(link.dataset.image)) link.textContent = names.get(link.dataset.image);
    else unnamed.add(link.dataset.image);
  }
}

learnNames([byId("log-rows")]);
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
