// What happens at the server, for every window: one stream that is opened again when it breaks.

import { request } from "./api.js";
import { EventReader } from "./sse.js";

const PAUSES = [500, 1000, 2000, 4000, 8000];

/** @type {Map<string, Set<(data: any) => void>>} */
const listeners = new Map();

/**
 * Call a function on every event of a name: project, page, job, worker, and hello when the stream begins.
 *
 * @param {string} name
 * @param {(data: any) => void} listener
 * @returns {() => void} ends it
 */
export function onEvent(name, listener) {
  const all = listeners.get(name) ?? new Set();
  listeners.set(name, all.add(listener));
  return () => all.delete(listener);
}

/**
 * @param {string} name
 * @param {any} data
 */
function tell(name, data) {
  for (const listener of listeners.get(name) ?? []) listener(data);
}

/** Read events until the window closes. */
export async function readEvents() {
  for (let tries = 0; ; tries += 1) {
    try {
      const response = await request("/events", { accept: "text/event-stream" });
      await readAll(response, () => (tries = 0));
    } catch (error) {
      console.debug("events:", error);
    }
    await new Promise((wake) => setTimeout(wake, PAUSES[Math.min(tries, PAUSES.length - 1)]));
  }
}

/**
 * @param {Response} response
 * @param {() => void} alive
 */
async function readAll(response, alive) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  const events = new EventReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    alive();
    for (const event of events.read(decoder.decode(value, { stream: true })))
      tell(event.name, JSON.parse(event.data));
  }
}
