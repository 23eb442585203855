// How fast an upload is, over the last ten seconds.

const WINDOW_MS = 10_000;
const SHORTEST_MS = 500;

export class Speed {
  constructor() {
    /** @type {[at: number, ended: number, bytes: number][]} */
    this.points = [];
  }

  /** @param {number} ended @param {number} bytes */
  see(ended, bytes, now = performance.now()) {
    this.points.push([now, ended, bytes]);
    while (this.points.length > 2 && now - this.points[0][0] > WINDOW_MS) this.points.shift();
  }

  /** Pictures ended. */
  get perSecond() {
    return this.#rate(1);
  }

  /** Bytes dealt with. */
  get bytesPerSecond() {
    return this.#rate(2);
  }

  /** @param {1 | 2} what */
  #rate(what) {
    const [first, last] = [this.points[0], this.points.at(-1)];
    return last && last[0] - first[0] > SHORTEST_MS ? (1000 * (last[what] - first[what])) / (last[0] - first[0]) : null;
  }
}
