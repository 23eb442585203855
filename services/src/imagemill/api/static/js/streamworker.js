// The one event stream of this browser, for all its tabs: it lives as long as any of them. Open while one of them looks.

import { Stream } from "./stream.js";

/** @type {Set<MessagePort>} */
const looking = new Set();
// What a tab that comes later must be told.
/** @type {Map<string, unknown>} */
const latest = new Map();

const stream = new Stream((kind, data) => {
  if (kind === "pulse" || kind === "totals" || kind === "alerts") latest.set(kind, data);
  for (const port of looking) port.postMessage({ kind, data });
});

/** @param {MessagePort} port */
function look(port) {
  if (looking.has(port)) return;
  looking.add(port);
  if (!stream.isOpen) {
    stream.open();
    return;
  }
  for (const [kind, data] of latest) port.postMessage({ kind, data });
  // A page may be older than the last event.
  port.postMessage({ kind: "lost", data: {} });
}

/** @param {MessagePort} port */
function leave(port) {
  looking.delete(port);
  if (!looking.size) stream.close();
}

self.addEventListener("connect", ({ ports: [port] }) => {
  port.addEventListener("message", ({ data }) => (data === "look" ? look(port) : leave(port)));
  port.start();
});
