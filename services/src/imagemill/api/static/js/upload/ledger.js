// What the ledger has of a batch.

const TIMEOUT_MS = 30_000;
const PAGE = 500;

/** The service answered, and did not tell. */
export class Refused extends Error {
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
export const readRejections = (batch, see) => read("rejections", batch, see);
