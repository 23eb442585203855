// Pictures as a list to work with: select with the mouse or the keyboard, erase, make with another recipe, download.

import { portionsOf, say, send } from "./asking.js";
import { all, element, one } from "./dom.js";
import { plural } from "./format.js";
import { Selection } from "./selection.js";

/** @type {HTMLFormElement} */
const form = one("#pictures");
const selection = new Selection(form, "#cards > [data-key]", show);

/** @param {number} count */
function show(count) {
  one("#selected").textContent = count ? `${plural(count, "picture")} selected` : "";
  form.classList.toggle("selecting", count > 0);
  /** @type {HTMLButtonElement[]} */
  const buttons = all("button[data-acts]", form);
  for (const button of buttons) button.disabled = !count && !form.querySelector("#cards > .here");
}

async function erase() {
  const ids = selection.chosen();
  if (!ids.length) return;
  /** @type {{ done: { id: string, state: string }[], problem: string }} */
  const { done, problem } = await send("/api/v1/erasures", portionsOf(ids), (answer) => answer.erased);
  selection.clear();
  const undo = element("button", { type: "button", class: "button" }, "Undo");
  const told = say(`${plural(done.length, "picture")} erased.`, problem, ...(done.length ? [undo] : []));
  undo.addEventListener("click", async () => {
    told.remove();
    /** @type {{ done: string[], problem: string }} */
    const back = await send("/api/v1/erasures/undo", portionsOf(done.map(({ id }) => id)), (answer) => answer.undone);
    say(`${plural(back.done.length, "picture")} shown again.`, back.problem);
  });
}

async function makeAgain() {
  const ids = selection.chosen();
  /** @type {HTMLSelectElement} */
  const { value: recipe } = one("#recipe", form);
  if (!ids.length) return;
  const portions = portionsOf(ids).map((portion) => ({ ...portion, recipe }));
  const { done, problem } = await send("/api/v1/images/again", portions, (answer) => answer.made);
  selection.clear();
  say(`${plural(done.length, "picture")} on the way with ${recipe}.`, problem);
}

form.addEventListener("submit", (event) => {
  const by = event.submitter?.id;
  // A line on which one only stands has no ticked box.
  if (by === "zip" && !selection.selected().length) selection.toggle(false);
  if (by === "zip") return;
  event.preventDefault();
  if (by === "erase") erase();
  else makeAgain();
});
