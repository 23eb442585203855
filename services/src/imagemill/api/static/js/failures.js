// Failures: select with the mouse or the keyboard, retry with one key; until it is sent it can be undone.

import { element, toast } from "./dom.js";
import { plural } from "./format.js";
import { uuid7 } from "./ids.js";
import { typing } from "./keys.js";

const UNDO_MS = 5000;
const AT_ONCE = 3;
const TIMEOUT_MS = 30_000;
const form = document.getElementById("failures");
const retried = new Map();
const keys = new Map();
// Keys of lines, not their places: lines come in above while somebody selects.
let here = null;
let anchor = null;

const lines = () => [...form.querySelectorAll("#failed-rows tr")];
const placeOf = (key) => lines().findIndex((line) => line.dataset.key === key);
const boxOf = (line) => line.querySelector("input");
const selected = () => lines().filter((line) => boxOf(line).checked && !boxOf(line).disabled);

function show() {
  lines().forEach((line) => {
    line.classList.toggle("here", line.dataset.key === here);
    showRetried(line);
  });
  const count = selected().length;
  const told = document.getElementById("selected");
  if (told) told.textContent = count ? `${plural(count, "picture")} selected` : "";
  const button = document.getElementById("retry");
  if (button) button.disabled = !count && placeOf(here) < 0;
}

function showRetried(line) {
  const id = retried.get(line.dataset.key);
  if (!id || line.querySelector(".retried")) return;
  boxOf(line).checked = false;
  boxOf(line).disabled = true;
  line.querySelector(".with-thumb > span").append(
    element("a", { class: "retried", href: `/pictures/${id}` }, "retried: see the new picture"));
}

function select(from, to, value) {
  lines().slice(Math.min(from, to), Math.max(from, to) + 1).forEach((line) => {
    if (!boxOf(line).disabled) boxOf(line).checked = value;
  });
}

function go(step) {
  const line = lines()[Math.max(0, Math.min(lines().length - 1, placeOf(here) + step))];
  here = line?.dataset.key ?? null;
  line?.scrollIntoView({ block: "nearest" });
}

function toggle(range) {
  const place = placeOf(here);
  if (place < 0) return;
  const from = placeOf(anchor);
  select(range && from >= 0 ? from : place, place, !boxOf(lines()[place]).checked);
  anchor = here;
}

function retry() {
  const chosen = selected().length ? selected() : lines().filter((line) => line.dataset.key === here && !boxOf(line).disabled);
  if (!chosen.length) return;
  const ids = chosen.map((line) => line.dataset.key);
  const undo = element("button", { type: "button", class: "button" }, "Undo");
  const told = toast(`${plural(ids.length, "picture")} will be retried in ${UNDO_MS / 1000} s.`, undo);
  const timer = setTimeout(() => {
    told.remove();
    send(ids);
  }, UNDO_MS);
  undo.addEventListener("click", () => {
    clearTimeout(timer);
    told.remove();
  });
}

async function send(ids) {
  const queue = [...ids];
  const problems = [];
  const work = async () => {
    for (let id = queue.shift(); id; id = queue.shift()) {
      const problem = await retryOne(id);
      if (problem) problems.push(problem);
      show();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const done = ids.length - problems.length;
  const text = problems.length ? `${done} of ${ids.length} retried. ${problems[0]}` : `${plural(done, "picture")} retried.`;
  const told = toast(text, element("a", { class: "button", href: "/pictures?state=in_flight" }, "See what is in flight"));
  setTimeout(() => told.remove(), 8000);
}

async function retryOne(id) {
  try {
    if (!keys.has(id)) keys.set(id, uuid7());
    const headers = { "Idempotency-Key": keys.get(id) };
    const answer = await fetch(`/api/v1/images/${id}/retry`, { method: "POST", headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body = await answer.json();
    if (!answer.ok) return body.detail;
    retried.set(id, body.id);
    return null;
  } catch {
    return "The service does not answer; try again in a moment.";
  }
}

const KEYS = {
  j: () => go(1), ArrowDown: () => go(1),
  k: () => go(-1), ArrowUp: () => go(-1),
  x: () => toggle(false), X: () => toggle(true),
  a: () => select(0, lines().length, !lines().every((line) => boxOf(line).checked)),
  r: retry,
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
  retry();
});
addEventListener("renewed", show);
show();
