// The form of a rule: a new one begins with the time zone of who writes it.

/** @type {HTMLInputElement | null} */
const zone = document.querySelector("#timezone[data-guess]");
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
const known = zone && [...zone.list?.options ?? []].some((one) => one.value === here);
if (known && zone.value === "UTC") zone.value = here;
