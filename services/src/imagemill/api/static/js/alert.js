// One alert: one large picture at a time, annotated first; a divider between before and after; printing.

import { all, around, one } from "./dom.js";
import { typing } from "./keys.js";

class Best {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.shown = this.buttons[0].dataset.show ?? "";
    root.addEventListener("click", (event) => this.show(around(event, "[data-show]")));
    root.addEventListener("input", () => this.cut());
    this.draw();
  }

  get buttons() {
    return all("[data-show]", this.root);
  }

  /** @param {HTMLElement | null | undefined} button */
  show(button) {
    if (!button) return;
    this.shown = button.dataset.show ?? "";
    for (const range of this.root.querySelectorAll("input")) range.value = "0";
    this.draw();
  }

  cut() {
    if (this.shown === "earlier") this.shown = "clean";
    this.draw();
  }

  /** Also after the page was renewed, which knows nothing of what somebody looks at. */
  draw() {
    const share = Number(this.root.querySelector("input")?.value ?? 0);
    this.root.classList.add("on");
    one(".controls", this.root).hidden = false;
    for (const figure of this.root.querySelectorAll("figure")) figure.classList.toggle("shown", figure.classList.contains(this.shown));
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.show === this.shown));
    this.root.querySelector(".earlier")?.classList.toggle("cutting", share > 0);
    this.root.style.setProperty("--cut", `${share}%`);
  }
}

/** @type {Best | null} */
let best = null;

function start() {
  /** @type {HTMLElement | null} */
  const root = document.querySelector(".best");
  if (root && root === best?.root) best.draw();
  else best = root && new Best(root);
}

addEventListener("keydown", (event) => {
  if (best && !typing(event) && /^[1-3]$/.test(event.key)) best.show(best.buttons[Number(event.key) - 1]);
});
document.addEventListener("click", (event) => around(event, "#print") && print());
addEventListener("renewed", start);
start();
