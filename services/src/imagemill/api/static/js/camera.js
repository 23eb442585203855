// The form of a camera: the test button shows its frame in place, areas are drawn on it with mouse or keyboard.

import { all, drawing, one } from "./dom.js";
import { freeName, line, parse } from "./areas.js";

const TEST_MS = 60_000;
const KEPT = "imagemill-frame";
const KEPT_MS = 600_000;
const MOST_KEPT = 2_000_000;
const SCALE = 1000;
const STEP = 0.01;
/** @type {Record<string, number[]>} */
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** @type {HTMLFormElement} */
const form = one("#camera");
/** @type {HTMLImageElement} */
const picture = one("#picture");
/** @type {HTMLButtonElement} */
const tester = one("#test");
const says = one("#test-says");
/** @type {HTMLInputElement} */
const address = one("#address");
/** @type {SVGElement} */
const canvas = one("#areas-drawing");
/** @type {HTMLTextAreaElement} */
const text = one("#areas");
const hint = one("#drawing-says");
/** @type {string | null} */
let kind = null;
/** @type {Corner[]} */
let corners = [];
let cross = [0.5, 0.5];

// --- the test ------------------------------------------------------------------------------------

async function test() {
  tester.disabled = true;
  // On a narrow screen the fields are below.
  tester.scrollIntoView({ block: "nearest" });
  says.className = "quiet";
  says.textContent = "Opening the camera …";
  const asked = {
    method: "POST", body: new FormData(form), headers: { Accept: "image/jpeg, application/problem+json" },
    signal: AbortSignal.timeout(TEST_MS),
  };
  const answer = await fetch("/cameras/test", asked).catch(() => null);
  await tell(answer);
  tester.disabled = false;
}

/** @param {Response | null} answer */
async function tell(answer) {
  if (answer?.ok) {
    const frame = await answer.blob();
    show(frame, "The frame of the test");
    await keep(frame);
    says.textContent = "This is what it shows.";
    return;
  }
  says.className = "bad";
  says.textContent = (await answer?.json().catch(() => null))?.detail ?? "The service did not answer; try again.";
}

/** @param {Blob} blob @param {string} what */
function show(blob, what) {
  URL.revokeObjectURL(picture.src);
  picture.src = URL.createObjectURL(blob);
  picture.alt = what;
  picture.hidden = false;
  one("#nothing").hidden = true;
}

// The frame is kept in this tab until the form was saved: the page that follows shows it again.

/** @param {Blob} frame */
async function keep(frame) {
  const bytes = new Uint8Array(await frame.arrayBuffer());
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  if (letters.length > MOST_KEPT) return;
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ address: address.value.trim(), frame: btoa(letters), at: Date.now() }));
  } catch {
    // Then the frame is gone once it is saved.
  }
}

function showKept() {
  try {
    /** @type {{ address: string, frame: string, at: number } | null} */
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    if (!kept || !picture.hidden || kept.address !== address.value.trim() || Date.now() - kept.at > KEPT_MS) return;
    const bytes = Uint8Array.from(atob(kept.frame), (letter) => letter.charCodeAt(0));
    show(new Blob([bytes], { type: "image/jpeg" }), "The frame of the test before it was saved");
    says.className = "quiet";
    says.textContent = "The frame of the last test.";
  } catch {
    sessionStorage.removeItem(KEPT);
  }
}

/** What is of files only is not asked of a camera in the network. */
function fit() {
  const typed = address.value.trim();
  one("#of-files").hidden = /^(rtsps?|https?):/i.test(typed);
  const offer = document.getElementById("keep");
  if (offer) offer.hidden = !/^[a-z]+:\/\/[^/]*@/i.test(typed);
}

address.addEventListener("input", fit);
tester.addEventListener("click", (event) => {
  event.preventDefault();
  test();
});

// --- areas ---------------------------------------------------------------------------------------

/** @param {Corner[]} list */
const points = (list) => list.map(([x, y]) => `${x * SCALE},${y * SCALE}`).join(" ");
/** @param {number} value */
const within = (value) => Math.min(1, Math.max(0, value));

function draw() {
  /** @type {SVGElement[]} */
  const shapes = parse(text.value).map((area) => drawing("polygon", { class: area.kind, points: points(area.corners) }));
  if (kind) {
    const [x, y] = cross.map((value) => value * SCALE);
    shapes.push(drawing("polyline", { points: points([...corners, cross]) }));
    shapes.push(drawing("line", { x1: x - 20, x2: x + 20, y1: y, y2: y }));
    shapes.push(drawing("line", { x1: x, x2: x, y1: y - 20, y2: y + 20 }));
  }
  canvas.replaceChildren(...shapes);
  canvas.classList.toggle("drawing", Boolean(kind));
  for (const button of all("[data-draw]")) button.setAttribute("aria-pressed", String(button.dataset.draw === kind));
}

/** @param {string | null} wanted */
function begin(wanted) {
  kind = kind === wanted ? null : wanted;
  corners = [];
  hint.textContent = kind ? "Click the corners; a double click or Enter closes it, Backspace takes one back, Escape leaves it." : "";
  if (kind) canvas.focus();
  draw();
}

function close() {
  if (!kind) return;
  if (corners.length < 3) {
    hint.textContent = `${corners.length} of at least 3 corners are set.`;
    return;
  }
  const made = line({ kind, name: kind === "zone" ? freeName(parse(text.value)) : "", corners });
  text.value = [text.value.trim(), made].filter(Boolean).join("\n");
  begin(kind);
  hint.textContent = "It is in the list below; change its name there, then save.";
}

/** @param {MouseEvent} event */
function place(event) {
  const box = canvas.getBoundingClientRect();
  cross = [within((event.clientX - box.left) / box.width), within((event.clientY - box.top) / box.height)];
}

function corner() {
  const last = corners.at(-1);
  if (!last || Math.hypot(last[0] - cross[0], last[1] - cross[1]) > STEP / 2) corners.push(cross);
}

canvas.addEventListener("pointermove", (event) => {
  if (!kind) return;
  place(event);
  draw();
});
canvas.addEventListener("click", (event) => {
  if (!kind) return;
  place(event);
  corner();
  draw();
});
canvas.addEventListener("dblclick", close);
canvas.addEventListener("keydown", (event) => {
  if (!kind || !press(event)) return;
  event.preventDefault();
  event.stopPropagation();
});

/** @param {KeyboardEvent} event */
function press(event) {
  const move = MOVES[event.key];
  if (move) cross = cross.map((value, axis) => within(value + move[axis] * STEP * (event.shiftKey ? 5 : 1)));
  else if (event.key === " ") corner();
  else if (event.key === "Backspace") corners.pop();
  else if (event.key === "Enter") close();
  else if (event.key === "Escape") begin(kind);
  else return false;
  draw();
  return true;
}

for (const button of all("[data-draw]")) {
  button.addEventListener("click", () => begin(button.dataset.draw ?? null));
}
text.addEventListener("input", draw);
document.getElementById("remove")?.addEventListener("click", (event) => {
  if (!confirm("Remove this camera? Its events and alerts stay.")) event.preventDefault();
});
draw();
fit();
showKept();
