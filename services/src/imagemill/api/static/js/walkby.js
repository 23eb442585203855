// Somebody walks by a camera that is drawn: what it sees is posted as a camera's pictures are.

import { element, toast } from "./dom.js";
import { yard } from "./drawing.js";
import { uuid7 } from "./ids.js";

const FRAMES = 40;
const FRAME_MS = 250;
const TIMEOUT_MS = 30_000;
const ATTEMPTS = 5;
/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Posts the pictures while the button tells how far it is.
 * @param {HTMLButtonElement} button
 */
export async function walkBy(button) {
  const word = button.textContent;
  const batch = `demo-${uuid7()}`;
  // A camera of its own: before one that somebody has just walked by, it would be the same event that goes on.
  const source = `demo-${new Date().toTimeString().slice(0, 8).replaceAll(":", "")}`;
  button.disabled = true;
  try {
    for (let number = 0; number < FRAMES; number += 1) {
      button.textContent = `Walking by … ${number + 1} of ${FRAMES}`;
      await post(await yard(number, FRAMES), { source, batch, key: uuid7() });
      await sleep(FRAME_MS);
    }
    toast(`Somebody walked by the camera ${source}.`, element("a", { class: "button", href: "/alerts/events" }, "What was seen"));
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error));
  }
  button.disabled = false;
  button.textContent = word;
}

/**
 * @param {Blob} picture
 * @param {Record<string, string>} fields
 */
async function post(picture, fields) {
  for (let attempt = 1; ; attempt += 1) {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", picture, "yard.png");
    const answer = await fetch("/api/v1/images", { method: "POST", body: form, signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (answer.ok) return;
    if (![429, 503].includes(answer.status) || attempt === ATTEMPTS) {
      throw new Error((await answer.json()).detail ?? `The service answered ${answer.status}.`);
    }
    await sleep(1000 * (Number(answer.headers.get("Retry-After")) || attempt));
  }
}
