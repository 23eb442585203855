// Sends files in requests of limited size, a few at a time. When an answer is lost they are sent again: each has a key,
// by which the service knows it again.

/** @import { Upload } from "./upload.js" */
/** @typedef {{ accepted?: Accepted[], rejected?: Rejected[], detail?: string, code?: string }} Answer */

const AT_ONCE = 3;
const FILES = 20;
const BYTES = 8 * 1024 * 1024;
const TIMEOUT_MS = 300_000;
const MOST_ATTEMPTS = 40;
/** Nothing is said of the files: the service is away or busy, or the session has ended. */
const NOT_NOW = new Set([401, 429, 502, 503, 504]);
/** What may be taken a moment later. */
const AWAY = new Set(["unavailable", "accept-unknown", "being-erased", "too-many-jobs"]);

export class Sender {
  #running = 0;

  /** @param {Upload} upload */
  constructor(upload) {
    this.upload = upload;
    /** @type {Item[]} */
    this.queue = [];
  }

  get busy() {
    return this.#running > 0;
  }

  /** @param {Item[]} items */
  add(items) {
    for (const item of items) this.queue.push(item);
    while (this.#running < AT_ONCE && this.queue.length) this.#run();
  }

  /** What is not on its way. */
  clear() {
    return this.queue.splice(0);
  }

  async #run() {
    this.#running += 1;
    for (let portion = this.#next(); portion.length; portion = this.#next()) await this.#send(portion);
    this.#running -= 1;
  }

  #next() {
    /** @type {Item[]} */
    const portion = [];
    let bytes = 0;
    for (const item of this.queue) {
      const other = portion.length && (item.alone || portion[0].alone || String(item.recipes) !== String(portion[0].recipes));
      if (portion.length === FILES || other || (portion.length && bytes + item.size > BYTES)) break;
      bytes += item.size;
      portion.push(item);
    }
    this.queue.splice(0, portion.length);
    return portion;
  }

  /** @param {Item[]} portion */
  async #send(portion) {
    const { gate, stop: { signal: stop } } = this.upload;
    while (portion.length) {
      const left = (await gate.passes(stop)) ? await this.#attempt(portion, stop) : portion;
      if (stop.aborted) {
        await this.upload.askArrived(left);
        this.upload.cancelled(left.filter((item) => item.rows.some((row) => !row.id)));
        return;
      }
      portion = left.filter((item) => !this.#givenUp(item));
    }
  }

  /** @param {Item[]} portion @param {AbortSignal} stop @returns {Promise<Item[]>} What has to be sent again. */
  async #attempt(portion, stop) {
    const form = this.#form(portion);
    for (const row of portion.flatMap((item) => item.rows)) this.upload.rows.advance(row, "sending");
    try {
      const signal = AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MS)]);
      const answer = await fetch("/api/v1/images", { method: "POST", body: form, signal });
      // A proxy before the service refuses in HTML: its status tells enough.
      const body = await answer.json().catch((error) => (answer.ok ? Promise.reject(error) : {}));
      return this.#answered(portion, answer, body);
    } catch {
      return stop.aborted ? portion : this.#broken(portion);
    }
  }

  /** @param {Item[]} portion */
  #form(portion) {
    const form = new FormData();
    for (const recipe of portion[0].recipes) form.append("recipe", recipe);
    form.append("batch", this.upload.batch);
    for (const { key, path, file } of portion) {
      form.append("key", key);
      form.append("path", path);
      // Chromium lets only the process that was given a file send it, and the worker's may be another: its bytes may be sent.
      if (file) form.append("file", file.slice(0, file.size, file.type), file.name);
    }
    return form;
  }

  /** @param {Item[]} portion @param {Response} answer @param {Answer} body */
  #answered(portion, answer, body) {
    const { gate, rows } = this.upload;
    if (!body.rejected && gate.putsOff(answer, body.detail)) return this.#again(portion, !NOT_NOW.has(answer.status));
    gate.answered();
    if (!answer.ok && !body.rejected) {
      if (portion.length > 1) return this.#singly(portion); // Perhaps one of them alone is the reason.
      rows.rejected(portion[0], body.detail ?? `The service answered ${answer.status}.`, body.code ?? "error", true);
      this.upload.settle(portion, true);
      return [];
    }
    this.upload.accepted(portion, body.accepted ?? [], true);
    return this.#refused(portion, body.rejected ?? []);
  }

  /** @param {Item[]} portion */
  #singly(portion) {
    const [first, ...others] = this.#again(portion);
    for (const item of portion) item.alone = true;
    this.queue.unshift(...others);
    return [first];
  }

  /** @param {Item[]} portion @param {Rejected[]} rejected */
  #refused(portion, rejected) {
    const later = rejected.filter((told) => AWAY.has(told.code)).map((told) => portion[told.index]);
    const refused = rejected.filter((told) => !AWAY.has(told.code));
    for (const told of refused) this.upload.rows.rejected(portion[told.index], told.detail, told.code, false);
    this.upload.settle(refused.map((told) => portion[told.index]), true);
    if (later.length) this.upload.gate.wait(5000, "A server was away for a moment.");
    return this.#again(later);
  }

  /** @param {Item[]} portion */
  async #broken(portion) {
    const left = [];
    for (const item of portion) {
      if (item.file && (await readable(item.file))) left.push(item);
      else this.upload.unreadable(item);
    }
    if (left.length) this.upload.gate.away();
    return this.#again(left, false);
  }

  /** @param {Item[]} items @param {boolean} counts Attempts at a service that is away do not count. */
  #again(items, counts = true) {
    for (const item of items) {
      item.attempts += Number(counts);
      for (const row of item.rows) this.upload.rows.takeBack(row);
    }
    return items;
  }

  /** @param {Item} item */
  #givenUp(item) {
    if (item.attempts < MOST_ATTEMPTS) return false;
    item.attempts = 0;
    this.upload.rows.rejected(item, "The service did not take it for a long time. Retry it later.", "given-up", true);
    this.upload.settle([item], false);
    this.upload.remember([item]);
    return true;
  }
}

/** Can it still be read? Files that were moved or changed since they were chosen cannot. @param {File} file */
async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
