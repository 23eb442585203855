// The events of the service, for this page. All tabs of a browser share one stream where the browser can do that; it is
// closed while nobody looks, since the service has a limited number of them.

import { Stream } from "./stream.js";

const TIMEOUT_MS = 5000;
/** @type {Map<keyof Told, Set<(data: any) => unknown>>} */
const listeners = new Map();
/** @type {{ open: () => void, close: () => void } | null} */
let stream = null;
/** @type {string | null} */
let batch = null;
let needed = () => false;
let staying = () => false;

/**
 * Calls `listener` with the data of each event of a kind.
 * @template {keyof Told} K
 * @param {K} kind
 * @param {(data: Told[K]) => unknown} listener
 */
export function on(kind, listener) {
  listeners.set(kind, (listeners.get(kind) ?? new Set()).add(listener));
}

/** From now on only what concerns one batch, besides the totals. @param {string} name */
export function follow(name) {
  batch = name;
}

/** The stream stays open in a hidden tab while `check` says so. @param {() => boolean} check */
export function keepOpenWhile(check) {
  needed = check;
}

/** The login page is not gone to while `check` says so. @param {() => boolean} check */
export function stayWhile(check) {
  staying = check;
}

/** @type {Tell} */
function hear(kind, data) {
  if (kind === "refused") goToLoginUnlessKnown();
  if (batch && typeof data === "object" && "batch" in data && data.batch && data.batch !== batch) return;
  for (const listener of listeners.get(kind) ?? []) listener(data);
}

/** The stream of a worker that all tabs share; null where there is none. */
function shared() {
  try {
    const worker = new SharedWorker(new URL("./streamworker.js", import.meta.url), { type: "module", name: "imagemill" });
    worker.addEventListener("error", useOwn);
    worker.port.addEventListener("message", ({ data: { kind, data } }) => hear(kind, data));
    worker.port.start();
    return { open: () => worker.port.postMessage("look"), close: () => worker.port.postMessage("leave") };
  } catch {
    return null;
  }
}

function useOwn() {
  stream = new Stream(hear);
  open();
}

function open() {
  if (document.hidden || !document.querySelector(".pulse")) return;
  stream ??= shared() ?? new Stream(hear);
  stream.open();
}

/** A login that has ended ends the stream too: then there is nothing to wait for but the next login. */
async function goToLoginUnlessKnown() {
  const answer = await fetch("/api/v1/whoami", { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => null);
  if (answer?.status !== 401 || staying()) return;
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) open();
  else if (!needed()) stream?.close();
});
addEventListener("pagehide", () => stream?.close());
addEventListener("pageshow", open);
queueMicrotask(open);
