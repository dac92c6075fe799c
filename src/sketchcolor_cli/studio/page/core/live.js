// The live connection of one page: marks up, pictures down. The newest request counts.

import { token } from "./api.js";
import { readFrame } from "./frame.js";

const PAUSES = [300, 1000, 3000, 8000];

/**
 * @typedef {object} Listeners
 * @property {(stage: string, bitmap: ImageBitmap, number: number) => void} picture
 * @property {(seed: number, bitmap: ImageBitmap, number: number) => void} variant
 * @property {(state: "idle" | "waiting" | "lost", problem?: {detail: string}) => void} state
 */

/** One page's connection. */
export class Live {
  /**
   * @param {string} page
   * @param {Listeners} listeners
   */
  constructor(page, listeners) {
    this.page = page;
    this.listeners = listeners;
    this.number = 0;
    /** @type {Record<string, any> | null} */
    this.wanted = null;
    this.again = 0; // the request that was asked once more, since the worker died over it
    this.tries = 0;
    this.closed = false;
    this.delivered = Promise.resolve(); // once the pictures that came are shown
    /** @type {WebSocket | null} */
    this.socket = null;
    this.#open();
  }

  /**
   * Ask for pictures; what was asked before is forgotten.
   *
   * @param {Record<string, any>} message without number
   * @returns {number}
   */
  ask(message) {
    this.number += 1;
    this.wanted = { ...message, number: this.number };
    this.listeners.state("waiting");
    this.#send();
    return this.number;
  }

  cancel() {
    if (!this.wanted) return;
    this.wanted = null;
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send('{"type":"cancel"}');
    this.listeners.state("idle");
  }

  close() {
    this.closed = true;
    this.socket?.close();
  }

  #send() {
    if (this.wanted && this.socket?.readyState === WebSocket.OPEN)
      this.socket.send(JSON.stringify(this.wanted));
  }

  #open() {
    if (this.closed) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/pages/${this.page}/live`, [
      "sketchcolor.v1",
      `token.${token()}`,
    ]);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.tries = 0;
      if (!this.wanted) this.listeners.state("idle");
      this.#send();
    };
    socket.onmessage = ({ data }) =>
      typeof data === "string" ? this.#told(JSON.parse(data)) : this.#shown(data);
    socket.onclose = ({ code, reason }) => this.#lost(code, reason);
    this.socket = socket;
  }

  /** @param {number} code @param {string} reason */
  #lost(code, reason) {
    if (this.closed) return;
    if (code === 4404 || code === 4409) return this.#finish({ detail: reason });
    this.listeners.state("lost");
    setTimeout(() => this.#open(), PAUSES[Math.min(this.tries, PAUSES.length - 1)]);
    this.tries += 1;
  }

  /** @param {Record<string, any>} message */
  #told(message) {
    if (message.type === "restarted") this.again === this.number && this.#send();
    else if (message.number !== this.number) return;
    else if (message.type === "done" || message.type === "cancelled") this.#finish();
    else if (message.type === "error" && message.problem.again && this.again !== message.number)
      this.again = message.number; // is asked once more as soon as there is another worker
    else if (message.type === "error") this.#finish(message.problem);
  }

  /** @param {{detail: string}} [problem] */
  #finish(problem) {
    this.wanted = null;
    this.listeners.state("idle", problem);
  }

  /**
   * Show pictures in the order in which they came, however long each takes to be decoded.
   *
   * @param {ArrayBuffer} data
   */
  #shown(data) {
    const { header, bytes } = readFrame(data);
    if (header.number !== this.number) return;
    const blob = new Blob([/** @type {any} */ (bytes)], { type: header.media });
    const decoded = createImageBitmap(blob);
    this.delivered = this.delivered.then(async () => this.#deliver(header, await decoded)).catch(console.error);
  }

  /** @param {Record<string, any>} header @param {ImageBitmap} bitmap */
  #deliver(header, bitmap) {
    if (header.number !== this.number || this.closed) return bitmap.close();
    if (header.type === "variant") this.listeners.variant(header.seed, bitmap, header.number);
    else this.listeners.picture(header.stage, bitmap, header.number);
  }
}
