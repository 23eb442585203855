// Exact times as the browser's clock has them; the server writes them in UTC.

import { all } from "./dom.js";
import { exact } from "./format.js";

const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
/** @param {number} value */
const two = (value, digits = 2) => String(value).padStart(digits, "0");

/** 09:15:03.302 @param {string} text */
export function clock(text) {
  const at = new Date(text);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${two(at.getMilliseconds(), 3)}`;
}

/** The day on the browser's calendar, to compare by: 2026-11-21. @param {string} text */
export function dayOf(text) {
  const at = new Date(text);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** Saturday, 21 November 2026 @param {string} text */
export const day = (text) => weekday.format(new Date(text)).replace(/^(\w+) /, "$1, ");

/** The whole of it, in the browser's zone and in UTC. @param {string} text */
export const whole = (text) => `${dayOf(text)} ${clock(text)} here, ${exact(text)}`;

/** @param {string} text */
export function clockElement(text) {
  const time = document.createElement("time");
  Object.assign(time, { dateTime: text, title: whole(text), textContent: clock(text) });
  time.dataset.clock = "";
  return time;
}

/** What the server wrote in UTC is written anew. @param {ParentNode} [root] */
export function setClocks(root = document) {
  /** @type {HTMLTimeElement[]} */
  const times = all("time:is([data-clock], [data-since], [data-day])", root);
  for (const time of times) {
    time.title = whole(time.dateTime);
    if ("clock" in time.dataset) time.textContent = clock(time.dateTime);
    if ("day" in time.dataset) time.textContent = day(time.dateTime);
  }
}
