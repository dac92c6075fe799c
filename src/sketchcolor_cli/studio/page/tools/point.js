import { app, rememberColor } from "../app.js";
import { isOnPage, screenDistance } from "./tool.js";

/** @typedef {import("../canvas/strokes.js").Stroke} Stroke */
/** @typedef {import("./tool.js").Bench} Bench */
/** @typedef {import("../canvas/view.js").Place} Place */

const NEAR = 9; // pixels of the screen within which a point is taken hold of

/** @type {Stroke | null} */
let moved = null;

/** Puts a point, or moves the one that is there. */
export const point = /** @type {import("./tool.js").Tool} */ ({
  start({ session, stage }, at) {
    moved = pointAt(session.strokes, stage, at);
    stage.active = moved ? null : newPoint(at, app.value.color);
    this.move({ session, stage }, at, 1);
  },
  move({ session, stage }, at) {
    if (moved) stage.setStrokes(session.strokes.map((mark) => (mark === moved ? placed(moved, at) : mark)));
    else if (stage.active) stage.active = placed(stage.active, at);
    target = at;
    stage.draw("strokes");
  },
  end(bench) {
    const { session, stage } = bench;
    stage.active = null;
    if (!isOnPage(target)) return this.abort(bench);
    if (!moved) return putPoint(bench, target, app.value.color);
    const before = moved;
    moved = null;
    if (screenDistance(stage, target, placeOf(before)) < 2) return stage.setStrokes(session.strokes);
    session.apply(session.strokes.map((mark) => (mark === before ? placed(before, target) : mark)));
  },
  abort({ session, stage }) {
    moved = null;
    stage.active = null;
    stage.setStrokes(session.strokes);
  },
});

/** @type {Place} */
let target = { x: 0, y: 0 };

/**
 * Put a point of a colour.
 *
 * @param {Bench} bench
 * @param {Place} at
 * @param {string} color
 */
export function putPoint({ session }, at, color) {
  rememberColor(color);
  session.apply([...session.strokes, newPoint(at, color)]);
}

/** @param {Place} at @param {string} color @returns {Stroke} */
function newPoint({ x, y }, color) {
  return {
    layer: "hint",
    kind: "point",
    color,
    erase: false,
    radius: app.value.radii.point,
    samples: [[x, y, 1]],
  };
}

/** @param {Stroke} point @param {Place} at @returns {Stroke} */
function placed(point, at) {
  return { ...point, samples: [[at.x, at.y, 1]] };
}

/** @param {Stroke} point @returns {Place} */
function placeOf(point) {
  return { x: point.samples[0][0], y: point.samples[0][1] };
}

/**
 * @param {import("../canvas/strokes.js").Strokes} strokes
 * @param {import("../canvas/stage.js").Stage} stage
 * @param {Place} at
 * @returns {Stroke | null}
 */
function pointAt(strokes, stage, at) {
  const points = strokes.filter((mark) => mark.kind === "point");
  return points.findLast((point) => screenDistance(stage, at, placeOf(point)) <= NEAR) ?? null;
}
