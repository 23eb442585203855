// The pools go on: their state is asked for every five seconds, which is about as often as a decision changes.

import { all, element, mend, one } from "./dom.js";
import { ago, exact, number } from "./format.js";
import { Chart } from "./chart.js";

const EVERY_MS = 5000;
const TIMEOUT_MS = 10_000;
const sections = new Map(all("[data-pool]").map((section) => [section.dataset.pool ?? "", section]));
const seconds = Number(one("#pools").dataset.seconds);
/** @type {Map<string, Chart>} */
const charts = new Map();
/** @type {Record<string, string>} */
const TERMS = { arrival_rate: "What arrives", backlog: "What waits", backlog_share: "Its share" };
/** @type {Pool[]} */
let pools = [];

/** @param {number | null | undefined} value */
const known = (value, unit = "") => (value === null || value === undefined ? "unknown" : number(value) + unit);

/** @param {Pool} pool */
function words(pool) {
  return {
    reason: pool.reason,
    waiting: known(pool.backlog?.ready),
    working: known(pool.backlog?.unacked),
    workers: `${known(pool.ready_replicas)} ready of ${known(pool.current_replicas)}, ${known(pool.desired_replicas)} wanted`,
    bounds: `${known(pool.min_replicas)} to ${known(pool.max_replicas)} workers`,
    arrive: known(pool.arrival_rate, " a second"),
    busy: known(pool.busy_seconds, " s"),
  };
}

/** @param {Pool} pool */
function show(pool) {
  const section = sections.get(pool.name);
  if (!section) return;
  for (const [name, text] of Object.entries(words(pool))) {
    const place = section.querySelector(`[data-show="${name}"]`);
    if (place && place.textContent !== text) place.textContent = text;
  }
  const terms = section.querySelector("[data-show=terms]");
  terms?.replaceChildren(...(pool.terms ?? []).map((term) => element("li", {}, element("b", {}, TERMS[term.name] ?? term.name), ` ${term.text}`)));
  showWorkers(section, pool.workers ?? []);
  draw(pool);
}

/** @param {HTMLElement} section @param {PoolWorker[]} workers */
function showWorkers(section, workers) {
  one("[data-show=nobody]", section).hidden = workers.length > 0;
  const fresh = element("ul", { "data-show": "hands" }, ...workers.map(worker));
  mend(one("[data-show=hands]", section), fresh);
}

/** @param {PoolWorker} told */
function worker({ name, works_on: pictures, heard_at: heard }) {
  /** @param {string} word @param {string} at */
  const since = (word, at) => element("span", { class: "quiet" }, `${word} `,
    element("time", { datetime: at, title: exact(at), "data-ago": "" }, ago(at)));
  const work = pictures.flatMap(({ id, name: picture, since: at }, index) =>
    [index ? ", " : "", element("a", { href: `/pictures/${id}` }, picture ?? id), " ", since("taken", at)]);
  return element("li", {}, element("a", { href: `/live?${new URLSearchParams({ by: name })}` }, name), " ",
    ...work.length ? work : [since("idle, last heard", heard)]);
}

/** @param {Pool} pool */
function draw(pool) {
  /** @type {HTMLElement | null | undefined} */
  const place = sections.get(pool.name)?.querySelector("[data-chart]");
  if (!place) return;
  const chart = charts.get(pool.name) ?? new Chart(place, seconds);
  charts.set(pool.name, chart);
  chart.show(pool);
}

async function ask() {
  if (!document.hidden) {
    const answer = await fetch(`/api/v1/pools?history_seconds=${seconds}`, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => null);
    if (answer?.ok) await take(await answer.json());
  }
  setTimeout(ask, EVERY_MS);
}

/** @param {Pool[] | { pools: Pool[] }} told */
async function take(told) {
  pools = "pools" in told ? told.pools : told;
  if (pools.some((pool) => !sections.has(pool.name))) location.reload();
  pools.forEach(show);
}

addEventListener("resize", () => charts.forEach((chart) => chart.draw()));
// Without a scaler there is nothing to ask for until the service is started with one.
if (!document.querySelector("[data-no-scaler]")) ask();
