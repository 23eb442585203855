// What an upload says of itself: it adds up, and says what remains.

import { element, mend } from "../dom.js";
import { duration, number, plural, rate, size } from "../format.js";

/** Gives a place this content, and touches only what changed: links keep the focus, and can be clicked. @param {Element} place @param {(Node | string)[]} content */
function fill(place, content) {
  const fresh = /** @type {Element} */ (place.cloneNode(false));
  fresh.append(...content);
  mend(place, fresh);
}

/** @param {Element} place @param {UploadState} state */
export function showSum(place, { batch, counts, inFlight, toSend, offered }) {
  const of = `batch=${encodeURIComponent(batch)}`;
  /** @type {[count: number, word: string, href: string, always: boolean][]} */
  const terms = [
    [counts.stored, "stored", `/pictures?state=stored&${of}`, true], [counts.failed, "failed", `/failures?state=all&${of}`, true],
    [inFlight, "in flight", `/pictures?state=in_flight&${of}`, true], [toSend, "to send", "", false],
    [counts.rejected, "rejected", `/pictures?state=rejected&${of}`, false], [counts.cancelled, "cancelled", "", false],
    [counts.missing, "to choose again", "", false],
  ];
  const parts = [element("span", {}, element("b", {}, number(offered)), " offered")];
  terms.filter(([count, , , always]) => count || always).forEach(([count, word, href], index) => {
    const bad = count && (word === "failed" || word === "rejected") ? "bad" : "";
    const text = [element("b", {}, number(count)), ` ${word}`];
    parts.push(element("span", { class: "sign" }, index ? "+" : "="));
    parts.push(href && count ? element("a", { class: bad, href }, ...text) : element("span", { class: bad }, ...text));
  });
  fill(place, parts.flatMap((part) => [part, " "]));
}

/** @param {UploadState} state */
export function remains(state) {
  const said = state.inFlight + state.toSend ? underWay(state) : [];
  if (!said.length && state.tookSeconds) said.push(`Finished in ${duration(state.tookSeconds)}`);
  if (!said.length) said.push(state.reading ? "Reading the batch" : "From the ledger");
  return [...said, state.recipes.join(", "), ...spared(state), state.note].filter(Boolean).join(" · ");
}

/** What was not sent, added or computed, because it is there. @param {UploadState} state */
function spared({ there, unsent, known, chosenTwice, bytesDone, bytesSent, toSend }) {
  return [
    there && `${number(there)} already in this batch, not added again`,
    unsent && `${plural(unsent, "file")} already stored, not sent`,
    known && `${number(known)} seen before, result reused`,
    chosenTwice && `${plural(chosenTwice, "duplicate")} skipped`,
    bytesDone && !bytesSent && !toSend && (there || unsent) && "no bytes sent",
  ].map((text) => text || "");
}

/** @param {UploadState} state */
function underWay(state) {
  const left = state.inFlight + state.toSend;
  const said = [];
  if (state.bytesAll) said.push(`${size(state.bytesDone)} of ${size(state.bytesAll)}`);
  if (state.paused) return [...said, `paused, ${plural(state.toSend, "file")} to send`];
  if (state.bytesPerSecond && state.toSend) said.push(`${size(Math.round(state.bytesPerSecond))}/s`);
  if (state.perSecond) said.push(`${rate(state.perSecond)} a second`);
  const seconds = Math.max(
    state.perSecond ? left / state.perSecond : 0,
    state.bytesPerSecond ? (state.bytesAll - state.bytesDone) / state.bytesPerSecond : 0,
  );
  said.push(seconds ? `about ${duration(seconds)} left` : "in progress");
  return said;
}

/** What stands in the way, in a sentence; empty when nothing does. @param {UploadState} state @param {boolean} hasHandles */
export function obstacle(state, hasHandles) {
  if (state.signedOut) return "Your session has ended. Nothing is lost: sign in, and the upload resumes.";
  if (!state.counts.missing) return "";
  const files = `${plural(state.counts.missing, "file")} of this upload ${state.counts.missing === 1 ? "was" : "were"} not sent before the browser closed.`;
  if (hasHandles) return `${files} They can be read again from where they are.`;
  return `${files} Choose or drop the same files or folder again: only what is missing is sent.`;
}

/** @param {Element} place @param {UploadState} state */
export function showReasons(place, { reasons }) {
  const lines = reasons.map(({ code, count, reason }) =>
    element("li", {}, element("b", {}, `${number(count)} rejected`), ` (${code}): ${reason}`));
  fill(place, lines);
}
