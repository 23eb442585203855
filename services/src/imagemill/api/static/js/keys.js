// Every key of the page. What is bound here, or stands at a link or button as `aria-keyshortcuts`, works, and `?` lists it:
// there is no other list. `g` and a letter goes to a section. Never while something is typed.

import { all, around, one } from "./dom.js";

const GO_MS = 1500;
/** As `aria-keyshortcuts` calls a key, as events call it, and as it is shown. */
const NAMES = new Map([["Space", " "]]);
const SIGNS = new Map([[" ", "Space"], ["ArrowUp", "↑"], ["ArrowDown", "↓"], ["ArrowLeft", "←"], ["ArrowRight", "→"], ["X", "Shift x"]]);
/** @typedef {{ keys: string[], words: string, act: (key: string) => unknown, isOn: (event?: KeyboardEvent) => boolean }} Binding */
/** @type {Binding[]} */
const bindings = [];
let goUntil = 0;

/**
 * What a page does with keys.
 * @param {string[]} keys As events call them.
 * @param {string} words What they do, for the list.
 * @param {Binding["act"]} act
 * @param {Binding["isOn"]} [isOn] Asked with the event before something is done, and without when they are listed.
 */
export function bind(keys, words, act, isOn = () => true) {
  bindings.push({ keys, words, act, isOn });
}

/** @param {KeyboardEvent} event */
export function typing(event) {
  const at = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return true;
  if (!(at instanceof HTMLElement)) return false;
  if (at instanceof HTMLInputElement) return !["checkbox", "radio", "button", "file", "range"].includes(at.type);
  return at.isContentEditable || at instanceof HTMLTextAreaElement || at instanceof HTMLSelectElement;
}

/** Links, buttons and fields that have a key, as far as they can be seen. */
const marked = () => all("[aria-keyshortcuts]").filter((element) => element.getClientRects().length > 0);
/** @param {Element} element */
const keyOf = (element) => {
  const name = element.getAttribute("aria-keyshortcuts") ?? "";
  return NAMES.get(name) ?? name;
};
/** @param {HTMLElement} element */
const wordsOf = (element) => {
  const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : element.textContent;
  return (element.dataset.does ?? element.getAttribute("aria-label") ?? label ?? "").trim();
};
/** @returns {HTMLElement[]} */
const sections = () => all(".rail [data-key]");

/** What each key does now: those of this page, then those of all pages. @returns {{ signs: string[], words: string }[][]} */
export function listed() {
  const everywhere = marked().filter((element) => element.closest(".top, .below, .account"));
  const here = marked().filter((element) => !everywhere.includes(element));
  /** @param {HTMLElement} element */
  const line = (element) => ({ signs: [sign(keyOf(element))], words: wordsOf(element) });
  return [
    [...bindings.filter(({ isOn }) => isOn()).map(({ keys, words }) => ({ signs: keys.map(sign), words })), ...here.map(line)],
    [...everywhere.map(line), ...sections().map((link) => ({ signs: [`g ${link.dataset.key}`], words: one("span", link).textContent }))],
  ];
}

/** @param {string} key */
const sign = (key) => SIGNS.get(key) ?? key;

/** @param {KeyboardEvent} event Whether something was done. */
function press(event) {
  const { key } = event;
  if (event.timeStamp < goUntil) {
    goUntil = 0;
    const link = sections().find((section) => section.dataset.key === key);
    link?.click();
    return Boolean(link);
  }
  if (key === "g") goUntil = event.timeStamp + GO_MS;
  if (key === " " && around(event, "a, button, input, summary")) return false;
  if (key === "Enter" && around(event, "a, button, summary")) return false;
  const binding = bindings.find(({ keys, isOn }) => keys.includes(key) && isOn(event));
  const element = marked().find((candidate) => keyOf(candidate) === key);
  if (binding) binding.act(key);
  else if (element instanceof HTMLInputElement) element.select();
  else element?.click();
  return Boolean(binding || element);
}

addEventListener("keydown", (event) => {
  if (event.key === "Escape") around(event, "#finder")?.blur();
  if (typing(event) || document.querySelector("dialog[open]") || !press(event)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, { capture: true });

document.addEventListener("click", (event) => {
  if (around(event, "[data-keys]")) import("./keyslist.js").then(({ show }) => show());
});
