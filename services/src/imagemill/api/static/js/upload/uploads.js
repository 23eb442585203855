// All uploads of this browser, and the pages which look at them. In a worker that outlives pages, or in a page.

import { certainSession } from "./gate.js";
import { Parts } from "./parts.js";
import { remembered } from "./memory.js";
import { Upload } from "./upload.js";

const TELL_MS = 200;
const AFTER_CHANGE_MS = 30;
/** @typedef {{ who: string | null, batch: string | null, part: Part | null, parts: Parts, told: string }} Look */

/** @returns {Look} */
const newLook = () => ({ who: null, batch: null, part: null, parts: new Parts(), told: "" });

export class Uploads {
  /** @type {Map<MessagePort, Look>} */
  #looks = new Map();
  /** @type {Map<string, Upload>} */
  #all = new Map();
  /** @type {string | null} What pages show that name no batch. */
  #current = null;
  #limits = { maxBytes: 0, operates: false };
  /** @type {string | null} */
  #who = null;
  /** @type {Promise<unknown>} */
  #ready = Promise.resolve();

  constructor() {
    setInterval(() => this.#tell(), TELL_MS);
  }

  /** @param {MessagePort} port */
  connect(port) {
    this.#looks.set(port, newLook());
    port.addEventListener("message", ({ data }) => this.#ask(port, data));
    port.start();
  }

  /** Files that wait here for a request. */
  get toSend() {
    return [...this.#all.values()].reduce((sum, upload) => sum + upload.rows.toSend, 0);
  }

  /** @param {MessagePort} port @param {Asked} asked */
  #ask(port, asked) {
    const look = this.#looks.get(port) ?? newLook();
    this.#looks.set(port, look); // A page that was left may come back as it was.
    if (asked.kind === "hello") this.#hello(look, asked);
    else if (asked.kind === "leave") this.#looks.delete(port);
    else if (asked.kind === "part") look.part = asked.part;
    else if (asked.kind === "look") this.#ready.then(() => this.#look(look, asked.batch));
    else if (asked.kind === "add") this.#ready = this.#ready.then(() => this.#add(port, look, asked));
    else if (asked.kind === "heard") this.#all.get(asked.batch)?.heard(asked.id, asked.state, asked.news);
    else if (asked.kind === "lost") this.#all.forEach((upload) => upload.readAgain());
    else if (look.who === this.#who) this.#command(asked.kind, asked.batch);
    look.told = "";
    setTimeout(() => this.#show(port, look), AFTER_CHANGE_MS);
  }

  /** @param {Look} look @param {Extract<Asked, { kind: "hello" }>} asked */
  #hello(look, asked) {
    look.who = asked.who;
    for (const upload of this.#all.values()) {
      if (this.#who === asked.who) upload.gate.open();
      else upload.gate.signedOut = true; // Until it is known whose session it is.
    }
    if (this.#who === asked.who) this.#limits = asked;
    else this.#ready = this.#change(asked, this.#ready);
  }

  /**
   * Another person is here, unless it is an old page that came back. Of the former one's files nothing is kept here.
   * @param {Extract<Asked, { kind: "hello" }>} asked
   * @param {Promise<unknown>} before
   */
  async #change(asked, before) {
    const { who } = asked;
    const name = this.#who === null ? who : await certainSession();
    if (name !== who) {
      if (name === this.#who) for (const upload of this.#all.values()) upload.gate.signedOut = false;
      return before;
    }
    this.#limits = asked;
    for (const upload of this.#all.values()) upload.abandon();
    this.#all.clear();
    this.#current = null;
    this.#who = who;
    await before;
    return this.#takeUp(who);
  }

  /** What this person left behind. @param {string} who */
  async #takeUp(who) {
    const files = await remembered(who);
    if (this.#who !== who) return;
    const last = files.at(-1);
    if (last) await this.#opened(last.batch, files.filter((file) => file.batch === last.batch));
    this.#current ??= last?.batch ?? null;
  }

  /** @param {string} batch @param {Remembered[]} [files] @param {boolean} [isNew] */
  async #opened(batch, files, isNew = false) {
    const known = this.#all.get(batch);
    const upload = known ?? new Upload(batch, this.#who ?? "");
    this.#all.set(batch, upload);
    if (!known && !isNew) upload.opened = this.#rebuilt(upload, files);
    await upload.opened; // Before all of the batch is known, the same could be added twice.
    return upload;
  }

  /** @param {Upload} upload @param {Remembered[]} [files] */
  async #rebuilt(upload, files) {
    await upload.rebuild(files ?? (await remembered(upload.who)).filter((file) => file.batch === upload.batch));
  }

  /** @param {Look} look @param {string | null} batch */
  async #look(look, batch) {
    look.batch = batch;
    if (batch && look.who === this.#who) await this.#opened(batch);
  }

  /** @param {MessagePort} port @param {Look} look @param {Extract<Asked, { kind: "add" }>} asked */
  async #add(port, look, { batch, isNew, recipes, files }) {
    if (look.who !== this.#who) return port.postMessage({ kind: "not-yours" });
    this.#current = batch;
    const upload = await this.#opened(batch, undefined, isNew);
    upload.add(files, recipes, this.#limits.maxBytes);
  }

  /** @param {"pause" | "continue" | "cancel" | "retry" | "forget"} kind @param {string} batch */
  #command(kind, batch) {
    const upload = this.#all.get(batch);
    if (!upload) return;
    if (kind === "pause") upload.gate.paused = true;
    else if (kind === "continue") Object.assign(upload.gate, { paused: false, until: 0 });
    else if (kind === "cancel") upload.cancel();
    else if (kind === "retry") upload.retry(this.#limits.operates);
    else if (!upload.left) this.#forget(upload);
  }

  /** @param {Upload} upload */
  #forget(upload) {
    upload.cancel();
    this.#all.delete(upload.batch);
    if (this.#current === upload.batch) this.#current = null;
  }

  #tell() {
    for (const upload of this.#all.values()) upload.tick();
    for (const [port, look] of this.#looks) this.#show(port, look);
  }

  /** @param {MessagePort} port @param {Look} look */
  #show(port, look) {
    if (!this.#looks.has(port)) return;
    const isTheirs = look.who === null || look.who === this.#who; // The page of the login is nobody's.
    const upload = isTheirs ? this.#all.get(look.batch ?? this.#current ?? "") : undefined;
    const state = upload ? stateOf(upload, this.#limits.operates) : null;
    const told = JSON.stringify([state, upload?.rows.version, look.part]);
    if (told === look.told) return;
    look.told = told;
    port.postMessage({ kind: "state", state });
    if (upload && look.part) port.postMessage({ kind: "rows", ...look.parts.of(upload.rows, look.part) });
  }
}

/** @param {Upload} upload @param {boolean} operates @returns {UploadState} */
function stateOf(upload, operates) {
  const { rows, gate, bytes, speed, skipped } = upload;
  const tookSeconds = upload.began ? Math.max(1, Math.round(((upload.ended || Date.now()) - upload.began) / 1000)) : 0;
  return {
    batch: upload.batch, recipes: upload.recipes, counts: { ...rows.counts }, offered: rows.offered, inFlight: rows.inFlight,
    toSend: rows.toSend, bytesDone: bytes.done, bytesAll: bytes.all, bytesSent: bytes.sent, perSecond: speed.perSecond,
    bytesPerSecond: speed.bytesPerSecond, tookSeconds, looking: upload.hashing.queue.length, known: rows.known,
    ...skipped, passing: rows.passing + (operates ? rows.counts.failed : 0),
    reasons: [...rows.reasons].map(([code, told]) => ({ code, ...told })),
    note: gate.note || upload.problem, paused: gate.paused, signedOut: gate.signedOut, reading: upload.reading && !upload.began,
  };
}
