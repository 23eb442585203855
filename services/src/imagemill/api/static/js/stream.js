// An event stream that opens itself again; tells its events, and how it is with it: connecting, live, away, busy.

/** @type {(keyof Told)[]} */
const KINDS = ["totals", "alerts", "outcome", "activity", "lost", "busy"];
const REOPEN_MS = 5000;

export class Stream {
  #tell;
  /** @type {EventSource | null} */
  #source = null;
  #busy = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** `refused` means that the service answered, and gave no stream. @param {Tell} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  get isOpen() {
    return this.#source !== null;
  }

  open() {
    if (this.#source) return;
    clearTimeout(this.#timer);
    this.#tell("pulse", "connecting");
    const source = new EventSource("/api/v1/events");
    this.#source = source;
    for (const kind of KINDS) source.addEventListener(kind, (event) => this.#receive(kind, JSON.parse(event.data)));
    source.addEventListener("open", () => {
      this.#busy = false;
      // What happened while there was no stream is not told again, nor what happened since the page was made.
      this.#tell("lost", {});
    });
    source.addEventListener("error", () => this.#failed());
  }

  close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  /**
   * @template {keyof Told} K
   * @param {K} kind
   * @param {Told[K]} data
   */
  #receive(kind, data) {
    if (kind === "busy") this.#busy = true;
    this.#tell("pulse", this.#busy ? "busy" : "live");
    this.#tell(kind, data);
  }

  #failed() {
    this.#tell("pulse", this.#busy ? "busy" : "away");
    if (this.#source?.readyState !== EventSource.CLOSED) return;
    this.close();
    this.#tell("refused", {});
    this.#timer = setTimeout(() => this.open(), REOPEN_MS * (0.5 + Math.random()));
  }
}
