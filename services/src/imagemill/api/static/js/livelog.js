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
let waiting = [];
let missed = 0;
let paused = false;
let frame = 0;

const wanted = (record) => !byId("kinds").value || record.kind === byId("kinds").value;

function hear(record) {
  if (record.image && record.name) remember(record.image, record.name);
  if (!wanted(record)) return;
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
  const kind = element("span", { class: `state ${STATES.has(record.kind) ? record.kind : ""}` }, record.kind);
  return element("tr", {},
    element("td", { class: "when" }, time), element("td", {}, kind), element("td", { class: "file" }, picture(record)),
    element("td", {}, record.by ?? ""), element("td", { class: "quiet" }, more(record)));
}

function picture(record) {
  if (!record.image) return record.name ?? "";
  const known = names.get(record.image);
  const text = known ?? element("code", { class: "id" }, record.image);
  return element("a", { href: `/pictures/${record.image}` }, text);
}

function more(record) {
  const said = [];
  if (record.recipe) said.push(record.recipe);
  if (record.attempt > 1) said.push(`attempt ${record.attempt}`);
  if (record.code) said.push(record.code);
  if (record.times) said.push(plural(record.times, "time"));
  return said.join(", ");
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

on("activity", hear);
on("lost", () => (byId("log-note").textContent = "Some lines were lost: too much happened at once, or the service was away."));
byId("pause").addEventListener("click", () => pause(!paused));
byId("clear").addEventListener("click", () => byId("log-rows").replaceChildren());
addEventListener("keydown", (event) => {
  if (event.key !== " " || typing(event) || event.target.closest("button, a, input")) return;
  event.preventDefault();
  pause(!paused);
});
