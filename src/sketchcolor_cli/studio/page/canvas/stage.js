// The canvas: page, result and strokes, each on a canvas of its own, drawn when something changed and never else.

import { clear, drawPin, drawStrokes } from "./draw.js";
import { drawCross, drawHandle, drawRing } from "./overlay.js";
import { maskShown, pixelsOf, tint } from "./pixels.js";
import { layerOf } from "./strokes.js";
import { fit, pan, pinch, toPage, toScreen, zoomAt } from "./view.js";

/** @typedef {import("./view.js").View} View */
/** @typedef {import("./view.js").Size} Size */
/** @typedef {import("./view.js").Place} Place */
/** @typedef {import("./strokes.js").Stroke} Stroke */
/** @typedef {import("./strokes.js").Strokes} Strokes */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Part of a page, in its pixels */
/** @typedef {"result" | "original" | "split" | "side"} Compare */

/** Shows one page. */
export class Stage {
  /**
   * @param {{page: HTMLCanvasElement, result: HTMLCanvasElement, strokes: HTMLCanvasElement}} layers
   * @param {() => void} moved called when the view changed
   */
  constructor(layers, moved) {
    this.layers = layers;
    this.moved = moved;
    /** @type {Size} */
    this.page = { width: 1, height: 1 };
    /** @type {Size} */
    this.screen = { width: 1, height: 1 };
    /** @type {View} */
    this.view = { scale: 1, x: 0, y: 0 };
    this.fitted = true;
    /** @type {{original: ImageBitmap | null, result: ImageBitmap | null, spread: ImageBitmap | null,
     *   rough: ImageBitmap | null, mask: ImageBitmap | null, found: ImageBitmap | null}} */
    this.pictures = { original: null, result: null, spread: null, rough: null, mask: null, found: null };
    /** @type {Strokes} */
    this.strokes = [];
    /** @type {Stroke | null} */
    this.active = null;
    /** @type {{part: Part, page: ImageBitmap, ink: OffscreenCanvas} | null} what is seen of a large page, at its size */
    this.sharp = null;
    /** @type {Compare} */
    this.compare = "result";
    this.split = 0.5;
    this.peek = false;
    this.showStrokes = true;
    this.showRough = false;
    this.showMask = false;
    /** @type {{at: Place, radius: number, color: string} | null} */
    this.ring = null;
    /** @type {Place | null} */
    this.cross = null;
    /** @type {Map<string, CanvasRenderingContext2D>} */
    this.sheets = new Map();
    /** @type {Set<string>} */
    this.kept = new Set(); // layers whose sheet is as they are
    this.due = new Set(["page", "result", "strokes"]);
    this.asked = 0;
    this.observer = new ResizeObserver(() => this.#resized());
    this.observer.observe(/** @type {Element} */ (layers.page.parentElement));
  }

  /** Stop watching the size, and give pictures back. */
  close() {
    this.observer.disconnect();
    cancelAnimationFrame(this.asked);
    for (const picture of Object.values(this.pictures)) picture?.close();
    this.sharp?.page.close();
  }

  /** @param {Stage["sharp"]} sharp */
  setSharp(sharp) {
    this.sharp?.page.close();
    this.sharp = sharp;
    this.draw("page", "result");
  }

  /** @returns {Part} what is seen of the page */
  get seen() {
    const { scale, x, y } = this.view;
    const { width, height } = this.page;
    return {
      left: Math.max(0, Math.floor(-x / scale)),
      top: Math.max(0, Math.floor(-y / scale)),
      right: Math.min(width, Math.ceil((this.room.width - x) / scale)),
      bottom: Math.min(height, Math.ceil((this.room.height - y) / scale)),
    };
  }

  /**
   * Show another page.
   *
   * @param {Size} page
   */
  begin(page) {
    this.page = page;
    this.fitView();
  }

  /**
   * @param {keyof Stage["pictures"]} name
   * @param {ImageBitmap | null} bitmap
   */
  setPicture(name, bitmap) {
    if (this.pictures[name] !== bitmap) this.pictures[name]?.close();
    this.pictures[name] = bitmap;
    this.kept.clear();
    this.draw(name === "original" ? "page" : name === "result" || name === "spread" ? "result" : "strokes");
  }

  /** @param {Strokes} strokes */
  setStrokes(strokes) {
    this.strokes = strokes;
    this.kept.clear();
    this.draw("strokes");
  }

  /**
   * Change how it looks.
   *
   * @param {Partial<Pick<Stage, "compare" | "split" | "peek" | "showStrokes" | "showRough" | "showMask">>} look
   */
  look(look) {
    const side = this.compare === "side";
    Object.assign(this, look);
    if (side !== (this.compare === "side")) this.#resized();
    this.draw("page", "result", "strokes");
  }

  /** @returns {Size} the room for one picture of the page */
  get room() {
    const half = this.compare === "side" ? 2 : 1;
    return { width: this.screen.width / half, height: this.screen.height };
  }

  /** @returns {boolean} whether the result is to be seen */
  get resultShown() {
    return !this.peek && this.compare !== "original";
  }

  fitView() {
    this.fitted = true;
    this.#move(fit(this.page, this.room));
  }

  /**
   * @param {number} factor
   * @param {Place} [at]
   */
  zoom(factor, at = { x: this.room.width / 2, y: this.room.height / 2 }) {
    this.fitted = false;
    this.#move(zoomAt(this.view, factor, this.#inRoom(at), this.page, this.room));
  }

  /** Show a pixel of the page as a pixel of the screen. */
  zoomActual() {
    this.zoom(1 / (this.view.scale * devicePixelRatio));
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  pan(dx, dy) {
    this.fitted = false;
    this.#move(pan(this.view, dx, dy, this.page, this.room));
  }

  /**
   * @param {[Place, Place]} before
   * @param {[Place, Place]} after
   */
  pinch(before, after) {
    this.fitted = false;
    const [a, b] = [before, after].map((two) => two.map((place) => this.#inRoom(place)));
    this.#move(pinch(this.view, /** @type {any} */ (a), /** @type {any} */ (b), this.page, this.room));
  }

  /**
   * @param {Place} at on the canvas
   * @returns {Place} in parts of the page
   */
  pagePlace(at) {
    return toPage(this.view, this.#inRoom(at), this.page);
  }

  /**
   * @param {Place} at in parts of the page
   * @returns {Place} on the canvas
   */
  screenPlace(at) {
    return toScreen(this.view, at, this.page);
  }

  /** @returns {number} pixels of the screen in the width that the page is shown at */
  get shownWidth() {
    return Math.ceil(this.page.width * this.view.scale * devicePixelRatio);
  }

  /**
   * Draw layers with the next frame.
   *
   * @param {...("page" | "result" | "strokes")} layers
   */
  draw(...layers) {
    for (const layer of layers) this.due.add(layer);
    if (!this.asked) this.asked = requestAnimationFrame(() => this.#frame());
  }

  /** @param {View} view */
  #move(view) {
    this.view = view;
    this.kept.clear();
    this.draw("page", "result", "strokes");
    this.moved();
  }

  /** @param {Place} at @returns {Place} */
  #inRoom(at) {
    const { width } = this.room;
    return at.x >= width ? { x: at.x - width, y: at.y } : at;
  }

  #resized() {
    const parent = /** @type {Element} */ (this.layers.page.parentElement);
    const { width, height } = parent.getBoundingClientRect();
    if (width < 2 || height < 2) return;
    const before = this.room;
    this.screen = { width, height };
    this.kept.clear();
    for (const canvas of Object.values(this.layers)) {
      canvas.width = Math.round(width * devicePixelRatio);
      canvas.height = Math.round(height * devicePixelRatio);
    }
    if (this.fitted) return this.fitView();
    this.#move(
      pan(
        this.view,
        (this.room.width - before.width) / 2,
        (this.room.height - before.height) / 2,
        this.page,
        this.room,
      ),
    );
  }

  #frame() {
    this.asked = 0;
    if (this.layers.page.width !== Math.round(this.screen.width * devicePixelRatio))
      this.#resized(); // the window went to a screen of other density
    const due = this.due;
    this.due = new Set();
    if (due.has("page")) this.#drawPage();
    if (due.has("result")) this.#drawResult();
    if (due.has("strokes")) this.#drawStrokes();
  }

  /**
   * @param {"page" | "result" | "strokes"} layer
   * @returns {CanvasRenderingContext2D} in pixels of CSS
   */
  #context(layer) {
    const context = contextOf(this.layers[layer]);
    clear(context);
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.imageSmoothingEnabled = this.view.scale * devicePixelRatio < 6;
    context.imageSmoothingQuality = "high";
    return context;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {ImageBitmap | null} bitmap
   * @param {number} [shift]
   */
  #lay(context, bitmap, shift = 0) {
    const { scale, x, y } = this.view;
    if (bitmap) context.drawImage(bitmap, x + shift, y, this.page.width * scale, this.page.height * scale);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {"page" | "ink"} name
   * @param {number} [shift]
   */
  #laySharp(context, name, shift = 0) {
    if (!this.sharp) return;
    const { scale, x, y } = this.view;
    const { left, top, right, bottom } = this.sharp.part;
    const [width, height] = [(right - left) * scale, (bottom - top) * scale];
    context.drawImage(this.sharp[name], x + left * scale + shift, y + top * scale, width, height);
  }

  #drawPage() {
    const context = this.#context("page");
    context.fillStyle = "#fff";
    const { scale, x, y } = this.view;
    context.fillRect(x, y, this.page.width * scale, this.page.height * scale);
    this.#lay(context, this.pictures.original);
    this.#laySharp(context, "page");
  }

  #drawResult() {
    const context = this.#context("result");
    if (!this.resultShown) return;
    const { width, height } = this.screen;
    const left =
      this.compare === "split" ? width * this.split : this.compare === "side" ? this.room.width : 0;
    context.save();
    context.beginPath();
    context.rect(left, 0, width - left, height);
    context.clip();
    const shift = this.compare === "side" ? this.room.width : 0;
    if (this.compare === "side") this.#lay(context, this.pictures.original, shift);
    this.#lay(context, this.pictures.result, shift);
    this.#lay(context, this.pictures.spread, shift);
    this.#laySharp(context, "ink", shift);
    context.restore();
  }

  #drawStrokes() {
    const context = this.#context("strokes");
    const sides = this.compare === "side" ? [0, this.room.width] : [0];
    for (const shift of sides) {
      context.save();
      context.beginPath();
      context.rect(shift, 0, this.room.width, this.screen.height);
      context.clip();
      this.#drawPaint(context, shift);
      context.restore();
    }
    if (this.compare === "split" && !this.peek)
      drawHandle(context, this.screen.width * this.split, this.screen.height);
    if (this.ring) drawRing(context, this.ring.at, this.#ringRadius(this.ring.radius), this.ring.color);
    if (this.cross) drawCross(context, this.screenPlace(this.cross));
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} shift
   */
  #drawPaint(context, shift) {
    if (this.showMask) {
      context.globalAlpha = 0.5;
      this.#lay(context, this.pictures.found, shift);
      this.#layer(context, "mask", shift, (mark) => maskShown(mark));
    }
    context.globalAlpha = 0.6;
    if (this.showRough) this.#layer(context, "rough", shift);
    context.globalAlpha = 1;
    if (!this.showStrokes || this.peek) return;
    this.#layer(context, "hint", shift);
    const pins = layerOf(this.strokes, "hint").filter((mark) => mark.kind === "point");
    for (const pin of pins) drawPin(context, pin, { ...this.view, x: this.view.x + shift }, this.page);
  }

  /**
   * Draw one painted layer. What is finished is kept as a picture for as long as strokes and view stay.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {"hint" | "rough" | "mask"} layer
   * @param {number} shift
   * @param {(stroke: Stroke) => string} [colorOf]
   */
  #layer(context, layer, shift, colorOf) {
    const active = this.active?.layer === layer ? this.active : null;
    if (!this.kept.has(layer)) this.#finish(layer, colorOf);
    this.kept.add(layer);
    const finished = this.#sheet(layer).canvas;
    const shown = active ? this.#withActive(finished, active, colorOf) : finished;
    context.save();
    context.setTransform(1, 0, 0, 1, Math.round(shift * devicePixelRatio), 0);
    context.drawImage(shown, 0, 0);
    context.restore();
  }

  /**
   * @param {"hint" | "rough" | "mask"} layer
   * @param {(stroke: Stroke) => string} [colorOf]
   */
  #finish(layer, colorOf) {
    const context = this.#sheet(layer);
    clear(context);
    const stored = layer === "hint" ? null : this.pictures[layer];
    if (stored) this.#lay(context, stored);
    if (stored && layer === "mask") tint(context);
    drawStrokes(context, layerOf(this.strokes, layer), this.view, this.page, colorOf);
  }

  /**
   * @param {HTMLCanvasElement} finished
   * @param {Stroke} active
   * @param {(stroke: Stroke) => string} [colorOf]
   * @returns {HTMLCanvasElement}
   */
  #withActive(finished, active, colorOf) {
    const context = this.#sheet("active");
    clear(context);
    context.save();
    context.resetTransform();
    context.drawImage(finished, 0, 0);
    context.restore();
    drawStrokes(context, [active], this.view, this.page, colorOf);
    return context.canvas;
  }

  /**
   * Return a canvas to put a layer together on, of the size of those that are seen; always the same one.
   *
   * @param {string} name
   * @returns {CanvasRenderingContext2D}
   */
  #sheet(name) {
    const { width, height } = this.layers.strokes;
    const context = this.sheets.get(name) ?? contextOf(document.createElement("canvas"));
    this.sheets.set(name, context);
    if (context.canvas.width !== width || context.canvas.height !== height)
      Object.assign(context.canvas, { width, height });
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    return context;
  }

  /** @param {number} radius in parts of the page @returns {number} */
  #ringRadius(radius) {
    return Math.max(1.5, radius * Math.min(this.page.width, this.page.height) * this.view.scale);
  }

  /**
   * Return the pixels of what is shown around a place: of the result where it is to be seen, else of the page.
   *
   * @param {Place} at in parts of the page
   * @param {number} [reach] in pixels of the picture
   * @returns {Uint8ClampedArray | null} RGBA
   */
  pixels(at, reach = 2) {
    const { result, original } = this.pictures;
    const source = this.resultShown && result ? result : original;
    return source ? pixelsOf(source, at, reach) : null;
  }
}

/** @param {HTMLCanvasElement} canvas @returns {CanvasRenderingContext2D} */
function contextOf(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}
