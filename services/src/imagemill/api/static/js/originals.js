// Originals in place of the results, in every list of the page: a button with a key.

import { around } from "./dom.js";

const root = document.documentElement;

function show() {
  const pressed = String(root.classList.contains("originals"));
  for (const button of document.querySelectorAll("[data-originals]")) button.setAttribute("aria-pressed", pressed);
}

function toggle() {
  root.classList.toggle("originals");
  show();
}

document.addEventListener("click", (event) => around(event, "[data-originals]") && toggle());
addEventListener("renewed", show); // What the server made knows nothing of it.
