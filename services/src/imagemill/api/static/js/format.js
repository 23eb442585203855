// Numbers, sizes and times in words; the server's formatting.py says the same.

const whole = new Intl.NumberFormat("en-US");

/** @param {number} value */
export const number = (value) => whole.format(value);
/** @param {number} count @param {string} one @param {string} [many] */
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** @type {[string, number][]} */
const SIZES = [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]];
/** @type {[number, string, number][]} Up to how many seconds which unit is told, and what it has of them. */
const TIMES = [[60, "s", 1], [3600, "min", 60], [86400, "h", 3600]];

/** @param {number} bytes */
export function size(bytes) {
  for (const [unit, factor] of SIZES) {
    if (bytes >= factor) {
      const amount = bytes / factor;
      return `${amount.toFixed(amount >= 100 ? 0 : amount >= 10 ? 1 : 2)} ${unit}`;
    }
  }
  return `${bytes} B`;
}

/** @param {string} text */
export function ago(text, now = Date.now()) {
  const seconds = (now - Date.parse(text)) / 1000;
  if (seconds < 2) return "now";
  for (const [limit, unit, factor] of TIMES) {
    if (seconds < limit) return `${Math.floor(seconds / factor)} ${unit} ago`;
  }
  const days = Math.floor(seconds / 86400);
  return days < 7 ? `${plural(days, "day")} ago` : text.slice(0, 10);
}

const hours = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** The clock where this browser is: `18:41`, `07:00 tomorrow`, `07:00 on 2 Dec`. @param {string} text */
export function dueTime(text, now = new Date()) {
  const at = new Date(text);
  const tomorrow = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
  const day = at.toDateString() === now.toDateString() ? "" : at.toDateString() === tomorrow.toDateString() ? " tomorrow" : ` on ${days.format(at)}`;
  return hours.format(at) + day;
}

/** @param {string} text */
export const exact = (text) => `${text.replace("T", " ").replace("Z", "")} UTC`;

/** @param {number} value */
export function milliseconds(value) {
  if (value < 1000) return `${Math.round(value)} ms`;
  if (value < 60000) return `${Number((value / 1000).toPrecision(3))} s`;
  return `${Math.floor(value / 60000)} min ${Math.floor((value % 60000) / 1000)} s`;
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

/** @param {number} value */
export const rate = (value) => (value >= 10 ? number(Math.round(value)) : String(Number(value.toPrecision(2))));
