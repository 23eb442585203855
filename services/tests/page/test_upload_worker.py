"""Uploads as they live in the worker of a browser: node runs them, with a service and a store that the test plays."""

import json
from pathlib import Path
from typing import Any

import imagemill.api
from node_scripts import needs_node, node

_STATIC = Path(imagemill.api.__file__).parent / "static"
_SCRIPTS = (_STATIC / "js").as_uri()
_PLAYED = """
import { createHash } from "node:crypto";
const service = { who: "ada", images: [], sent: [], readMs: 0, answer: null };
const stored = new Map();
const { setTimeout: real } = globalThis;
const sleep = (ms) => new Promise((resolve) => real(resolve, ms));
const json = (told, status = 200) => new Response(JSON.stringify(told), { status });
globalThis.indexedDB = (() => {
  const later = (result) => {
    const request = { result };
    setTimeout(() => request.onsuccess?.());
    return request;
  };
  const store = {
    put: (file) => later(void stored.set(file.key ?? file.batch, file)),
    delete: (key) => later(void stored.delete(key)),
    getAll: () => later([...stored.values()]),
  };
  const transaction = () => {
    const made = { objectStore: () => store };
    setTimeout(() => made.oncomplete?.());
    return made;
  };
  return { open: () => later({ transaction }) };
})();
globalThis.fetch = async (address, options = {}) => {
  const { pathname } = new URL(address, "http://mill");
  if (pathname === "/api/v1/whoami") return service.who ? json({ name: service.who }) : json({}, 401);
  if (pathname === "/api/v1/known") return json({ accepted: [] });
  if (options.method !== "POST") {
    await sleep(service.readMs);
    return json({ images: service.images, rejections: [], next: null });
  }
  const paths = options.body.getAll("path");
  service.sent.push(paths);
  const accepted = paths.map((path, index) => ({ index, recipe: "gray", id: path, duplicate: false }));
  return service.answer?.(paths) ?? json({ accepted }, 202);
};
const file = (path) => new File([path], path.split("/").at(-1), { lastModified: 1 });
const chosen = (...paths) => paths.map((path) => ({ path, file: file(path) }));
const hour = 3_600_000;
const known = (path, recorded = path, at = Date.now()) => ({
  id: uuid7(at), name: recorded, recipe: "gray", status: "stored",
  original: { bytes: Buffer.byteLength(path), sha256: createHash("sha256").update(path).digest("hex") },
});
const { uuid7 } = await import("SCRIPTS/ids.js");
const { Uploads } = await import("SCRIPTS/upload/uploads.js");
const uploads = new Uploads();
function page(who) {
  let listener = null;
  const told = { state: null, notYours: 0 };
  uploads.connect({
    addEventListener: (_, listens) => (listener = listens), start() {},
    postMessage(answered) {
      if (answered.kind === "state") told.state = answered.state;
      if (answered.kind === "not-yours") told.notYours += 1;
    },
  });
  const ask = (data) => listener({ data });
  ask({ kind: "hello", who, maxBytes: 1000, operates: false });
  const add = (batch, files) => ask({ kind: "add", batch, isNew: false, recipes: ["gray"], files });
  return { told, ask, add };
}
function tell(what) {
  console.log(JSON.stringify(what));
  process.exit();
}
async function until(check) {
  for (let waited = 0; waited < 10_000 && !check(); waited += 20) await sleep(20);
  if (!check()) throw new Error(`Never: ${check}`);
}
"""


def played(story: str) -> Any:
    """What a story tells in the end by `tell`."""
    return json.loads(node("--input-type=module", "-", script=f"{_PLAYED.replace('SCRIPTS', _SCRIPTS)}\n{story}"))


@needs_node
def test_files_that_are_dropped_while_a_batch_is_read_are_not_added_twice() -> None:
    told = played("""
    Object.assign(service, { images: [known("trip/a.jpg")], readMs: 200 });
    const shown = page("ada");
    shown.ask({ kind: "look", batch: "holiday" });
    await sleep(50);
    shown.add("holiday", chosen("trip/a.jpg", "trip/b.jpg"));
    await until(() => shown.told.state?.there);
    await until(() => service.sent.length);
    await sleep(300);
    tell([service.sent, shown.told.state.offered]);
    """)
    assert told == [[["trip/b.jpg"]], 2]


@needs_node
def test_an_old_page_of_another_session_neither_ends_an_upload_nor_adds_to_it() -> None:
    told = played("""
    service.answer = () => new Promise(() => {});
    const [old, fresh] = [page("ada"), page("bob")];
    await sleep(50);
    service.who = "bob";
    fresh.ask({ kind: "hello", who: "bob", maxBytes: 1000, operates: false });
    fresh.add("of-bob", chosen("b.jpg"));
    await until(() => fresh.told.state?.batch === "of-bob");
    old.ask({ kind: "hello", who: "ada", maxBytes: 1000, operates: false });
    old.add("of-ada", chosen("a.jpg"));
    old.ask({ kind: "cancel", batch: "of-bob" });
    await until(() => old.told.notYours);
    await sleep(300);
    tell([service.sent, old.told.state, fresh.told.state.counts.sending, fresh.told.state.signedOut]);
    """)
    assert told == [[["b.jpg"]], None, 1, False]


@needs_node
def test_what_one_person_left_is_still_there_when_another_was_at_the_browser() -> None:
    told = played("""
    globalThis.setTimeout = (then, ms) => real(then, ms / 20);
    service.answer = () => {
      service.who = "";
      return json({}, 401);
    };
    let shown = page("ada");
    shown.add("of-ada", chosen("a.jpg", "b.jpg"));
    await until(() => shown.told.state?.signedOut);
    service.who = "bob";
    const other = page("bob");
    await sleep(600);
    const seen = other.told.state;
    service.who = "ada";
    shown = page("ada");
    await until(() => shown.told.state);
    tell([seen, shown.told.state.counts.missing]);
    """)
    assert told == [None, 2]


@needs_node
def test_a_proxy_that_refuses_in_html_is_understood() -> None:
    told = played("""
    const refusal = () => new Response("<html>Too large</html>", { status: 413 });
    service.answer = (paths) => (paths.includes("large.jpg") ? refusal() : null);
    const shown = page("ada");
    shown.add("b", chosen("a.jpg", "large.jpg", "z.jpg"));
    await until(() => shown.told.state?.counts.rejected);
    await until(() => shown.told.state.counts.accepted === 2);
    tell([shown.told.state.toSend, shown.told.state.passing, shown.told.state.reasons[0].reason]);
    """)
    assert told == [0, 1, "The service answered 413."]


@needs_node
def test_what_arrived_is_known_again_however_its_name_is_composed() -> None:
    told = played("""
    const decomposed = "caf\\u0065\\u0301.jpg";
    service.images = [known(decomposed, decomposed.normalize("NFC"))];
    const size = Buffer.byteLength(decomposed);
    const key = uuid7();
    stored.set(key, { key, batch: "b", path: decomposed, size, modified: 1, recipes: ["gray"], who: "ada" });
    const shown = page("ada");
    await until(() => shown.told.state && !shown.told.state.reading);
    tell([shown.told.state.offered, shown.told.state.counts.missing, stored.size]);
    """)
    assert told == [1, 0, 0]


@needs_node
def test_a_changed_file_has_not_arrived_because_the_former_one_is_in_the_batch() -> None:
    told = played("""
    service.images = [known("scan.bmp", "scan.bmp", Date.now() - hour), known("plan.bmp", "plan.bmp", Date.now() - 5)];
    for (const path of ["scan.bmp", "plan.bmp"]) {
      const key = uuid7();
      stored.set(key, { key, batch: "b", path, size: 8, modified: 1, recipes: ["gray"], who: "ada" });
    }
    const shown = page("ada");
    await until(() => shown.told.state && !shown.told.state.reading);
    tell([shown.told.state.counts.missing, [...stored.values()].map(({ path }) => path)]);
    """)
    assert told == [1, ["scan.bmp"]]


@needs_node
def test_a_browser_that_never_opens_its_store_uploads_all_the_same() -> None:
    told = played("""
    globalThis.setTimeout = (then, ms) => real(then, ms / 20);
    globalThis.indexedDB = { open: () => ({}) };
    const shown = page("ada");
    shown.add("b", chosen("a.jpg"));
    await until(() => shown.told.state?.inFlight);
    tell(service.sent);
    """)
    assert told == [["a.jpg"]]


@needs_node
def test_the_same_chosen_again_is_in_the_batch_already() -> None:
    told = played("""
    const shown = page("ada");
    shown.add("b", chosen("a.jpg", "c.jpg"));
    await until(() => shown.told.state?.inFlight === 2);
    for (const id of ["a.jpg", "c.jpg"]) shown.ask({ kind: "heard", batch: "b", id, state: "stored", news: {} });
    await until(() => shown.told.state.counts.stored === 2);
    shown.add("b", chosen("a.jpg", "c.jpg"));
    await until(() => shown.told.state.there);
    const { there, chosenTwice, bytesDone, bytesSent, offered } = shown.told.state;
    tell([there, chosenTwice, bytesDone, bytesSent, offered, service.sent.length]);
    """)
    assert told == [2, 0, 10, 0, 2, 1]


@needs_node
def test_what_was_given_up_is_still_remembered() -> None:
    told = played("""
    const rejected = [{ index: 0, code: "being-erased", detail: "Later." }];
    service.answer = () => json({ accepted: [], rejected });
    const shown = page("ada");
    const [now, began] = [Date.now, Date.now()];
    Date.now = () => began + 1000 * (now() - began); // Nobody waits for forty Retry-Afters.
    globalThis.setTimeout = (then, ms) => real(then, ms / 20);
    shown.add("b", chosen("a.jpg"));
    await until(() => shown.told.state?.counts.rejected);
    tell([service.sent.length, [...stored.values()].map(({ path }) => path)]);
    """)
    assert told == [40, ["a.jpg"]]
