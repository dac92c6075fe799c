// Strokes onto a canvas.

/** @typedef {import("./strokes.js").Stroke} Stroke */
/** @typedef {import("./view.js").View} View */
/** @typedef {import("./view.js").Size} Size */
/** @typedef {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} Context */

/**
 * Draw strokes of one layer, oldest first; erasing ones take away what this canvas has.
 *
 * @param {Context} context
 * @param {Iterable<Stroke>} strokes
 * @param {View} view
 * @param {Size} page
 * @param {(stroke: Stroke) => string} [colorOf] what a stroke is shown in
 */
export function drawStrokes(context, strokes, view, page, colorOf = (stroke) => stroke.color) {
  for (const stroke of strokes) {
    if (stroke.kind === "clear") clear(context);
    else drawStroke(context, stroke, view, page, colorOf(stroke));
  }
}

/** @param {Context} context */
export function clear(context) {
  context.save();
  context.resetTransform();
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  context.restore();
}

/**
 * @param {Context} context
 * @param {Stroke} stroke
 * @param {View} view
 * @param {Size} page
 * @param {string} color
 */
function drawStroke(context, stroke, view, page, color) {
  const shorter = Math.min(page.width, page.height) * view.scale;
  const at = stroke.samples.map(([x, y, factor]) => ({
    x: view.x + x * page.width * view.scale,
    y: view.y + y * page.height * view.scale,
    r: Math.max(0.5, stroke.radius * factor * shorter),
  }));
  context.save();
  context.globalCompositeOperation = stroke.erase ? "destination-out" : "source-over";
  context.fillStyle = context.strokeStyle = color;
  context.lineCap = context.lineJoin = "round";
  if (at.length === 1) disc(context, at[0]);
  else if (at.every((sample) => sample.r === at[0].r)) even(context, at);
  else pressed(context, at);
  context.restore();
}

/** @param {Context} context @param {{x: number, y: number, r: number}} at */
function disc(context, { x, y, r }) {
  context.beginPath();
  context.arc(x, y, r, 0, 2 * Math.PI);
  context.fill();
}

/** @param {Context} context @param {{x: number, y: number, r: number}[]} line */
function even(context, line) {
  context.lineWidth = 2 * line[0].r;
  context.beginPath();
  context.moveTo(line[0].x, line[0].y);
  for (const { x, y } of line.slice(1)) context.lineTo(x, y);
  context.stroke();
}

/**
 * A line whose width follows the pressure: discs, and between each two of them the shape that touches both.
 *
 * @param {Context} context
 * @param {{x: number, y: number, r: number}[]} line
 */
function pressed(context, line) {
  disc(context, line[0]);
  for (let at = 1; at < line.length; at += 1) {
    const [a, b] = [line[at - 1], line[at]];
    const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
    const [nx, ny] = [(a.y - b.y) / length, (b.x - a.x) / length];
    context.beginPath();
    context.moveTo(a.x + nx * a.r, a.y + ny * a.r);
    context.lineTo(b.x + nx * b.r, b.y + ny * b.r);
    context.lineTo(b.x - nx * b.r, b.y - ny * b.r);
    context.lineTo(a.x - nx * a.r, a.y - ny * a.r);
    context.fill();
    disc(context, b);
  }
}

/**
 * Draw the ring of a point, seen on any ground.
 *
 * @param {Context} context
 * @param {Stroke} point
 * @param {View} view
 * @param {Size} page
 */
export function drawPin(context, point, view, page) {
  const [x, y] = point.samples[0];
  const shorter = Math.min(page.width, page.height) * view.scale;
  const r = Math.max(4, point.radius * shorter);
  const at = { x: view.x + x * page.width * view.scale, y: view.y + y * page.height * view.scale };
  for (const [width, color] of /** @type {[number, string][]} */ ([
    [4, "rgba(0,0,0,.55)"],
    [2, "#fff"],
  ])) {
    context.beginPath();
    context.arc(at.x, at.y, r + 1, 0, 2 * Math.PI);
    context.lineWidth = width;
    context.strokeStyle = color;
    context.stroke();
  }
  context.fillStyle = point.color;
  context.beginPath();
  context.arc(at.x, at.y, r, 0, 2 * Math.PI);
  context.fill();
}
