// The one event stream of this page. Closed while nobody looks, since the service has a limited number of them.

const KINDS = ["totals", "outcome", "activity", "lost", "busy"];
const REOPEN_MS = 5000;
const listeners = new Map();
let source = null;
let batch = null;
let busy = false;
let timer = 0;
let needed = () => false;

/** Calls `listener` with the data of each event of a kind; `lost` means: read the current state again. */
export function on(kind, listener) {
  if (!listeners.has(kind)) listeners.set(kind, new Set());
  listeners.get(kind).add(listener);
}

/** From now on only what concerns one batch, besides the totals. */
export function follow(name) {
  if (batch === name) return;
  batch = name;
  close();
  open();
}

/** The stream stays open in a hidden tab while `check` says so. */
export function keepOpenWhile(check) {
  needed = check;
}

function emit(kind, data) {
  for (const listener of listeners.get(kind) ?? []) listener(data);
}

function open() {
  if (source || document.hidden || !document.querySelector(".pulse")) return;
  emit("pulse", "connecting");
  source = new EventSource(batch ? `/api/v1/events?batch=${encodeURIComponent(batch)}` : "/api/v1/events");
  for (const kind of KINDS) source.addEventListener(kind, (event) => receive(kind, JSON.parse(event.data)));
  source.addEventListener("open", () => {
    busy = false;
    // What happened while there was no stream is not told again, nor what happened since the page was made.
    emit("lost", {});
  });
  source.addEventListener("error", failed);
}

function receive(kind, data) {
  if (kind === "busy") busy = true;
  emit("pulse", busy ? "busy" : "live");
  emit(kind, data);
}

function failed() {
  emit("pulse", busy ? "busy" : "away");
  if (source?.readyState !== EventSource.CLOSED) return;
  close();
  goToLoginUnlessKnown();
  clearTimeout(timer);
  timer = setTimeout(open, REOPEN_MS * (0.5 + Math.random()));
}

/** A login that has ended ends the stream too: then there is nothing to wait for but the next login. */
async function goToLoginUnlessKnown() {
  const answer = await fetch("/api/v1/whoami", { signal: AbortSignal.timeout(REOPEN_MS) }).catch(() => null);
  if (answer?.status !== 401) return;
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

function close() {
  source?.close();
  source = null;
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) open();
  else if (!needed()) close();
});
addEventListener("pagehide", close);
addEventListener("pageshow", open);
queueMicrotask(open);
