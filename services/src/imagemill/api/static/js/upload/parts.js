// Which rows of a list a page shows, and in which order.

/** @import { Rows } from "./rows.js" */

const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
/** @type {Record<RowState, number>} What needs a look is first. */
const URGENCY = { failed: 0, rejected: 1, missing: 2, sending: 3, waiting: 4, accepted: 5, taken: 6, done: 7, cancelled: 8, stored: 9 };
/** @type {Record<Shown, (row: Row) => boolean>} */
const SHOWN = {
  all: () => true,
  stored: (row) => row.state === "stored",
  wrong: (row) => ["failed", "rejected", "cancelled", "missing"].includes(row.state),
  open: (row) => !["stored", "failed", "rejected", "cancelled", "missing"].includes(row.state),
};

/** Remembers the list of one page: as long as nothing changes it is made once. */
export class Parts {
  #mark = "";
  /** @type {Row[]} */
  #list = [];
  #sortedFor = "";
  /** @type {Row[]} */
  #sorted = [];

  /** @param {Rows} rows @param {Part} part @returns {{ rows: ShownRow[], first: number, count: number }} */
  of(rows, part) {
    const changes = part.shown === "all" && part.order !== "state" ? rows.listVersion : rows.version;
    const mark = `${changes}|${part.shown}|${part.order}|${part.text}`;
    if (mark !== this.#mark) this.#list = this.#made(rows, part);
    this.#mark = mark;
    const shown = this.#list.slice(part.first, part.last).map(({ item: _, gone: __, passing: ___, ...row }) => row);
    return { rows: shown, first: part.first, count: this.#list.length };
  }

  /** @param {Rows} rows @param {Part} part */
  #made(rows, part) {
    rows.sweep();
    const text = part.text.toLowerCase();
    const found = this.#ordered(rows, part.order).filter((row) => SHOWN[part.shown](row) && (!text || row.path.toLowerCase().includes(text)));
    return part.order === "state" ? found.sort((one, other) => URGENCY[one.state] - URGENCY[other.state]) : found;
  }

  /** Names are compared once for each list, however its states change. @param {Rows} rows @param {Order} order */
  #ordered(rows, order) {
    if (order === "chosen" || order === "state") return rows.all;
    const mark = `${rows.listVersion}|${order}`;
    if (mark !== this.#sortedFor) {
      const compare = order === "size" ? largestFirst : nameFirst;
      this.#sorted = [...rows.all].sort(compare);
    }
    this.#sortedFor = mark;
    return this.#sorted;
  }
}

/** @param {Row} one @param {Row} other */
const largestFirst = (one, other) => other.size - one.size;
/** @param {Row} one @param {Row} other */
const nameFirst = (one, other) => byName.compare(one.path, other.path);
