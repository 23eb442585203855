// A pool's past in frames above each other, one scale a frame, over one axis of time: what waited with the objective as
// it was then, workers, and what arrived and was done. What a moment's values are is said in words, under the pointer
// and by arrow keys.

import { drawing, element } from "./dom.js";
import { clock, day, dayOf } from "./clock.js";
import { number, rate } from "./format.js";

/** @typedef {(value: number) => number} Scale */
/** @typedef {{ title: string, height: number, top: number, draw: (x: Scale, y: Scale) => SVGElement[] }} Frame */

const MARGIN = { left: 52, right: 16 };
const TITLE = 20;
const GAP = 16;
const NARROW = 500;
const AXIS = 20;
/** @type {Record<number, [seconds: number, words: string][]>} */
const TICKS = {
  900: [[900, "−15 min"], [600, "−10 min"], [300, "−5 min"], [0, "now"]],
  3600: [[3600, "−60 min"], [2700, "−45 min"], [1800, "−30 min"], [900, "−15 min"], [0, "now"]],
  86400: [[86400, "−24 h"], [64800, "−18 h"], [43200, "−12 h"], [21600, "−6 h"], [0, "now"]],
};

/** The smallest of 1, 2, 5 × 10ⁿ that is not less. @param {number} value */
export function nice(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= value) ?? value;
}

/** What is compared with the objective: what waits, or for a share all that is not done. @param {Pool} pool @param {Moment} point */
const measured = (pool, point) => (pool.objective?.backlog_per_replica ? point.backlog : point.waiting ?? point.backlog);

/** Neighbours in time of which something is known, in runs. @template T @param {Moment[]} points @param {(point: Moment) => T | null | undefined} value @param {number} gap */
function runs(points, value, gap) {
  /** @type {[at: number, value: T][][]} */
  const found = [];
  let before = -Infinity;
  for (const point of points) {
    const known = value(point);
    if (known === null || known === undefined) {
      before = -Infinity;
      continue;
    }
    if (point.at - before > gap) found.push([]);
    found[found.length - 1].push([point.at, known]);
    before = point.at;
  }
  return found;
}

/** @param {[number, number][]} run @param {Scale} x @param {Scale} y */
const line = (run, x, y) => run.map(([at, value], index) => `${index ? "L" : "M"}${x(at)} ${y(value)}`).join("");
/** @param {[number, number][]} run @param {Scale} x @param {Scale} y */
const area = (run, x, y) => `${line(run, x, y)}L${x(run[run.length - 1][0])} ${y(0)}L${x(run[0][0])} ${y(0)}Z`;
/** @param {[number, number][]} run @param {Scale} x @param {Scale} y */
const steps = (run, x, y) => run.map(([at, value], index) => `${index ? `H${x(at)}V` : `M${x(at)} `}${y(value)}`).join("");

export class Chart {
  /** @param {HTMLElement} place @param {number} seconds */
  constructor(place, seconds) {
    this.place = place;
    this.seconds = seconds;
    /** @type {Moment[]} */
    this.points = [];
    /** @type {number | null} The time that is looked at; null is now. */
    this.at = null;
    this.now = 0;
    /** @type {Scale} */
    this.scale = (at) => at;
    /** @type {Pool | null} */
    this.pool = null;
    this.mark = drawing("line");
    this.figure = element("div", { class: "frames", tabindex: "0", role: "group" });
    this.words = element("p", { class: "values" });
    this.said = element("p", { class: "hidden", "aria-live": "polite" });
    this.legend = element("p", { class: "legend" });
    place.replaceChildren(this.words, this.figure, this.legend, this.said);
    this.figure.addEventListener("pointermove", (event) => this.point(event));
    this.figure.addEventListener("pointerleave", () => this.look(null));
    this.figure.addEventListener("blur", () => this.look(null));
    this.figure.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {Pool} pool */
  show(pool) {
    this.pool = pool;
    this.now = pool.at ?? pool.history?.at(-1)?.at ?? 0;
    this.points = (pool.history ?? []).filter(({ at }) => this.now - at <= this.seconds);
    this.draw();
  }

  /** Nothing came, and there were as many workers all the time: as `is_unused` in `pools/page.py`. */
  get isUnused() {
    const idle = this.points.every((point) => !point.backlog && !point.arrival_rate && !point.done_rate);
    return idle && this.points.every(({ replicas }) => replicas === this.points[0].replicas);
  }

  draw() {
    if (!this.pool) return;
    const width = Math.max(280, this.figure.clientWidth);
    this.scale = (/** @type {number} */ at) =>
      +(MARGIN.left + (width - MARGIN.left - MARGIN.right) * (1 - (this.now - at) / this.seconds)).toFixed(1);
    this.place.classList.toggle("small", this.isUnused);
    const frames = this.isUnused ? [this.waitingFrame(32)] : [this.waitingFrame(104), this.workersFrame(), this.ratesFrame()];
    const height = frames.reduce((sum, frame) => sum + TITLE + frame.height + GAP, AXIS);
    const svg = drawing("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": this.summary() });
    let top = 0;
    for (const frame of frames) {
      svg.append(...this.framed(frame, top + TITLE, width));
      top += TITLE + frame.height + GAP;
    }
    const ticks = TICKS[this.seconds] ?? TICKS[3600];
    for (const [seconds, words] of ticks.filter((_, index) => width > NARROW || (ticks.length - 1 - index) % 2 === 0)) {
      const anchor = seconds === 0 ? "end" : seconds === this.seconds ? "start" : "middle";
      svg.append(drawing("text", { x: this.scale(this.now - seconds), y: height - 4, "text-anchor": anchor }, words));
    }
    this.mark = drawing("line", { class: "mark", y1: 0, y2: height - AXIS });
    svg.append(this.mark);
    this.figure.replaceChildren(svg);
    this.legend.replaceChildren(...this.isUnused ? [] : this.keys());
    this.figure.setAttribute("aria-label", `${this.pool.name}: values by the arrow keys`);
    this.tell();
  }

  /** @param {Frame} frame @param {number} top @param {number} width */
  framed({ title, height, top: most, draw }, top, width) {
    /** @type {Scale} */
    const y = (value) => +(top + height * (1 - Math.min(value, most) / most)).toFixed(1);
    const lines = [0, 1].flatMap((share) => [
      drawing("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(most * share), y2: y(most * share) }),
      drawing("text", { x: MARGIN.left - 8, y: y(most * share) + 4, "text-anchor": "end" }, number(most * share)),
    ]);
    const words = drawing("text", { class: "title", x: MARGIN.left, y: top - 8 }, title);
    return [words, ...lines, ...draw(this.scale, y)];
  }

  /** @param {number} height @returns {Frame} */
  waitingFrame(height) {
    const pool = this.pool ?? { name: "", reason: "" };
    /** @param {Moment} point */
    const value = (point) => measured(pool, point);
    const most = Math.max(0, ...this.points.map((point) => value(point) ?? 0));
    const goals = this.points.map((point) => point.objective_backlog ?? 0);
    // An objective far above all that waited would press that flat: then the values tell it.
    const top = nice(Math.max(10, most, ...goals.filter((goal) => goal <= Math.max(40, 3 * most))));
    const what = pool.objective?.backlog_per_replica ? "not done" : "waiting";
    return {
      title: `pictures ${what}${this.isUnused ? ": none in all this time" : ""}`, height, top,
      draw: (x, y) => [
        ...runs(this.points, value, this.gap).map((run) => drawing("path", { class: "backlog", d: area(run, x, y) })),
        ...runs(this.points, (point) => (point.broken ? value(point) : null), this.gap).flatMap((run) => [
          drawing("path", { class: "broken", d: area(run, x, y) }),
          drawing("rect", { class: "band", x: x(run[0][0]) - 1, width: Math.max(3, x(run[run.length - 1][0]) - x(run[0][0]) + 2), y: y(0), height: 4 }),
        ]),
        ...runs(this.points, (point) => ((point.objective_backlog ?? Infinity) <= top ? point.objective_backlog : null), this.gap)
          .map((run) => drawing("path", { class: "objective", d: line(run, x, y) })),
      ],
    };
  }

  /** @returns {Frame} */
  workersFrame() {
    const top = Math.max(2, ...this.points.map((point) => point.replicas));
    return {
      title: "workers", height: 48, top,
      draw: (x, y) => [
        ...runs(this.points, (point) => point.ready, this.gap).map((run) => drawing("path", { class: "ready", d: `${steps(run, x, y)}V${y(0)}H${x(run[0][0])}Z` })),
        ...runs(this.points, (point) => point.replicas, this.gap).map((run) => drawing("path", { class: "replicas", d: steps(run, x, y) })),
      ],
    };
  }

  /** @returns {Frame} */
  ratesFrame() {
    const rates = this.points.flatMap((point) => [point.arrival_rate ?? 0, point.done_rate ?? 0]);
    return {
      title: "pictures a second", height: 64, top: nice(Math.max(1, ...rates)),
      draw: (x, y) => [
        ...runs(this.points, (point) => point.arrival_rate, this.gap).map((run) => drawing("path", { class: "arrived", d: line(run, x, y) })),
        ...runs(this.points, (point) => point.done_rate, this.gap).map((run) => drawing("path", { class: "done", d: line(run, x, y) })),
      ],
    };
  }

  /** What the shapes mean. */
  keys() {
    /** @type {[string, string][]} */
    const shapes = [["backlog", "waiting"], ["objective", "objective as it was"], ["band", "objective broken"], ["replicas", "workers set"],
      ["ready", "ready"], ["arrived", "arrived"], ["done", "done"]];
    const shape = (/** @type {string} */ name) => (["backlog", "ready", "band"].includes(name)
      ? drawing("rect", { class: name, x: 1, y: name === "band" ? 6 : 1, width: 22, height: name === "band" ? 4 : 10 })
      : drawing("path", { class: name, d: name === "replicas" ? "M0 10H12V3H24" : "M0 6H24" }));
    return shapes.map(([name, words]) =>
      element("span", {}, drawing("svg", { viewBox: "0 0 24 12", "aria-hidden": "true" }, shape(name)), words));
  }

  /** Moments further from each other than this have nothing known between them. */
  get gap() {
    return this.seconds > 3600 ? 900 : 60;
  }

  summary() {
    const last = this.points.at(-1);
    if (!last || !this.pool) return `${this.pool?.name ?? ""}: no history yet`;
    const broken = this.points.filter((point) => point.broken).length;
    const most = Math.max(...this.points.map((point) => point.backlog ?? 0));
    const held = broken ? `the objective was broken in ${number(broken)} of ${number(this.points.length)} steps` : "the objective was held";
    return `${this.pool.name}: at most ${number(most)} not done, ${held}; ${number(last.replicas)} workers now`;
  }

  // --- what is looked at ---

  /** @param {PointerEvent} event */
  point(event) {
    if (!this.points.length || !this.pool) return;
    const box = this.figure.getBoundingClientRect();
    const share = (event.clientX - box.left - MARGIN.left) / Math.max(1, box.width - MARGIN.left - MARGIN.right);
    this.look(this.now - this.seconds * (1 - share));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const last = this.points.length - 1;
    const here = this.at === null ? last : this.indexAt(this.at);
    /** @type {Record<string, number>} */
    const to = { ArrowLeft: here - (event.shiftKey ? 10 : 1), ArrowRight: here + (event.shiftKey ? 10 : 1), Home: 0, End: last };
    if (event.key === "Escape") this.look(null);
    if (!(event.key in to) || last < 0) return;
    event.preventDefault();
    this.look(this.points[Math.max(0, Math.min(last, to[event.key]))].at);
    this.said.textContent = this.words.textContent;
  }

  /** @param {number} at */
  indexAt(at) {
    const distances = this.points.map((point) => Math.abs(point.at - at));
    return distances.indexOf(Math.min(...distances));
  }

  /** @param {number | null} at */
  look(at) {
    this.at = at;
    this.tell();
  }

  tell() {
    const point = this.at === null ? this.points.at(-1) : this.points[this.indexAt(this.at)];
    const last = this.seconds > 3600 ? "Last 5 min" : "Last 10 s";
    this.words.textContent = point ? `${this.at === null ? last : this.when(point.at)}: ${this.values(point)}` : "No history yet";
    this.mark.toggleAttribute("hidden", this.at === null || !point);
    if (point) for (const name of ["x1", "x2"]) this.mark.setAttribute(name, String(this.scale(point.at)));
  }

  /** @param {number} at */
  when(at) {
    const text = new Date(at * 1000).toISOString();
    const time = clock(text).slice(0, 8);
    return dayOf(text) === dayOf(new Date().toISOString()) ? time : `${day(text)}, ${time}`;
  }

  /** @param {Moment} point */
  values(point) {
    if (!this.pool) return "";
    const said = measured(this.pool, point);
    const what = this.pool.objective?.backlog_per_replica ? "not done" : "waiting";
    const goal = point.objective_backlog;
    const held = goal === null || goal === undefined ? "" : ` (objective: at most ${number(Math.round(goal))}${point.broken ? ", broken" : ""})`;
    const workers = `${number(point.ready)} of ${number(point.replicas)} workers ready`;
    /** @param {number | null | undefined} value */
    const flow = (value) => (value === null || value === undefined ? "unknown" : rate(value));
    return `${said === null ? "backlog unknown" : `${said ? `up to ${number(said)}` : "none"} ${what}${held}`}, ${workers}, ${flow(point.arrival_rate)} a second arrived, ${flow(point.done_rate)} done`;
  }
}
