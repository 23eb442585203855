// A pool's last hour: backlog as an area, replicas as steps, the objective as a line. One picture, two scales.

import { drawing, element } from "./dom.js";
import { number } from "./format.js";

/** @typedef {{ level: number, words: string }} Goal */
/** @typedef {(value: number) => number} Scale */

const HOUR = 3600;
const HEIGHT = 200;
const MARGIN = { left: 52, right: 44, top: 12, bottom: 24 };
const GAP_SECONDS = 60;

/** The smallest of 1, 2, 5 × 10ⁿ that is not less. @param {number} value */
export function nice(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= value) ?? value;
}

/** The backlog at which the objective is just held, and what the line means. @param {Pool} pool @returns {Goal | null} */
export function objective(pool) {
  const { max_wait_seconds: wait, backlog_per_replica: each } = pool.objective ?? {};
  if (each) return { level: each * Math.max(pool.ready_replicas ?? 1, 1), words: `objective: ${each} each` };
  if (wait && pool.service_rate) return { level: wait * pool.service_rate, words: `objective: what is done in ${wait} s` };
  return null;
}

/** A path for each time in which the backlog was known. @param {Moment[]} history @param {Scale} x @param {Scale} y */
function areas(history, x, y) {
  /** @type {[at: number, backlog: number][][]} */
  const parts = [[]];
  for (const { at, backlog } of history) {
    if (backlog === null) parts.push([]);
    else parts[parts.length - 1].push([at, backlog]);
  }
  return parts.filter((part) => part.length).map((part) => {
    const [[first], [last]] = [part[0], part[part.length - 1]];
    return `M${x(first)} ${y(0)}${part.map(([at, backlog]) => `L${x(at)} ${y(backlog)}`).join("")}L${x(last)} ${y(0)}Z`;
  });
}

/** @param {Moment[]} history @param {Scale} x @param {Scale} y */
function steps(history, x, y) {
  let path = "";
  history.forEach((point, index) => {
    const before = history[index - 1];
    const linked = before && point.at - before.at < GAP_SECONDS;
    path += linked ? `H${x(point.at)}V${y(point.replicas)}` : `M${x(point.at)} ${y(point.replicas)}`;
  });
  return path;
}

/** @param {number} x @param {number} y @param {string} anchor @param {string} text */
const label = (x, y, anchor, text) => drawing("text", { x, y, "text-anchor": anchor }, text);

/** Where the two scales end. @param {Pool} pool @param {Moment[]} history @param {Goal | null} goal */
function tops(pool, history, goal) {
  return {
    most: nice(Math.max(10, goal?.level ?? 0, ...history.map((point) => point.backlog ?? 0))),
    replicas: Math.max(1, pool.max_replicas ?? 0, ...history.map((point) => point.replicas)),
  };
}

/** @param {Pool} pool @param {number} width */
export function chart(pool, width) {
  const history = pool.history ?? [];
  const now = pool.at ?? history.at(-1)?.at ?? 0;
  const goal = objective(pool);
  const { most, replicas } = tops(pool, history, goal);
  /** @type {Scale} */
  const x = (at) => +(MARGIN.left + (width - MARGIN.left - MARGIN.right) * (1 - (now - at) / HOUR)).toFixed(1);
  /** @type {(top: number) => Scale} */
  const scale = (top) => (value) => +(HEIGHT - MARGIN.bottom - (HEIGHT - MARGIN.bottom - MARGIN.top) * (value / top)).toFixed(1);
  const [y, r] = [scale(most), scale(replicas)];
  const recent = history.filter((point) => now - point.at <= HOUR);
  const svg = drawing("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": words(pool, recent) });
  for (const share of [0, 0.5, 1]) {
    svg.append(drawing("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(most * share), y2: y(most * share) }),
      label(MARGIN.left - 8, y(most * share) + 4, "end", number(most * share)));
  }
  svg.append(label(width - MARGIN.right + 8, r(0) + 4, "start", "0"), label(width - MARGIN.right + 8, r(replicas) + 4, "start", number(replicas)));
  for (const minutes of [60, 45, 30, 15, 0]) {
    svg.append(label(x(now - 60 * minutes), HEIGHT - 6, "middle", minutes ? `−${minutes} min` : "now"));
  }
  for (const d of areas(recent, x, y)) svg.append(drawing("path", { class: "backlog", d }));
  if (goal) svg.append(drawing("line", { class: "objective", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(goal.level), y2: y(goal.level) }));
  if (recent.length) svg.append(drawing("path", { class: "replicas", d: steps(recent, x, r) }));
  return [svg, legend(goal)];
}

/** @param {Pool} pool @param {Moment[]} history */
function words(pool, history) {
  const last = history.at(-1);
  if (!last) return `${pool.name}: no history yet`;
  const most = Math.max(...history.map((point) => point.backlog ?? 0));
  return `${pool.name}, the last hour: backlog at most ${number(most)} messages, now ${last.backlog ?? "unknown"}; ${last.replicas} replicas now`;
}

/** @param {Goal | null} goal */
function legend(goal) {
  /** @param {SVGElement} shape @param {string} text */
  const key = (shape, text) => element("span", {}, drawing("svg", { viewBox: "0 0 24 12", "aria-hidden": "true" }, shape), text);
  const keys = [
    key(drawing("rect", { class: "backlog", x: 1, y: 1, width: 22, height: 10 }), "backlog, messages (left scale)"),
    key(drawing("path", { class: "replicas", d: "M0 10H12V2H24" }), "replicas (right scale)"),
  ];
  if (goal) keys.push(key(drawing("line", { class: "objective", x1: 0, x2: 24, y1: 6, y2: 6 }), goal.words));
  return element("p", { class: "legend" }, ...keys);
}
