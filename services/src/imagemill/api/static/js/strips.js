// The pictures of an event play where somebody points at a card, focuses it or is there with the keys; once, then it rests.

import { all } from "./dom.js";

const FRAME_MS = 220;
export const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Strip {
  /** @param {HTMLElement} holder @param {HTMLImageElement} image @param {boolean} returns To the picture that was there. */
  constructor(holder, image, returns = true) {
    this.image = image;
    this.rest = returns ? image.src : "";
    this.frames = (holder.dataset.strip ?? "").split(" ");
    this.place = -1;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** The next picture is shown once it is there: one that is slow is not passed over. */
  async step() {
    this.place += 1;
    if (this.place >= this.frames.length) return this.stop();
    const place = this.place;
    const next = new Image();
    next.src = this.frames[place];
    await next.decode().catch(() => {});
    if (this.place !== place) return undefined;
    this.image.src = next.src;
    this.timer = setTimeout(() => this.step(), FRAME_MS);
    return undefined;
  }

  stop() {
    clearTimeout(this.timer);
    this.place = this.frames.length;
    if (this.rest) this.image.src = this.rest;
  }
}

/** @type {Strip | null} */
let playing = null;
/** @type {Element | null} */
let at = null;

/** @param {Element | null} card */
function play(card) {
  if (card === at) return;
  at = card;
  playing?.stop();
  playing = null;
  /** @type {HTMLElement | null | undefined} */
  const thumb = card?.querySelector("[data-strip]");
  const image = thumb?.querySelector("img");
  if (!thumb || !image || still.matches) return;
  playing = new Strip(thumb, image);
  playing.step();
}

/** @param {EventTarget | null} target */
const cardOf = (target) => (target instanceof Element ? target.closest(".card") : null);
document.addEventListener("pointerover", ({ target, pointerType }) => pointerType === "mouse" && play(cardOf(target)));
document.addEventListener("focusin", ({ target }) => play(cardOf(target)));
document.addEventListener("focusout", () => play(null));
// Where one is with the keys.
addEventListener("keyup", ({ key }) => {
  if ("jkArrowUpArrowDown".includes(key)) play(all(".card.here")[0] ?? null);
});
still.addEventListener("change", () => play(null));
