// Masks and zones as lines of text, the same as `cameras/areas.py` reads them. Corners are from 0 to 1.

/** Every line that is an area; a line that is none yet is passed over. @param {string} text */
export function parse(text) {
  return text.split("\n").map(area).filter((one) => one !== null);
}

/** @param {string} written @returns {Area | null} */
function area(written) {
  const found = /^\s*(zone\s+(?<name>.+?)|mask)\s*:(?<pairs>[^:]*)$/.exec(written);
  const { name = "", pairs = "" } = found?.groups ?? {};
  const corners = pairs.trim().split(/\s+/).map((pair) => pair.split(",").map(Number));
  const whole = corners.length >= 3 && corners.every((pair) => pair.length === 2 && pair.every(inside));
  return whole ? { kind: name ? "zone" : "mask", name, corners } : null;
}

/** @param {number} value */
const inside = (value) => value >= 0 && value <= 1;
/** @param {number} value */
const short = (value) => String(Math.round(value * 1000) / 1000);

/** The line of an area. @param {Area} area */
export function line({ kind, name, corners }) {
  const text = corners.map(([x, y]) => `${short(x)},${short(y)}`).join(" ");
  return kind === "zone" ? `zone ${name}: ${text}` : `mask: ${text}`;
}

/** A name that no zone has yet. @param {Area[]} areas */
export function freeName(areas) {
  const taken = new Set(areas.map((one) => one.name));
  let number = 1;
  while (taken.has(`zone-${number}`)) number += 1;
  return `zone-${number}`;
}
