// One upload: the files of a batch, from where they lie to where they are stored.

import { madeAt, uuid7 } from "../ids.js";
import { Gate } from "./gate.js";
import { Hashing, identity } from "./hashing.js";
import { readBatch, readImages } from "./ledger.js";
import { forget, forgetHandles, remember } from "./memory.js";
import { ENDED, Rows, markOf } from "./rows.js";
import { Sender } from "./sender.js";
import { Speed } from "./speed.js";

const QUIET_MS = 10_000;
/** So much the clocks of browser and service may differ. */
const SKEW_MS = 600_000;

export class Upload {
  /** @param {string} batch @param {string} who */
  constructor(batch, who) {
    this.batch = batch;
    this.who = who;
    /** @type {string[]} */
    this.recipes = [];
    this.rows = new Rows();
    this.gate = new Gate(who);
    this.hashing = new Hashing(this);
    this.sender = new Sender(this);
    this.stop = new AbortController();
    /** @type {Promise<unknown>} Its list is rebuilt. */
    this.opened = Promise.resolve();
    this.abandoned = false;
    this.speed = new Speed();
    /** @type {Map<string, Item>} By their marks. */
    this.items = new Map();
    /** @type {Set<string>} What the batch has: see `identity`. */
    this.there = new Set();
    this.skipped = { there: 0, chosenTwice: 0, unsent: 0 };
    this.bytes = { all: 0, done: 0, sent: 0 };
    this.began = 0;
    this.ended = 0;
    this.heardAt = Date.now();
    this.reading = false;
    this.problem = "";
  }

  /** The list as the ledger has it, and what has not arrived. @param {Remembered[]} remembered */
  async rebuild(remembered) {
    this.reading = true;
    const { images, rejections } = await readBatch(this.batch, this.gate, this.stop.signal);
    /** @type {Map<string, number[]>} When which were taken: what was there before a file was chosen is another one. */
    const arrived = new Map();
    for (const image of images) {
      this.#fromLedger(image);
      const same = `${image.name}|${image.original.bytes}`;
      arrived.set(same, [...(arrived.get(same) ?? []), madeAt(image.id)]);
    }
    for (const { name, code, detail } of rejections) this.rows.refused(this.rows.addKnown(name, 0, "", null), detail, code);
    const known = remembered.filter((file) => {
      const times = arrived.get(`${file.path.normalize("NFC")}|${file.size}`) ?? [];
      return times.filter((at) => at > madeAt(file.key) - SKEW_MS).length >= file.recipes.length;
    });
    forget(known.map((file) => file.key));
    const lacking = new Set(known);
    for (const file of remembered) if (!lacking.has(file)) this.#remembered(file);
    this.reading = false;
  }

  /** @param {Image} image */
  #fromLedger(image) {
    const row = this.rows.addKnown(image.name, image.original.bytes, image.recipe, image.id);
    this.#told(row, image);
    this.there.add(identity(image.name, image.original.sha256, image.recipe));
    if (!image.retry_of && !this.recipes.includes(image.recipe)) this.recipes.push(image.recipe);
  }

  /** @param {Row} row @param {Image} image */
  #told(row, image) {
    if (image.status === "accepted") return;
    const damaged = image.warnings?.includes("damaged") ?? false;
    this.rows.advance(row, image.status, { reason: image.reason ?? "", duplicate: image.duplicate, damaged });
  }

  /** @param {Remembered} file */
  #remembered(file) {
    /** @type {Item} */
    const item = { ...file, file: null, rows: [], attempts: 0 };
    this.items.set(markOf(item), item);
    this.rows.add(item, "missing");
    this.recipes = file.recipes;
  }

  /** @param {Chosen[]} files @param {string[]} recipes @param {number} maxBytes */
  add(files, recipes, maxBytes) {
    if (!this.left) this.#begin();
    this.recipes = this.recipes.length && this.rows.all.length ? this.recipes : recipes;
    const found = files.map((chosen) => this.#item(chosen)).filter((item) => item !== null);
    const fitting = found.filter((item) => this.#fits(item, maxBytes));
    this.remember(fitting);
    this.hashing.add(fitting);
    this.rows.version += 1;
  }

  /** What has not arrived outlives the browser. @param {Item[]} items */
  remember(items) {
    const { who } = this;
    remember(items.map(({ key, batch, path, size, modified, recipes }) => ({ key, batch, path, size, modified, recipes, who })));
  }

  #begin() {
    this.began = Date.now();
    this.ended = 0;
    this.speed = new Speed();
    this.bytes = { all: 0, done: 0, sent: 0 };
    this.skipped = { there: 0, chosenTwice: 0, unsent: 0 };
  }

  /** @param {Chosen} chosen */
  #item({ file, path }) {
    const facts = { path, size: file.size, modified: file.lastModified };
    const known = this.items.get(markOf(facts));
    if (known && (known.file || !known.rows.length)) {
      if (known.rows.every((row) => row.id)) this.#isThereAgain(known);
      else this.skipped.chosenTwice += 1;
      return null;
    }
    /** @type {Item} */
    const item = known ?? { ...facts, key: uuid7(), batch: this.batch, recipes: [...this.recipes], file, rows: [], attempts: 0 };
    item.file = file;
    this.items.set(markOf(facts), item);
    this.bytes.all += file.size;
    if (known) for (const row of item.rows) this.rows.enter(row, "waiting");
    else this.rows.add(item, "waiting");
    return item;
  }

  /** It arrived, and is chosen once more. @param {Item} item */
  #isThereAgain(item) {
    this.skipped.there += 1;
    this.bytes.all += item.size;
    this.bytes.done += item.size;
  }

  /** @param {Item} item @param {number} maxBytes */
  #fits(item, maxBytes) {
    if (item.size <= maxBytes) return true;
    const reason = `It has ${item.size.toLocaleString("en-US")} bytes; at most ${maxBytes.toLocaleString("en-US")} are taken. It was not sent.`;
    this.rows.rejected(item, reason, "too-large", false);
    this.settle([item], false);
    return false;
  }

  /** @param {Item[]} items @param {Accepted[]} accepted @param {boolean} wereSent */
  accepted(items, accepted, wereSent = false) {
    const touched = new Set();
    for (const told of accepted) {
      const item = items[told.index];
      const row = item.rows.find((one) => one.recipe === told.recipe);
      if (!row) continue;
      this.rows.accepted(row, told.id, told.duplicate);
      touched.add(item);
    }
    if (!wereSent) this.skipped.unsent += touched.size;
    this.settle([...touched], wereSent);
  }

  /** What has its answer needs not be remembered. @param {Item[]} items @param {boolean} wereSent */
  settle(items, wereSent) {
    for (const item of items) {
      if (wereSent) this.bytes.sent += item.size;
      if (!item.settled) this.bytes.done += item.size;
      item.settled = true;
    }
    if (items.length) forget(items.map((item) => item.key));
  }

  /** @param {Item} item */
  isThere(item) {
    this.skipped.there += 1;
    this.settle([item], false);
  }

  /** @param {Item} item */
  unreadable(item) {
    const file = item.file;
    this.items.delete(markOf(item)); // Chosen again it is another one.
    item.file = null;
    if (file) this.rows.rejected(item, "It cannot be read any more: it was moved or changed. Choose it again.", "unreadable", false);
    this.settle([item], false);
  }

  /** Somebody else is here now: nothing more is sent, and what has not arrived stays remembered for its owner. */
  abandon() {
    this.abandoned = true;
    this.hashing.clear();
    this.sender.clear();
    this.stop.abort();
  }

  /** Nothing more is sent; what is on its way is asked after, because it may have arrived. */
  cancel() {
    const waiting = [...this.hashing.clear(), ...this.sender.clear()];
    this.stop.abort();
    this.stop = new AbortController();
    this.gate.paused = false;
    this.cancelled(waiting);
    this.cancelled([...this.items.values()].filter((item) => item.rows.some((row) => row.state === "missing")));
    forgetHandles(this.batch);
  }

  /** @param {Item[]} items */
  cancelled(items) {
    if (this.abandoned) return;
    for (const row of items.flatMap((item) => item.rows)) if (!row.id) this.rows.advance(row, "cancelled", { reason: "cancelled, not sent" });
    for (const item of items) this.items.delete(markOf(item));
    this.settle(items, false);
  }

  /** Which files of requests without an answer are in the batch? They become rows with an id. @param {Item[]} items */
  async askArrived(items) {
    if (this.abandoned) return;
    /** @type {Map<string, Row[]>} */
    const wanted = new Map();
    for (const row of items.flatMap((item) => item.rows)) {
      const key = `${row.size}|${row.recipe}|${row.path.normalize("NFC")}`;
      wanted.set(key, [...(wanted.get(key) ?? []), row]);
    }
    await readImages(this.batch, (image) => {
      if (this.rows.byId.has(image.id)) return;
      const row = wanted.get(`${image.original.bytes}|${image.recipe}|${image.name}`)?.pop();
      if (row) this.rows.accepted(row, image.id, image.duplicate);
    }).catch(() => {});
  }

  /** What was not taken is sent again; what failed at work is worked on again, by who may ask for that. @param {boolean} operates */
  async retry(operates) {
    if (!this.left) this.#begin();
    const items = this.rows.again();
    for (const item of items) item.settled = false;
    for (const item of items) this.bytes.all += item.size;
    this.remember(items);
    this.hashing.add(items);
    if (!operates) return;
    for (const row of this.rows.all.filter((one) => one.state === "failed")) await this.#workAgain(row);
  }

  /** @param {Row} row */
  async #workAgain(row) {
    if (!(await this.gate.passes(this.stop.signal))) return;
    const options = { method: "POST", headers: { "Idempotency-Key": uuid7() } };
    const answer = await fetch(`/api/v1/images/${row.id}/retry`, options).catch(() => null);
    if (answer?.ok) this.rows.retried(row, (await answer.json()).id);
    else this.problem = "Not all could be retried; Failures says why.";
  }

  /** @param {string} id @param {RowState} state @param {News} news */
  heard(id, state, news) {
    this.heardAt = Date.now();
    this.rows.heard(id, state, news);
  }

  get left() {
    return this.rows.inFlight + this.rows.toSend;
  }

  /** Goes on with time: speed, end, and a look into the ledger when nothing is heard. */
  tick() {
    if (this.left) {
      this.speed.see(this.rows.offered - this.left, this.bytes.done);
      this.ended = 0;
      if (!this.sender.busy && this.rows.inFlight && Date.now() - this.heardAt > QUIET_MS) this.readAgain();
    } else if (!this.ended && this.began) {
      this.ended = Date.now();
    }
  }

  /** News may be lost on the way; the ledger is not. */
  async readAgain() {
    if (this.reading) return;
    this.reading = true;
    this.heardAt = Date.now();
    let open = this.rows.all.filter((row) => row.id && !ENDED.has(row.state)).length;
    try {
      if (open) {
        await readImages(this.batch, (image) => {
          const row = this.rows.byId.get(image.id);
          if (!row || ENDED.has(row.state)) return true;
          this.#told(row, image);
          open -= 1;
          return open > 0;
        });
      }
      this.problem = "";
    } catch {
      this.problem = "The service does not answer; this list may be behind.";
    }
    this.reading = false;
  }
}
