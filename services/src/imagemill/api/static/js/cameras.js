// Live pictures at most once a second, and only those that are seen; how the cameras are, every five seconds.

import { number } from "./format.js";
import { element } from "./dom.js";

const EVERY_MS = 1000;
const AGAIN_MS = 5000;
const TIMEOUT_MS = 10_000;
const cards = new Map([...document.querySelectorAll("[data-camera]")].map((card) => [card.dataset.camera, card]));
const seen = new Set();
let turn = 0;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const watching = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) seen.add(target);
    else seen.delete(target);
  }
});

/** Loads the newest frame aside, so that the picture never flickers; tells how long to wait before the next. */
async function renew(card) {
  const fresh = element("img", { alt: "", decoding: "async" });
  fresh.src = `/api/v1/cameras/${encodeURIComponent(card.dataset.camera)}/latest?turn=${(turn += 1)}`;
  try {
    await fresh.decode();
  } catch {
    return AGAIN_MS;
  }
  card.querySelector(".thumb").replaceChildren(fresh);
  return EVERY_MS;
}

async function follow(card) {
  for (;;) {
    const began = performance.now();
    const wait = seen.has(card) && !document.hidden ? await renew(card) : EVERY_MS;
    await pause(Math.max(0, began + wait - performance.now()));
  }
}

function show(card, status) {
  const state = card.querySelector("[data-show=state]");
  if (state.textContent !== status.state) {
    state.className = `state ${status.state}`;
    state.textContent = status.state;
    card.querySelector("[data-show=since]")?.remove();
  }
  card.querySelector("[data-show=problem]").textContent = status.problem ?? "";
  const counts = status.counts;
  if (counts?.frames === undefined) return;
  const missed = number(counts.missed ?? 0);
  card.querySelector("[data-show=counts]").textContent = `${number(counts.frames)} frames, ${missed} missed`;
}

async function ask() {
  if (!document.hidden) {
    const answer = await fetch("/api/v1/cameras", { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => null);
    if (answer?.ok) take((await answer.json()).cameras);
  }
  setTimeout(ask, AGAIN_MS);
}

function take(cameras) {
  if (cameras.length !== cards.size || cameras.some((camera) => !cards.has(camera.id))) location.reload();
  for (const camera of cameras) if (cards.has(camera.id)) show(cards.get(camera.id), camera.status);
}

for (const card of cards.values()) {
  watching.observe(card);
  follow(card);
}
setTimeout(ask, AGAIN_MS);
