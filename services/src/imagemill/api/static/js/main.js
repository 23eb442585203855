// What every page has: the live equation, times that go on, the keyboard, lists that follow.

import { on } from "./live.js";
import { setClocks } from "./clock.js";
import { ago, dueTime, number } from "./format.js";
import { all, around, one } from "./dom.js";
import "./keys.js";
import "./follow.js";
import "./originals.js";

const TICK_MS = 10_000;
const POLL_MS = 15_000;
/** @type {Record<Pulse, string[]>} */
const PULSES = {
  live: ["live", "What happens is shown as it happens"],
  connecting: ["", ""],
  away: ["reconnecting", "The service does not answer; this page tries again by itself"],
  busy: ["not live", "Too many pages are open; this one asks every 15 seconds"],
};
/** @type {ReturnType<typeof setInterval> | undefined} */
let polling;

/** @param {Totals} totals */
function showTotals(totals) {
  for (const [name, count] of Object.entries(totals)) {
    for (const term of all(`[data-equation] [data-count="${name}"]`)) term.textContent = number(count);
  }
  for (const open of all("[data-equation] [data-open]")) open.hidden = !totals.failed_open;
}

/** @param {UnseenAlerts} alerts */
function showUnseen({ new: count }) {
  for (const badge of all("[data-unseen]")) {
    one("i", badge).textContent = count > 99 ? "99+" : String(count);
    badge.hidden = !count;
  }
}

/** @param {Pulse} state */
function showPulse(state) {
  const pulse = one(".pulse");
  const [word, title] = PULSES[state];
  if (!word || pulse.dataset.pulse === state) return;
  pulse.dataset.pulse = state;
  pulse.title = title;
  one("span", pulse).textContent = word;
  clearInterval(polling);
  if (state === "busy") polling = setInterval(askTotals, POLL_MS);
}

async function askTotals() {
  const answer = await fetch("/api/v1/totals", { signal: AbortSignal.timeout(POLL_MS) }).catch(() => null);
  if (answer?.ok) showTotals(await answer.json());
  const alerts = await fetch("/api/v1/alerts?limit=1", { signal: AbortSignal.timeout(POLL_MS) }).catch(() => null);
  if (alerts?.ok) showUnseen((await alerts.json()).counts);
}

function tickTimes() {
  /** @type {HTMLTimeElement[]} */
  const times = all("time[data-ago]");
  for (const time of times) {
    const text = ago(time.dateTime);
    if (time.textContent !== text) time.textContent = text;
  }
  /** @type {HTMLTimeElement[]} */
  const due = all("time[data-due]");
  for (const time of due) time.textContent = dueTime(time.dateTime);
}

/** @param {HTMLElement} button */
async function copy(button) {
  const code = one("code", button.parentElement ?? document);
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    getSelection()?.selectAllChildren(code); // No clipboard without HTTPS: then it is marked, ready to be copied.
    button.textContent = "Selected";
    return;
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 2000);
}

on("totals", showTotals);
on("alerts", showUnseen);
on("pulse", showPulse);
setInterval(tickTimes, TICK_MS);
setClocks();
addEventListener("renewed", () => setClocks());
addEventListener("renewed", tickTimes);
tickTimes();
document.addEventListener("click", (event) => {
  const button = around(event, "[data-copy]");
  if (button) copy(button);
  /** @type {HTMLButtonElement | null} */
  const walk = around(event, "[data-walk]");
  if (walk) import("./walkby.js").then(({ walkBy }) => walkBy(walk));
});
for (const button of all("[data-copy]")) button.hidden = false;

// A picture dropped where nobody takes it would replace the page.
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
