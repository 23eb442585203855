// The list: only the rows which can be seen exist as elements, so that 30,000 scroll like 30.

import { element } from "../dom.js";
import { size } from "../format.js";

/** @import { Rows } from "./rows.js" */

const BEYOND = 6;
const STEPS = ["accepted", "taken", "done", "stored"];
/** @type {Record<RowState, string>} */
const WORDS = {
  waiting: "waiting here", sending: "sending", accepted: "accepted", taken: "taken by a worker",
  done: "done, being stored", stored: "stored", failed: "failed", rejected: "rejected", cancelled: "cancelled, not sent",
};

export class View {
  /** @param {HTMLElement} container @param {Rows} rows */
  constructor(container, rows) {
    this.container = container;
    this.rows = rows;
    /** @type {Map<number, Line>} */
    this.shown = new Map();
    /** @type {Line[]} */
    this.spare = [];
    this.frame = 0;
    this.height = 0;
    for (const kind of ["scroll", "resize"]) addEventListener(kind, () => this.soon(), { passive: true });
  }

  soon() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    const { all } = this.rows;
    const height = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row"));
    this.container.style.height = `${all.length * height}px`;
    this.container.parentElement?.setAttribute("aria-rowcount", String(all.length + 1));
    const top = this.container.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / height) - BEYOND);
    const last = Math.min(all.length, Math.ceil((innerHeight - top) / height) + BEYOND);
    if (height !== this.height) this.#recycle(0, 0);
    this.height = height;
    this.#recycle(first, last);
    for (let index = first; index < last; index++) this.#show(index, all[index], height);
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

  /** @param {number} index @param {Row} row @param {number} height */
  #show(index, row, height) {
    let line = this.shown.get(index);
    if (!line) {
      line = this.spare.pop() ?? makeLine();
      this.shown.set(index, line);
      line.root.style.transform = `translateY(${index * height}px)`;
      line.root.setAttribute("aria-rowindex", String(index + 2));
      this.container.append(line.root);
    }
    if (line.row !== row) startLine(line, row);
    if (line.version !== row.version) fillLine(line, row);
  }
}

/** @param {string} name @param {Node[]} children */
const cell = (name, ...children) => element("span", { class: name, role: "cell" }, ...children);

/** @returns {Line} */
function makeLine() {
  const link = element("a", { class: "file" });
  const line = {
    row: null, version: -1, pictured: null, preview: "",
    root: element("div", { class: "sheet-row", role: "row" }),
    thumb: cell("c-thumb"),
    link,
    name: cell("c-name", link),
    recipe: cell("c-recipe"),
    size: cell("c-size"),
    marks: STEPS.map((step) => element("i", { title: step })),
    state: cell("c-state"),
  };
  const marks = element("span", { class: "marks" }, ...line.marks);
  marks.setAttribute("aria-hidden", "true");
  line.root.append(line.thumb, line.name, line.recipe, line.size, cell("c-marks", marks), line.state);
  return line;
}

/** @param {Line} line @param {Row} row */
function startLine(line, row) {
  const { file } = row.item;
  Object.assign(line, { row, version: -1 });
  line.link.textContent = file.webkitRelativePath || file.name;
  line.name.title = line.link.textContent;
  line.link.removeAttribute("href");
  line.recipe.textContent = row.recipe;
  line.size.textContent = size(file.size);
}

/**
 * The file itself; once it is stored the preview of its result, which costs the browser a hundredth.
 * @param {Line} line
 * @param {Row} row
 */
function showThumbnail(line, row) {
  const preview = row.state === "stored" ? `/api/v1/images/${row.id}/preview` : "";
  if (line.pictured === row && line.preview === preview) return;
  if (line.pictured !== row) line.thumb.replaceChildren();
  Object.assign(line, { pictured: row, preview });
  if (preview) showPreview(line, row);
  else showFile(line.thumb, row.item.file);
}

/** @param {Line} line @param {Row} row */
function showPreview(line, row) {
  const image = element("img", { alt: "", decoding: "async", src: line.preview });
  const isStill = () => line.pictured === row && line.preview === image.getAttribute("src");
  image.addEventListener("load", () => isStill() && line.thumb.replaceChildren(image));
  image.addEventListener("error", () => isStill() && showFile(line.thumb, row.item.file));
}

/** @param {Element} place @param {File} file */
function showFile(place, file) {
  const address = URL.createObjectURL(file);
  const image = element("img", { alt: "", decoding: "async", src: address });
  const release = () => URL.revokeObjectURL(address);
  image.addEventListener("load", release);
  image.addEventListener("error", () => {
    release();
    image.replaceWith(file.name.slice(file.name.lastIndexOf(".") + 1).slice(0, 5).toUpperCase());
  });
  place.replaceChildren(image);
}

/** @param {Line} line @param {Row} row */
function fillLine(line, row) {
  line.version = row.version;
  showThumbnail(line, row);
  if (row.id) line.link.href = `/pictures/${row.id}`;
  line.state.className = `c-state ${row.state}${row.reason ? " wrap" : ""}`;
  line.state.textContent = words(row);
  line.state.title = line.state.textContent;
  line.state.classList.toggle("bad", row.state === "failed" || row.state === "rejected");
  // Failed pictures reach the last mark too: that they failed is stored. What failed is the work.
  const full = row.state === "stored" && !row.duplicate ? 4 : row.state === "failed" ? 2 : row.reached;
  const stopped = row.state === "failed" ? 2 : row.state === "rejected" ? 0 : -1;
  line.marks.forEach((mark, index) => {
    const known = row.duplicate && index === STEPS.length - 1; // Nobody had to take it: its result was there.
    mark.className = index === stopped ? "no" : index < full || known ? "on" : "";
  });
}

/** @param {Row} row */
function words(row) {
  const damaged = row.damaged ? ", damaged" : "";
  if (row.duplicate) return `stored, known already${damaged}`;
  if (row.state === "stored") return `stored${damaged}`;
  return row.reason && row.state !== "cancelled" ? `${WORDS[row.state]}: ${row.reason}` : WORDS[row.state];
}
