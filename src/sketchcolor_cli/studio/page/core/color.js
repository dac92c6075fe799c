// Colours: hex, RGB in 0…255, CIELAB. Pure.

/** @typedef {[number, number, number]} Triple */

const D65 = [0.95047, 1, 1.08883];

/**
 * Return `#rrggbb` of `#rgb`, `rrggbb` and the like, or null.
 *
 * @param {string} text
 * @returns {string | null}
 */
export function readHex(text) {
  const found = /^\s*#?([0-9a-f]{3}|[0-9a-f]{6})\s*$/i.exec(text);
  if (!found) return null;
  const digits = found[1].length === 3 ? found[1].replace(/./g, "$&$&") : found[1];
  return `#${digits.toLowerCase()}`;
}

/**
 * @param {string} hex `#rrggbb`
 * @returns {Triple}
 */
export function rgbOf(hex) {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/**
 * @param {ArrayLike<number>} rgb
 * @returns {string} `#rrggbb`
 */
export function hexOf(rgb) {
  const digits = [0, 1, 2].map((at) =>
    Math.round(Math.min(255, Math.max(0, rgb[at])))
      .toString(16)
      .padStart(2, "0"),
  );
  return `#${digits.join("")}`;
}

/**
 * Return CIELAB under D65 of sRGB.
 *
 * @param {ArrayLike<number>} rgb 0…255
 * @returns {Triple}
 */
export function labOf(rgb) {
  const [r, g, b] = [0, 1, 2].map((at) => {
    const value = rgb[at] / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const xyz = [
    0.4124564 * r + 0.3575761 * g + 0.1804375 * b,
    0.2126729 * r + 0.7151522 * g + 0.072175 * b,
    0.0193339 * r + 0.119192 * g + 0.9503041 * b,
  ];
  const [x, y, z] = xyz.map((share, at) => {
    const part = share / D65[at];
    return part > 216 / 24389 ? Math.cbrt(part) : ((24389 / 27) * part + 16) / 116;
  });
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/**
 * Return whether dark text reads better on this colour than light text.
 *
 * @param {string} hex
 * @returns {boolean}
 */
export function wantsDarkText(hex) {
  return labOf(rgbOf(hex))[0] > 60;
}

/**
 * Return the mean of the pixels of an RGBA buffer, by their alpha; null where all is transparent.
 *
 * @param {ArrayLike<number>} data
 * @returns {string | null} `#rrggbb`
 */
export function meanColor(data) {
  let weight = 0;
  const sum = [0, 0, 0];
  for (let at = 0; at + 3 < data.length; at += 4) {
    weight += data[at + 3];
    for (let channel = 0; channel < 3; channel += 1) sum[channel] += data[at + channel] * data[at + 3];
  }
  return weight ? hexOf(sum.map((channel) => channel / weight)) : null;
}
