// Sends files in requests of limited size, a few at a time. When an answer is lost they are sent again: each has a key,
// by which the service knows it again.

import { uuid7 } from "../ids.js";
import { readable } from "./files.js";
import { takeKnown } from "./known.js";

const AT_ONCE = 3;
const FILES = 20;
const BYTES = 16 * 1024 * 1024;
const TIMEOUT_MS = 300_000;
const READ_TIMEOUT_MS = 30_000;
const MOST_ATTEMPTS = 40;
const MOST_PAUSE_MS = 30_000;
const PAGE = 500;
/** @import { Rows } from "./rows.js" */
/** @typedef {{ accepted?: Accepted[], rejected?: Rejected[], detail?: string, code?: string }} Answer */

const AWAY = new Set(["unavailable", "accept-unknown", "being-erased"]);

/** @param {string | undefined} text */
const firstSentence = (text) => `${String(text ?? "The service is busy").split(/\. |\.$/)[0]}.`;
/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Sender {
  /** @param {Rows} rows @param {(text: string) => void} note */
  constructor(rows, note) {
    this.rows = rows;
    this.note = note;
    /** @type {Item[]} */
    this.queue = [];
    this.running = 0;
    this.pausedUntil = 0;
    this.batch = "";
    this.stop = new AbortController();
  }

  /** @param {Item[]} items */
  add(items) {
    for (const item of items) this.queue.push(item); // As arguments some hundred thousand are too many.
    while (this.running < AT_ONCE && this.queue.length) this.#run();
  }

  get busy() {
    return this.running > 0;
  }

  /** Nothing more is sent; what is on its way is asked after, because it may have arrived. */
  cancel() {
    const waiting = this.queue.splice(0);
    this.stop.abort();
    this.stop = new AbortController();
    for (const item of waiting) this.#cancelled(item);
  }

  async #run() {
    this.running += 1;
    for (let portion = this.#next(); portion.length; portion = this.#next()) await this.#send(portion);
    this.running -= 1;
    this.note("");
  }

  #next() {
    /** @type {Item[]} */
    const portion = [];
    let bytes = 0;
    for (const item of this.queue.slice(0, FILES)) {
      const other = portion.length && String(item.recipes) !== String(portion[0].recipes);
      if (other || (portion.length && bytes + item.file.size > BYTES)) break;
      bytes += item.file.size;
      portion.push(item);
    }
    this.queue.splice(0, portion.length);
    return portion;
  }

  /** @param {Item[]} portion */
  async #send(portion) {
    const stop = this.stop.signal;
    while (portion.length) {
      await this.#pause(stop);
      const left = stop.aborted ? [] : await this.#attempt(portion, stop);
      if (stop.aborted) {
        for (const item of await this.#notArrived(portion)) this.#cancelled(item);
        return;
      }
      portion = left.filter((item) => !this.#givenUp(item));
    }
  }

  /** @param {Item[]} portion @param {AbortSignal} stop @returns {Promise<Item[]>} What has to be sent again. */
  async #attempt(portion, stop) {
    for (const item of portion) {
      item.key ??= uuid7();
      for (const row of item.rows) this.rows.advance(row, "sending");
    }
    this.#taken(portion, await takeKnown(portion, this.batch, stop));
    portion = portion.filter((item) => item.rows.some((row) => !row.id));
    return portion.length && !stop.aborted ? this.#upload(portion, stop) : portion;
  }

  /** @param {Item[]} portion @param {AbortSignal} stop */
  async #upload(portion, stop) {
    const form = new FormData();
    for (const recipe of portion[0].recipes) form.append("recipe", recipe);
    form.append("batch", this.batch);
    for (const item of portion) {
      form.append("key", item.key ?? "");
      form.append("file", item.file);
    }
    try {
      const signal = AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MS)]);
      const answer = await fetch("/api/v1/images", { method: "POST", body: form, signal });
      const body = await answer.json();
      return this.#answered(portion, answer, body);
    } catch {
      return stop.aborted ? portion : this.#broken(portion);
    }
  }

  /** @param {Item[]} portion @param {Response} answer @param {Answer} body */
  #answered(portion, answer, body) {
    if (answer.status === 503 || answer.status === 429) {
      this.#wait(1000 * (Number(answer.headers.get("Retry-After")) || 5), firstSentence(body.detail));
      return this.#again(portion);
    }
    if (!answer.ok && !body.rejected) {
      for (const item of portion) this.rows.rejected(item, body.detail ?? `The service answered ${answer.status}.`, body.code ?? "error");
      return [];
    }
    this.note("");
    this.#taken(portion, body.accepted ?? []);
    return this.#refused(portion, body.rejected ?? []);
  }

  /** @param {Item[]} portion @param {Accepted[]} accepted */
  #taken(portion, accepted) {
    for (const told of accepted) {
      const row = portion[told.index].rows.find((one) => one.recipe === told.recipe);
      if (row) this.rows.accepted(row, told.id, told.duplicate);
    }
  }

  /** @param {Item[]} portion @param {Rejected[]} rejected */
  #refused(portion, rejected) {
    const later = rejected.filter((told) => AWAY.has(told.code)).map((told) => portion[told.index]);
    for (const told of rejected) {
      if (!AWAY.has(told.code)) this.rows.rejected(portion[told.index], told.detail, told.code);
    }
    if (later.length) this.#wait(5000, "A server was away for a moment.");
    return this.#again(later);
  }

  /** @param {Item[]} portion */
  async #broken(portion) {
    this.#wait(Math.min(MOST_PAUSE_MS, 1000 * 2 ** portion[0].attempts), "The service does not answer.");
    const left = [];
    for (const item of portion) {
      if (await readable(item.file)) left.push(item);
      else this.rows.rejected(item, "It cannot be read any more: it was moved or changed. Choose it again.", "unreadable");
    }
    return this.#again(left);
  }

  /**
   * Which files of a request without an answer are not in the batch? Those that are become rows with an id.
   * @param {Item[]} portion
   */
  async #notArrived(portion) {
    /** @type {Map<string, Row[]>} */
    const wanted = new Map();
    for (const row of portion.flatMap((item) => item.rows)) {
      const key = `${row.item.file.size}|${row.recipe}|${row.item.file.name.normalize("NFC")}`;
      wanted.set(key, [...(wanted.get(key) ?? []), row]);
    }
    await this.read((image) => {
      if (this.rows.byId.has(image.id)) return;
      const row = wanted.get(`${image.original.bytes}|${image.recipe}|${image.name}`)?.pop();
      if (row) this.rows.accepted(row, image.id, image.duplicate);
    }).catch(() => {});
    return portion.filter((item) => item.rows.some((row) => !row.id));
  }

  /**
   * Reads the batch from the ledger, newest first, until `see` returns false.
   * @param {(image: Image) => boolean | void} see
   */
  async read(see) {
    /** @type {string | null} */
    let after = "";
    do {
      const address = `/api/v1/images?batch=${encodeURIComponent(this.batch)}&limit=${PAGE}${after && `&after=${after}`}`;
      const answer = await fetch(address, { signal: AbortSignal.timeout(READ_TIMEOUT_MS) });
      if (!answer.ok) throw new Error(`The service answered ${answer.status}.`);
      /** @type {{ images: Image[], next: string | null }} */
      const page = await answer.json();
      if (page.images.some((image) => see(image) === false)) return;
      after = page.next;
    } while (after);
  }

  /** @param {Item[]} items */
  #again(items) {
    for (const item of items) {
      item.attempts += 1;
      for (const row of item.rows) this.rows.takeBack(row);
    }
    return items;
  }

  /** @param {Item} item */
  #givenUp(item) {
    if (item.attempts < MOST_ATTEMPTS) return false;
    this.rows.rejected(item, "The service did not take it for a long time. Choose it again later.", "given-up");
    return true;
  }

  /** @param {Item} item */
  #cancelled(item) {
    for (const row of item.rows) if (!row.id) this.rows.advance(row, "cancelled", { reason: "cancelled, not sent" });
  }

  /** @param {number} ms @param {string} why */
  #wait(ms, why) {
    this.pausedUntil = Math.max(this.pausedUntil, Date.now() + ms * (1 + Math.random() / 4));
    this.note(`${why} Trying again in ${Math.ceil((this.pausedUntil - Date.now()) / 1000)} s.`);
  }

  /** @param {AbortSignal} stop */
  async #pause(stop) {
    while (!stop.aborted && Date.now() < this.pausedUntil) await sleep(Math.min(200, this.pausedUntil - Date.now()));
  }
}
