// What fingers, pens and mice mean: painting, panning, pinching.

import { widthOf } from "./strokes.js";

/** @typedef {import("./view.js").Place} Place */
/** @typedef {{at: Place, factor: number}} Touch place on the canvas, factor on the brush's radius */

/**
 * @typedef {object} Hands
 * @property {() => boolean} panning whether the main button pans now
 * @property {(at: Place) => boolean} grab whether something of the canvas itself is grabbed there
 * @property {(at: Place) => void} drag
 * @property {(touch: Touch, event: PointerEvent) => void} start
 * @property {(touches: Touch[]) => void} move
 * @property {() => void} end
 * @property {() => void} abort
 * @property {(dx: number, dy: number) => void} pan
 * @property {(before: [Place, Place], after: [Place, Place]) => void} pinch
 * @property {(factor: number, at: Place) => void} zoom
 * @property {(at: Place | null) => void} hover
 */

const PALM = 60; // a touch wider than this is not a finger
const LINE = 16; // pixels in a line of a wheel that counts lines

/** Listens to pointers on one element. */
export class Pointers {
  /**
   * @param {HTMLElement} element
   * @param {Hands} hands
   */
  constructor(element, hands) {
    this.element = element;
    this.hands = hands;
    this.penSeen = false;
    /** @type {Map<number, Place>} */
    this.fingers = new Map();
    /** @type {{id: number, mode: "paint" | "pan" | "grab"} | null} */
    this.main = null;
    element.addEventListener("blur", () => element.classList.remove("by-pointer"));
    element.addEventListener("pointerdown", (event) => this.#down(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    element.addEventListener("pointerup", (event) => this.#up(event, false));
    element.addEventListener("pointercancel", (event) => this.#up(event, true));
    element.addEventListener("pointerleave", () => this.hands.hover(null));
    element.addEventListener("contextmenu", (event) => event.preventDefault());
    element.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  /** @param {{clientX: number, clientY: number}} event @returns {Place} */
  #at(event) {
    const box = this.element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** @param {PointerEvent} event @returns {Touch} */
  #touch(event) {
    const pressed = event.pointerType === "pen" && event.pressure > 0;
    return { at: this.#at(event), factor: pressed ? widthOf(event.pressure) : 1 };
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.pointerType === "pen") this.penSeen = true;
    if (event.pointerType === "touch" && this.#isPalm(event)) return;
    event.preventDefault();
    this.element.classList.add("by-pointer"); // needs no ring to say where the focus is
    this.element.focus({ preventScroll: true });
    this.element.setPointerCapture(event.pointerId);
    const at = this.#at(event);
    if (event.pointerType === "touch" && this.#fingerDown(event, at)) return;
    if (this.main) return;
    const pans = event.button === 1 || event.button === 2 || this.hands.panning() || this.#fingerPans(event);
    if (!pans && this.hands.grab(at)) this.main = { id: event.pointerId, mode: "grab" };
    else if (pans) this.main = { id: event.pointerId, mode: "pan" };
    else {
      this.main = { id: event.pointerId, mode: "paint" };
      this.hands.start(this.#touch(event), event);
    }
    this.last = at;
  }

  /**
   * A palm is wide, or comes while a pen paints.
   *
   * @param {PointerEvent} event
   * @returns {boolean}
   */
  #isPalm(event) {
    const penPaints = this.main !== null && !this.fingers.has(this.main.id);
    return penPaints || Math.max(event.width, event.height) > PALM;
  }

  /**
   * Where there is a pen, fingers only move the page.
   *
   * @param {PointerEvent} event
   * @returns {boolean}
   */
  #fingerPans(event) {
    return event.pointerType === "touch" && this.penSeen;
  }

  /**
   * @param {PointerEvent} event
   * @param {Place} at
   * @returns {boolean} whether it is a second finger, which turns painting into pinching
   */
  #fingerDown(event, at) {
    this.fingers.set(event.pointerId, at);
    if (this.fingers.size < 2) return false;
    if (this.main?.mode === "paint") this.hands.abort();
    this.main = null;
    return true;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const at = this.#at(event);
    if (event.pointerType !== "touch") this.hands.hover(at);
    if (this.fingers.size === 2 && this.fingers.has(event.pointerId)) return this.#pinch(event, at);
    if (this.fingers.has(event.pointerId)) this.fingers.set(event.pointerId, at);
    if (this.main?.id !== event.pointerId) return;
    const last = this.last ?? at;
    if (this.main.mode === "pan") this.hands.pan(at.x - last.x, at.y - last.y);
    else if (this.main.mode === "grab") this.hands.drag(at);
    else this.hands.move(this.#coalesced(event).map((sample) => this.#touch(sample)));
    this.last = at;
  }

  /** @param {PointerEvent} event @returns {PointerEvent[]} */
  #coalesced(event) {
    const all = event.getCoalescedEvents?.() ?? [];
    return all.length ? all : [event];
  }

  /**
   * @param {PointerEvent} event
   * @param {Place} at
   */
  #pinch(event, at) {
    const before = /** @type {[Place, Place]} */ ([...this.fingers.values()]);
    this.fingers.set(event.pointerId, at);
    this.hands.pinch(before, /** @type {[Place, Place]} */ ([...this.fingers.values()]));
  }

  /**
   * @param {PointerEvent} event
   * @param {boolean} cancelled
   */
  #up(event, cancelled) {
    this.fingers.delete(event.pointerId);
    if (this.main?.id !== event.pointerId) return;
    const { mode } = this.main;
    this.main = null;
    if (mode !== "paint") return;
    if (cancelled) this.hands.abort();
    else this.hands.end();
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? LINE : event.deltaMode === 2 ? this.element.clientHeight : 1;
    if (event.shiftKey) return this.hands.pan(-(event.deltaX || event.deltaY) * unit, 0);
    const speed = event.ctrlKey ? 0.01 : 0.0018;
    const step = Math.max(-240, Math.min(240, event.deltaY * unit));
    this.hands.zoom(Math.exp(-step * speed), this.#at(event));
  }
}
