// Failures: select with the mouse or the keyboard, retry or discard with one key; both can be undone.

import { portionsOf, say, send } from "./asking.js";
import { all, element, one, toast } from "./dom.js";
import { number, plural } from "./format.js";
import { Selection } from "./selection.js";

const UNDO_MS = 5000;
/** @type {HTMLFormElement} */
const form = one("#failures");
const selection = new Selection(form, "#failed-rows tr", show);

/** What is in a field of the form. @param {string} selector */
function written(selector) {
  /** @type {HTMLInputElement | HTMLSelectElement} */
  const field = one(selector, form);
  return field.value;
}

/** @this {Selection | void} @param {number} count */
function show(count) {
  const told = document.getElementById("selected");
  if (told) told.textContent = count ? `${plural(count, "picture")} selected` : "";
  const isAny = count > 0 || form.querySelector("tr.here") !== null;
  for (const id of ["retry", "discard", "reopen"]) {
    /** @type {HTMLButtonElement | null} */
    const button = form.querySelector(`#${id}`);
    if (button) button.disabled = !isAny;
  }
}

/** All that match. @returns {object[]} */
function matching() {
  /** @type {HTMLInputElement[]} */
  const filters = all("[data-filter]", form);
  return [{ matching: Object.fromEntries(filters.map((field) => [field.name, field.value])) }];
}

/** @param {string} verb @param {object[]} portions @param {"retried" | "discarded" | "reopened"} of @param {(count: number) => void} [progress] */
async function ask(verb, portions, of, progress) {
  /** @type {{ done: string[], problem: string }} Nobody asks which of them were retried. */
  const answer = await send(`/api/v1/failures/${verb}`, portions, (told) => told[of], progress);
  selection.clear();
  return answer;
}

/** @param {boolean} isAll */
function retry(isAll) {
  const chosen = selection.chosen();
  const count = isAll ? Number(one("#retry-all").dataset.count) : chosen.length;
  if (!count) return;
  const recipe = written("#with");
  const portions = (isAll ? matching() : portionsOf(chosen)).map((portion) => (recipe ? { ...portion, recipe } : portion));
  const undo = element("button", { type: "button", class: "button" }, "Undo");
  const told = toast(`${plural(count, "picture")} will be retried${recipe ? ` with ${recipe}` : ""} in ${UNDO_MS / 1000} s.`, undo);
  const timer = setTimeout(async () => {
    undo.remove();
    /** @param {number} made */
    const progress = (made) => (one("span", told).textContent = `${number(made)} of ${plural(count, "picture")} retried …`);
    const { done, problem } = await ask("retry", portions, "retried", progress);
    told.remove();
    say(`${plural(done.length, "picture")} retried.`, problem, element("a", { class: "button", href: "/pictures?state=in_flight" }, "See what is in flight"));
  }, UNDO_MS);
  undo.addEventListener("click", () => {
    clearTimeout(timer);
    told.remove();
  });
}

async function discard() {
  const portions = portionsOf(selection.chosen()).map((portion) => ({ ...portion, note: written("#note") }));
  if (!portions.length) return;
  const { done, problem } = await ask("discard", portions, "discarded");
  const undo = element("button", { type: "button", class: "button" }, "Undo");
  const told = say(`${plural(done.length, "picture")} discarded.`, problem, ...(done.length ? [undo] : []));
  undo.addEventListener("click", async () => {
    told.remove();
    await reopen(done);
  });
}

/** @param {string[]} ids */
async function reopen(ids) {
  const { done, problem } = await ask("reopen", portionsOf(ids), "reopened");
  say(`${plural(done.length, "picture")} open again.`, problem);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const by = event.submitter?.id;
  if (by === "discard") discard();
  else if (by === "reopen") reopen(selection.chosen());
  else retry(by === "retry-all");
});
