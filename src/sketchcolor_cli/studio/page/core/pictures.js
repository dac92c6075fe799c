// Small pictures for lists: loaded when they come into sight, and again when they changed.

import { request } from "./api.js";
import { h } from "./dom.js";
import { stampOf } from "./stamps.js";

/** @type {WeakMap<Element, () => void>} those that go before they are seen are kept by nobody */
const waiting = new WeakMap();

const watcher = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      waiting.get(target)?.();
      waiting.delete(target);
    }
  },
  { rootMargin: "200px" },
);

/**
 * Build a picture of the API that loads once it is seen.
 *
 * @param {string} path
 * @param {Record<string, any>} [props]
 * @returns {HTMLImageElement}
 */
function lazyPicture(path, props = {}) {
  const image = h("img", { alt: "", draggable: "false", decoding: "async", ...props });
  waiting.set(image, () => loadPicture(image, path));
  watcher.observe(image);
  return image;
}

/**
 * Build the small picture of a page: its stamp, or what the API has once it is seen.
 *
 * @param {string} page
 * @param {string} path
 * @returns {HTMLImageElement}
 */
export function pageImage(page, path) {
  const image = lazyPicture(path);
  const stamp = stampOf(page);
  if (stamp) setPicture(image, stamp);
  return image;
}

/**
 * Show a picture that is there already, in place of what would be loaded.
 *
 * @param {HTMLImageElement} image
 * @param {string} address
 */
export function setPicture(image, address) {
  watcher.unobserve(image);
  waiting.delete(image);
  image.dataset.path = address;
  image.src = address;
}

/**
 * Load a picture of the API into an element.
 *
 * @param {HTMLImageElement} image
 * @param {string} path
 */
export async function loadPicture(image, path) {
  image.dataset.path = path;
  try {
    const response = await request(path, { accept: "image/webp,image/jpeg" });
    const blob = await response.blob();
    if (image.dataset.path !== path) return;
    const address = URL.createObjectURL(blob);
    image.src = address;
    image.classList.remove("missing");
    const done = () => URL.revokeObjectURL(address);
    image.decode().then(done, done); // fails, too, when another picture takes its place
  } catch {
    image.classList.add("missing");
  }
}
