// A painted layer as a file: what was stored before, with the strokes over it.

import { drawStrokes } from "./draw.js";
import { layerOf } from "./strokes.js";

/** @typedef {import("./strokes.js").Strokes} Strokes */
/** @typedef {import("./view.js").Size} Size */

const LONGEST = 1600;

/**
 * Return a layer as PNG, transparent where nothing is painted; null where nothing is at all.
 *
 * @param {Strokes} strokes
 * @param {"rough" | "mask"} layer
 * @param {ImageBitmap | null} stored
 * @param {Size} page
 * @returns {Promise<Blob | null>}
 */
export async function layerFile(strokes, layer, stored, page) {
  const scale = Math.min(1, LONGEST / Math.max(page.width, page.height));
  const canvas = new OffscreenCanvas(Math.round(page.width * scale), Math.round(page.height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  if (stored) context.drawImage(stored, 0, 0, canvas.width, canvas.height);
  drawStrokes(context, layerOf(strokes, layer), { scale: canvas.width / page.width, x: 0, y: 0 }, page);
  return isBlank(context) ? null : canvas.convertToBlob({ type: "image/png" });
}

/** @param {OffscreenCanvasRenderingContext2D} context @returns {boolean} */
function isBlank(context) {
  const { data } = context.getImageData(0, 0, context.canvas.width, context.canvas.height);
  for (let at = 3; at < data.length; at += 4) if (data[at]) return false;
  return true;
}
