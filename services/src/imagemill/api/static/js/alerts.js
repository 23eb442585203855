// Alerts as a list to work through: select with the mouse or the keyboard, acknowledge what is selected, take it back.

import { post, say } from "./asking.js";
import { element } from "./dom.js";
import { plural } from "./format.js";
import { rememberName, written } from "./names.js";
import { Selection } from "./selection.js";
import "./strips.js";

const MOST_AT_ONCE = 500;
/** @type {HTMLFormElement | null} */
const form = document.querySelector("#alerts");
/** @type {HTMLInputElement | null} */
const zone = document.querySelector("[name=timezone][data-guess]");
if (zone) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || zone.value;

/** @param {HTMLFormElement} list */
function start(list) {
  const selection = new Selection(list, "#cards > [data-key]", show);

  /** @param {number} count */
  function show(count) {
    const told = document.getElementById("selected");
    if (told) told.textContent = count ? `${plural(count, "alert")} selected` : "";
    list.classList.toggle("selecting", count > 0);
    /** @type {HTMLButtonElement | null} */
    const button = list.querySelector("#acknowledge");
    if (button) button.disabled = !count && !list.querySelector("#cards > .here");
  }

  async function acknowledge() {
    const numbers = selection.chosen().map(Number).slice(0, MOST_AT_ONCE);
    if (!numbers.length) return;
    /** @type {{ acknowledged?: number[], already?: number[], problem?: string }} */
    const answer = await post("/api/v1/alerts/acknowledge", { numbers, by: written("by", list), note: written("note", list) });
    if (!answer.problem) selection.clear();
    const done = answer.acknowledged ?? [];
    const before = answer.already?.length ? ` ${plural(answer.already.length, "was", "were")} already.` : "";
    offerUndo(`${plural(done.length, "alert")} acknowledged.${before}`, answer.problem ?? "", done);
  }

  list.addEventListener("submit", (event) => {
    event.preventDefault();
    acknowledge();
  });
  rememberName(list);
}

/** @param {string} text @param {string} problem @param {number[]} numbers */
function offerUndo(text, problem, numbers) {
  const undo = element("button", { type: "button", class: "button" }, "Undo");
  const told = say(problem ? "" : text, problem, ...(numbers.length ? [undo] : []));
  undo.addEventListener("click", async () => {
    told.remove();
    /** @type {{ new?: number[], problem?: string }} */
    const back = await post("/api/v1/alerts/unacknowledge", { numbers });
    say(back.problem ? "" : `${plural(back.new?.length ?? 0, "alert")} new again.`, back.problem ?? "");
  });
}

if (form) start(form);
