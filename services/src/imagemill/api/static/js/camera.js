// The form of a camera: the test button shows its frame in place, areas are drawn on it with mouse or keyboard.

import { drawing } from "./dom.js";
import { freeName, line, parse } from "./areas.js";

const TEST_MS = 60_000;
const SCALE = 1000;
const STEP = 0.01;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const form = document.getElementById("camera");
const picture = document.getElementById("picture");
const says = document.getElementById("test-says");
const canvas = document.getElementById("areas-drawing");
const text = document.getElementById("areas");
const hint = document.getElementById("drawing-says");
let kind = null;
let corners = [];
let cross = [0.5, 0.5];

// --- the test ------------------------------------------------------------------------------------

async function test(button) {
  button.disabled = true;
  says.className = "quiet";
  says.textContent = "Opening the camera …";
  const asked = {
    method: "POST", body: new FormData(form), headers: { Accept: "image/jpeg, application/problem+json" },
    signal: AbortSignal.timeout(TEST_MS),
  };
  const answer = await fetch("/cameras/test", asked).catch(() => null);
  await tell(answer);
  button.disabled = false;
}

async function tell(answer) {
  if (answer?.ok) {
    show(await answer.blob());
    says.textContent = "This is what it shows.";
    return;
  }
  says.className = "bad";
  says.textContent = (await answer?.json().catch(() => null))?.detail ?? "The service did not answer; try again.";
}

function show(blob) {
  URL.revokeObjectURL(picture.src);
  picture.src = URL.createObjectURL(blob);
  picture.alt = "The frame of the test";
  picture.hidden = false;
  document.getElementById("nothing").hidden = true;
}

document.getElementById("test").addEventListener("click", (event) => {
  event.preventDefault();
  test(event.currentTarget);
});

// --- areas ---------------------------------------------------------------------------------------

const points = (list) => list.map(([x, y]) => `${x * SCALE},${y * SCALE}`).join(" ");
const within = (value) => Math.min(1, Math.max(0, value));

function draw() {
  const shapes = parse(text.value).map((one) => drawing("polygon", { class: one.kind, points: points(one.corners) }));
  if (kind) {
    const [x, y] = cross.map((value) => value * SCALE);
    shapes.push(drawing("polyline", { points: points([...corners, cross]) }));
    shapes.push(drawing("line", { x1: x - 20, x2: x + 20, y1: y, y2: y }));
    shapes.push(drawing("line", { x1: x, x2: x, y1: y - 20, y2: y + 20 }));
  }
  canvas.replaceChildren(...shapes);
  canvas.classList.toggle("drawing", Boolean(kind));
  for (const button of document.querySelectorAll("[data-draw]")) button.setAttribute("aria-pressed", button.dataset.draw === kind);
}

function begin(wanted) {
  kind = kind === wanted ? null : wanted;
  corners = [];
  hint.textContent = kind ? "Click the corners; a double click or Enter closes it, Backspace takes one back, Escape leaves it." : "";
  if (kind) canvas.focus();
  draw();
}

function close() {
  if (corners.length < 3) {
    hint.textContent = `${corners.length} of at least 3 corners are set.`;
    return;
  }
  const made = line({ kind, name: kind === "zone" ? freeName(parse(text.value)) : "", corners });
  text.value = [text.value.trim(), made].filter(Boolean).join("\n");
  begin(kind);
  hint.textContent = "It is in the list below; change its name there, then save.";
}

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
canvas.addEventListener("dblclick", () => kind && close());
canvas.addEventListener("keydown", (event) => {
  if (!kind || !press(event)) return;
  event.preventDefault();
  event.stopPropagation();
});

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

for (const button of document.querySelectorAll("[data-draw]")) {
  button.addEventListener("click", () => begin(button.dataset.draw));
}
text.addEventListener("input", draw);
document.getElementById("remove")?.addEventListener("click", (event) => {
  if (!confirm("Remove this camera? Its events and alerts stay.")) event.preventDefault();
});
draw();
