// The keys of the page, in a dialog: Escape closes it, and the focus is where it was.

import { element } from "./dom.js";
import { listed } from "./keys.js";

const TITLES = ["On this page", "Everywhere"];

/** @param {string} title @param {{ signs: string[], words: string }[]} lines */
function part(title, lines) {
  const rows = lines.map(({ signs, words }) =>
    element("div", {}, element("dt", {}, ...signs.map((sign) => element("kbd", {}, sign))), element("dd", {}, words)));
  return lines.length ? [element("h3", {}, title), element("dl", {}, ...rows)] : [];
}

export function show() {
  const close = element("button", { type: "button", class: "button" }, "Close");
  const dialog = element("dialog", { class: "keys-list", "aria-labelledby": "keys-title" },
    element("div", { class: "head" }, element("h2", { id: "keys-title" }, "Keys"), close),
    ...listed().flatMap((lines, index) => part(TITLES[index], lines)));
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => event.key === "?" && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
