// What tools have in common.

/** @typedef {import("../canvas/stage.js").Stage} Stage */
/** @typedef {import("../canvas/session.js").Session} Session */
/** @typedef {import("../canvas/view.js").Place} Place */

/**
 * @typedef {object} Bench what a tool works on
 * @property {Stage} stage
 * @property {Session} session
 */

/**
 * @typedef {object} Tool
 * @property {(bench: Bench, at: Place, factor: number) => void} start `at` in parts of the page
 * @property {(bench: Bench, at: Place, factor: number) => void} move
 * @property {(bench: Bench) => void} end
 * @property {(bench: Bench) => void} abort
 */

/**
 * Return whether a place is on the page.
 *
 * @param {Place} at
 * @returns {boolean}
 */
export function isOnPage({ x, y }) {
  return x >= 0 && x <= 1 && y >= 0 && y <= 1;
}

/**
 * Return the distance between two places of the page, in pixels of the screen.
 *
 * @param {Stage} stage
 * @param {Place} one
 * @param {Place} other
 * @returns {number}
 */
export function screenDistance(stage, one, other) {
  const [a, b] = [stage.screenPlace(one), stage.screenPlace(other)];
  return Math.hypot(a.x - b.x, a.y - b.y);
}
