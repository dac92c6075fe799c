// Palettes as text: GIMP and Krita palettes, and lists of hex colours. Pure.

import { hexOf, readHex, rgbOf } from "./color.js";

/** @typedef {{name: string, color: string}} Swatch */

/**
 * Return the swatches of a palette's text; empty where it holds none.
 *
 * @param {string} text
 * @returns {Swatch[]}
 */
export function readPalette(text) {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const read = lines[0]?.startsWith("GIMP Palette") ? gimpLine : hexLine;
  return lines.map(read).filter((swatch) => swatch !== null);
}

/**
 * @param {string} line
 * @returns {Swatch | null}
 */
function gimpLine(line) {
  const found = /^\s*(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})(?:\s+(.*))?$/.exec(line);
  if (!found) return null;
  return {
    color: hexOf([Number(found[1]), Number(found[2]), Number(found[3])]),
    name: (found[4] ?? "").trim(),
  };
}

/**
 * @param {string} line
 * @returns {Swatch | null}
 */
function hexLine(line) {
  const found = /^\s*#?([0-9a-f]{6}|[0-9a-f]{3})\b\s*(.*)$/i.exec(line);
  const color = found && readHex(found[1]);
  return color ? { color, name: found[2].trim() } : null;
}

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
