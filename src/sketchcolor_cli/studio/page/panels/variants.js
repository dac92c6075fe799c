// The page in nine seeds: take one, or keep the colours of single areas as points.

import { meanColor } from "../core/color.js";
import { openDialog } from "../core/dialog.js";
import { fill, h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { app, notify } from "../app.js";
import { pixelsOf } from "../canvas/pixels.js";
import { putPoint } from "../tools/point.js";

/** @typedef {import("../screens/bench.js").Bench} Bench */

const COUNT = 9;

/**
 * Show the page in nine seeds.
 *
 * @param {Bench} bench
 */
export function openVariants(bench) {
  const { session } = bench;
  const grid = h("div", { class: "variant-grid" });
  const state = { first: 1, keeping: false };
  /** @type {Map<number, Tile>} */
  let tiles = new Map();
  const letGo = () => tiles.forEach((tile) => tile.bitmap?.close());
  const resume = () => {
    letGo();
    session.onVariant = null;
    session.paused = false;
    if (app.value.live) void session.compute();
  };
  const chosen = (/** @type {number} */ seed, /** @type {Tile} */ tile, /** @type {MouseEvent} */ event) => {
    if (state.keeping) return keepArea(bench, tile, event);
    take(seed);
    notify(t("variants.taken", { seed }));
  };
  const take = (/** @type {number | null} */ seed) =>
    void session.takeSeed(seed).then(() => dialog.close());
  const draw = () => {
    letGo();
    tiles = drawTiles(bench, grid, state.first, chosen);
  };
  const others = () => {
    state.first += COUNT;
    draw();
  };
  const button = (/** @type {string} */ text, /** @type {() => void} */ run) =>
    h("button", { type: "button", class: "button", onclick: run }, t(text));
  const taken = session.page.seed !== null && button("variants.none", () => take(null));
  const bar = h(
    "div",
    { class: "dialog-bar" },
    modes((keeping) => (state.keeping = keeping)),
    h("div", { class: "row" }, taken, button("variants.more", others)),
  );
  const dialog = openDialog(t("command.variants"), { class: "full", closed: resume }, bar, grid);
  session.paused = true;
  draw();
}

/**
 * @param {Bench} bench
 * @param {HTMLElement} grid
 * @param {number} first seed
 * @param {(seed: number, tile: Tile, event: MouseEvent) => void} chosen
 * @returns {Map<number, Tile>} by seed
 */
function drawTiles({ session }, grid, first, chosen) {
  const tiles = new Map(Array.from({ length: COUNT }, (_, at) => [first + at, newTile(first + at)]));
  tiles.get(session.page.seed ?? -1)?.face.setAttribute("aria-current", "true");
  fill(
    grid,
    [...tiles.values()].map((tile) => tile.element),
  );
  for (const [seed, tile] of tiles) tile.face.addEventListener("click", (event) => chosen(seed, tile, event));
  void session.variants([...tiles.keys()], (seed, bitmap) => tiles.get(seed)?.show(bitmap));
  return tiles;
}

/** @typedef {{element: HTMLElement, face: HTMLButtonElement, canvas: HTMLCanvasElement, bitmap: ImageBitmap | null, show: (bitmap: ImageBitmap) => void}} Tile */

/** @param {number} seed @returns {Tile} */
function newTile(seed) {
  const canvas = h("canvas", { width: 32, height: 45 });
  const face = h(
    "button",
    { type: "button", class: "variant waiting", "aria-label": t("variants.seed", { seed }) },
    canvas,
  );
  /** @type {Tile} */
  const tile = {
    element: h("figure", {}, face, h("figcaption", {}, t("variants.seed", { seed }))),
    face,
    canvas,
    bitmap: null,
    show(bitmap) {
      Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
      canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
      tile.bitmap = bitmap;
      face.classList.remove("waiting");
    },
  };
  return tile;
}

/** @param {(keeping: boolean) => void} chosen @returns {HTMLElement} */
function modes(chosen) {
  const choice = (/** @type {boolean} */ keeping) => {
    const radio = h("input", { type: "radio", name: "variant-mode", checked: !keeping });
    radio.addEventListener("change", () => chosen(keeping));
    return h(
      "label",
      { class: "choice" },
      radio,
      h("span", {}, t(keeping ? "variants.keep" : "variants.take")),
    );
  };
  return h(
    "fieldset",
    { class: "segmented" },
    h("legend", { class: "visually-hidden" }, t("variants.mode")),
    choice(false),
    choice(true),
  );
}

/**
 * Put a point in the colour that a variant has at a place, at that place of the page.
 *
 * @param {Bench} bench
 * @param {Tile} tile
 * @param {MouseEvent} event
 */
function keepArea(bench, tile, event) {
  if (!tile.bitmap) return;
  const box = tile.canvas.getBoundingClientRect();
  const byKeyboard = event.detail === 0;
  const x = byKeyboard ? 0.5 : (event.clientX - box.left) / box.width;
  const y = byKeyboard ? 0.5 : (event.clientY - box.top) / box.height;
  if (x < 0 || x > 1 || y < 0 || y > 1) return;
  const color = meanColor(pixelsOf(tile.bitmap, { x, y }, 1));
  if (!color) return;
  putPoint(bench, { x, y }, color);
  mark(tile, x, y, color);
}

/** @param {Tile} tile @param {number} x @param {number} y @param {string} color */
function mark({ canvas }, x, y, color) {
  const context = canvas.getContext("2d");
  if (!context) return;
  for (const [radius, fillStyle] of /** @type {[number, string][]} */ ([
    [7, "#000"],
    [6, "#fff"],
    [4, color],
  ])) {
    context.fillStyle = fillStyle;
    context.beginPath();
    context.arc(x * canvas.width, y * canvas.height, radius, 0, 2 * Math.PI);
    context.fill();
  }
}
