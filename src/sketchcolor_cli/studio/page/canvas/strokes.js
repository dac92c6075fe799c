// What is painted: strokes and points in page coordinates, made raster only to be shown. Pure.

/** @typedef {"hint" | "rough" | "mask"} Layer */
/** @typedef {[number, number, number]} Sample x and y in parts of the page's width and height, factor on the radius */

/**
 * @typedef {object} Stroke
 * @property {Layer} layer
 * @property {"stroke" | "point" | "clear"} kind "clear" takes away all that is older on its layer
 * @property {string} color `#rrggbb`; on the mask layer white protects and black frees
 * @property {boolean} erase takes away what earlier strokes of its layer left
 * @property {number} radius at full pressure, in parts of the page's shorter side
 * @property {Sample[]} samples
 * @property {Record<string, unknown>} [extra] what a file says of it beyond this
 */

/** @typedef {readonly Stroke[]} Strokes oldest first; never changed in place */

const LIGHTEST = 0.35; // width at no pressure, as a part of that at full pressure
const DIGITS = 1e5;

/**
 * Return the factor on the radius that a pressure means.
 *
 * @param {number} pressure 0…1
 * @returns {number} 0.35…1
 */
export function widthOf(pressure) {
  return LIGHTEST + (1 - LIGHTEST) * Math.min(1, Math.max(0, pressure));
}

/**
 * Add a sample to a stroke under way, unless it lies too near the last one to be seen.
 *
 * @param {Sample[]} samples grows
 * @param {Sample} sample
 * @param {number} least distance, in parts of the page
 * @returns {boolean} whether it was added
 */
export function addSample(samples, sample, least) {
  const last = samples.at(-1);
  if (last && Math.hypot(last[0] - sample[0], last[1] - sample[1]) < least) return false;
  samples.push([rounded(sample[0]), rounded(sample[1]), rounded(sample[2])]);
  return true;
}

/** @param {number} value @returns {number} */
function rounded(value) {
  return Math.round(value * DIGITS) / DIGITS;
}

/**
 * Return the samples that shape a stroke: those that a straight line between the others would miss
 * (Ramer–Douglas–Peucker).
 *
 * @param {Sample[]} samples
 * @param {number} tolerance in parts of the page
 * @returns {Sample[]}
 */
export function simplified(samples, tolerance) {
  if (samples.length < 3) return samples.slice();
  const keep = new Set([0, samples.length - 1]);
  const due = [[0, samples.length - 1]];
  while (due.length) {
    const [from, to] = /** @type {[number, number]} */ (due.pop());
    const [at, far] = farthest(samples, from, to);
    if (far <= tolerance) continue;
    keep.add(at);
    due.push([from, at], [at, to]);
  }
  return samples.filter((_, at) => keep.has(at));
}

/**
 * @param {Sample[]} samples
 * @param {number} from
 * @param {number} to
 * @returns {[number, number]} place and distance of the sample farthest from the line; pressure counts too
 */
function farthest(samples, from, to) {
  const [a, b] = [samples[from], samples[to]];
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = dx * dx + dy * dy;
  let best = /** @type {[number, number]} */ ([from, -1]);
  for (let at = from + 1; at < to; at += 1) {
    const [x, y, pressure] = samples[at];
    const part = length ? Math.min(1, Math.max(0, ((x - a[0]) * dx + (y - a[1]) * dy) / length)) : 0;
    const off = Math.hypot(x - a[0] - part * dx, y - a[1] - part * dy);
    const far = off + Math.abs(pressure - a[2] - part * (b[2] - a[2])) * 0.02;
    if (far > best[1]) best = [at, far];
  }
  return best;
}

/**
 * Return whether a layer shows anything.
 *
 * @param {Strokes} strokes
 * @param {Layer} layer
 * @returns {boolean}
 */
export function hasPaint(strokes, layer) {
  return strokes.some((stroke) => stroke.layer === layer && !stroke.erase && stroke.kind !== "clear");
}

/**
 * Return the strokes of one layer.
 *
 * @param {Strokes} strokes
 * @param {Layer} layer
 * @returns {Stroke[]}
 */
export function layerOf(strokes, layer) {
  return strokes.filter((stroke) => stroke.layer === layer);
}

/**
 * Return whether a layer of two states is the same.
 *
 * @param {Strokes} one
 * @param {Strokes} other
 * @param {Layer} layer
 * @returns {boolean}
 */
export function sameLayer(one, other, layer) {
  const [a, b] = [layerOf(one, layer), layerOf(other, layer)];
  return a.length === b.length && a.every((stroke, at) => stroke === b[at]);
}

/**
 * Return the strokes without those of a layer.
 *
 * @param {Strokes} strokes
 * @param {Layer} layer
 * @returns {Strokes}
 */
export function without(strokes, layer) {
  return strokes.filter((stroke) => stroke.layer !== layer);
}
