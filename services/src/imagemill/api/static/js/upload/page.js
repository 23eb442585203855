// The form of the upload page: what is chosen there, and how it is named.

import { all, one, toast } from "../dom.js";
import { pickedFiles } from "./files.js";
import { offer } from "./panel.js";

/** @type {HTMLFormElement} */
const form = one("#upload");
/** @type {HTMLInputElement} */
const batch = one("#batch");
/** @type {HTMLInputElement[]} */
const pickers = [one("#files"), one("#folder")];
/** @type {HTMLButtonElement} */
const drawn = one("#drawn");

/** @param {Chosen[]} files @param {FileSystemHandle[]} [handles] */
function choose(files, handles) {
  if (!batch.reportValidity()) return;
  /** @type {HTMLInputElement[]} */
  const ticks = all("[name=recipe]:checked", form);
  // A name that the address gave and a person took away asks for another batch.
  const named = batch.value.trim() || (batch.defaultValue ? "" : undefined);
  offer(files, { batch: named, recipes: ticks.map((tick) => tick.value), handles });
}

for (const input of pickers) {
  input.addEventListener("change", () => {
    const chosen = pickedFiles(input.files ?? []);
    input.value = "";
    choose(chosen);
  });
}
addEventListener("dropped", (event) => {
  if (!(event instanceof CustomEvent)) return;
  event.preventDefault();
  choose(event.detail.files, event.detail.handles);
});
drawn.addEventListener("click", async () => {
  drawn.disabled = true;
  try {
    choose(pickedFiles(await (await import("../drawing.js")).landscapes()));
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error));
  }
  drawn.disabled = false;
});
form.addEventListener("submit", (event) => event.preventDefault());
