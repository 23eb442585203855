// What the ledger has of a batch.

const TIMEOUT_MS = 30_000;
const PAGE = 500;

/** @import { Gate } from "./gate.js" */

/** The service answered, and did not tell. */
class Refused extends Error {
  /** @param {number} status */
  constructor(status) {
    super(`The service answered ${status}.`);
    this.status = status;
  }
}

/**
 * All of a list, newest first, until `see` returns false; raises when the service does not answer.
 * @template T
 * @param {string} list
 * @param {string} batch
 * @param {(item: T) => boolean | void} see
 */
async function read(list, batch, see) {
  /** @type {string | null} */
  let after = "";
  do {
    const address = `/api/v1/${list}?batch=${encodeURIComponent(batch)}&limit=${PAGE}${after && `&after=${after}`}`;
    const answer = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!answer.ok) throw new Refused(answer.status);
    const page = await answer.json();
    if (page[list].some((/** @type {T} */ item) => see(item) === false)) return;
    after = page.next;
  } while (after);
}

/** @param {string} batch @param {(image: Image) => boolean | void} see */
export const readImages = (batch, see) => read("images", batch, see);

/** @param {string} batch @param {(rejection: Rejection) => boolean | void} see */
const readRejections = (batch, see) => read("rejections", batch, see);

/**
 * All of a batch, oldest first, asked until the service tells: without knowing it, the same could be added twice.
 * @param {string} batch
 * @param {Gate} gate
 * @param {AbortSignal} stop
 */
export async function readBatch(batch, gate, stop) {
  while (await gate.passes(stop)) {
    /** @type {Image[]} */
    const images = [];
    /** @type {Rejection[]} */
    const rejections = [];
    try {
      await readImages(batch, (image) => void images.push(image));
      await readRejections(batch, (rejection) => void rejections.push(rejection));
      gate.answered();
      return { images: images.reverse(), rejections: rejections.reverse() };
    } catch (error) {
      if (error instanceof Refused && error.status === 401) gate.signedOut = true;
      else gate.away();
    }
  }
  return { images: [], rejections: [] };
}
