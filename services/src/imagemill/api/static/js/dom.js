// Making and mending elements. Names of files come from strangers: they only ever become text.

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") made.className = value;
    else if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

export function drawing(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function toast(text, ...controls) {
  const shown = element("div", { class: "toast" }, element("span", {}, text), ...controls);
  document.getElementById("toasts").append(shown);
  return shown;
}

/** Gives `parent` these elements, without touching those which are in their place. */
export function arrange(parent, elements) {
  let place = parent.firstElementChild;
  for (const one of elements) {
    if (one === place) place = place.nextElementSibling;
    else parent.insertBefore(one, place);
  }
  while (place) {
    const gone = place;
    place = place.nextElementSibling;
    gone.remove();
  }
}

const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || node.id || null : null);

/** Makes `old` look like `fresh`, keeping every node that did not change: pictures do not flicker, focus stays. */
export function mend(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || keyOf(old) !== keyOf(fresh)) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = fresh.nodeValue;
    return;
  }
  mendAttributes(old, fresh);
  mendChildren(old, fresh);
}

function mendAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}

function removeUnwanted(old, fresh) {
  const wanted = new Set([...fresh.childNodes].map(keyOf));
  for (const node of [...old.childNodes]) if (keyOf(node) && !wanted.has(keyOf(node))) node.remove();
}

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
