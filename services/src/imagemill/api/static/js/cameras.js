// Live pictures at most once a second, and only those that are seen; how the cameras are, every five seconds.

import { number } from "./format.js";
import { all, element, one } from "./dom.js";

const EVERY_MS = 1000;
const AGAIN_MS = 5000;
const TIMEOUT_MS = 10_000;
const cards = new Map(all("[data-camera]").map((card) => [card.dataset.camera ?? "", card]));
/** @type {Set<Element>} */
const seen = new Set();
let turn = 0;

/** @param {number} ms */
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const watching = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) seen.add(target);
    else seen.delete(target);
  }
});

/**
 * Loads the newest frame aside, so that the picture never flickers; tells how long to wait before the next.
 * @param {string} id
 * @param {Element} card
 */
async function renew(id, card) {
  const fresh = element("img", { alt: "", decoding: "async" });
  fresh.src = `/api/v1/cameras/${encodeURIComponent(id)}/latest?turn=${(turn += 1)}`;
  try {
    await fresh.decode();
  } catch {
    return AGAIN_MS;
  }
  one(".thumb", card).replaceChildren(fresh);
  return EVERY_MS;
}

/** @param {string} id @param {Element} card */
async function follow(id, card) {
  for (;;) {
    const began = performance.now();
    const wait = seen.has(card) && !document.hidden ? await renew(id, card) : EVERY_MS;
    await pause(Math.max(0, began + wait - performance.now()));
  }
}

/** @param {Element} card @param {CameraStatus} status */
function show(card, status) {
  const state = one("[data-show=state]", card);
  if (state.textContent !== status.state) {
    state.className = `state ${status.state}`;
    state.textContent = status.state;
    card.querySelector("[data-show=since]")?.remove();
  }
  one("[data-show=problem]", card).textContent = status.problem ?? "";
  const counts = status.counts;
  if (counts?.frames === undefined) return;
  const missed = number(counts.missed ?? 0);
  one("[data-show=counts]", card).textContent = `${number(counts.frames)} frames, ${missed} missed`;
}

async function ask() {
  if (!document.hidden) {
    const answer = await fetch("/api/v1/cameras", { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => null);
    if (answer?.ok) take((await answer.json()).cameras);
  }
  setTimeout(ask, AGAIN_MS);
}

/** @param {Camera[]} cameras */
function take(cameras) {
  if (cameras.length !== cards.size || cameras.some((camera) => !cards.has(camera.id))) location.reload();
  for (const { id, status } of cameras) {
    const card = cards.get(id);
    if (card) show(card, status);
  }
}

for (const [id, card] of cards) {
  watching.observe(card);
  follow(id, card);
}
setTimeout(ask, AGAIN_MS);
