// Asking the service to do something with pictures, in portions which it takes.

import { toast } from "./dom.js";
import { number } from "./format.js";
import { uuid7 } from "./ids.js";

const TOLD_MS = 8000;
const AT_ONCE = 500;
const TIMEOUT_MS = 60_000;

/** @param {string[]} ids @returns {object[]} */
export function portionsOf(ids) {
  return Array.from({ length: Math.ceil(ids.length / AT_ONCE) }, (_, index) => ({ images: ids.slice(index * AT_ONCE, (index + 1) * AT_ONCE) }));
}

/**
 * @typedef {object} Answer
 * @property {{ detail: string }[]} [refused]
 * @property {string | null} [next]
 * @property {string} [problem]
 */

/**
 * Sends portions one after another, and goes on while there is more; tells what was done, and the first problem.
 * @template Done
 * @param {string} path
 * @param {object[]} portions
 * @param {(answer: any) => Done[] | undefined} of
 * @param {(count: number) => void} progress
 */
export async function send(path, portions, of, progress = () => {}) {
  /** @type {Done[]} */
  const done = [];
  let problem = "";
  for (const portion of portions) {
    /** @type {object | null} */
    let body = portion;
    while (body) {
      const answer = await post(path, body);
      done.push(...(of(answer) ?? []));
      progress(done.length);
      problem ||= answer.problem ?? (answer.refused?.length ? `${number(answer.refused.length)} refused: ${answer.refused[0].detail}` : "");
      body = answer.next ? { ...portion, after: answer.next } : null;
    }
  }
  return { done, problem };
}

/** @param {string} path @param {object} body @returns {Promise<any>} What was answered, or a `problem`. */
export async function post(path, body, method = "POST") {
  try {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": uuid7() };
    const answer = await fetch(path, { method, headers, body: JSON.stringify(body), signal: AbortSignal.timeout(TIMEOUT_MS) });
    const told = answer.status === 204 ? {} : await answer.json();
    return answer.ok ? told : { problem: told.detail };
  } catch {
    return { problem: "The service does not answer; try again in a moment." };
  }
}

/** @param {string} text @param {string} problem @param {Node[]} controls */
export function say(text, problem, ...controls) {
  const told = toast(problem ? `${text} ${problem}` : text, ...controls);
  setTimeout(() => told.remove(), TOLD_MS);
  return told;
}
