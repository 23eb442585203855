// Which lines of the log are meant; the server's `live/log_filter.py` asks the same of what is known already.

const NAMES = ["text", "kind", "batch", "pool", "camera", "by", "level"];
// Counts of cameras come all the time: they are shown when they are asked for.
const OFTEN = "camera-counts";
const TROUBLE = new Set(["failed", "rejected", "redriven"]);
const UNWELL = new Set(["stalled", "offline"]);

/** @param {HTMLFormElement} form @returns {LogFilter} */
export function filterOf(form) {
  const given = new FormData(form);
  return Object.fromEntries(NAMES.map((name) => [name, String(given.get(name) ?? "").trim()]));
}

/** @param {LogFilter} filter */
export const isSet = (filter) => Object.values(filter).some(Boolean);

/** The address of what is asked for. @param {LogFilter} filter */
export function addressOf(filter) {
  const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value)).toString();
  return query ? `${location.pathname}?${query}` : location.pathname;
}

/** Makes the form say what the address says. @param {HTMLFormElement} form @param {string} search */
export function fill(form, search) {
  const query = new URLSearchParams(search);
  for (const name of NAMES) {
    const field = form.elements.namedItem(name);
    if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = query.get(name) ?? "";
  }
}

/** @param {Activity} record */
export function isTrouble(record) {
  return TROUBLE.has(record.kind) || Boolean(record.problem) 
    || (record.kind === "taken" && (record.attempt ?? 1) > 1)
    || (record.kind === "told" && record.result !== "sent")
    || (record.kind === "camera" && UNWELL.has(record.state ?? ""));
}

/** Is a line of the table one of those? @param {LogFilter} filter @param {HTMLElement} row */
export function matches(filter, row) {
  const { kind, pool, camera, trouble } = row.dataset;
  const [batch, by] = [".batch", ".by"].map((cell) => row.querySelector(cell)?.textContent);
  /** @type {LogFilter} */
  const told = { kind: kind ?? "", pool: pool ?? "", camera: camera ?? "", batch: batch ?? "", by: by ?? "" };
  return Object.entries(told).every(([name, value]) => !filter[name] || filter[name] === value)
    && (filter.kind !== "" || kind !== OFTEN) && (!filter.level || trouble !== undefined)
    && textOf(row).includes(filter.text.toLowerCase());
}

/** What is looked through: all but the time, and the picture's id. @param {HTMLElement} row */
function textOf(row) {
  const image = row.querySelector("[data-image]")?.getAttribute("data-image") ?? "";
  const words = [row.dataset.kind, image, ...[".file", ".batch", ".by"].map((cell) => row.querySelector(cell)?.textContent)];
  return words.join(" ").toLowerCase();
}
