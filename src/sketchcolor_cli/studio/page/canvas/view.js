// Where the page is on the screen. Pure: a view is a value, and every change returns another.

/**
 * @typedef {object} View
 * @property {number} scale screen pixels for one pixel of the page
 * @property {number} x screen place of the page's left edge
 * @property {number} y screen place of the page's upper edge
 */
/** @typedef {{width: number, height: number}} Size */
/** @typedef {{x: number, y: number}} Place */

const LARGEST = 16;
const MARGIN = 24; // around a page that fits
const KEPT = 64; // of a page that is pushed aside stays in sight

/**
 * Return the view that shows the whole page.
 *
 * @param {Size} page
 * @param {Size} screen
 * @returns {View}
 */
export function fit(page, screen) {
  const margin = Math.min(MARGIN, screen.width / 12, screen.height / 12);
  const scale = Math.min(
    (screen.width - 2 * margin) / page.width,
    (screen.height - 2 * margin) / page.height,
  );
  return centered(Math.max(scale, 1e-3), page, screen);
}

/**
 * @param {number} scale
 * @param {Size} page
 * @param {Size} screen
 * @returns {View}
 */
export function centered(scale, page, screen) {
  return { scale, x: (screen.width - page.width * scale) / 2, y: (screen.height - page.height * scale) / 2 };
}

/**
 * Return the view after scaling by a factor, with the page's place under `at` kept under it.
 *
 * @param {View} view
 * @param {number} factor
 * @param {Place} at on the screen
 * @param {Size} page
 * @param {Size} screen
 * @returns {View}
 */
export function zoomAt(view, factor, at, page, screen) {
  const least = Math.min(fit(page, screen).scale / 2, 1);
  const scale = Math.min(LARGEST, Math.max(least, view.scale * factor));
  const part = scale / view.scale;
  return kept({ scale, x: at.x - (at.x - view.x) * part, y: at.y - (at.y - view.y) * part }, page, screen);
}

/**
 * @param {View} view
 * @param {number} dx
 * @param {number} dy
 * @param {Size} page
 * @param {Size} screen
 * @returns {View}
 */
export function pan(view, dx, dy, page, screen) {
  return kept({ ...view, x: view.x + dx, y: view.y + dy }, page, screen);
}

/**
 * Return the view of two fingers that were at `before` and are at `after`.
 *
 * @param {View} view
 * @param {[Place, Place]} before
 * @param {[Place, Place]} after
 * @param {Size} page
 * @param {Size} screen
 * @returns {View}
 */
export function pinch(view, before, after, page, screen) {
  const [from, to] = [middle(before), middle(after)];
  const factor = span(before) > 0 ? span(after) / span(before) : 1;
  return pan(zoomAt(view, factor, from, page, screen), to.x - from.x, to.y - from.y, page, screen);
}

/**
 * Keep some of the page in sight.
 *
 * @param {View} view
 * @param {Size} page
 * @param {Size} screen
 * @returns {View}
 */
function kept(view, page, screen) {
  const clamp = (/** @type {number} */ at, /** @type {number} */ length, /** @type {number} */ room) =>
    Math.min(room - Math.min(KEPT, length), Math.max(Math.min(KEPT, length) - length, at));
  return {
    scale: view.scale,
    x: clamp(view.x, page.width * view.scale, screen.width),
    y: clamp(view.y, page.height * view.scale, screen.height),
  };
}

/**
 * Return the place on the page, in parts of its width and height, of a place on the screen.
 *
 * @param {View} view
 * @param {Place} at
 * @param {Size} page
 * @returns {Place} 0…1 on the page, outside beyond
 */
export function toPage(view, at, page) {
  return { x: (at.x - view.x) / (view.scale * page.width), y: (at.y - view.y) / (view.scale * page.height) };
}

/**
 * Return the place on the screen of a place on the page.
 *
 * @param {View} view
 * @param {Place} at 0…1
 * @param {Size} page
 * @returns {Place}
 */
export function toScreen(view, at, page) {
  return { x: view.x + at.x * page.width * view.scale, y: view.y + at.y * page.height * view.scale };
}

/** @param {[Place, Place]} two @returns {Place} */
function middle([a, b]) {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

/** @param {[Place, Place]} two @returns {number} */
function span([a, b]) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
