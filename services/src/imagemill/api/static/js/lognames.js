// The names of pictures that the log has heard of. Programs tell on their own: that a picture was taken may be heard
// before its name.

const MOST = 5000;
/** @type {Map<string, string>} */
const names = new Map();
/** @type {Map<string, HTMLElement[]>} */
const waiting = new Map();

/** @param {string} image */
export const nameOf = (image) => names.get(image);
/** The lines which wait for a picture's name. @param {string} image */
export const unnamed = (image) => waiting.get(image) ?? [];

/** @param {string} image @param {string} name */
export function remember(image, name) {
  names.set(image, name);
  waiting.delete(image);
  forgetOldest(names);
}

/** @param {string} image @param {HTMLElement} row */
export function waitForName(image, row) {
  waiting.set(image, [...unnamed(image), row]);
  forgetOldest(waiting);
}

/** @param {Map<string, unknown>} known */
function forgetOldest(known) {
  if (known.size > MOST) known.delete(known.keys().next().value ?? "");
}
