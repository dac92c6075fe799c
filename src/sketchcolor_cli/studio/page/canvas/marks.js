// Marks of the API and of the files ↔ strokes of the hint layer. Pure.

import { hexOf } from "../core/color.js";

/** @typedef {import("./strokes.js").Stroke} Stroke */
/** @typedef {import("./strokes.js").Sample} Sample */
/** @typedef {Record<string, any>} Mark */

const RADIUS = 0.006; // of a mark that says none
const OWN = new Set(["stroke", "color", "radius", "erase", "x", "y"]);

/**
 * @param {Stroke} stroke of the hint layer
 * @returns {Mark}
 */
export function markOf(stroke) {
  const { kind, samples, color, radius, erase, extra } = stroke;
  if (kind === "point") return { ...extra, x: samples[0][0], y: samples[0][1], color, radius };
  const line = samples.map(([x, y, factor]) => (factor === 1 ? [x, y] : [x, y, factor]));
  return erase ? { ...extra, stroke: line, erase, radius } : { ...extra, stroke: line, color, radius };
}

/**
 * @param {Mark} mark
 * @returns {Stroke}
 */
export function strokeOf(mark) {
  const extra = Object.fromEntries(Object.entries(mark).filter(([name]) => !OWN.has(name)));
  const kept = Object.keys(extra).length ? { extra } : {};
  const color = Array.isArray(mark.color) ? hexOf(mark.color) : (mark.color ?? "#000000");
  const common = { layer: /** @type {const} */ ("hint"), color, ...kept };
  if (!mark.stroke) {
    /** @type {Sample[]} */
    const samples = [[mark.x, mark.y, 1]];
    return { ...common, kind: "point", erase: false, radius: mark.radius ?? RADIUS, samples };
  }
  /** @type {Sample[]} */
  const samples = mark.stroke.map((/** @type {number[]} */ sample) => [sample[0], sample[1], sample[2] ?? 1]);
  return { ...common, kind: "stroke", erase: Boolean(mark.erase), radius: mark.radius ?? RADIUS, samples };
}
