import { app } from "../app.js";
import { hasPaint } from "../canvas/strokes.js";
import { paintingTool } from "./painting.js";
import { screenDistance } from "./tool.js";

/** @typedef {import("../canvas/strokes.js").Stroke} Stroke */
/** @typedef {import("../canvas/stage.js").Stage} Stage */

/** Takes away what the last painting tool left; points as a whole. */
export const eraser = paintingTool(
  () => ({ layer: app.value.layer, color: "#000000", erase: true, radius: app.value.radii.eraser }),
  ({ session, stage }, stroke) => {
    const rest = session.strokes.filter((mark) => !(mark.kind === "point" && touches(stage, stroke, mark)));
    const painted = rest.filter((mark) => mark.kind !== "point");
    const stored = stroke.layer !== "hint" && stage.pictures[stroke.layer] !== null;
    if (hasPaint(painted, stroke.layer) || stored) session.apply([...rest, stroke]);
    else if (rest.length < session.strokes.length) session.apply(rest);
    else stage.draw("strokes");
  },
);

/**
 * @param {Stage} stage
 * @param {Stroke} eraser
 * @param {Stroke} point
 * @returns {boolean}
 */
function touches(stage, eraser, point) {
  if (point.layer !== eraser.layer) return false;
  const shorter = Math.min(stage.page.width, stage.page.height) * stage.view.scale;
  const [x, y] = point.samples[0];
  const reach = Math.max(6, (eraser.radius + point.radius) * shorter);
  const { samples } = eraser;
  return samples.some(([a, b], at) => {
    const [c, d] = samples[Math.min(at + 1, samples.length - 1)];
    const part = nearestPart(a, b, c, d, x, y);
    return screenDistance(stage, { x: a + part * (c - a), y: b + part * (d - b) }, { x, y }) < reach;
  });
}

/** @returns {number} where on the line from (a, b) to (c, d) it is nearest to (x, y), 0…1 */
function nearestPart(/** @type {number[]} */ ...[a, b, c, d, x, y]) {
  const length = (c - a) ** 2 + (d - b) ** 2;
  return length ? Math.min(1, Math.max(0, ((x - a) * (c - a) + (y - b) * (d - b)) / length)) : 0;
}
