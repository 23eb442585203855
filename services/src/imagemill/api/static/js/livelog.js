// The activity log: newest first, bounded, and still while it is paused.

import { on } from "./live.js";
import { ago, exact, number, plural } from "./format.js";
import { element } from "./dom.js";
import { typing } from "./keys.js";

const MOST = 500;
const MOST_NAMES = 5000;
const STATES = new Set(["accepted", "stored", "failed"]);
const byId = (id) => document.getElementById(id);
const names = new Map();
const unnamed = new Set();
let waiting = [];
let missed = 0;
let paused = false;
let frame = 0;

// Counts of cameras come all the time: they are shown when they are asked for.
const OFTEN = "camera-counts";
const wanted = (kind) => (byId("kinds").value ? kind === byId("kinds").value : kind !== OFTEN);

function hear(record) {
  if (record.image && record.name) remember(record.image, record.name);
  if (!wanted(record.kind)) return;
  waiting.push(record);
  if (waiting.length > MOST) {
    waiting.shift();
    missed += 1;
  }
  if (paused) tell();
  else frame ||= requestAnimationFrame(draw);
}

function remember(image, name) {
  names.set(image, name);
  if (names.size > MOST_NAMES) names.delete(names.keys().next().value);
  // Programs tell on their own: that a picture was taken may be heard before its name.
  if (!unnamed.delete(image)) return;
  for (const link of document.querySelectorAll(`[data-image="${CSS.escape(image)}"]`)) link.textContent = name;
}

function draw() {
  frame = 0;
  const lines = waiting.reverse().map(line);
  waiting = [];
  missed = 0;
  byId("log").hidden = false;
  byId("log-empty").hidden = true;
  byId("log-rows").prepend(...lines);
  while (byId("log-rows").children.length > MOST) byId("log-rows").lastElementChild.remove();
  tell();
}

function line(record) {
  const time = element("time", { dateTime: record.at, title: exact(record.at), "data-ago": "" }, ago(record.at));
  const word = record.kind.replaceAll("-", " ");
  const kind = element("span", { class: `state ${STATES.has(record.kind) ? record.kind : ""}` }, word);
  return element("tr", { "data-kind": record.kind },
    element("td", { class: "when" }, time), element("td", {}, kind), element("td", { class: "file" }, subject(record)),
    element("td", {}, record.by ?? ""), element("td", { class: "quiet" }, more(record)));
}

function subject(record) {
  if (record.image) {
    const name = names.get(record.image);
    if (!name) unnamed.add(record.image);
    const text = name ?? element("code", { class: "id" }, record.image);
    return element("a", { href: `/pictures/${record.image}`, "data-image": record.image }, text);
  }
  if (record.number) return element("a", { href: `/alerts/${record.number}` }, `alert ${record.number}`);
  if (record.camera) {
    return element("a", { href: `/alerts/events?camera=${encodeURIComponent(record.camera)}` }, record.camera);
  }
  return record.name ?? record.database ?? "";
}

function more(record) {
  const said = ["recipe", "code", "channel", "result", "state", "problem"].map((name) => record[name]).filter(Boolean);
  if (record.attempt > 1) said.push(`attempt ${record.attempt}`);
  if (record.times) said.push(plural(record.times, "time"));
  if (record.frames !== undefined) said.push(`${number(record.frames)} frames, ${number(record.missed ?? 0)} missed`);
  return said.join(", ");
}

function choose() {
  for (const row of byId("log-rows").children) row.hidden = !wanted(row.dataset.kind);
}

function tell() {
  const since = waiting.length + missed;
  const lost = missed ? `, of which the newest ${number(MOST)} are kept` : "";
  byId("log-note").textContent = paused ? `Paused; ${number(since)} more since${lost}.` : `The newest ${number(MOST)} lines are kept.`;
}

function pause(value) {
  paused = value;
  byId("pause").setAttribute("aria-pressed", String(value));
  byId("pause").textContent = value ? "Go on" : "Pause";
  if (value) tell();
  else if (waiting.length) draw();
  else tell();
}

for (const link of document.querySelectorAll("[data-image]")) {
  if (link.querySelector("code")) unnamed.add(link.dataset.image);
  else remember(link.dataset.image, link.textContent);
}
on("activity", hear);
byId("kinds").addEventListener("change", choose);
on("lost", () => (byId("log-note").textContent = "Some lines were lost: too much happened at once, or the service was away."));
byId("pause").addEventListener("click", () => pause(!paused));
byId("clear").addEventListener("click", () => byId("log-rows").replaceChildren());
addEventListener("keydown", (event) => {
  if (event.key !== " " || typing(event) || event.target.closest("button, a, input")) return;
  event.preventDefault();
  pause(!paused);
});
