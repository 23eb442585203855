// The activity log: newest first, bounded, and still while it is paused.

import { on } from "./live.js";
import { ago, exact, number, plural } from "./format.js";
import { all, arrange, around, element, one } from "./dom.js";
import { freshPage } from "./follow.js";
import { typing } from "./keys.js";

const MOST = 500;
const MOST_NAMES = 5000;
const STATES = new Set(["accepted", "stored", "failed"]);
/** @type {HTMLSelectElement} */
const kinds = one("#kinds");
const rows = one("#log-rows");
const note = one("#log-note");
const pauseButton = one("#pause");
/** @type {Map<string, string>} */
const names = new Map();
/** @type {Set<string>} */
const unnamed = new Set();
/** @type {Activity[]} */
let waiting = [];
let missed = 0;
let paused = false;
let frame = 0;
let reading = false;
let stale = false;
let clearedAt = "";

// Counts of cameras come all the time: they are shown when they are asked for.
const OFTEN = "camera-counts";
/** @param {string | undefined} kind */
const wanted = (kind) => (kinds.value ? kind === kinds.value : kind !== OFTEN);

/** @param {Activity} record */
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

/** @param {string} image @param {string} name */
function remember(image, name) {
  names.set(image, name);
  if (names.size > MOST_NAMES) names.delete(names.keys().next().value ?? "");
  // Programs tell on their own: that a picture was taken may be heard before its name.
  if (!unnamed.delete(image)) return;
  for (const link of document.querySelectorAll(`[data-image="${CSS.escape(image)}"]`)) link.textContent = name;
}

const ONCE = new Set(["accepted", "stored", "failed"]);
const EACH_ATTEMPT = new Set(["taken", "done"]);
/** @type {(keyof Activity)[]} */
const OTHERS = ["at", "kind", "by", "image", "number", "channel", "camera", "name"];

/**
 * The same for what was heard of a mark and what the ledger knows of it; as `key_of` in `live/page.py`.
 * @param {Activity} record
 */
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
  const complete = page && merge(all("#log-rows > tr", page));
  if (waiting.length) draw();
  else tell();
  if (!complete) note.textContent = "Some lines were lost: too much happened at once, or the service was away.";
  if (stale) readAgain();
}

/**
 * Adds what is not shown, each line where its time is; tells whether the fresh rows reach back to those which are shown.
 * @param {HTMLElement[]} fresh
 */
function merge(fresh) {
  const known = new Set(fresh.map((row) => row.dataset.key));
  const shown = rowsByKey();
  const complete = !shown.size || [...shown.keys()].some((key) => known.has(key));
  waiting = waiting.filter((record) => !known.has(keyOf(record)));
  for (const row of fresh) if (!shown.has(row.dataset.key) && timeOf(row) > clearedAt) shown.set(row.dataset.key, row);
  const sorted = [...shown.values()].sort((row, other) => (timeOf(row) < timeOf(other) ? 1 : timeOf(row) > timeOf(other) ? -1 : 0));
  learnNames(fresh);
  arrange(rows, sorted.slice(0, MOST));
  if (sorted.length) show();
  choose();
  return complete;
}

/** @returns {HTMLElement[]} */
const lines = () => all(":scope > tr", rows);
const rowsByKey = () => new Map(lines().map((row) => [row.dataset.key, row]));
/** @param {Element} row */
const timeOf = (row) => row.querySelector("time")?.dateTime ?? "";

function clear() {
  clearedAt = lines().map(timeOf).sort().at(-1) ?? clearedAt;
  rows.replaceChildren();
}

function show() {
  one("#log").hidden = false;
  one("#log-empty").hidden = true;
}

function draw() {
  frame = 0;
  if (reading) return;
  const shown = rowsByKey(); // Of several processes one may tell late what another has told before.
  const fresh = waiting.filter((record) => !shown.has(keyOf(record))).reverse().map(line);
  waiting = [];
  missed = 0;
  show();
  rows.prepend(...fresh);
  while (rows.children.length > MOST) rows.lastElementChild?.remove();
  tell();
}

/** @param {Activity} record */
function line(record) {
  const time = element("time", { dateTime: record.at, title: exact(record.at), "data-ago": "" }, ago(record.at));
  const word = record.kind.replaceAll("-", " ");
  const kind = element("span", { class: `state ${STATES.has(record.kind) ? record.kind : ""}` }, word);
  return element("tr", { "data-key": keyOf(record), "data-kind": record.kind },
    element("td", { class: "when" }, time), element("td", {}, kind), element("td", { class: "file" }, subject(record)),
    element("td", {}, record.by ?? ""), element("td", { class: "quiet" }, more(record)));
}

/** @param {Activity} record @returns {Node | string} */
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

/** @type {(keyof Activity)[]} */
const PLAIN = ["recipe", "code", "channel", "result", "state", "problem"];

/** @param {Activity} record */
function more(record) {
  const said = PLAIN.map((name) => record[name]).filter(Boolean);
  if (record.attempt && record.attempt > 1) said.push(`attempt ${record.attempt}`);
  if (record.times) said.push(plural(record.times, "time"));
  if (record.frames !== undefined) said.push(`${number(record.frames)} frames, ${number(record.missed ?? 0)} missed`);
  return said.join(", ");
}

function choose() {
  for (const row of lines()) row.hidden = !wanted(row.dataset.kind);
}

function tell() {
  const since = waiting.length + missed;
  const lost = missed ? `, of which the newest ${number(MOST)} are kept` : "";
  note.textContent = paused ? `Paused; ${number(since)} more since${lost}.` : `The newest ${number(MOST)} lines are kept.`;
}

/** @param {boolean} value */
function pause(value) {
  paused = value;
  pauseButton.setAttribute("aria-pressed", String(value));
  pauseButton.textContent = value ? "Resume" : "Pause";
  if (value) tell();
  else if (stale) readAgain();
  else if (waiting.length) draw();
  else tell();
}

/** @param {Element[]} places */
function learnNames(places) {
  for (const link of places.flatMap((place) => all("[data-image]", place))) {
    const { image = "" } = link.dataset;
    if (!link.querySelector("code")) remember(image, link.textContent);
    else if (names.has(image)) link.textContent = names.get(image) ?? "";
    else unnamed.add(image);
  }
}

learnNames([rows]);
on("activity", hear);
kinds.addEventListener("change", choose);
on("lost", readAgain);
pauseButton.addEventListener("click", () => pause(!paused));
one("#clear").addEventListener("click", clear);
addEventListener("keydown", (event) => {
  if (event.key !== " " || typing(event) || around(event, "button, a, input")) return;
  event.preventDefault();
  pause(!paused);
});
