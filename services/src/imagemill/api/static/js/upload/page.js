// The upload page: from dropped files to stored pictures, without leaving it.

import { follow, keepOpenWhile, on } from "../live.js";
import { number } from "../format.js";
import { all, one, toast } from "../dom.js";
import { uuid7 } from "../ids.js";
import { droppedFiles } from "./files.js";
import { ENDED, Rows } from "./rows.js";
import { Sender } from "./sender.js";
import { Speed, remains, showReasons, showSum } from "./summary.js";
import { View } from "./view.js";

const DRAW_MS = 250;
const QUIET_MS = 10_000;
/** @type {HTMLFormElement} */
const form = one("#upload");
/** @type {HTMLInputElement} */
const batch = one("#batch");
/** @type {HTMLInputElement[]} */
const pickers = [one("#files"), one("#folder")];
const cancel = one("#cancel");
/** @type {HTMLButtonElement} */
const drawn = one("#drawn");
const maxBytes = Number(form.dataset.maxBytes);

let dirty = false;
let note = "";
let began = 0;
let ended = 0;
let heardAt = 0;
let reading = false;

const rows = new Rows(() => {
  dirty = true;
  view.soon();
});
const view = new View(one("#rows"), rows);
const sender = new Sender(rows, (text) => {
  note = text;
  dirty = true;
});
let speed = new Speed();

/** @param {File[]} files */
function offer(files) {
  if (!files.length) return;
  /** @type {HTMLInputElement[]} */
  const ticks = all("[name=recipe]:checked", form);
  const recipes = ticks.length ? ticks.map((tick) => tick.value) : [form.dataset.defaultRecipe ?? ""];
  if (!batch.reportValidity()) return;
  begin();
  const items = files.map((file) => rows.add(file, recipes)).filter((item) => item !== null);
  sender.add(items.filter(fits));
  view.soon();
}

function begin() {
  if (!sender.batch) {
    sender.batch = batch.value.trim() || uuid7();
    batch.value = sender.batch;
    one("#batch-link").setAttribute("href", `/batches/${encodeURIComponent(sender.batch)}`);
    history.replaceState(null, "", `/?batch=${encodeURIComponent(sender.batch)}`);
    follow(sender.batch);
  }
  if (!left()) {
    began = performance.now();
    speed = new Speed();
  }
  ended = 0;
  dirty = true;
  document.body.classList.add("under-way");
  one("#progress").hidden = false;
}

/** @param {Item} item */
function fits(item) {
  if (item.file.size <= maxBytes) return true;
  const reason = `It has ${number(item.file.size)} bytes; at most ${number(maxBytes)} are taken. It was not sent.`;
  rows.rejected(item, reason, "too-large");
  return false;
}

const left = () => rows.inFlight + rows.toSend;

function draw() {
  if (!began) return;
  const gone = rows.all.length - left();
  if (left()) speed.see(gone);
  else ended ||= performance.now();
  if (!dirty && !left()) return;
  dirty = false;
  showSum(one("#sum"), rows);
  one("#remains").textContent = remains(rows, speed, ((ended || performance.now()) - began) / 1000, note);
  showReasons(one("#reasons"), rows);
  cancel.hidden = !rows.toSend;
  document.title = left() ? `${number(left())} left · Imagemill` : "Upload · Imagemill";
  if (rows.inFlight && !sender.busy && performance.now() - heardAt > QUIET_MS) readAgain();
}

/** News may be lost on the way; the ledger is not. */
async function readAgain() {
  if (reading || !sender.batch) return;
  reading = true;
  heardAt = performance.now();
  let open = rows.all.filter((row) => row.id && !ENDED.has(row.state)).length;
  try {
    if (open) {
      await sender.read((image) => {
        const row = rows.byId.get(image.id);
        if (!row || ENDED.has(row.state)) return true;
        if (image.status !== "accepted") rows.advance(row, image.status, { reason: image.reason ?? "", duplicate: image.duplicate });
        open -= 1;
        return open > 0;
      });
    }
  } catch {
    note = "The service does not answer; this list may be behind.";
  }
  reading = false;
}

/** @param {Outcome | Activity} data */
const isOurs = (data) => sender.batch !== "" && data.batch === sender.batch;

on("outcome", (data) => {
  heardAt = performance.now();
  if (!isOurs(data)) return;
  rows.heard(data.id, data.status, { reason: data.reason ?? "", duplicate: data.duplicate, damaged: data.warnings?.includes("damaged") });
});
on("activity", (data) => {
  heardAt = performance.now();
  if (!isOurs(data) || !data.image) return;
  if (data.kind === "taken" || data.kind === "done") rows.heard(data.image, data.kind);
});
on("lost", readAgain);
keepOpenWhile(() => left() > 0);
setInterval(draw, DRAW_MS);

for (const input of pickers) {
  input.addEventListener("change", () => {
    const chosen = [...input.files ?? []];
    input.value = "";
    offer(input.webkitdirectory ? chosen.filter((file) => !file.name.startsWith(".")) : chosen);
  });
}
drawn.addEventListener("click", async () => {
  drawn.disabled = true;
  try {
    offer(await (await import("../drawing.js")).landscapes());
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error));
  }
  drawn.disabled = false;
});
cancel.addEventListener("click", () => {
  sender.cancel();
  const told = toast("Nothing more is sent. What was accepted goes on.");
  told.animate([], 5000).finished.then(() => told.remove());
});
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("beforeunload", (event) => {
  if (rows.toSend) event.preventDefault();
});

let depth = 0;
/** @param {DragEvent} event */
const withFiles = (event) => event.dataTransfer?.types.includes("Files");
/** @param {boolean} isOver */
const over = (isOver) => document.documentElement.classList.toggle("dropping", isOver);
addEventListener("dragenter", (event) => withFiles(event) && (event.preventDefault(), over(++depth > 0)));
addEventListener("dragover", (event) => withFiles(event) && event.preventDefault());
addEventListener("dragleave", (event) => withFiles(event) && over(--depth > 0));
addEventListener("drop", async (event) => {
  if (!event.dataTransfer || !withFiles(event)) return;
  event.preventDefault();
  over((depth = 0) > 0);
  offer(await droppedFiles(event.dataTransfer));
});
