// Before every request of an upload: is it paused, was the service away or busy, has the session ended?

const ASK_MS = 5000;
const TICK_MS = 200;
const LONGEST_MS = 30_000;

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** Whose session it is, "" when it is nobody's, null while the service does not tell. @returns {Promise<string | null>} */
export async function sessionOf() {
  const answer = await fetch("/api/v1/whoami", { signal: AbortSignal.timeout(ASK_MS) }).catch(() => null);
  if (answer?.status === 401) return "";
  const told = answer?.ok ? await answer.json().catch(() => null) : null;
  return told?.name ?? null;
}

/** The same, asked until the service tells. @returns {Promise<string>} */
export async function certainSession() {
  for (;;) {
    const name = await sessionOf();
    if (name !== null) return name;
    await sleep(ASK_MS);
  }
}

/** @param {string | undefined} text */
const firstSentence = (text) => `${String(text ?? "The service is busy").split(/\. |\.$/)[0]}.`;

export class Gate {
  /** @param {string} who Under nobody else's session anything is sent. */
  constructor(who) {
    this.who = who;
    this.paused = false;
    this.signedOut = false;
    this.until = 0;
    this.why = "";
    this.failures = 0;
  }

  get note() {
    if (this.signedOut) return "Your session has ended; what is here waits.";
    if (!this.why) return "";
    const seconds = Math.ceil((this.until - Date.now()) / 1000);
    return seconds > 0 ? `${this.why} Trying again in ${seconds} s.` : `${this.why} Trying again now.`;
  }

  /** Waits until a request may be made; false when it must not be any more. @param {AbortSignal} stop */
  async passes(stop) {
    while (!stop.aborted && (this.paused || this.signedOut || Date.now() < this.until)) {
      if (this.signedOut) await this.#askWho();
      else await sleep(TICK_MS);
    }
    return !stop.aborted;
  }

  async #askWho() {
    if ((await sessionOf()) === this.who) this.signedOut = false;
    else await sleep(ASK_MS);
  }

  /** The service did answer, and did not put it off. */
  answered() {
    this.why = "";
    this.failures = 0;
  }

  /** Does the answer mean that it shall be asked again? Then so it is, later. @param {Response} answer @param {string} [detail] */
  putsOff(answer, detail) {
    if (answer.status === 401) this.signedOut = true;
    else if (answer.status === 503 || answer.status === 429) this.wait(1000 * (Number(answer.headers.get("Retry-After")) || 5), firstSentence(detail));
    else if (answer.status >= 500) this.away(`The service answered ${answer.status}.`);
    else return false;
    return true;
  }

  /** No answer: it is asked again, ever less often. */
  away(why = "The service does not answer.") {
    this.wait(Math.min(LONGEST_MS, 1000 * 2 ** this.failures), why);
    this.failures += 1;
  }

  /** With some chance in it: not all shall come back at the same moment. @param {number} ms @param {string} why */
  wait(ms, why) {
    this.until = Math.max(this.until, Date.now() + ms * (1 + Math.random() / 4));
    this.why = why;
  }

  /** Nothing is waited for any more. */
  open() {
    this.signedOut = false;
    this.until = 0;
  }
}
