// The upload page: from dropped files to stored pictures, without leaving it.

import { follow, keepOpenWhile, on } from "../live.js";
import { number } from "../format.js";
import { toast } from "../dom.js";
import { uuid7 } from "../ids.js";
import { droppedFiles } from "./files.js";
import { ENDED, Rows } from "./rows.js";
import { Sender } from "./sender.js";
import { Speed, remains, showReasons, showSum } from "./summary.js";
import { View } from "./view.js";

const DRAW_MS = 250;
const QUIET_MS = 10_000;
const byId = (id) => document.getElementById(id);
const form = byId("upload");
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
const view = new View(byId("rows"), rows);
const sender = new Sender(rows, (text) => {
  note = text;
  dirty = true;
});
let speed = new Speed();

function offer(files) {
  if (!files.length) return;
  const recipes = [...form.querySelectorAll("[name=recipe]:checked")].map((tick) => tick.value);
  if (!recipes.length) recipes.push(form.dataset.defaultRecipe);
  if (!byId("batch").reportValidity()) return;
  begin();
  const items = files.map((file) => rows.add(file, recipes)).filter(Boolean);
  sender.add(items.filter(fits));
  view.soon();
}

function begin() {
  if (!sender.batch) {
    sender.batch = byId("batch").value.trim() || uuid7();
    byId("batch").value = sender.batch;
    byId("batch-link").href = `/batches/${encodeURIComponent(sender.batch)}`;
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
  byId("progress").hidden = false;
}

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
  showSum(byId("sum"), rows);
  byId("remains").textContent = remains(rows, speed, ((ended || performance.now()) - began) / 1000, note);
  showReasons(byId("reasons"), rows);
  byId("cancel").hidden = !rows.toSend;
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

function hear(kind, data) {
  heardAt = performance.now();
  if (data.batch !== sender.batch || !sender.batch) return;
  if (kind === "outcome") rows.heard(data.id, data.status, { reason: data.reason ?? "", duplicate: data.duplicate, damaged: data.warnings?.includes("damaged") });
  else if (data.image && ["taken", "done"].includes(data.kind)) rows.heard(data.image, data.kind);
}

on("outcome", (data) => hear("outcome", data));
on("activity", (data) => hear("activity", data));
on("lost", readAgain);
keepOpenWhile(() => left() > 0);
setInterval(draw, DRAW_MS);

for (const input of [byId("files"), byId("folder")]) {
  input.addEventListener("change", () => {
    const chosen = [...input.files];
    input.value = "";
    offer(input === byId("folder") ? chosen.filter((file) => !file.name.startsWith(".")) : chosen);
  });
}
byId("drawn").addEventListener("click", async (event) => {
  event.target.disabled = true;
  offer(await (await import("../drawing.js")).landscapes());
  event.target.disabled = false;
});
byId("cancel").addEventListener("click", () => {
  sender.cancel();
  toast("Nothing more is sent. What was accepted goes on.").animate([], 5000).finished.then((it) => it.effect.target.remove());
});
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("beforeunload", (event) => {
  if (rows.toSend) event.preventDefault();
});

let depth = 0;
const withFiles = (event) => event.dataTransfer?.types.includes("Files");
const over = (isOver) => document.documentElement.classList.toggle("dropping", isOver);
addEventListener("dragenter", (event) => withFiles(event) && (event.preventDefault(), over(++depth > 0)));
addEventListener("dragover", (event) => withFiles(event) && event.preventDefault());
addEventListener("dragleave", (event) => withFiles(event) && over(--depth > 0));
addEventListener("drop", async (event) => {
  if (!withFiles(event)) return;
  event.preventDefault();
  over((depth = 0) > 0);
  offer(await droppedFiles(event.dataTransfer));
});
