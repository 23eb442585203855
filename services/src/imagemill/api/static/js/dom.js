// Making and mending elements. Names of files come from strangers: they only ever become text.

/**
 * The element that must be there.
 * @template {Element} [T=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {T}
 */
export function one(selector, root = document) {
  /** @type {T | null} */
  const found = root.querySelector(selector);
  if (!found) throw new Error(`There is no ${selector}.`);
  return found;
}

/**
 * @template {Element} [T=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {T[]}
 */
export function all(selector, root = document) {
  /** @type {NodeListOf<T>} */
  const found = root.querySelectorAll(selector);
  return [...found];
}

/**
 * Where an event happened, or what is around that place; null when nothing there matches.
 * @template {Element} [T=HTMLElement]
 * @param {Event} event
 * @param {string} selector
 * @returns {T | null}
 */
export const around = ({ target }, selector) => (target instanceof Element ? target.closest(selector) : null);

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string>} properties
 * @param {(Node | string)[]} children
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") made.className = value;
    else if (name in made && name !== "list") Object.assign(made, { [name]: value });
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/**
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | number>} attributes
 * @param {(Node | string)[]} children
 */
export function drawing(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** @param {string} text @param {Node[]} controls */
export function toast(text, ...controls) {
  const shown = element("div", { class: "toast" }, element("span", {}, text), ...controls);
  one("#toasts").append(shown);
  return shown;
}

/**
 * Gives `parent` these elements, without touching those which are in their place.
 * @param {Element} parent
 * @param {Element[]} elements
 */
export function arrange(parent, elements) {
  let place = parent.firstElementChild;
  for (const next of elements) {
    if (next === place) place = place.nextElementSibling;
    else parent.insertBefore(next, place);
  }
  while (place) {
    const gone = place;
    place = place.nextElementSibling;
    gone.remove();
  }
}

/** @param {Node} node */
const keyOf = (node) => (node instanceof Element ? node.getAttribute("data-key") || node.id || null : null);

/**
 * Makes `old` look like `fresh`, keeping every node that did not change: pictures do not flicker, focus stays.
 * @param {ChildNode} old
 * @param {ChildNode} fresh
 */
export function mend(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || keyOf(old) !== keyOf(fresh)) {
    old.replaceWith(fresh);
    return;
  }
  if (!(old instanceof Element && fresh instanceof Element)) {
    old.nodeValue = fresh.nodeValue;
    return;
  }
  mendAttributes(old, fresh);
  mendChildren(old, fresh);
}

/** @param {Element} old @param {Element} fresh */
function mendAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}

/** @param {Element} old @param {Element} fresh */
function removeUnwanted(old, fresh) {
  const wanted = new Set([...fresh.childNodes].map(keyOf));
  for (const node of [...old.childNodes]) if (keyOf(node) && !wanted.has(keyOf(node))) node.remove();
}

/** @param {Element} old @param {Element} fresh */
function mendChildren(old, fresh) {
  removeUnwanted(old, fresh);
  const keyed = new Map([...old.childNodes].filter(keyOf).map((node) => [keyOf(node), node]));
  let place = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const known = keyed.get(keyOf(next)) ?? null;
    if (known && known !== place) old.insertBefore(known, place);
    const current = known ?? place;
    if (!current || (!known && (keyOf(current) || keyOf(next)))) {
      old.insertBefore(next, place);
      continue;
    }
    place = current.nextSibling;
    mend(current, next);
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}
