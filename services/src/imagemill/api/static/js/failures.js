// Failures: select with the mouse or the keyboard, retry or discard with one key; both can be undone.

import { all, around, element, one, toast } from "./dom.js";
import { number, plural } from "./format.js";
import { uuid7 } from "./ids.js";
import { typing } from "./keys.js";

const UNDO_MS = 5000;
const TOLD_MS = 8000;
const AT_ONCE = 500;
const TIMEOUT_MS = 60_000;
/** @type {HTMLFormElement} */
const form = one("#failures");
// Keys of lines, not their places: lines come in above while somebody selects.
/** @type {string | null | undefined} */
let here = null;
/** @type {string | null | undefined} */
let anchor = null;

/** @returns {HTMLElement[]} */
const lines = () => all("#failed-rows tr", form);
/** @param {string | null | undefined} key */
const placeOf = (key) => lines().findIndex((line) => line.dataset.key === key);
/** @param {Element} line */
const boxOf = (line) => line.querySelector("input");
const selected = () => lines().filter((line) => boxOf(line)?.checked);
const chosen = () => (selected().length ? selected() : lines().filter((line) => line.dataset.key === here)).map((line) => line.dataset.key ?? "");

/** What is in a field of the form. @param {string} selector */
function written(selector) {
  /** @type {HTMLInputElement | HTMLSelectElement} */
  const field = one(selector, form);
  return field.value;
}

function show() {
  lines().forEach((line) => line.classList.toggle("here", line.dataset.key === here));
  const count = selected().length;
  const told = document.getElementById("selected");
  if (told) told.textContent = count ? `${plural(count, "picture")} selected` : "";
  for (const id of ["retry", "discard", "reopen"]) {
    /** @type {HTMLButtonElement | null} */
    const button = form.querySelector(`#${id}`);
    if (button) button.disabled = !count && placeOf(here) < 0;
  }
}

/** @param {number} from @param {number} to @param {boolean} value */
function select(from, to, value) {
  for (const line of lines().slice(Math.min(from, to), Math.max(from, to) + 1)) tick(line, value);
}

/** Lines that nothing can be done about have no box. @param {Element} line @param {boolean} value */
function tick(line, value) {
  const box = boxOf(line);
  if (box) box.checked = value;
}

/** @param {number} step */
function go(step) {
  const line = lines()[Math.max(0, Math.min(lines().length - 1, placeOf(here) + step))];
  here = line?.dataset.key ?? null;
  line?.scrollIntoView({ block: "nearest" });
}

/** @param {boolean} range */
function toggle(range) {
  const place = placeOf(here);
  const box = place < 0 ? null : boxOf(lines()[place]);
  if (!box) return;
  const from = placeOf(anchor);
  select(range && from >= 0 ? from : place, place, !box.checked);
  anchor = here;
}

/** What the service is asked to do it with, in portions which it takes. @param {string[]} ids @returns {object[]} */
function portionsOf(ids) {
  return Array.from({ length: Math.ceil(ids.length / AT_ONCE) }, (_, index) => ({ images: ids.slice(index * AT_ONCE, (index + 1) * AT_ONCE) }));
}

/** All that match. @returns {object[]} */
function matching() {
  /** @type {HTMLInputElement[]} */
  const filters = all("[data-filter]", form);
  return [{ matching: Object.fromEntries(filters.map((field) => [field.name, field.value])) }];
}

/** @param {boolean} isAll */
function retry(isAll) {
  const count = isAll ? Number(one("#retry-all").dataset.count) : chosen().length;
  if (!count) return;
  const recipe = written("#with");
  const portions = (isAll ? matching() : portionsOf(chosen())).map((portion) => (recipe ? { ...portion, recipe } : portion));
  const undo = element("button", { type: "button", class: "button" }, "Undo");
  const told = toast(`${plural(count, "picture")} will be retried${recipe ? ` with ${recipe}` : ""} in ${UNDO_MS / 1000} s.`, undo);
  const timer = setTimeout(async () => {
    undo.remove();
    /** @param {number} made */
    const progress = (made) => (one("span", told).textContent = `${number(made)} of ${plural(count, "picture")} retried …`);
    const { done, problem } = await send("retry", portions, "retried", progress);
    told.remove();
    say(`${plural(done.length, "picture")} retried.`, problem, element("a", { class: "button", href: "/pictures?state=in_flight" }, "See what is in flight"));
  }, UNDO_MS);
  undo.addEventListener("click", () => {
    clearTimeout(timer);
    told.remove();
  });
}

async function discard() {
  const portions = portionsOf(chosen()).map((portion) => ({ ...portion, note: written("#note") }));
  if (!portions.length) return;
  const { done, problem } = await send("discard", portions, "discarded");
  const undo = element("button", { type: "button", class: "button" }, "Undo");
  const told = say(`${plural(done.length, "picture")} discarded.`, problem, ...(done.length ? [undo] : []));
  undo.addEventListener("click", async () => {
    told.remove();
    await reopen(done);
  });
}

/** @param {string[]} ids */
async function reopen(ids) {
  const { done, problem } = await send("reopen", portionsOf(ids), "reopened");
  say(`${plural(done.length, "picture")} open again.`, problem);
}

/** @param {string} text @param {string} problem @param {Node[]} controls */
function say(text, problem, ...controls) {
  const told = toast(problem ? `${text} ${problem}` : text, ...controls);
  setTimeout(() => told.remove(), TOLD_MS);
  return told;
}

/**
 * @typedef {object} Answer
 * @property {string[]} [retried] Nobody asks which these were.
 * @property {string[]} [discarded]
 * @property {string[]} [reopened]
 * @property {{ detail: string }[]} [refused]
 * @property {string | null} [next]
 * @property {string} [problem]
 */

/**
 * Sends portions one after another, and goes on while there is more; tells what was done, and the first problem.
 * @param {string} verb
 * @param {object[]} portions
 * @param {"retried" | "discarded" | "reopened"} of
 * @param {(count: number) => void} progress
 */
async function send(verb, portions, of, progress = () => {}) {
  /** @type {string[]} */
  const done = [];
  let problem = "";
  for (const portion of portions) {
    /** @type {object | null} */
    let body = portion;
    while (body) {
      const answer = await post(verb, body);
      done.push(...(answer[of] ?? []));
      progress(done.length);
      problem ||= answer.problem ?? (answer.refused?.length ? `${number(answer.refused.length)} refused: ${answer.refused[0].detail}` : "");
      body = answer.next ? { ...portion, after: answer.next } : null;
    }
  }
  for (const line of lines()) tick(line, false);
  show();
  return { done, problem };
}

/** @param {string} verb @param {object} body @returns {Promise<Answer>} */
async function post(verb, body) {
  try {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": uuid7() };
    const answer = await fetch(`/api/v1/failures/${verb}`, { method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.timeout(TIMEOUT_MS) });
    const told = await answer.json();
    return answer.ok ? told : { problem: told.detail };
  } catch {
    return { problem: "The service does not answer; try again in a moment." };
  }
}

function openPicture() {
  one("a.file", lines()[placeOf(here)]).click();
}

/** @type {Record<string, () => unknown>} */
const KEYS = {
  j: () => go(1), ArrowDown: () => go(1),
  k: () => go(-1), ArrowUp: () => go(-1),
  x: () => toggle(false), X: () => toggle(true),
  a: () => select(0, lines().length, !lines().every((line) => boxOf(line)?.checked ?? true)),
  r: () => form.dataset.state === "open" && retry(false),
  d: () => form.dataset.state === "open" && discard(),
  Enter: openPicture,
};

addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  if (!act || typing(event) || !lines().length) return;
  if (event.key === "Enter" && (placeOf(here) < 0 || around(event, "a, button"))) return;
  event.preventDefault();
  act();
  show();
});
form.addEventListener("click", (event) => {
  /** @type {HTMLInputElement | null} */
  const box = around(event, "input[type=checkbox]");
  const key = box?.closest("tr")?.dataset.key;
  if (!box || !key) return;
  if (event.shiftKey && placeOf(anchor) >= 0) select(placeOf(anchor), placeOf(key), box.checked);
  anchor = here = key;
  show();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const by = event.submitter?.id;
  if (by === "discard") discard();
  else if (by === "reopen") reopen(chosen());
  else retry(by === "retry-all");
});
addEventListener("renewed", show);
show();
