// The lines of the activity log, as the server's `live.html` writes them too.

import { number, plural } from "./format.js";
import { all, element } from "./dom.js";
import { clock, clockElement, day, dayOf } from "./clock.js";
import { isTrouble } from "./logfilter.js";

const STATES = new Set(["accepted", "stored", "failed"]);
const ONCE = new Set(["accepted", "stored", "failed"]);
const EACH_ATTEMPT = new Set(["taken", "done"]);
/** @type {(keyof Activity)[]} */
const OTHERS = ["at", "kind", "by", "image", "number", "channel", "camera", "name"];

/**
 * The same for what was heard of a mark and what the ledger knows of it; as `key_of` in `live/page.py`.
 * @param {Activity} record
 */
export function keyOf(record) {
  if (ONCE.has(record.kind) && record.image) return `${record.image} ${record.kind}`;
  if (EACH_ATTEMPT.has(record.kind)) return `${record.image} ${record.kind} ${record.attempt}`;
  return OTHERS.map((name) => record[name] ?? "").join(" ");
}

/** @param {Element} row */
export const timeOf = (row) => row.querySelector("time")?.dateTime ?? "";

/**
 * A record as a line of the table.
 * @param {Activity} record
 * @param {string | undefined} name of its picture
 * @param {string | undefined} pool
 */
export function line(record, name, pool) {
  const word = record.kind.replaceAll("-", " ");
  const kind = element("span", { class: `state ${STATES.has(record.kind) ? record.kind : ""}` }, word);
  const said = more(record);
  /** @type {(Node | string)[]} */
  const what = said ? [subject(record, name), " ", element("span", { class: "quiet" }, said)] : [subject(record, name)];
  const row = element("tr", { "data-key": keyOf(record), "data-kind": record.kind },
    element("td", { class: "when" }, clockElement(record.at)), element("td", { class: "what" }, kind),
    element("td", { class: "file" }, ...what), filtering("batch", record.batch), filtering("by", record.by));
  if (pool) row.dataset.pool = pool;
  if (record.camera) row.dataset.camera = record.camera;
  if (isTrouble(record)) row.dataset.trouble = "";
  return row;
}

/** A cell that leads to those like it. @param {"batch" | "by"} name @param {string | null | undefined} value */
function filtering(name, value) {
  const link = value ? [element("a", { href: `/live?${new URLSearchParams({ [name]: value })}`, title: value }, value)] : [];
  return element("td", { class: name }, ...link);
}

/** @param {Activity} record @param {string | undefined} name @returns {Node | string} */
function subject(record, name) {
  if (record.image) {
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
const PLAIN = ["code", "channel", "result", "state", "problem"];

/** @param {Activity} record */
function more(record) {
  const said = PLAIN.map((name) => record[name]).filter(Boolean);
  if (record.kind === "accepted" && record.recipe) said.unshift(record.recipe);
  if (record.attempt && record.attempt > 1) said.push(`attempt ${record.attempt}`);
  if (record.times) said.push(plural(record.times, "time"));
  if (record.frames !== undefined) said.push(`${number(record.frames)} frames, ${number(record.missed ?? 0)} missed`);
  return said.join(", ");
}

/** The lines with one above each day's: that which is shown, if there is one. @param {HTMLElement[]} sorted @param {Element} shown */
export function withDays(sorted, shown) {
  const days = new Map(all(":scope > .day[data-day]", shown).map((row) => [row.dataset.day ?? "", row]));
  /** @type {HTMLElement[]} */
  const found = [];
  let before = "";
  for (const row of sorted) {
    const date = dayOf(timeOf(row));
    if (date !== before) found.push(days.get(date) ?? dayLine(date, timeOf(row)));
    before = date;
    found.push(row);
  }
  return found;
}

/** @param {string} date @param {string} at */
const dayLine = (date, at) =>
  element("tr", { class: "day", "data-day": date }, element("th", { colspan: "5", scope: "rowgroup" }, day(at)));

/** What the journal had of earlier. @param {number} added @param {HTMLElement | undefined} oldest @param {boolean} isAll */
export function earlierWords(added, oldest, isAll) {
  if (!added) return isAll ? "The journal has no earlier line." : "The journal has none among those it looked through; there are earlier ones.";
  const back = oldest ? `, back to ${clock(timeOf(oldest))} on ${day(timeOf(oldest))}` : "";
  return `${plural(added, "earlier line")} from the journal${back}${isAll ? "; that is all there is" : ""}.`;
}
