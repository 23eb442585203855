// One picture: before and after under a divider, zoom to the pixel, and its way while it is in flight.

import { on } from "./live.js";
import { all, around, element, one } from "./dom.js";
import { renew } from "./follow.js";
import { bind } from "./keys.js";
import { offerTrials } from "./trial.js";

const ZOOMS = ["fit", "1", "4", "8"];
const STEP = 0.02;

class Compare {
  /**
   * @param {HTMLElement} root
   * @param {HTMLImageElement} before
   */
  constructor(root, before) {
    this.root = root;
    this.before = before;
    this.stage = one(".stage", root);
    /** @type {HTMLInputElement} */
    this.range = one("input[type=range]", root);
    this.sized = element("div", { class: "sized" });
    this.divider = element("div", { class: "divider" });
    this.width = 1;
    this.height = 1;
    this.zoom = "fit";
    this.share = 0.5; // Of what can be seen, so that the divider never leaves the view.
  }

  start() {
    this.sized.append(...this.stage.querySelectorAll("figure"), this.divider);
    this.stage.append(this.sized);
    this.root.classList.add("on");
    one(".controls", this.root).hidden = false;
    this.listen();
    this.draw();
  }

  listen() {
    this.range.addEventListener("input", () => this.divide(Number(this.range.value) / 100));
    for (const button of all("[data-zoom]", this.root)) {
      button.addEventListener("click", () => this.zoomTo(button.dataset.zoom ?? "fit"));
    }
    this.stage.addEventListener("scroll", () => this.drawDivider(), { passive: true });
    this.stage.addEventListener("dblclick", (event) => this.zoomTo(this.zoom === "fit" ? "1" : "fit", event));
    this.divider.addEventListener("pointerdown", (event) => this.drag(event));
    new ResizeObserver(() => this.draw()).observe(this.stage);
  }

  /** @param {number} steps */
  zoomBy(steps) {
    const place = ZOOMS.indexOf(this.zoom) + steps;
    this.zoomTo(ZOOMS[Math.min(Math.max(place, 0), ZOOMS.length - 1)]);
  }

  /** @param {PointerEvent} event */
  drag(event) {
    event.preventDefault();
    this.divider.setPointerCapture(event.pointerId);
    /** @param {PointerEvent} moved */
    const move = ({ clientX }) => {
      const left = Math.max(this.sized.getBoundingClientRect().left, this.stage.getBoundingClientRect().left);
      this.divide((clientX - left) / this.visible());
    };
    this.divider.addEventListener("pointermove", move);
    const end = () => this.divider.removeEventListener("pointermove", move);
    for (const kind of ["pointerup", "pointercancel"]) this.divider.addEventListener(kind, end, { once: true });
  }

  scale() {
    if (this.zoom !== "fit") return Number(this.zoom) / devicePixelRatio;
    const high = innerHeight - 220;
    return Math.min(1, this.stage.clientWidth / this.before.naturalWidth, high / this.before.naturalHeight);
  }

  visible() {
    return Math.min(this.stage.clientWidth, this.width);
  }

  /**
   * What one looks at stays where it is: what is in the middle, or where somebody points.
   * @param {string} zoom One of ZOOMS.
   * @param {{ clientX: number, clientY: number }} [at]
   */
  zoomTo(zoom, at) {
    const { stage } = this;
    const view = stage.getBoundingClientRect();
    const [x, y] = at ? [at.clientX - view.left, at.clientY - view.top] : [stage.clientWidth / 2, stage.clientHeight / 2];
    const before = this.sized.getBoundingClientRect();
    const [left, top] = [(view.left + x - before.left) / this.width, (view.top + y - before.top) / this.height];
    this.zoom = zoom;
    this.draw();
    stage.scrollTo(left * this.width - x, top * this.height - y);
    for (const button of all("[data-zoom]", this.root)) {
      button.setAttribute("aria-pressed", String(button.dataset.zoom === zoom));
    }
  }

  draw() {
    const scale = this.scale();
    this.width = Math.max(1, Math.round(this.before.naturalWidth * scale));
    this.height = Math.max(1, Math.round(this.before.naturalHeight * scale));
    this.sized.style.width = `${this.width}px`;
    this.sized.style.height = `${this.height}px`;
    this.sized.classList.toggle("pixels", scale >= 2);
    this.drawDivider();
  }

  /** @param {number} share */
  divide(share) {
    this.share = Math.min(1, Math.max(0, share));
    this.range.value = String(this.share * 100);
    this.range.setAttribute("aria-valuetext", `${Math.round(this.share * 100)} % original`);
    this.drawDivider();
  }

  drawDivider() {
    const cut = (this.stage.scrollLeft + this.share * this.visible()) / this.width;
    this.sized.style.setProperty("--cut", `${+(100 * Math.min(1, cut)).toFixed(3)}%`);
  }
}

/** @type {Compare | null} */
let compare = null;
const region = one("#region");
const inFlight = () => region.dataset.status === "accepted";
let reading = false;
let stale = false;

/** A picture that cannot be shown: both stay side by side. */
async function startCompare() {
  /** @type {HTMLElement | null} */
  const root = region.querySelector(".compare:not(.on)");
  /** @type {HTMLImageElement | null | undefined} */
  const before = root?.querySelector(".before img");
  /** @type {HTMLImageElement | null | undefined} */
  const after = root?.querySelector(".after img");
  if (!root || !before || !after) return;
  try {
    await Promise.all([before.decode(), after.decode()]);
  } catch {
    return;
  }
  compare = new Compare(root, before);
  compare.start();
}

/** @param {string} step */
function mark(step) {
  const item = region.querySelector(`#trace [data-step="${step}"].to-come`);
  if (!item) return;
  item.classList.remove("to-come");
  one(".quiet", item).textContent = "just now";
}

/** One answer at a time: one that is late must not bring back the past, nor a result be shown twice. */
async function readAgain() {
  stale = true;
  if (reading) return;
  reading = true;
  while (stale && inFlight()) {
    stale = false;
    await renew(region);
  }
  reading = false;
}

on("activity", (data) => data.image === region.dataset.image && mark(data.kind));
on("outcome", (data) => data.id === region.dataset.image && readAgain());
on("lost", readAgain);
const isThere = () => compare !== null && compare.root.isConnected;
/** At a field or a slider arrows are its own. @param {KeyboardEvent} [event] */
const isFree = (event) => isThere() && compare?.zoom === "fit" && !(event && around(event, "input"));
bind(["+", "="], "Zoom in", () => compare?.zoomBy(1), isThere);
bind(["-"], "Zoom out", () => compare?.zoomBy(-1), isThere);
bind(["0"], "All of the picture", () => compare?.zoomTo("fit"), isThere);
bind(["ArrowLeft", "ArrowRight"], "Move the divider between original and result", (key) => {
  compare?.divide(compare.share + (key === "ArrowLeft" ? -STEP : STEP));
}, isFree);
addEventListener("renewed", startCompare);
offerTrials(region.dataset.image ?? "");
startCompare();
