// Failures: select with the mouse or the keyboard, retry or discard with one key; both can be undone.

import { element, toast } from "./dom.js";
import { number, plural } from "./format.js";
import { uuid7 } from "./ids.js";
import { typing } from "./keys.js";

const UNDO_MS = 5000;
const TOLD_MS = 8000;
const AT_ONCE = 500;
const TIMEOUT_MS = 60_000;
const form = document.getElementById("failures");
// Keys of lines, not their places: lines come in above while somebody selects.
let here = null;
let anchor = null;

const lines = () => [...form.querySelectorAll("#failed-rows tr")];
const placeOf = (key) => lines().findIndex((line) => line.dataset.key === key);
const boxOf = (line) => line.querySelector("input");
const selected = () => lines().filter((line) => boxOf(line)?.checked);
const chosen = () => (selected().length ? selected() : lines().filter((line) => line.dataset.key === here)).map((line) => line.dataset.key);

function show() {
  lines().forEach((line) => line.classList.toggle("here", line.dataset.key === here));
  const count = selected().length;
  const told = document.getElementById("selected");
  if (told) told.textContent = count ? `${plural(count, "picture")} selected` : "";
  for (const id of ["retry", "discard", "reopen"]) {
    const button = document.getElementById(id);
    if (button) button.disabled = !count && placeOf(here) < 0;
  }
}

function select(from, to, value) {
  for (const line of lines().slice(Math.min(from, to), Math.max(from, to) + 1)) if (boxOf(line)) boxOf(line).checked = value;
}

function go(step) {
  const line = lines()[Math.max(0, Math.min(lines().length - 1, placeOf(here) + step))];
  here = line?.dataset.key ?? null;
  line?.scrollIntoView({ block: "nearest" });
}

function toggle(range) {
  const place = placeOf(here);
  if (place < 0 || !boxOf(lines()[place])) return;
  const from = placeOf(anchor);
  select(range && from >= 0 ? from : place, place, !boxOf(lines()[place]).checked);
  anchor = here;
}

/** The failures that are meant: those chosen, in portions which the service takes, or all that match. */
function meant(all) {
  if (all) {
    const filters = [...form.querySelectorAll("[data-filter]")].map((field) => [field.name, field.value]);
    return [{ matching: Object.fromEntries(filters) }];
  }
  const ids = chosen();
  return Array.from({ length: Math.ceil(ids.length / AT_ONCE) }, (_, index) => ({ images: ids.slice(index * AT_ONCE, (index + 1) * AT_ONCE) }));
}

function retry(all) {
  const count = all ? Number(document.getElementById("retry-all").dataset.count) : chosen().length;
  if (!count) return;
  const recipe = document.getElementById("with").value;
  const portions = meant(all).map((portion) => (recipe ? { ...portion, recipe } : portion));
  const undo = element("button", { type: "button", class: "button" }, "Undo");
  const told = toast(`${plural(count, "picture")} will be retried${recipe ? ` with ${recipe}` : ""} in ${UNDO_MS / 1000} s.`, undo);
  const timer = setTimeout(async () => {
    undo.remove();
    const progress = (made) => (told.firstChild.textContent = `${number(made)} of ${plural(count, "picture")} retried …`);
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
  const portions = meant(false).map((portion) => ({ ...portion, note: document.getElementById("note").value }));
  if (!portions.length) return;
  const { done, problem } = await send("discard", portions, "discarded");
  const undo = element("button", { type: "button", class: "button" }, "Undo");
  const told = say(`${plural(done.length, "picture")} discarded.`, problem, ...(done.length ? [undo] : []));
  undo.addEventListener("click", async () => {
    told.remove();
    await reopen(done);
  });
}

async function reopen(ids) {
  const portions = Array.from({ length: Math.ceil(ids.length / AT_ONCE) }, (_, index) => ({ images: ids.slice(index * AT_ONCE, (index + 1) * AT_ONCE) }));
  const { done, problem } = await send("reopen", portions, "reopened");
  say(`${plural(done.length, "picture")} open again.`, problem);
}

function say(text, problem, ...controls) {
  const told = toast(problem ? `${text} ${problem}` : text, ...controls);
  setTimeout(() => told.remove(), TOLD_MS);
  return told;
}

/** Sends portions one after another, and goes on while there is more; tells what was done, and the first problem. */
async function send(verb, portions, of, progress = () => {}) {
  const done = [];
  let problem = "";
  for (const portion of portions) {
    let body = portion;
    while (body) {
      const answer = await post(verb, body);
      done.push(...(answer[of] ?? []));
      progress(done.length);
      problem ||= answer.problem ?? (answer.refused?.length ? `${number(answer.refused.length)} refused: ${answer.refused[0].detail}` : "");
      body = answer.next ? { ...portion, after: answer.next } : null;
    }
  }
  for (const line of lines()) if (boxOf(line)) boxOf(line).checked = false;
  show();
  return { done, problem };
}

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

const KEYS = {
  j: () => go(1), ArrowDown: () => go(1),
  k: () => go(-1), ArrowUp: () => go(-1),
  x: () => toggle(false), X: () => toggle(true),
  a: () => select(0, lines().length, !lines().every((line) => !boxOf(line) || boxOf(line).checked)),
  r: () => form.dataset.state === "open" && retry(false),
  d: () => form.dataset.state === "open" && discard(),
  Enter: () => lines()[placeOf(here)]?.querySelector("a.file").click(),
};

addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  if (!act || typing(event) || !lines().length) return;
  if (event.key === "Enter" && (placeOf(here) < 0 || event.target.closest("a, button"))) return;
  event.preventDefault();
  act();
  show();
});
form.addEventListener("click", (event) => {
  if (event.target.type !== "checkbox") return;
  const { key } = event.target.closest("tr").dataset;
  if (event.shiftKey && placeOf(anchor) >= 0) select(placeOf(anchor), placeOf(key), event.target.checked);
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
