// The line above the list: it adds up, and says what remains.

import { element } from "../dom.js";
import { duration, number, plural, rate } from "../format.js";

/** @import { Rows } from "./rows.js" */

const WINDOW_MS = 10_000;

/** Pictures ended per second, over the last ten seconds. */
export class Speed {
  constructor() {
    /** @type {[at: number, ended: number][]} */
    this.points = [];
  }

  /** @param {number} ended */
  see(ended, now = performance.now()) {
    this.points.push([now, ended]);
    while (this.points.length > 2 && now - this.points[0][0] > WINDOW_MS) this.points.shift();
  }

  get perSecond() {
    const [first, last] = [this.points[0], this.points.at(-1)];
    return last && last[0] - first[0] > 500 ? (1000 * (last[1] - first[1])) / (last[0] - first[0]) : null;
  }
}

/** @param {Element} place @param {Rows} rows */
export function showSum(place, rows) {
  const { counts, inFlight, toSend } = rows;
  /** @type {[count: number, word: string][]} */
  const terms = [[counts.stored, "stored"], [counts.failed, "failed"], [inFlight, "in flight"]];
  if (toSend) terms.push([toSend, "to send"]);
  if (counts.rejected) terms.push([counts.rejected, "rejected"]);
  if (counts.cancelled) terms.push([counts.cancelled, "cancelled"]);
  const parts = [element("span", {}, element("b", {}, number(rows.all.length)), " offered")];
  terms.forEach(([count, word], index) => {
    const bad = count && (word === "failed" || word === "rejected");
    parts.push(element("span", { class: "sign" }, index ? "+" : "="));
    parts.push(element("span", { class: bad ? "bad" : "" }, element("b", {}, number(count)), ` ${word}`));
  });
  place.replaceChildren(...parts.flatMap((part) => [part, " "]));
}

/** @param {Rows} rows @param {Speed} speed @param {number} tookSeconds @param {string} note */
export function remains(rows, speed, tookSeconds, note) {
  const left = rows.inFlight + rows.toSend;
  const said = [];
  if (left) {
    const perSecond = speed.perSecond;
    if (perSecond) said.push(`${rate(perSecond)} a second`, `about ${duration(left / perSecond)} left`);
    else said.push("under way");
  } else {
    said.push(`All ended after ${duration(tookSeconds)}`);
  }
  if (rows.known) said.push(`${number(rows.known)} known already, not computed again`);
  if (rows.chosenTwice) said.push(`${plural(rows.chosenTwice, "duplicate")} skipped`);
  if (note) said.push(note);
  return said.join(" · ");
}

/** @param {Element} place @param {Rows} rows */
export function showReasons(place, rows) {
  const lines = [...rows.reasons].map(([code, { count, reason }]) =>
    element("li", {}, element("b", {}, `${number(count)} rejected`), ` (${code}): ${reason}`));
  place.replaceChildren(...lines);
}
