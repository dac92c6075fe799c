// Palettes as text. Pure.

import { rgbOf } from "./color.js";

/** @typedef {{name: string, color: string}} Swatch */

/**
 * Return a GIMP palette of these swatches.
 *
 * @param {Swatch[]} swatches
 * @param {string} name
 * @returns {string}
 */
export function writePalette(swatches, name) {
  const rows = swatches.map(({ color, name: own }) => {
    const numbers = rgbOf(color)
      .map((channel) => String(channel).padStart(3))
      .join(" ");
    return `${numbers}\t${own.replace(/\s+/g, " ") || color}`;
  });
  return ["GIMP Palette", `Name: ${name.replace(/\s+/g, " ")}`, "Columns: 8", "#", ...rows, ""].join("\n");
}
