// What happens on the canvas: hands and keys to tools.

import { app } from "../app.js";
import { picture } from "../core/api.js";
import { isOnPage } from "../tools/tool.js";
import { TOOLS, SIZED } from "../tools/index.js";
import { putPoint } from "../tools/point.js";

/** @typedef {import("../canvas/stage.js").Stage} Stage */
/** @typedef {import("../canvas/session.js").Session} Session */
/** @typedef {import("../canvas/view.js").Place} Place */
/** @typedef {import("../tools/tool.js").Tool} Tool */

const NEAR_SPLIT = 16; // pixels within which the slider is taken hold of
const STEP = 0.01; // of the page, for one press of an arrow key
const PEN_ERASER = 32; // button of a pen turned round

/** Page, canvas and the tool in hand. */
export class Bench {
  /**
   * @param {Stage} stage
   * @param {Session} session
   * @param {HTMLCanvasElement} canvas
   */
  constructor(stage, session, canvas) {
    this.stage = stage;
    this.session = session;
    this.canvas = canvas;
    this.handHeld = false;
    /** @type {Tool | null} */
    this.used = null;
    /** @type {Place | null} */
    this.pointer = null;
    canvas.addEventListener("keydown", (event) => this.#arrow(event));
    canvas.addEventListener("blur", () => this.#setCross(null));
  }

  /** @returns {import("../canvas/pointer.js").Hands} */
  hands() {
    const { stage } = this;
    return {
      panning: () => this.handHeld || (app.value.tool === "hand" && !app.value.carried),
      grab: (at) =>
        stage.compare === "split" && Math.abs(at.x - stage.split * stage.screen.width) < NEAR_SPLIT,
      drag: (at) => stage.look({ split: Math.min(1, Math.max(0, at.x / stage.screen.width)) }),
      start: ({ at, factor }, event) => this.#start(at, factor, event),
      move: (touches) =>
        touches.forEach(({ at, factor }) => this.used?.move(this, stage.pagePlace(at), factor)),
      end: () => this.#finish("end"),
      abort: () => this.#finish("abort"),
      pan: (dx, dy) => stage.pan(dx, dy),
      pinch: (before, after) => stage.pinch(before, after),
      zoom: (factor, at) => stage.zoom(factor, at),
      hover: (at) => this.#hover(at),
    };
  }

  /** Draw the ring of the brush again. */
  refreshRing() {
    this.#hover(this.pointer);
  }

  /** The page was moved or scaled. */
  viewMoved() {
    app.set({ zoom: this.stage.view.scale * devicePixelRatio });
    this.session.viewChanged();
  }

  /** @param {boolean} held */
  holdHand(held) {
    this.handHeld = held;
    this.canvas.classList.toggle("panning", held);
    this.refreshRing();
  }

  /** Paint at the cross-hair if it is shown, else compute. */
  enter() {
    const { cross } = this.stage;
    if (!cross || document.activeElement !== this.canvas) return void this.session.compute();
    const tool = this.#tool(null);
    tool?.start(this, cross, 1);
    tool?.end(this);
  }

  /** Give up what is under way. */
  escape() {
    if (this.used) this.#finish("abort");
    else if (app.value.carried) app.set({ carried: null });
    else if (this.stage.cross) this.#setCross(null);
    else this.session.live?.cancel();
  }

  /** Show what was found to stay paper. */
  async loadFoundMask() {
    if (this.stage.pictures.found) return;
    const found = await picture(`/pages/${this.session.page.id}/masks`, this.session.stop.signal).catch(
      () => null,
    );
    if (found) this.stage.setPicture("found", found);
  }

  /**
   * @param {Place} at on the canvas
   * @param {number} factor
   * @param {PointerEvent} event
   */
  #start(at, factor, event) {
    this.#setCross(null);
    const place = this.stage.pagePlace(at);
    this.used = this.session.ready ? this.#tool(event) : null;
    if (this.used !== TOOLS.picker && this.used !== TOOLS.eraser && !isOnPage(place)) this.used = null;
    this.used?.start(this, place, factor);
  }

  /**
   * Return the tool that a press means: the one in hand, the picker with Alt, the eraser of a pen turned round, or
   * the placing of a colour that was taken from a sheet.
   *
   * @param {PointerEvent | null} event
   * @returns {Tool | null}
   */
  #tool(event) {
    if (event?.altKey) return TOOLS.picker;
    if (event && event.pointerType === "pen" && event.buttons & PEN_ERASER) return TOOLS.eraser;
    if (app.value.carried) return placing;
    return TOOLS[app.value.tool] ?? null;
  }

  /** @param {"end" | "abort"} how */
  #finish(how) {
    const tool = this.used;
    this.used = null;
    tool?.[how](this);
  }

  /** @param {Place | null} at */
  #hover(at) {
    this.pointer = at;
    const { tool, color, radii, carried } = app.value;
    const shown = at && SIZED.has(tool) && !this.handHeld && !carried;
    this.stage.ring = shown
      ? {
          at,
          radius: radii[tool],
          color: tool === "brush" || tool === "rough" || tool === "point" ? color : "#888",
        }
      : null;
    this.stage.draw("strokes");
  }

  /** @param {KeyboardEvent} event */
  #arrow(event) {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[
      event.key
    ] ?? [0, 0];
    if ((!dx && !dy) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (this.stage.compare === "split" && !this.stage.cross && dx && event.shiftKey)
      return this.stage.look({ split: Math.min(1, Math.max(0, this.stage.split + dx / 40)) });
    const step = STEP * (event.shiftKey ? 5 : 1);
    const from = this.stage.cross ?? { x: 0.5 - dx * step, y: 0.5 - dy * step };
    const clamp = (/** @type {number} */ share) => Math.min(1, Math.max(0, share));
    this.#setCross({ x: clamp(from.x + dx * step), y: clamp(from.y + dy * step) });
  }

  /** @param {Place | null} cross */
  #setCross(cross) {
    if (cross === this.stage.cross) return;
    this.stage.cross = cross;
    this.stage.draw("strokes");
  }
}

/** Puts a colour from a sheet where the page is touched. */
const placing = /** @type {Tool} */ ({
  start(bench, at) {
    const { carried } = app.value;
    app.set({ carried: null });
    if (carried && isOnPage(at)) putPoint(bench, at, carried.color);
  },
  move() {},
  end() {},
  abort() {},
});
