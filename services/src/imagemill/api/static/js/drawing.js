// Drawn pictures for a first look, as `imagemill demo` draws them: landscapes, and somebody who walks through a yard.

/** @typedef {[number, number, number]} Colour - red, green and blue, 0 to 255 */
/** @typedef {CanvasRenderingContext2D} Pen */

const HOURS = [5, 7, 9, 12, 15, 18, 20, 22];
/** @type {Colour} */
const NIGHT = [16, 20, 56];
/** @type {Colour} */
const DAY = [120, 180, 240];
const STEPS = 6;
const NO_PICTURES = "This browser draws no pictures.";

/** Files of landscapes at hours of a day. */
export async function landscapes() {
  const files = [];
  for (const hour of HOURS) {
    const picture = await drawn(960, 540, (pen) => landscape(pen, hour));
    files.push(new File([picture], `landscape-${String(hour).padStart(2, "0")}h.png`, { type: "image/png" }));
  }
  return files;
}

/**
 * One of `frames` pictures of a yard: somebody comes in after a quarter of them, and has gone before the end.
 * @param {number} number
 * @param {number} frames
 */
export function yard(number, frames) {
  const begin = frames >> 2;
  const end = frames - (frames >> 3);
  return drawn(640, 360, (pen, width, height) => {
    sky(pen, [150, 175, 200], [196, 206, 214]);
    fill(pen, "rgb(128 134 118)", [0, height * 0.6], [width, height * 0.6], [width, height], [0, height]);
    house(pen, width * 0.72, height * 0.66, height * 0.3, 1);
    if (number >= begin && number < end) figure(pen, (width * (number - begin)) / (end - begin), height * 0.92, height * 0.45, number);
  });
}

/**
 * @param {number} width
 * @param {number} height
 * @param {(pen: Pen, width: number, height: number) => void} draw
 * @returns {Promise<Blob>}
 */
function drawn(width, height, draw) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error(NO_PICTURES);
  draw(pen, width, height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error(NO_PICTURES))), "image/png");
  });
}

/**
 * @param {Pen} pen
 * @param {number} hour
 */
function landscape(pen, hour) {
  const { width, height } = pen.canvas;
  const light = Math.cos(((hour - 12) / 12) * Math.PI) / 2 + 0.5;
  const above = mixed(NIGHT, DAY, light);
  sky(pen, above, mixed(above, [255, 214, 170], 0.6));
  disc(pen, rgb(mixed([230, 230, 210], [255, 236, 140], light)), (width * hour) / 24, height * (0.62 - 0.5 * light), height * 0.07);
  for (let depth = 0; depth < 3; depth += 1) {
    const green = mixed([14, 40, 34], mixed([60, 120, 70], [120, 170, 90], depth / 2), 0.25 + 0.75 * light);
    for (let hill = 0; hill < 4; hill += 1) {
      const foot = width * Math.random();
      const half = width * (0.2 + 0.2 * Math.random());
      fill(pen, rgb(green), [foot - half, height], [foot, height * (0.3 + 0.25 * Math.random() + depth * 0.13)], [foot + half, height]);
    }
  }
  house(pen, width * (0.2 + 0.5 * Math.random()), height * 0.9, height * 0.22, light);
}

/**
 * @param {Pen} pen
 * @param {Colour} above
 * @param {Colour} below
 */
function sky(pen, above, below) {
  const { width, height } = pen.canvas;
  const colours = pen.createLinearGradient(0, 0, 0, height);
  colours.addColorStop(0, rgb(above));
  colours.addColorStop(1, rgb(below));
  pen.fillStyle = colours;
  pen.fillRect(0, 0, width, height);
}

/**
 * @param {Pen} pen
 * @param {number} left
 * @param {number} bottom
 * @param {number} size
 * @param {number} light
 */
function house(pen, left, bottom, size, light) {
  const right = left + 1.3 * size;
  const eaves = bottom - 0.7 * size;
  fill(pen, rgb(mixed([60, 50, 60], [226, 206, 176], light)), [left, eaves], [right, eaves], [right, bottom], [left, bottom]);
  fill(pen, "rgb(150 70 60)", [left - 0.1 * size, eaves], [(left + right) / 2, eaves - 0.5 * size], [right + 0.1 * size, eaves]);
  pen.fillStyle = rgb(mixed([255, 222, 120], [90, 130, 160], light));
  for (const place of [0.2, 0.8]) pen.fillRect(left + place * size, eaves + 0.15 * size, 0.25 * size, 0.25 * size);
}

/**
 * @param {Pen} pen
 * @param {number} x
 * @param {number} bottom
 * @param {number} size
 * @param {number} step
 */
function figure(pen, x, bottom, size, step) {
  const hip = bottom - 0.45 * size;
  const neck = bottom - 0.85 * size;
  const swing = 0.16 * size * Math.sin((2 * Math.PI * step) / STEPS);
  for (const leg of [swing, -swing]) {
    fill(pen, "rgb(40 46 70)", [x - 0.06 * size, hip], [x + 0.06 * size, hip], [x + leg + 0.05 * size, bottom], [x + leg - 0.05 * size, bottom]);
  }
  fill(pen, "rgb(190 50 50)", [x - 0.12 * size, neck], [x + 0.12 * size, neck], [x + 0.1 * size, hip], [x - 0.1 * size, hip]);
  disc(pen, "rgb(236 196 166)", x, neck - 0.09 * size, 0.09 * size);
}

/**
 * @param {Pen} pen
 * @param {string} colour
 * @param {[number, number][]} corners
 */
function fill(pen, colour, ...corners) {
  pen.fillStyle = colour;
  pen.beginPath();
  for (const [x, y] of corners) pen.lineTo(x, y);
  pen.fill();
}

/**
 * @param {Pen} pen
 * @param {string} colour
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 */
function disc(pen, colour, x, y, radius) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
}

/**
 * A colour between two.
 * @param {Colour} one
 * @param {Colour} other
 * @param {number} share
 * @returns {Colour}
 */
function mixed(one, other, share) {
  const [red, green, blue] = other;
  return [one[0] + (red - one[0]) * share, one[1] + (green - one[1]) * share, one[2] + (blue - one[2]) * share];
}

/** @param {Colour} colour */
const rgb = (colour) => `rgb(${colour.map(Math.round).join(" ")})`;
