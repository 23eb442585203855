// Masks and zones as lines of text, the same as `camera_areas.py` reads them. Corners are from 0 to 1.

/** Every line that is an area: kind, name and corners; a line that is none yet is passed over. */
export function parse(text) {
  return text.split("\n").map(area).filter(Boolean);
}

function area(written) {
  const found = /^\s*(zone\s+(?<name>.+?)|mask)\s*:(?<corners>[^:]*)$/.exec(written);
  const corners = (found?.groups.corners ?? "").trim().split(/\s+/).map((pair) => pair.split(",").map(Number));
  const whole = corners.length >= 3 && corners.every((pair) => pair.length === 2 && pair.every(inside));
  return found && whole ? { kind: found.groups.name ? "zone" : "mask", name: found.groups.name ?? "", corners } : null;
}

const inside = (value) => value >= 0 && value <= 1;
const short = (value) => String(Math.round(value * 1000) / 1000);

/** The line of an area. */
export function line({ kind, name, corners }) {
  const text = corners.map(([x, y]) => `${short(x)},${short(y)}`).join(" ");
  return kind === "zone" ? `zone ${name}: ${text}` : `mask: ${text}`;
}

/** A name that no zone has yet. */
export function freeName(areas) {
  const taken = new Set(areas.map((one) => one.name));
  let number = 1;
  while (taken.has(`zone-${number}`)) number += 1;
  return `zone-${number}`;
}
