// All uploads of this browser, and the pages which look at them. In a worker that outlives pages, or in a page.

import { Parts } from "./parts.js";
import { remembered } from "./memory.js";
import { Upload } from "./upload.js";

const TELL_MS = 200;
const AFTER_CHANGE_MS = 30;
/** @typedef {{ batch: string | null, part: Part | null, parts: Parts, told: string }} Look */

/** @returns {Look} */
const newLook = () => ({ batch: null, part: null, parts: new Parts(), told: "" });

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
    if (asked.kind === "hello") this.#ready = this.#hello(asked);
    else if (asked.kind === "leave") this.#looks.delete(port);
    else if (asked.kind === "part") look.part = asked.part;
    else if (asked.kind === "look") this.#ready.then(() => this.#look(look, asked.batch));
    else if (asked.kind === "add") this.#ready = this.#ready.then(() => this.#add(asked));
    else if (asked.kind === "heard") this.#all.get(asked.batch)?.heard(asked.id, asked.state, asked.news);
    else if (asked.kind === "lost") this.#all.forEach((upload) => upload.readAgain());
    else this.#command(asked.kind, asked.batch);
    look.told = "";
    setTimeout(() => this.#show(port, look), AFTER_CHANGE_MS);
  }

  /** A page that somebody sees is that of a session; of another person's files nothing may be left. @param {Extract<Asked, { kind: "hello" }>} asked */
  async #hello({ who, maxBytes, operates }) {
    this.#limits = { maxBytes, operates };
    for (const upload of this.#all.values()) upload.gate.open();
    if (this.#who === who) return;
    for (const upload of this.#all.values()) upload.stop.abort();
    this.#all.clear();
    this.#current = null;
    this.#who = who;
    const files = await remembered(who);
    const last = files.at(-1);
    if (last) await this.#opened(last.batch, files.filter((file) => file.batch === last.batch));
    this.#current ??= last?.batch ?? null;
  }

  /** @param {string} batch @param {Remembered[]} [files] @param {boolean} [isNew] */
  async #opened(batch, files, isNew = false) {
    const known = this.#all.get(batch);
    if (known) return known;
    const upload = new Upload(batch, this.#who ?? "");
    this.#all.set(batch, upload);
    if (!isNew) await upload.rebuild(files ?? (await remembered(this.#who ?? "")).filter((file) => file.batch === batch));
    return upload;
  }

  /** @param {Look} look @param {string | null} batch */
  async #look(look, batch) {
    look.batch = batch;
    if (batch) await this.#opened(batch);
  }

  /** @param {Extract<Asked, { kind: "add" }>} asked */
  async #add({ batch, isNew, recipes, files }) {
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
    const upload = this.#all.get(look.batch ?? this.#current ?? "");
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
