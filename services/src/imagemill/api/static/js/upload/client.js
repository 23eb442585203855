// A page's way to the uploads: in a worker that outlives the page where the browser has one, else in the page itself.

/** @type {"kept" | "while-open" | "page"} How long uploads go on: over navigation, while a page is open, in this page. */
let lives = "page";

export const livesFor = () => lives;

/** The worker; null where there is none. @returns {SharedWorker | null} */
function shared() {
  let kept = false;
  const options = {
    type: "module", name: "imagemill-uploads",
    /** Asked for by browsers which know it: then the worker goes on while one page makes way for another. */
    get extendedLifetime() {
      kept = true;
      return true;
    },
  };
  try {
    const worker = new SharedWorker(new URL("../uploadworker.js", import.meta.url), /** @type {WorkerOptions} */ (options));
    lives = kept ? "kept" : "while-open";
    return worker;
  } catch {
    return null;
  }
}

/**
 * Opens the way; what comes back is how to ask.
 * @param {(answered: Answered) => void} hear
 * @param {boolean} [alsoInPage] Where there is no worker.
 * @returns {(asked: Asked) => void}
 */
export function open(hear, alsoInPage = true) {
  /** @type {MessagePort | null} */
  let port = null;
  /** @type {Asked[] | null} What was asked before there is an answer: a worker may turn out not to start. */
  let early = [];

  /** @param {MessagePort} opened */
  function use(opened) {
    port = opened;
    opened.addEventListener("message", ({ data }) => {
      early = null;
      hear(data);
    });
    opened.start();
  }

  async function inPage() {
    if (!alsoInPage || (port && !early)) return;
    lives = "page";
    const { Uploads } = await import("./uploads.js");
    const { port1, port2 } = new MessageChannel();
    new Uploads().connect(port2);
    use(port1);
    for (const asked of early ?? []) port1.postMessage(asked);
  }

  const worker = shared();
  worker?.addEventListener("error", inPage);
  if (worker) use(worker.port);
  else inPage();
  return (asked) => {
    early?.push(asked);
    port?.postMessage(asked);
  };
}
