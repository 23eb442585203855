// What this upload knows: a row per file and recipe, counted by state as it changes.

const RANK = { waiting: 0, sending: 1, accepted: 2, taken: 3, done: 4, stored: 5, failed: 5, rejected: 5, cancelled: 5 };
const EARLY = 50_000;
export const ENDED = new Set(["stored", "failed", "rejected", "cancelled"]);

export class Rows {
  constructor(changed) {
    this.all = [];
    this.byId = new Map();
    this.counts = Object.fromEntries(Object.keys(RANK).map((state) => [state, 0]));
    this.known = 0;
    this.chosenTwice = 0;
    this.reasons = new Map();
    this.early = new Map(); // What is heard of ids before the answer with these ids is here.
    this.files = new Set();
    this.changed = changed;
  }

  /** A row for each recipe; null for a file that is in the list already. */
  add(file, recipes) {
    const mark = `${file.webkitRelativePath || file.name}|${file.size}|${file.lastModified}|${recipes}`;
    if (this.files.has(mark)) {
      this.chosenTwice += 1;
      return null;
    }
    this.files.add(mark);
    const item = { file, recipes, rows: [], attempts: 0 };
    for (const recipe of recipes) item.rows.push(this.#row(item, recipe));
    return item;
  }

  #row(item, recipe) {
    const row = { item, recipe, state: "waiting", id: null, reason: "", duplicate: false, version: 0, reached: 0 };
    this.all.push(row);
    this.counts.waiting += 1;
    this.changed(row);
    return row;
  }

  /** States only ever advance: news may come late and in any order. */
  advance(row, state, more = {}) {
    if (RANK[state] <= RANK[row.state]) return;
    if (["taken", "done"].includes(state)) row.reached = RANK[state] - 1;
    if (state === "accepted") row.reached = 1;
    this.#enter(row, state, more);
  }

  #enter(row, state, more) {
    if (!row.duplicate && more.duplicate && state === "stored") this.known += 1;
    this.counts[row.state] -= 1;
    this.counts[state] += 1;
    Object.assign(row, more, { state, version: row.version + 1 });
    this.changed(row);
  }

  /** The request that carried the row did not get through: it waits again. */
  takeBack(row) {
    if (row.state === "sending") this.#enter(row, "waiting", {});
  }

  accepted(row, id, duplicate) {
    row.id = id;
    this.byId.set(id, row);
    this.advance(row, "accepted");
    if (duplicate) this.advance(row, "stored", { duplicate: true });
    const news = this.early.get(id);
    this.early.delete(id);
    for (const [state, more] of news ?? []) this.advance(row, state, more);
  }

  /** A refusal concerns the file: one row tells it, those of the other recipes never come to be. */
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
