// The activity log: newest first, filtered as the address says, bounded, and still while it is paused.

import { on } from "./live.js";
import { number } from "./format.js";
import { all, arrange, around, one } from "./dom.js";
import { setClocks } from "./clock.js";
import { freshPage } from "./follow.js";
import { addressOf, fill, filterOf, isSet, matches } from "./logfilter.js";
import { earlierWords, line, timeOf, withDays } from "./loglines.js";
import { nameOf, remember, unnamed, waitForName } from "./lognames.js";

const MOST = 500;
const MOST_WAITING = 2000;
const TYPING_MS = 300;
const EARLIER_TIMES = 5;
/** @type {HTMLFormElement} */
const form = one("#log-filters");
const rows = one("#log-rows");
const note = one("#log-note");
const table = one("#log");
/** @type {HTMLButtonElement | null} A page of the past does not go on. */
const pauseButton = document.querySelector("#pause");
/** @type {Record<string, string>} */
const pools = JSON.parse(form.dataset.pools ?? "{}");
/** @type {HTMLElement[]} */
let waiting = [];
let filter = filterOf(form);
let room = MOST;
let missed = 0;
let paused = false;
let frame = 0;
let reading = false;
let stale = false;
let cut = false;
let clearedAt = "";

/** @param {Activity} record */
function hear(record) {
  if (record.image && record.name) learn(record.image, record.name);
  const name = record.image && nameOf(record.image);
  const row = line(record, name, record.image && record.recipe ? pools[record.recipe] ?? pools[""] : undefined);
  if (record.image && !name) waitForName(record.image, row);
  if (matches(filter, row)) add(row);
}

/** Lines which a name makes one of those that are meant come then. @param {string} image @param {string} name */
function learn(image, name) {
  for (const row of unnamed(image)) {
    const before = matches(filter, row);
    one("[data-image]", row).textContent = name;
    if (!before && matches(filter, row) && !row.isConnected) add(row);
  }
  remember(image, name);
}

/** @param {HTMLElement[]} made by the server */
function adopt(made) {
  for (const row of made) {
    setClocks(row);
    const link = row.querySelector("[data-image]");
    const image = link?.getAttribute("data-image") ?? "";
    if (!link) continue;
    if (!link.querySelector("code")) learn(image, link.textContent ?? "");
    else if (nameOf(image)) link.textContent = nameOf(image) ?? "";
    else waitForName(image, row);
  }
}

/** @param {HTMLElement} row */
function add(row) {
  waiting.push(row);
  if (waiting.length > MOST_WAITING) {
    waiting.shift();
    missed += 1;
  }
  if (paused) tell();
  else frame ||= requestAnimationFrame(draw);
}

/** Fills the log with what happened while nobody listened. What is heard meanwhile waits; a paused log stays still. */
async function readAgain() {
  stale = true;
  if (paused || reading) return;
  stale = false;
  const page = await read();
  stale ||= paused;
  if (paused) return;
  const complete = page && merge(all("#log-rows > tr[data-key]", page));
  if (waiting.length) draw();
  else tell();
  if (!complete) note.textContent = "Some lines were lost: too much happened at once, or the service was away.";
  if (stale) readAgain();
}

async function read() {
  reading = true;
  const asked = location.search;
  const page = await freshPage();
  reading = false;
  return asked === location.search ? page : null;
}

/** Begins anew with what the address asks for: what is shown and matches stays, and what is known is added. */
async function refilter() {
  filter = filterOf(form);
  one("#no-filter").toggleAttribute("data-unset", !isSet(filter));
  room = MOST;
  waiting = waiting.filter((row) => matches(filter, row));
  put(lines().filter((row) => matches(filter, row)));
  if (reading) {
    stale = true;
    return;
  }
  const page = await read();
  if (page) {
    merge(all("#log-rows > tr[data-key]", page));
    setEarlier(page);
  }
  if (!paused) draw();
  if (!lines().length) showEmpty();
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
  waiting = waiting.filter((row) => !known.has(row.dataset.key));
  for (const row of fresh) if (!shown.has(row.dataset.key) && timeOf(row) > clearedAt) shown.set(row.dataset.key, row);
  adopt(fresh);
  put([...shown.values()]);
  return complete;
}

/** @returns {HTMLElement[]} */
const lines = () => all(":scope > tr[data-key]", rows);
const rowsByKey = () => new Map(lines().map((row) => [row.dataset.key, row]));
/** Shows these lines, the newest first, with a line above each day's. @param {HTMLElement[]} wanted */
function put(wanted) {
  const sorted = wanted.sort((row, other) => (timeOf(row) < timeOf(other) ? 1 : timeOf(row) > timeOf(other) ? -1 : 0));
  cut ||= sorted.length > room;
  const kept = sorted.slice(0, room);
  arrange(rows, withDays(kept, rows));
  if (kept.length) show();
}

function clear() {
  clearedAt = lines().map(timeOf).sort().at(-1) ?? clearedAt;
  rows.replaceChildren();
  cut = true;
}

function show() {
  table.hidden = false;
  one("#log-empty").hidden = true;
}

function showEmpty() {
  table.hidden = true;
  one("#log-empty").hidden = false;
  one("#log-nothing").hidden = isSet(filter);
  one("#log-none").hidden = !isSet(filter);
}

function draw() {
  frame = 0;
  if (reading || paused) return;
  const shown = rowsByKey(); // Of several processes one may tell late what another has told before.
  const fresh = new Map(waiting.filter((row) => !shown.has(row.dataset.key)).map((row) => [row.dataset.key, row]));
  waiting = [];
  missed = 0;
  if (fresh.size) put([...[...fresh.values()].reverse(), ...shown.values()]);
  tell();
}

function tell() {
  if (!pauseButton) return;
  const since = waiting.length + missed;
  const lost = missed ? `; the newest ${number(MOST_WAITING)} of them are kept, the others only in the journal` : "";
  note.textContent = paused ? `Paused; ${number(since)} more since${lost}.` : `The newest ${number(room)} lines are kept.`;
}

/** @param {boolean} value */
function pause(value) {
  if (!pauseButton) return;
  paused = value;
  pauseButton.setAttribute("aria-pressed", String(value));
  pauseButton.textContent = value ? "Resume" : "Pause";
  if (value) {
    tell();
    return;
  }
  room = Math.max(MOST, waiting.length);
  cut ||= missed > 0;
  if (stale) readAgain();
  else draw();
}

// --- going back in time ---

/** The link of another page that leads to what is before it. @param {ParentNode} page */
function setEarlier(page) {
  const place = one("#log-earlier");
  const link = page.querySelector("#earlier");
  place.querySelector("#earlier")?.remove();
  if (link) place.prepend(link);
  cut = false;
}

/** Where to go on: lines that were let go of since are there again. @param {HTMLAnchorElement} link */
function earlierAddress(link) {
  const [last] = lines().slice(-1).map(timeOf);
  if (!cut || !(last ?? clearedAt)) return link.href;
  const address = new URL(link.href);
  address.searchParams.set("before", new Date(Date.parse(last ?? clearedAt) + 1).toISOString());
  return address.href;
}

async function showEarlier() {
  const before = paused;
  pause(true);
  note.textContent = "The journal is asked …";
  let found = { added: 0, problem: "" };
  for (let times = 0; times < EARLIER_TIMES && !found.added && !found.problem; times += 1) {
    /** @type {HTMLAnchorElement | null} */
    const link = document.querySelector("#earlier");
    if (!link) break;
    const page = await freshPage(earlierAddress(link));
    found = page ? append(page) : { added: 0, problem: "The service does not answer; try again." };
  }
  if (!found.added) pause(before);
  const still = pauseButton && paused ? " The log is paused meanwhile." : "";
  note.textContent = found.problem || earlierWords(found.added, lines().at(-1), !document.querySelector("#earlier")) + still;
}

/** @param {Document} page */
function append(page) {
  const shown = rowsByKey();
  const fresh = all("#log-rows > tr[data-key]", page).filter((row) => !shown.has(row.dataset.key));
  room = Math.max(room, shown.size + fresh.length);
  adopt(fresh);
  put([...shown.values(), ...fresh]);
  setEarlier(page);
  return { added: fresh.length, problem: page.querySelector("[data-problem]")?.textContent ?? "" };
}

// --- the filter ---

let typed = 0;

/** @param {boolean} anew */
function ask(anew) {
  clearTimeout(typed);
  if (!pauseButton) {
    form.requestSubmit();
    return;
  }
  const address = addressOf(filterOf(form));
  if (address === location.pathname + location.search) return;
  if (anew) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  refilter();
}

form.addEventListener("input", (event) => {
  if (event.target instanceof HTMLSelectElement || !pauseButton) return;
  clearTimeout(typed);
  typed = setTimeout(() => ask(false), TYPING_MS);
});
form.addEventListener("change", () => ask(true));
form.addEventListener("submit", (event) => {
  if (!pauseButton) return;
  event.preventDefault();
  ask(true);
});
addEventListener("popstate", () => { fill(form, location.search); refilter(); });
document.addEventListener("click", (event) => {
  if (!around(event, "#earlier") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  showEarlier();
});

adopt(lines());
put(lines());
if (pauseButton) {
  on("activity", hear);
  on("lost", readAgain);
  pauseButton.addEventListener("click", () => pause(!paused));
  one("#clear").addEventListener("click", clear);
}
