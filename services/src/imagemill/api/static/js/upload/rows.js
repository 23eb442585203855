// What an upload knows: a row per file and recipe, counted by state as it changes.

/** @type {Record<RowState, number>} */
const RANK = { missing: 0, waiting: 1, sending: 2, accepted: 3, taken: 4, done: 5, stored: 6, failed: 6, rejected: 6, cancelled: 6 };
const MARKS = RANK.accepted - 1;
const EARLY = 50_000;
/** @type {Set<RowState>} */
export const ENDED = new Set(["stored", "failed", "rejected", "cancelled"]);

/** By this a file that is chosen again is known. @param {{ path: string, size: number, modified: number }} file */
export const markOf = ({ path, size, modified }) => `${path}|${size}|${modified}`;

export class Rows {
  constructor() {
    /** @type {Row[]} */
    this.all = [];
    /** @type {Map<string, Row>} */
    this.byId = new Map();
    this.counts = { missing: 0, waiting: 0, sending: 0, accepted: 0, taken: 0, done: 0, stored: 0, failed: 0, rejected: 0, cancelled: 0 };
    this.known = 0;
    this.passing = 0;
    /** @type {Map<string, { count: number, reason: string }>} */
    this.reasons = new Map();
    /** @type {Map<string, [RowState, News][]>} What is heard of ids before the answer with these ids is here. */
    this.early = new Map();
    this.version = 0;
    this.listVersion = 0;
  }

  /** A row for each recipe. @param {Item} item @param {RowState} state */
  add(item, state) {
    item.rows = item.recipes.map((recipe) => this.#push(item, item.path, item.size, recipe, state));
  }

  /** What the ledger has. @param {string} path @param {number} size @param {string} recipe @param {string | null} id */
  addKnown(path, size, recipe, id) {
    const row = this.#push(null, path, size, recipe, "accepted");
    row.reached = 1;
    row.id = id;
    if (id) this.byId.set(id, row);
    return row;
  }

  /** @param {Item | null} item @param {string} path @param {number} size @param {string} recipe @param {RowState} state */
  #push(item, path, size, recipe, state) {
    /** @type {Row} */
    const row = { item, path, size, recipe, state, id: null, reason: "", duplicate: false, damaged: false, passing: false, reached: 0 };
    this.all.push(row);
    this.counts[state] += 1;
    this.#listed();
    return row;
  }

  #listed() {
    this.version += 1;
    this.listVersion += 1;
  }

  /** These rows never come to be. @param {Iterable<Row>} rows */
  drop(rows) {
    for (const row of rows) {
      if (row.gone) continue;
      row.gone = true;
      this.counts[row.state] -= 1;
    }
    this.#listed();
  }

  /** The rows that there are. */
  sweep() {
    this.all = this.all.filter((row) => !row.gone);
  }

  /**
   * States only ever advance: news may come late and in any order.
   * @param {Row} row
   * @param {RowState} state
   * @param {News} more
   */
  advance(row, state, more = {}) {
    if (RANK[state] <= RANK[row.state]) return;
    if (["taken", "done"].includes(state)) row.reached = RANK[state] - MARKS;
    if (state === "accepted") row.reached = 1;
    this.enter(row, state, more);
  }

  /** @param {Row} row @param {RowState} state @param {News} more */
  enter(row, state, more = {}) {
    if (!row.duplicate && more.duplicate && state === "stored") this.known += 1;
    this.counts[row.state] -= 1;
    this.counts[state] += 1;
    Object.assign(row, more, { state });
    this.version += 1;
  }

  /** The request that carried the row did not get through: it waits again. @param {Row} row */
  takeBack(row) {
    if (row.state === "sending") this.enter(row, "waiting");
  }

  /** @param {Row} row @param {string} id @param {boolean} duplicate */
  accepted(row, id, duplicate) {
    row.id = id;
    this.byId.set(id, row);
    this.advance(row, "accepted");
    if (duplicate) this.advance(row, "stored", { duplicate: true });
    const news = this.early.get(id);
    this.early.delete(id);
    for (const [state, more] of news ?? []) this.advance(row, state, more);
  }

  /**
   * A refusal concerns the file: one row tells it, those of the other recipes never come to be.
   * @param {Item} item
   * @param {string} reason
   * @param {string} code
   * @param {boolean} passing It may be taken later, or when it is chosen again.
   */
  rejected(item, reason, code, passing) {
    const [first, ...others] = item.rows.filter((row) => !row.id);
    if (!first) return;
    if (others.length) this.drop(others);
    item.rows = item.rows.filter((row) => !row.gone);
    this.refused(first, reason, code);
    first.passing = passing;
    this.passing += Number(passing);
  }

  /** @param {Row} row @param {string} reason @param {string} code */
  refused(row, reason, code) {
    this.reasons.set(code, { count: (this.reasons.get(code)?.count ?? 0) + 1, reason });
    this.advance(row, "rejected", { reason });
  }

  /** Rows of what may be taken when it is sent again: they wait. @returns {Item[]} */
  again() {
    const rows = this.all.filter((row) => row.passing && row.item?.file);
    for (const row of rows) {
      row.passing = false;
      this.enter(row, "waiting", { reason: "" });
    }
    this.passing -= rows.length;
    for (const [code, told] of this.reasons) if (!this.all.some((row) => row.reason === told.reason)) this.reasons.delete(code);
    return /** @type {Item[]} */ ([...new Set(rows.map((row) => row.item))]);
  }

  /** A failed picture is worked on again, as a new one. @param {Row} row @param {string} id */
  retried(row, id) {
    row.reached = 1;
    this.enter(row, "accepted", { reason: "" });
    if (row.id) this.byId.delete(row.id);
    row.id = id;
    this.byId.set(id, row);
  }

  /** @param {string} id @param {RowState} state @param {News} more */
  heard(id, state, more = {}) {
    const row = this.byId.get(id);
    if (row) this.advance(row, state, more);
    else if (this.early.size < EARLY) this.early.set(id, [...(this.early.get(id) ?? []), [state, more]]);
  }

  get inFlight() {
    return this.counts.accepted + this.counts.taken + this.counts.done;
  }

  get toSend() {
    return this.counts.waiting + this.counts.sending;
  }

  get offered() {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }
}
