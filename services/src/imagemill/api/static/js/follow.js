// A list made by the server follows what happens: it is asked for again, at most every two seconds, and mended.

import { on } from "./live.js";
import { all, mend } from "./dom.js";

const EVERY_MS = 2000;
const TIMEOUT_MS = 15_000;
/** @type {HTMLElement | null} */
const region = document.querySelector("#region[data-live]");
/** @type {ReturnType<typeof setTimeout> | 0} */
let due = 0;
let last = 0;
let stale = false;

/** @param {string} kind */
const wanted = (kind) => region?.dataset.live?.split(" ").includes(kind);
/** @param {{ batch?: string | null }} data */
const concerns = (data) => !region?.dataset.batch || data.batch === region.dataset.batch;

/** This page, or another one, as the service makes it now; null when it does not. @param {string} [address] */
export async function freshPage(address = location.href) {
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  } catch {
    return null;
  }
}

/**
 * Asks for this page again and mends the region; tells those who decorate it. One at a time: see those who call it.
 */
export async function renew(target = region) {
  if (!target) return;
  const page = await freshPage();
  const fresh = page?.getElementById(target.id);
  if (!page || !fresh) return;
  for (const button of all("[data-copy]", fresh)) button.hidden = false;
  mend(target, fresh);
  // What stands beside the list and tells of it, as the counts of its states.
  for (const beside of all("[data-beside]")) {
    const other = page.getElementById(beside.id);
    if (other) mend(beside, other);
  }
  dispatchEvent(new CustomEvent("renewed"));
}

function soon() {
  stale = true;
  if (due || document.hidden) return;
  due = setTimeout(follow, Math.max(50, last + EVERY_MS - performance.now()));
}

async function follow() {
  stale = false;
  last = performance.now();
  await renew();
  due = 0;
  if (stale) soon(); // The answer may be older than what happened since it was asked for.
}

if (region?.dataset.live) {
  on("activity", (data) => wanted(data.kind) && concerns(data) && soon());
  on("outcome", (data) => (wanted("outcome") || wanted(data.status)) && concerns(data) && soon());
  on("lost", soon);
}
