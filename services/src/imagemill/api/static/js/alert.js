// One alert: one large picture at a time, annotated first; a divider between before and after; printing.

import { typing } from "./keys.js";

class Best {
  constructor(root) {
    this.root = root;
    this.controls = root.querySelector(".controls");
    this.range = root.querySelector("input[type=range]");
    this.earlier = root.querySelector(".earlier");
    this.buttons = [...root.querySelectorAll("[data-show]")];
  }

  start() {
    this.root.classList.add("on");
    this.controls.hidden = false;
    for (const button of this.buttons) button.addEventListener("click", () => this.show(button.dataset.show));
    this.range?.addEventListener("input", () => this.cut());
    this.show(this.buttons[0].dataset.show);
  }

  show(name) {
    for (const figure of this.root.querySelectorAll("figure")) figure.classList.toggle("shown", figure.classList.contains(name));
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.show === name));
    this.earlier?.classList.remove("cutting");
    if (this.range) this.range.value = 0;
  }

  cut() {
    if (this.earlier.classList.contains("shown")) this.show("clean");
    const share = this.range.value;
    this.earlier.classList.toggle("cutting", share > 0);
    this.root.style.setProperty("--cut", `${share}%`);
  }

  key(key) {
    const button = this.buttons[Number(key) - 1];
    if (button) this.show(button.dataset.show);
  }
}

let best = null;

function start() {
  const root = document.querySelector(".best:not(.on)");
  if (!root) return;
  best = new Best(root);
  best.start();
}

addEventListener("keydown", (event) => {
  if (best && !typing(event) && /^[1-3]$/.test(event.key)) best.key(event.key);
});
document.addEventListener("click", (event) => event.target.closest("#print") && print());
addEventListener("renewed", start);
start();
