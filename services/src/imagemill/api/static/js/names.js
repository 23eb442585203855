// Where nobody logs in, whoever acknowledges may say who that is: once in a browser is enough.

const KEPT = "imagemill-name";

/** What is in a field of a form; empty when it is not there. @param {string} name @param {HTMLFormElement} form */
export function written(name, form) {
  const field = form.elements.namedItem(name);
  return field instanceof HTMLInputElement ? field.value.trim() : "";
}

/** @param {HTMLFormElement} form */
export function rememberName(form) {
  const field = form.elements.namedItem("by");
  if (!(field instanceof HTMLInputElement)) return;
  try {
    field.value ||= localStorage.getItem(KEPT) ?? "";
    field.addEventListener("change", () => localStorage.setItem(KEPT, field.value.trim()));
  } catch {
    // A browser that keeps nothing asks each time.
  }
}
