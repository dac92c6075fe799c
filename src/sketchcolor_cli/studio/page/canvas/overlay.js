// What lies over the page and is none of it: slider, ring of the brush, cross-hair.

/** @typedef {import("./view.js").Place} Place */

const HANDLE = 14;

/**
 * Draw the slider between before and after.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} height
 */
export function drawHandle(context, x, height) {
  const y = height / 2;
  for (const [width, color] of /** @type {[number, string][]} */ ([
    [4, "rgba(0,0,0,.45)"],
    [2, "#fff"],
  ])) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, height);
    context.stroke();
  }
  context.fillStyle = "#fff";
  context.beginPath();
  context.arc(x, y, HANDLE, 0, 2 * Math.PI);
  context.fill();
  context.strokeStyle = "#333";
  context.beginPath();
  for (const side of [-1, 1]) {
    context.moveTo(x + side * 4, y - 4);
    context.lineTo(x + side * 8, y);
    context.lineTo(x + side * 4, y + 4);
  }
  context.stroke();
}

/**
 * Draw the ring that shows a brush's size, seen on any ground.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Place} at
 * @param {number} radius
 * @param {string} color
 */
export function drawRing(context, at, radius, color) {
  const rings = /** @type {[number, string, number][]} */ ([
    [radius + 1.5, "rgba(0,0,0,.6)", 1],
    [radius + 0.5, "#fff", 1],
    [radius - 1, color, 2],
  ]);
  for (const [reach, shown, width] of rings) {
    if (reach <= 0) continue;
    context.strokeStyle = shown;
    context.lineWidth = width;
    context.beginPath();
    context.arc(at.x, at.y, reach, 0, 2 * Math.PI);
    context.stroke();
  }
}

/**
 * Draw the cross-hair of the keyboard.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Place} at
 */
export function drawCross(context, { x, y }) {
  for (const [width, color] of /** @type {[number, string][]} */ ([
    [4, "#fff"],
    [2, "#d6246e"],
  ])) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ]) {
      context.moveTo(x + 5 * dx, y + 5 * dy);
      context.lineTo(x + 16 * dx, y + 16 * dy);
    }
    context.stroke();
  }
}
