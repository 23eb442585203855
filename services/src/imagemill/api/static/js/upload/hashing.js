// Hash first: what the batch has is not added again, what the service has is accepted without being sent.

/** @import { Upload } from "./upload.js" */

const LARGEST_BYTES = 64 * 1024 * 1024;
const FILES = 100;
const BYTES = 32 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
// Only there on this machine and over HTTPS; elsewhere everything is sent.
const subtle = globalThis.crypto?.subtle;

/** The name of a picture under a recipe in the batch, as it is compared. @param {string} path @param {string} sha256 @param {string} recipe */
export const identity = (path, sha256, recipe) => `${path.normalize("NFC")}|${sha256}|${recipe}`;

export class Hashing {
  #running = false;

  /** @param {Upload} upload */
  constructor(upload) {
    this.upload = upload;
    /** @type {Item[]} */
    this.queue = [];
  }

  get busy() {
    return this.#running || this.queue.length > 0;
  }

  /** @param {Item[]} items */
  add(items) {
    for (const item of items) this.queue.push(item); // As arguments some hundred thousand are too many.
    if (!this.#running) this.#run();
  }

  /** What was not looked at yet. */
  clear() {
    return this.queue.splice(0);
  }

  async #run() {
    this.#running = true;
    while (this.queue.length) {
      const portion = this.#next();
      const stop = this.upload.stop.signal;
      if (!(await this.upload.gate.passes(stop))) this.upload.cancelled(portion);
      else await this.#look(portion, stop);
    }
    this.#running = false;
  }

  #next() {
    let count = 0;
    let bytes = 0;
    const recipes = String(this.queue[0].recipes);
    for (const item of this.queue) {
      if (count === FILES || (count && bytes + item.size > BYTES) || String(item.recipes) !== recipes) break;
      bytes += item.size;
      count += 1;
    }
    return this.queue.splice(0, count);
  }

  /** @param {Item[]} portion @param {AbortSignal} stop */
  async #look(portion, stop) {
    const hashed = await this.#hashed(portion);
    const fresh = hashed.filter((item) => !this.#isThere(item));
    const asked = fresh.filter((item) => item.digest);
    const unknown = asked.length && !stop.aborted ? await this.#ask(asked, stop) : asked;
    const rest = new Set(unknown);
    if (stop.aborted) this.upload.cancelled(fresh.filter((item) => item.rows.some((row) => !row.id)));
    else this.upload.sender.add(fresh.filter((item) => !item.digest || rest.has(item)));
  }

  /** @param {Item[]} portion */
  async #hashed(portion) {
    const found = [];
    for (const item of portion) {
      try {
        if (subtle && item.file && item.size <= LARGEST_BYTES) item.digest ??= await digest(item.file);
        found.push(item);
      } catch {
        this.upload.unreadable(item);
      }
    }
    return found;
  }

  /** Is it in the batch, under every recipe? Rows of recipes under which it is are not needed. @param {Item} item */
  #isThere(item) {
    const { digest: sha256 } = item;
    const there = sha256 ? item.rows.filter((row) => this.upload.there.has(identity(item.path, sha256, row.recipe))) : [];
    if (!there.length) return false;
    this.upload.rows.drop(there);
    item.rows = item.rows.filter((row) => !row.gone);
    item.recipes = item.rows.map((row) => row.recipe);
    if (item.rows.length) return false;
    this.upload.isThere(item);
    return true;
  }

  /** What the service does not know, or what it cannot be asked about. @param {Item[]} items @param {AbortSignal} stop */
  async #ask(items, stop) {
    const pictures = items.map(({ path, digest: sha256, key }) => ({ path, sha256, key }));
    const body = JSON.stringify({ batch: this.upload.batch, recipes: items[0].recipes, pictures });
    try {
      const signal = AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MS)]);
      const answer = await fetch("/api/v1/known", { method: "POST", headers: { "Content-Type": "application/json" }, body, signal });
      const told = await answer.json();
      if (!answer.ok) {
        this.upload.gate.putsOff(answer, told.detail);
        return items; // They are sent, under the same keys: what was accepted here counts once.
      }
      this.upload.gate.answered();
      this.upload.accepted(items, told.accepted);
    } catch {
      if (!stop.aborted) this.upload.gate.away();
    }
    return items.filter((item) => item.rows.some((row) => !row.id));
  }
}

/** @param {File} file */
async function digest(file) {
  const bytes = new Uint8Array(await subtle.digest("SHA-256", await file.arrayBuffer()));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
