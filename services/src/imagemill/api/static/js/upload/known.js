// Hash first: pictures that the service has are accepted without being sent.

const LARGEST_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
// Only there on this machine and over HTTPS; elsewhere everything is sent.
const subtle = globalThis.crypto?.subtle;

/**
 * What the service accepted of a portion; nothing when it cannot be asked, or the files not read.
 * @param {Item[]} portion
 * @param {string} batch
 * @param {AbortSignal} stop
 * @returns {Promise<Accepted[]>}
 */
export async function takeKnown(portion, batch, stop) {
  if (!subtle || portion.some((item) => item.asked || item.file.size > LARGEST_BYTES)) return [];
  for (const item of portion) item.asked = true; // Once: what is sent again was not known a moment ago.
  try {
    const pictures = await Promise.all(portion.map(async (item) => ({ name: item.file.name, sha256: await digest(item.file), key: item.key })));
    const body = JSON.stringify({ batch, recipes: portion[0].recipes, pictures });
    const signal = AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MS)]);
    const answer = await fetch("/api/v1/known", { method: "POST", headers: { "Content-Type": "application/json" }, body, signal });
    return answer.ok ? (await answer.json()).accepted : [];
  } catch {
    return []; // They are sent, under the same keys: what was accepted here counts once.
  }
}

/** @param {File} file */
async function digest(file) {
  const bytes = new Uint8Array(await subtle.digest("SHA-256", await file.arrayBuffer()));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
