// `g` and a letter goes to a section, `/` to the finder. Never while something is typed.

import { around } from "./dom.js";

const GO_MS = 1500;
/** @type {HTMLInputElement | null} Not there for those who may not look. */
const finder = document.querySelector("#finder");
let goUntil = 0;

/** @param {KeyboardEvent} event */
export function typing(event) {
  const at = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return true;
  if (!(at instanceof HTMLElement)) return false;
  if (at instanceof HTMLInputElement) return !["checkbox", "radio", "button", "file", "range"].includes(at.type);
  return at.isContentEditable || at instanceof HTMLTextAreaElement || at instanceof HTMLSelectElement;
}

addEventListener("keydown", (event) => {
  if (event.key === "Escape") around(event, "#finder")?.blur();
  if (typing(event)) return;
  if (event.timeStamp < goUntil) {
    goUntil = 0;
    /** @type {HTMLElement | null} */
    const link = document.querySelector(`.rail [data-key="${CSS.escape(event.key)}"]`);
    if (!link) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    link.click();
  } else if (event.key === "g") {
    goUntil = event.timeStamp + GO_MS;
  } else if (event.key === "/") {
    event.preventDefault();
    finder?.select();
  }
}, { capture: true });
