// Pixels of pictures: colours at a place, masks in the colours of their meanings.

import { rgbOf } from "../core/color.js";

/** @typedef {import("./view.js").Place} Place */

const PROTECTED = "#4f7dff";
const FREED = "#ff9f2e";

/**
 * Return the colour that a stroke of the mask is shown in.
 *
 * @param {{color: string}} stroke white protects, black frees
 * @returns {string}
 */
export function maskShown({ color }) {
  return color === "#ffffff" ? PROTECTED : FREED;
}

/**
 * Return the pixels of a picture around a place.
 *
 * @param {ImageBitmap | HTMLImageElement} source
 * @param {Place} at in parts of it
 * @param {number} reach in its pixels
 * @returns {Uint8ClampedArray} RGBA
 */
export function pixelsOf(source, at, reach) {
  const side = 2 * reach + 1;
  const canvas = new OffscreenCanvas(side, side);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const isImage = source instanceof HTMLImageElement; // whose width is that at which it is shown
  const [width, height] = isImage ? [source.naturalWidth, source.naturalHeight] : [source.width, source.height];
  context.drawImage(source, reach - Math.floor(at.x * width), reach - Math.floor(at.y * height));
  return context.getImageData(0, 0, side, side).data;
}

/** Greys from which on ink is the page's own to where there is none of it, as the colouring has it. */
const [INK, NO_INK] = [82, 128];

/**
 * Return the ink of a page's part alone, to be laid over its colours.
 *
 * @param {ImageBitmap} part
 * @returns {OffscreenCanvas}
 */
export function inkOf(part) {
  const canvas = new OffscreenCanvas(part.width, part.height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(part, 0, 0);
  const image = context.getImageData(0, 0, part.width, part.height);
  const { data } = image;
  for (let at = 0; at < data.length; at += 4) {
    const gray = Math.max(data[at], data[at + 1], data[at + 2]);
    data[at + 3] = Math.min(255, Math.max(0, (255 * (NO_INK - gray)) / (NO_INK - INK)));
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/**
 * Show a mask as it is stored, white and black, in the colours of its two meanings.
 *
 * @param {CanvasRenderingContext2D} context
 */
export function tint(context) {
  const { width, height } = context.canvas;
  const image = context.getImageData(0, 0, width, height);
  const { data } = image;
  const [protectedRgb, freedRgb] = [rgbOf(PROTECTED), rgbOf(FREED)];
  for (let at = 0; at < data.length; at += 4) {
    if (!data[at + 3]) continue;
    const [r, g, b] = data[at] > 127 ? protectedRgb : freedRgb;
    data[at] = r;
    data[at + 1] = g;
    data[at + 2] = b;
  }
  context.putImageData(image, 0, 0);
}
