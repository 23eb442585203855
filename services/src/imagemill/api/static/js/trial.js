// A recipe tried on the picture: what it would make of it is shown in the result's place, and nothing is stored.

import { all, element, one } from "./dom.js";
import { milliseconds, number, size } from "./format.js";

// A little longer than the service waits for a worker.
const TIMEOUT_MS = 75_000;
const FORMATS = { "image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP", "image/tiff": "TIFF" };
const UNSHOWN = "image/tiff";

/** The address of the tried picture's bytes in this page. */
let address = "";
/** What stood in its place. @type {{ image: HTMLImageElement, source: string | null, alt: string, words: [HTMLElement, string | null][] } | null} */
let before = null;

/** @param {TrialFacts} facts @param {string} recipe */
function sentence(facts, recipe) {
  const format = FORMATS[/** @type {keyof typeof FORMATS} */ (facts.content_type)] ?? facts.content_type;
  const damaged = facts.warnings.length ? " The original is damaged, so a part of it may be wrong." : "";
  const preview = facts.is_preview ? " It is too large to be shown before it is stored: this is its preview." : "";
  return `${recipe} makes ${format} of ${number(facts.width)} × ${number(facts.height)} pixels and ${size(facts.bytes)}, in ${milliseconds(1000 * facts.seconds)}. Nothing of it is stored.${damaged}${preview}`;
}

/** @param {HTMLElement} form @param {string} text @param {Node[]} controls */
function say(form, text, ...controls) {
  one("#tried", form).replaceChildren(...(text ? [element("span", {}, text), ...controls] : []));
}

/** Where a result is shown, or would be; made where there is none. */
function shownImage() {
  /** @type {HTMLImageElement | null} */
  const result = document.querySelector(".after img, .plain.tried img");
  if (result) return result;
  const image = element("img", { decoding: "async" });
  one(".viewer").prepend(element("figure", { class: "plain tried" }, image, element("figcaption")));
  return image;
}

/** What says of what is shown that it is the result. @param {HTMLImageElement} image */
const wordsFor = (image) => [...all("figcaption", image.closest("figure") ?? image), ...all(".cut span:last-child")];

/** @param {Blob} bytes @param {string} recipe */
async function show(bytes, recipe) {
  const image = shownImage();
  before ??= {
    image,
    source: image.getAttribute("src"),
    alt: image.alt,
    words: wordsFor(image).map((word) => [word, word.textContent]),
  };
  replaceAddress(bytes);
  image.src = address;
  image.alt = `The picture under the recipe ${recipe}, tried`;
  for (const [word] of before.words) word.textContent = `${recipe}, tried`;
  await image.decode();
  one(".viewer").scrollIntoView({ block: "nearest" });
}

/** @param {Blob | null} bytes */
function replaceAddress(bytes) {
  if (address) URL.revokeObjectURL(address);
  address = bytes ? URL.createObjectURL(bytes) : "";
}

/** What stood there stands there again. */
function back() {
  if (!before) return;
  const { image, source, alt, words } = before;
  before = null;
  if (source) {
    image.src = source;
    image.alt = alt;
    for (const [word, text] of words) word.textContent = text;
  } else {
    image.closest("figure")?.remove();
  }
  replaceAddress(null);
}

/** @param {string} id @param {string} recipe @returns {Promise<{ facts?: TrialFacts, bytes?: Blob, problem?: string }>} */
async function ask(id, recipe) {
  try {
    const path = `/api/v1/images/${id}/trial?recipe=${encodeURIComponent(recipe)}`;
    const answer = await fetch(path, { method: "POST", signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!answer.ok) return { problem: (await answer.json()).detail };
    return { facts: JSON.parse(answer.headers.get("Imagemill-Trial") ?? ""), bytes: await answer.blob() };
  } catch {
    return { problem: "The service does not answer; try again in a moment." };
  }
}

/** @param {string} id @param {HTMLElement} form @param {HTMLButtonElement} button */
async function tryOut(id, form, button) {
  /** @type {HTMLSelectElement} */
  const { value: recipe } = one("select", form);
  button.disabled = true;
  say(form, `Trying ${recipe} …`);
  const { facts, bytes, problem } = await ask(id, recipe);
  button.disabled = false;
  if (!facts || !bytes) return say(form, problem ?? "");
  const leave = element("button", { class: "button", type: "button" }, "Show the result again");
  leave.addEventListener("click", () => {
    back();
    say(form, "");
    button.focus();
  });
  if (facts.content_type === UNSHOWN && !facts.is_preview) {
    replaceAddress(bytes);
    return say(form, `${sentence(facts, recipe)} Browsers do not show it.`, element("a", { class: "button", href: address, download: `${recipe}.tif` }, "Download it"));
  }
  try {
    await show(bytes, recipe);
    say(form, sentence(facts, recipe), ...(before?.source ? [leave] : []));
  } catch {
    back();
    say(form, `${sentence(facts, recipe)} This browser cannot show it.`);
  }
}

/** Begins to listen for the button, wherever the page was renewed. @param {string} id */
export function offerTrials(id) {
  addEventListener("click", (event) => {
    /** @type {HTMLButtonElement | null} */
    const button = event.target instanceof Element ? event.target.closest("#try") : null;
    const form = button?.closest("form");
    if (button && form) tryOut(id, form, button);
  });
}
