// One alert: one large picture at a time, annotated first; before and after under a divider; seen, snoozed, taken back in place.

import { post, say } from "./asking.js";
import { all, around, element, one } from "./dom.js";
import { renew } from "./follow.js";
import { dueTime } from "./format.js";
import { bind } from "./keys.js";
import { rememberName, written } from "./names.js";
import { Strip, still } from "./strips.js";

const STEP = 2;

class Best {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.shown = this.buttons[0].dataset.show ?? "";
    this.share = 50;
    /** @type {Strip | null} */
    this.strip = null;
    root.addEventListener("click", (event) => this.show(around(event, "[data-show]")));
    root.addEventListener("input", () => this.divide(Number(this.range?.value)));
    root.addEventListener("pointerdown", (event) => around(event, ".divider") && this.drag(event));
    this.draw();
  }

  get buttons() {
    return all("[data-show]", this.root).filter((button) => !(still.matches && button.dataset.show === "moving"));
  }

  get range() {
    /** @type {HTMLInputElement | null} */
    const found = this.root.querySelector("input[type=range]");
    return found;
  }

  /** @param {HTMLElement | null | undefined} button */
  show(button) {
    if (!button) return;
    this.shown = button.dataset.show ?? "";
    this.strip?.stop();
    this.strip = null;
    this.draw();
    if (this.shown === "moving") this.play();
  }

  play() {
    const holder = one(".moving", this.root);
    this.strip = new Strip(holder, one("img", holder), false);
    this.strip.step();
  }

  /** @param {number} share */
  divide(share) {
    this.share = Math.min(100, Math.max(0, share));
    this.draw();
  }

  /** @param {PointerEvent} event */
  drag(event) {
    event.preventDefault();
    const divider = one(".divider", this.root);
    const box = one(".clean img", this.root).getBoundingClientRect();
    divider.setPointerCapture(event.pointerId);
    /** @param {PointerEvent} moved */
    const move = ({ clientX }) => this.divide((100 * (clientX - box.left)) / box.width);
    divider.addEventListener("pointermove", move);
    const end = () => divider.removeEventListener("pointermove", move);
    for (const kind of ["pointerup", "pointercancel"]) divider.addEventListener(kind, end, { once: true });
  }

  /** Also after the page was renewed, which knows nothing of what somebody looks at. */
  draw() {
    const { range, root, shown } = this;
    const comparing = shown === "compare";
    root.classList.add("on");
    root.classList.toggle("comparing", comparing);
    one(".controls", root).hidden = false;
    for (const figure of root.querySelectorAll("figure")) figure.classList.toggle("shown", figure.classList.contains(comparing ? "clean" : shown));
    for (const button of all("[data-show]", root)) {
      button.setAttribute("aria-pressed", String(button.dataset.show === shown));
      button.hidden = !this.buttons.includes(button);
    }
    if (!range) return;
    range.hidden = !comparing;
    range.value = String(this.share);
    range.setAttribute("aria-valuetext", `${Math.round(this.share)} % before`);
    root.style.setProperty("--cut", `${this.share}%`);
    root.classList.toggle("all-after", this.share < 10);
    root.classList.toggle("all-before", this.share > 90);
  }
}

/** @type {Best | null} */
let best = null;

function start() {
  /** @type {HTMLElement | null} */
  const root = document.querySelector(".best");
  if (root && root === best?.root) best.draw();
  else best = root && new Best(root);
  /** @type {HTMLFormElement | null} */
  const form = document.querySelector("#see");
  if (form) rememberName(form);
  /** @type {HTMLInputElement | null} */
  const zone = document.querySelector("#snooze [name=timezone]");
  if (zone) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || zone.value;
}

// --- what somebody does, in place ---------------------------------------------------------------

const number = () => one("#region").dataset.number ?? "";

/** @type {HTMLElement | null} What was done before cannot be undone any more when something else was done since. */
let last = null;

/** @param {string} text @param {any} answer @param {(() => unknown) | null} revert */
async function told(text, answer, revert) {
  const undo = element("button", { type: "button", class: "button" }, "Undo");
  const shown = say(answer.problem ? "" : text, answer.problem ?? "", ...(revert && !answer.problem ? [undo] : []));
  last?.remove();
  last = shown;
  undo.addEventListener("click", () => {
    shown.remove();
    revert?.();
  });
  await renew();
}

/** @param {HTMLFormElement} form */
async function see(form) {
  const answer = await post(`/api/v1/alerts/${number()}/acknowledge`, { by: written("by", form), note: written("note", form) });
  await told(`Alert ${number()} is acknowledged.`, answer, takeBack);
}

async function takeBack() {
  await told(`Alert ${number()} is new again.`, await post(`/api/v1/alerts/${number()}/acknowledge`, {}, "DELETE"), null);
}

/** @type {Record<string, object>} */
const LENGTHS = { quarter: { seconds: 900 }, hour: { seconds: 3600 }, morning: { until: "morning" } };

/** @param {HTMLFormElement} form @param {string} length */
async function snooze(form, length) {
  /** @type {HTMLSelectElement} */
  const { value: rule } = one("[name=rule]", form);
  const about = rule ? { rule } : { camera: one("#region").dataset.camera };
  /** @type {{ id: string, until: string, camera: string | null, replaced: { until: string }[], problem?: string }} */
  const made = await post("/api/v1/snoozes", { ...LENGTHS[length], ...about, timezone: written("timezone", form) });
  const what = rule ? `Rule ${rule}` : `Camera ${made.camera}`;
  await told(`${what} is quiet until ${made.until && dueTime(made.until)}.`, made, () => endSnooze(made.id, about, made.replaced));
}

/** @param {string} id @param {object} about @param {{ until: string }[]} replaced What it had taken the place of comes back. */
async function endSnooze(id, about = {}, replaced = []) {
  let answer = await post(`/api/v1/snoozes/${encodeURIComponent(id)}`, {}, "DELETE");
  const seconds = replaced.length ? (Date.parse(replaced[0].until) - Date.now()) / 1000 : 0;
  if (!answer.problem && seconds > 1) answer = await post("/api/v1/snoozes", { ...about, seconds });
  await told(seconds > 1 ? `The snooze before it lasts until ${dueTime(replaced[0].until)}.` : "The snooze is ended.", answer, null);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  const by = event.submitter instanceof HTMLButtonElement ? event.submitter.value : "";
  if (form.id === "see") see(form);
  else if (form.id === "take-back") takeBack();
  else if (form.id === "snooze") snooze(form, by in LENGTHS ? by : "hour");
  else if (form.dataset.snooze) endSnooze(form.dataset.snooze);
  else return;
  event.preventDefault();
});

const player = () => best?.buttons.find((button) => button.dataset.show === "moving");
bind(["p"], "Play the small pictures", () => best?.show(player()), () => Boolean(player()));
bind(["ArrowLeft", "ArrowRight"], "Move the divider", (key) => best?.divide(best.share + (key === "ArrowLeft" ? -STEP : STEP)), (event) => best?.shown === "compare" && !(event && around(event, "input")));
document.addEventListener("click", (event) => around(event, "#print") && print());
addEventListener("renewed", start);
start();
