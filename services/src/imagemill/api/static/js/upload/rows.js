// What this upload knows: a row per file and recipe, counted by state as it changes.

/** @type {Record<RowState, number>} */
const RANK = { waiting: 0, sending: 1, accepted: 2, taken: 3, done: 4, stored: 5, failed: 5, rejected: 5, cancelled: 5 };
const EARLY = 50_000;
/** @type {Set<RowState>} */
export const ENDED = new Set(["stored", "failed", "rejected", "cancelled"]);

export class Rows {
  /** @param {(row: Row) => void} changed */
  constructor(changed) {
    /** @type {Row[]} */
    this.all = [];
    /** @type {Map<string, Row>} */
    this.byId = new Map();
    this.counts = { waiting: 0, sending: 0, accepted: 0, taken: 0, done: 0, stored: 0, failed: 0, rejected: 0, cancelled: 0 };
    this.known = 0;
    this.chosenTwice = 0;
    /** @type {Map<string, { count: number, reason: string }>} */
    this.reasons = new Map();
    /** @type {Map<string, [RowState, News][]>} What is heard of ids before the answer with these ids is here. */
    this.early = new Map();
    /** @type {Set<string>} */
    this.files = new Set();
    this.changed = changed;
  }

  /** A row for each recipe; null for a file that is in the list already. @param {File} file @param {string[]} recipes */
  add(file, recipes) {
    const mark = `${file.webkitRelativePath || file.name}|${file.size}|${file.lastModified}|${recipes}`;
    if (this.files.has(mark)) {
      this.chosenTwice += 1;
      return null;
    }
    this.files.add(mark);
    /** @type {Item} */
    const item = { file, recipes, rows: [], attempts: 0 };
    for (const recipe of recipes) item.rows.push(this.#row(item, recipe));
    return item;
  }

  /** @param {Item} item @param {string} recipe */
  #row(item, recipe) {
    /** @type {Row} */
    const row = { item, recipe, state: "waiting", id: null, reason: "", duplicate: false, version: 0, reached: 0 };
    this.all.push(row);
    this.counts.waiting += 1;
    this.changed(row);
    return row;
  }

  /**
   * States only ever advance: news may come late and in any order.
   * @param {Row} row
   * @param {RowState} state
   * @param {News} more
   */
  advance(row, state, more = {}) {
    if (RANK[state] <= RANK[row.state]) return;
    if (["taken", "done"].includes(state)) row.reached = RANK[state] - 1;
    if (state === "accepted") row.reached = 1;
    this.#enter(row, state, more);
  }

  /** @param {Row} row @param {RowState} state @param {News} more */
  #enter(row, state, more) {
    if (!row.duplicate && more.duplicate && state === "stored") this.known += 1;
    this.counts[row.state] -= 1;
    this.counts[state] += 1;
    Object.assign(row, more, { state, version: row.version + 1 });
    this.changed(row);
  }

  /** The request that carried the row did not get through: it waits again. @param {Row} row */
  takeBack(row) {
    if (row.state === "sending") this.#enter(row, "waiting", {});
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
   */
  rejected(item, reason, code) {
    const [first, ...others] = item.rows;
    for (const row of others) {
      this.counts[row.state] -= 1;
      row.gone = true;
    }
    item.rows = [first];
    if (others.length) this.all = this.all.filter((row) => !row.gone);
    this.reasons.set(code, { count: (this.reasons.get(code)?.count ?? 0) + 1, reason });
    this.advance(first, "rejected", { reason });
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
}
