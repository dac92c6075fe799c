// The pages of the book in a row, with their states.

import { app } from "../app.js";
import { CLIENT } from "../core/api.js";
import { arrange, h } from "../core/dom.js";
import { onEvent } from "../core/events.js";
import { t } from "../core/i18n.js";
import { loadPicture, pageImage, setPicture } from "../core/pictures.js";
import { go } from "../core/router.js";
import { forgetStamps, stampOf } from "../core/stamps.js";

/** @typedef {import("../core/api.js").Page} Page */

const WIDTH = innerWidth > 2000 ? 320 : 160;
const SETTLED = 1200; // ms after which a changed page is shown again

/**
 * @param {string} current identifier of the page that is open
 * @returns {{element: HTMLElement, close: () => void}}
 */
export function filmStrip(current) {
  const strip = h("nav", { class: "filmstrip", "aria-label": t("label.pages") });
  /** @type {Map<string, HTMLElement>} */
  const frames = new Map();
  const endStamp = app.watch(["stamped"], ({ stamped }) => {
    const image = frames.get(stamped ?? "")?.querySelector("img");
    const stamp = stampOf(stamped ?? "");
    if (image && stamp) setPicture(image, stamp);
  });
  const end = app.watch(["project"], ({ project }) => {
    const shown = (project?.pages ?? []).map((page, at) => {
      const frame = frames.get(page.id) ?? newFrame(page, page.id === current);
      frames.set(page.id, frame);
      showState(frame, page, at);
      return frame;
    });
    arrange(strip, shown);
  });
  requestAnimationFrame(() => frames.get(current)?.scrollIntoView({ inline: "center", block: "nearest" }));
  const endJobs = onEvent("job", (job) => {
    if (job.state !== "done") return;
    for (const [id, frame] of frames) if (id !== current) refreshSoon(frame, id);
  });
  const close = () => {
    end();
    endStamp();
    endJobs();
  };
  return { element: strip, close };
}

/** @param {Page} page @param {boolean} current @returns {HTMLElement} */
function newFrame(page, current) {
  return h(
    "button",
    {
      type: "button",
      class: "frame",
      "aria-current": current ? "page" : null,
      onclick: () => go("page", page.id),
    },
    h(
      "span",
      { class: "frame-picture", style: { "aspect-ratio": shapeOf(page) } },
      pageImage(page.id, `/pages/${page.id}/thumbnail?width=${WIDTH}`),
    ),
    h(
      "span",
      { class: "frame-name" },
      h("span", { class: "state-dot" }),
      h("span", { class: "frame-number" }),
    ),
  );
}

/** @param {HTMLElement} frame @param {Page} page @param {number} at */
function showState(frame, page, at) {
  const state = t(`state.${page.state}`);
  const name = t("pages.frame", { number: at + 1, name: page.name, state });
  const looks = `${page.state} ${page.marks} ${page.rough} ${page.mask} ${page.seed}`;
  const open = frame.hasAttribute("aria-current"); // that shows what was computed last
  if (!open && frame.dataset.looks && frame.dataset.looks !== looks) {
    if (page.by !== CLIENT) forgetStamps([page.id]);
    refreshSoon(frame, page.id);
  }
  Object.assign(frame.dataset, { looks, state: page.state, tip: page.detail || name });
  frame.setAttribute("aria-label", name);
  const number = frame.querySelector(".frame-number");
  if (number) number.textContent = String(at + 1);
}

/** @type {Map<string, ReturnType<typeof setTimeout>>} */
const due = new Map();

/** @param {HTMLElement} frame @param {string} id */
function refreshSoon(frame, id) {
  clearTimeout(due.get(id));
  const image = frame.querySelector("img");
  const load = () => {
    if (!image?.isConnected || !image.dataset.path || stampOf(id)) return;
    void loadPicture(image, `/pages/${id}/thumbnail?width=${WIDTH}&at=${Date.now()}`);
  };
  due.set(id, setTimeout(load, SETTLED));
}

/** @param {Page} page @returns {string} width to height, within reason: strips are long */
function shapeOf({ width, height }) {
  return String(Math.min(2, Math.max(0.4, width && height ? width / height : 0.7)));
}
