// The panel of uploads, on every section: what is under way, and what can be done about it.

import { follow, keepOpenWhile, on, stayWhile } from "../live.js";
import { number, plural } from "../format.js";
import { one, toast } from "../dom.js";
import { uuid7 } from "../ids.js";
import { livesFor, open as openUploads } from "./client.js";
import { droppedFiles, filesOfHandles } from "./files.js";
import { handlesOf, rememberHandles } from "./memory.js";
import { View } from "./view.js";
import { obstacle, remains, showReasons, showSum } from "./words.js";

const TOLD_MS = 6000;
const LEAVING_MS = 2000;
const OPEN = "imagemill-uploads-open";
const panel = one("#progress");
const docked = panel.classList.contains("docked");
/** @type {UploadState | null} */
let state = null;
/** @type {string | null} What this page shows, whatever else is uploaded. */
let own = docked ? null : new URLSearchParams(location.search).get("batch");
/** @type {FileSystemHandle[]} */
let handles = [];
/** The upload that was under way while this page was there. */
let seen = "";
const title = document.title;
let leavingAt = -LEAVING_MS;
/** @type {Part} */
const part = { first: 0, last: 0, shown: "all", order: "chosen", text: "" };

const ask = openUploads((answered) => {
  if (answered.kind === "state") show(answered.state);
  else if (answered.kind === "not-yours") tell("Somebody else has signed in here. Nothing was taken; load this page again.");
  else view.give(answered.rows, answered.first, answered.count);
});
const view = new View(one(".sheet-scroll"), one("#rows"), (first, last) => ask({ kind: "part", part: Object.assign(part, { first, last }) }));

/**
 * Adds files to the upload that they belong to, else to what is under way, else to the batch that is named or that
 * this page is for, else to a new one.
 * @param {Chosen[]} files
 * @param {{ into?: string, batch?: string, recipes?: string[], handles?: FileSystemHandle[] }} [more]
 */
export function offer(files, more = {}) {
  if (!files.length) return;
  const named = targetOf(more);
  const batch = named || uuid7();
  const recipes = more.recipes?.length ? more.recipes : [panel.dataset.defaultRecipe ?? ""];
  ask({ kind: "add", batch, isNew: !named, recipes, files });
  if (more.handles?.length) rememberHandles(batch, more.handles);
  if (!docked) goTo(batch);
}

/** Which batch they are added to; none where they begin one. @param {{ into?: string, batch?: string }} more */
const targetOf = ({ into, batch }) => into || underWay() || (batch ?? own);

/** The batch to which files are added that name none. */
const underWay = () => (state && (!docked || state.toSend || state.counts.missing) ? state.batch : "");

/** From now on this page shows that upload, also when it is loaded again. @param {string} batch */
function goTo(batch) {
  own = batch;
  ask({ kind: "look", batch });
  history.replaceState(null, "", `/?batch=${encodeURIComponent(batch)}`);
}

/** What is under way, what can be retried, and what this page was asked for or has seen end. @param {UploadState} told */
function isShown(told) {
  const isOpen = told.inFlight + told.toSend + told.counts.missing > 0;
  if (isOpen) seen = told.batch;
  if (own) return told.batch === own && (told.offered > 0 || told.tookSeconds > 0);
  return isOpen || (docked && (told.passing > 0 || seen === told.batch));
}

/** @param {UploadState | null} answered */
function show(answered) {
  const told = answered && isShown(answered) ? answered : null;
  if (told && !docked && !own) goTo(told.batch);
  const begins = told?.batch !== state?.batch;
  state = told;
  panel.hidden = !told;
  document.body.classList.toggle("under-way", told !== null);
  if (!told) return;
  if (begins) begin(told);
  showSum(one("#sum"), told);
  one("#remains").textContent = remains(told);
  showReasons(one("#reasons"), told);
  showBar(told);
  showObstacle(told);
  showButtons(told);
  const left = told.inFlight + told.toSend;
  announce(left ? "Uploading." : "Finished.");
  document.title = left ? `${number(left)} left · ${title}` : title;
}

/** @param {UploadState} told */
async function begin(told) {
  if (!docked) follow(told.batch);
  one("#batch-link").setAttribute("href", `/batches/${encodeURIComponent(told.batch)}`);
  view.restart();
  handles = await handlesOf(told.batch);
  showObstacle(told);
}

/** @param {UploadState} told */
function showBar({ bytesDone, bytesAll, offered, inFlight, toSend }) {
  /** @type {HTMLProgressElement} */
  const bar = one("#bytes");
  // Half of the way is to send, the other half is work.
  const sent = bytesAll ? bytesDone / bytesAll : 1;
  const ended = offered ? (offered - inFlight - toSend) / offered : 0;
  bar.value = inFlight + toSend ? Math.min(0.99, (sent + ended) / 2) : 1;
}

/** @param {UploadState} told */
function showObstacle(told) {
  const sentence = obstacle(told, handles.length > 0);
  one("#obstacle").hidden = !sentence;
  one("#obstacle span").textContent = sentence;
  one("#sign-in").hidden = !told.signedOut;
  one("#sign-in").setAttribute("href", `/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  one("#read-again").hidden = told.signedOut || !told.counts.missing || !handles.length;
}

/** @param {UploadState} told */
function showButtons(told) {
  const left = told.inFlight + told.toSend;
  one("#upload-pause").hidden = !told.toSend;
  one("#upload-pause").textContent = told.paused ? "Continue" : "Pause";
  one("#cancel").hidden = !(told.toSend || told.counts.missing);
  one("#upload-retry").hidden = !told.passing;
  one("#upload-retry").textContent = `Retry ${plural(told.passing, "picture")}`;
  one("#forget").hidden = left > 0 || told.counts.missing > 0;
}

/** Told to those who do not see it, once. @param {string} text */
function announce(text) {
  const place = one("#upload-told");
  if (place.textContent !== text) place.textContent = text;
}

/** @param {boolean} isOpen */
function open(isOpen) {
  one("#upload-list").hidden = !isOpen;
  one("#unfold").setAttribute("aria-expanded", String(isOpen));
  one("#unfold").textContent = isOpen ? "Fold the list" : "Show the list";
  sessionStorage.setItem(OPEN, isOpen ? "yes" : "");
  view.soon();
}

/** @param {Outcome | Activity} data */
const batchOf = (data) => data.batch ?? "";

function greet() {
  ask({ kind: "hello", who: panel.dataset.who ?? "", maxBytes: Number(panel.dataset.maxBytes), operates: "operates" in panel.dataset });
  ask({ kind: "look", batch: own });
  ask({ kind: "part", part: Object.assign(part, { first: 0, last: 100 }) });
  view.restart();
}

function listen() {
  greet();
  on("outcome", (data) => ask({
    kind: "heard", batch: batchOf(data), id: data.id, state: data.status,
    news: { reason: data.reason ?? "", duplicate: data.duplicate, damaged: data.warnings?.includes("damaged") ?? false },
  }));
  on("activity", (data) => {
    if (data.image && (data.kind === "taken" || data.kind === "done")) ask({ kind: "heard", batch: batchOf(data), id: data.image, state: data.kind, news: {} });
  });
  on("lost", () => ask({ kind: "lost" }));
  keepOpenWhile(() => state !== null && state.inFlight + state.toSend > 0);
  stayWhile(() => livesFor() === "page" && Boolean(state?.toSend));
}

/** @param {string} id @param {"pause" | "continue" | "cancel" | "retry" | "forget"} kind */
const command = (id, kind) => one(id).addEventListener("click", () => state && ask({ kind, batch: state.batch }));

function buttons() {
  one("#upload-pause").addEventListener("click", () => state && ask({ kind: state.paused ? "continue" : "pause", batch: state.batch }));
  command("#cancel", "cancel");
  command("#upload-retry", "retry");
  command("#forget", "forget");
  one("#cancel").addEventListener("click", () => tell("Nothing more is sent. What was accepted goes on."));
  one("#forget").addEventListener("click", () => {
    if (!docked) history.replaceState(null, "", "/");
    if (!docked) ask({ kind: "look", batch: (own = null) });
  });
  one("#read-again").addEventListener("click", async () => {
    const into = state?.batch; // Another upload may be shown once they are found.
    offer(await filesOfHandles(handles), { into });
  });
  one("#unfold").addEventListener("click", () => open(Boolean(one("#upload-list").hidden)));
  one("#unfold").hidden = !docked;
  if (docked) open(sessionStorage.getItem(OPEN) === "yes");
  for (const id of ["#shown", "#order"]) one(id).addEventListener("change", choose);
  one("#part").addEventListener("input", choose);
}

function choose() {
  const [shown, order, text] = ["#shown", "#order", "#part"].map((id) => /** @type {HTMLInputElement} */ (one(id)).value);
  Object.assign(part, { shown, order, text: text.trim(), first: 0, last: 100 });
  ask({ kind: "part", part });
  view.restart();
}

/** @param {string} text */
function tell(text) {
  const told = toast(text);
  setTimeout(() => told.remove(), TOLD_MS);
}

/** The whole window of every section takes files. */
function takeDrops() {
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
    const dropped = await droppedFiles(event.dataTransfer);
    if (!dropped.files.length) tell("There is no file in what was dropped.");
    const isOurs = dispatchEvent(new CustomEvent("dropped", { detail: dropped, cancelable: true }));
    if (isOurs) offer(dropped.files, { handles: dropped.handles });
  });
}

/** Leaving a page ends what only lives in it; what lives in a worker ends with the last page of this site. */
function guard() {
  /** @type {EventTarget | undefined} */
  const navigation = Reflect.get(globalThis, "navigation");
  navigation?.addEventListener("navigate", (event) => {
    const to = Reflect.get(event, "destination")?.url;
    if (to && new URL(to).origin === location.origin) leavingAt = performance.now();
  });
  addEventListener("beforeunload", (event) => {
    const staysHere = livesFor() === "kept" && performance.now() - leavingAt < LEAVING_MS;
    if (state?.toSend && !staysHere) event.preventDefault();
  });
  addEventListener("pagehide", () => ask({ kind: "leave" }));
  addEventListener("pageshow", (event) => event.persisted && greet());
}

listen();
buttons();
takeDrops();
guard();
