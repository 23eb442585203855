// The list: only the rows which can be seen exist as elements, and only those around them are in the page at all.

import { element } from "../dom.js";
import { size } from "../format.js";

const BEYOND = 6;
const AROUND = 80;
/** A preview is asked for once its row stands still: who scrolls through thousands wants to see few of them. */
const STILL_MS = 120;
const STEPS = ["accepted", "taken", "done", "stored"];
/** @type {Record<RowState, string>} */
const WORDS = {
  missing: "not sent, choose it again", waiting: "waiting here", sending: "sending", accepted: "accepted", taken: "taken by a worker",
  done: "done, being stored", stored: "stored", failed: "failed", rejected: "rejected", cancelled: "cancelled, not sent",
};
/** @typedef {ReturnType<typeof makeLine>} Line */

export class View {
  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} container
   * @param {(first: number, last: number) => void} ask For the rows between.
   */
  constructor(scroller, container, ask) {
    this.scroller = scroller;
    this.container = container;
    this.ask = ask;
    this.count = 0;
    this.first = 0;
    /** @type {ShownRow[]} */
    this.rows = [];
    /** @type {Map<number, Line>} */
    this.shown = new Map();
    /** @type {Line[]} */
    this.spare = [];
    this.frame = 0;
    this.still = 0;
    this.height = 56;
    this.wanted = [-1, -1];
    scroller.addEventListener("scroll", () => this.#moves(), { passive: true });
    new ResizeObserver(() => this.#measure()).observe(scroller);
  }

  #moves() {
    clearTimeout(this.still);
    this.still = setTimeout(() => {
      this.still = 0;
      this.soon();
    }, STILL_MS);
    this.soon();
  }

  #measure() {
    const height = parseFloat(getComputedStyle(this.container).getPropertyValue("--row")) || 56;
    if (height !== this.height) this.#recycle(0, 0);
    this.height = height;
    this.soon();
  }

  /** @param {ShownRow[]} rows @param {number} first @param {number} count */
  give(rows, first, count) {
    Object.assign(this, { rows, first });
    if (count !== this.count) {
      this.count = count;
      this.container.style.height = `${count * this.height}px`;
      this.scroller.parentElement?.setAttribute("aria-rowcount", String(count + 1));
    }
    this.soon();
  }

  /** Another list begins at its top. */
  restart() {
    this.scroller.scrollTop = 0;
    this.wanted = [-1, -1];
    this.soon();
  }

  soon() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.#draw();
    });
  }

  #draw() {
    const { height, scroller, count } = this;
    const [top, below] = [Math.floor(scroller.scrollTop / height), Math.ceil((scroller.scrollTop + scroller.clientHeight) / height)];
    if (top < this.wanted[0] + BEYOND * Number(this.wanted[0] > 0) || below > this.wanted[1] - BEYOND) {
      this.wanted = [Math.max(0, top - AROUND), below + AROUND];
      this.ask(this.wanted[0], this.wanted[1]);
    }
    const first = Math.max(0, top - BEYOND, this.first);
    const last = Math.min(count, below + BEYOND, this.first + this.rows.length);
    this.container.style.height = `${count * height}px`;
    this.#recycle(first, last);
    for (let index = first; index < last; index++) this.#show(index, this.rows[index - this.first]);
  }

  /** @param {number} first @param {number} last */
  #recycle(first, last) {
    for (const [index, line] of this.shown) {
      if (index >= first && index < last) continue;
      this.shown.delete(index);
      line.root.remove();
      this.spare.push(line);
    }
  }

  /** @param {number} index @param {ShownRow} row */
  #show(index, row) {
    let line = this.shown.get(index);
    if (!line) {
      line = this.spare.pop() ?? makeLine();
      this.shown.set(index, line);
      line.root.style.transform = `translateY(${index * this.height}px)`;
      line.root.setAttribute("aria-rowindex", String(index + 2));
      this.container.append(line.root);
    }
    fill(line, row);
    if (!this.still) showPreview(line, row);
  }
}

/** @param {string} name @param {Node[]} children */
const cell = (name, ...children) => element("span", { class: name, role: "cell" }, ...children);

function makeLine() {
  const [folder, base] = [element("span", { class: "folder" }), element("span", { class: "base" })];
  const link = element("a", { class: "file" }, folder, base);
  const line = {
    mark: "", preview: "", link, folder, base,
    root: element("div", { class: "sheet-row", role: "row" }),
    thumb: cell("c-thumb"),
    name: cell("c-name", link),
    recipe: cell("c-recipe"),
    size: cell("c-size"),
    way: element("span", { class: "marks" }),
    marks: STEPS.map((step) => element("i", { title: step })),
    state: cell("c-state"),
  };
  line.way.append(...line.marks);
  line.way.setAttribute("aria-hidden", "true");
  line.root.append(line.thumb, line.name, line.recipe, line.size, cell("c-marks", line.way), line.state);
  return line;
}

/** @param {Line} line @param {ShownRow} row */
function fill(line, row) {
  const mark = `${row.path}|${row.recipe}|${row.id}|${row.state}|${row.reached}|${row.duplicate}|${row.damaged}|${row.reason}`;
  if (line.mark === mark) return;
  line.mark = mark;
  const cut = row.path.lastIndexOf("/") + 1;
  line.folder.textContent = row.path.slice(0, cut);
  line.base.textContent = row.path.slice(cut);
  line.name.title = row.path;
  line.recipe.textContent = row.recipe;
  line.size.textContent = row.size ? size(row.size) : "";
  if (row.id) line.link.href = `/pictures/${row.id}`;
  else line.link.removeAttribute("href");
  if (!line.preview || line.preview !== previewOf(row)) showKind(line, row);
  showState(line, row);
}

/** The preview of its result, once it is stored. @param {ShownRow} row */
const previewOf = (row) => (row.state === "stored" && row.id ? `/api/v1/images/${row.id}/preview` : "");

/** What kind of file it is, while there is no preview. @param {Line} line @param {ShownRow} row */
function showKind(line, row) {
  line.preview = "";
  line.thumb.textContent = row.path.slice(row.path.lastIndexOf(".") + 1).slice(0, 5).toUpperCase();
}

/** @param {Line} line @param {ShownRow} row */
function showPreview(line, row) {
  const preview = previewOf(row);
  if (!preview || line.preview === preview) return;
  line.preview = preview;
  const image = element("img", { alt: "", decoding: "async", src: preview });
  image.addEventListener("load", () => line.preview === preview && line.thumb.replaceChildren(image));
}

/** @param {Line} line @param {ShownRow} row */
function showState(line, row) {
  line.state.className = `c-state ${row.state}${row.reason ? " wrap" : ""}`;
  line.state.textContent = words(row);
  line.state.title = line.state.textContent;
  line.state.classList.toggle("bad", row.state === "failed" || row.state === "rejected");
  // Failed pictures reach the last mark too: that they failed is stored. What failed is the work.
  const full = row.state === "stored" && !row.duplicate ? 4 : row.state === "failed" ? 2 : row.reached;
  const stopped = row.state === "failed" ? 2 : row.state === "rejected" ? 0 : -1;
  line.way.classList.toggle("looked-up", Boolean(row.duplicate));
  line.marks.forEach((mark, index) => {
    const known = row.duplicate && index === STEPS.length - 1; // Nobody had to take it: its result was there.
    mark.className = index === stopped ? "no" : index < full || known ? "on" : "";
  });
}

/** @param {ShownRow} row */
function words(row) {
  const damaged = row.damaged ? ", damaged" : "";
  if (row.duplicate) return `stored, seen before${damaged}`;
  if (row.state === "stored") return `stored${damaged}`;
  return row.reason && row.state !== "cancelled" ? `${WORDS[row.state]}: ${row.reason}` : WORDS[row.state];
}
