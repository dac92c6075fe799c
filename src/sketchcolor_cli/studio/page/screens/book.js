// The book screen: all pages with their states, the queue, and how far colours move from page to page.

import { alterProject, app, attempt, notify, updatePage } from "../app.js";
import { json } from "../core/api.js";
import { commandButton } from "../core/commands.js";
import { onEvent } from "../core/events.js";
import { arrange, fill, h } from "../core/dom.js";
import { t, tn } from "../core/i18n.js";
import { icon } from "../core/icons.js";
import { loadPicture, pageImage } from "../core/pictures.js";
import { go } from "../core/router.js";
import { stampOf } from "../core/stamps.js";
import { ACCEPTED, fileInput, takeFiles } from "../panels/intake.js";
import { jobCard, loadJobs, startJob } from "../panels/jobs.js";
import { conflictNotice, statusLine } from "../panels/status.js";
import { topBar } from "../panels/topbar.js";

/** @typedef {import("../core/api.js").Page} Page */
/** @typedef {{color: string, name: string, pages: number, mean: number, worst: number, worst_page: string | null}} Drift */

const SEEN = 5; // ΔE00 from which on a colour is another
const SHADE = 10;
const QUEUE = { format: "keep", book: "none", layers: "none" };

/** @returns {import("../main.js").Screen} */
export function bookScreen() {
  const status = statusLine();
  const conflict = conflictNotice(() => null);
  const [jobs, drift] = [h("div", { class: "jobs" }), h("div", { class: "drift" })];
  const [queue, grid] = [h("div", { class: "row queue" }), h("ol", { class: "page-grid" })];
  /** @type {Map<string, {element: HTMLElement, close: () => void}>} */
  const cards = new Map();
  /** @type {Map<string, HTMLElement>} */
  const tiles = new Map();
  const ends = [
    status.close,
    conflict.close,
    app.watch(["jobs"], () => showJobs(jobs, cards)),
    app.watch(["project"], ({ project }) => {
      fill(queue, queueButtons(project?.pages ?? []));
      showPages(grid, tiles, project?.pages ?? []);
    }),
    onEvent("job", (job) => {
      if (job.state !== "done") return;
      void loadDrift(drift);
      for (const [id, tile] of tiles) reload(tile, id);
    }),
  ];
  void loadJobs();
  void loadDrift(drift);
  const exporting = commandButton("export", { label: true, class: "primary" });
  const bar = topBar([h("h1", { class: "page-name" }, t("label.book"))], [status.element, exporting]);
  const side = h(
    "aside",
    { class: "book-side", "aria-label": t("label.side") },
    h("h2", {}, t("book.jobs")),
    jobs,
    h("h2", {}, t("book.drift")),
    h("p", { class: "field-help" }, t("book.drift.help")),
    drift,
  );
  const pages = h("section", { class: "book-pages" }, h("div", { class: "queue-bar" }, queue, adder()), grid);
  const main = h("main", { class: "book" }, conflict.element, pages, side);
  const element = h("div", { class: "book-screen" }, bar, main);
  return {
    element,
    close() {
      for (const end of ends) end();
      for (const card of cards.values()) card.close();
    },
  };
}

/** @returns {HTMLElement} */
function adder() {
  const progress = h("span", { role: "status" });
  const files = fileInput(
    { accept: ACCEPTED, id: "book-files" },
    (all) => void takeFiles(all, progress, false),
  );
  const add = { type: "button", class: "button", onclick: () => files.click() };
  return h(
    "div",
    { class: "row" },
    progress,
    h("button", add, icon("plus"), h("span", {}, t("book.add"))),
    files,
  );
}

/** @param {Page[]} pages @returns {HTMLElement[]} */
function queueButtons(pages) {
  const rest = pages.filter((page) => page.state !== "done");
  const done = pages.length - rest.length;
  const failed = pages.filter((page) => page.state === "failed");
  const button = (
    /** @type {string} */ image,
    /** @type {string} */ text,
    /** @type {() => void} */ run,
    look = "",
  ) =>
    h("button", { type: "button", class: `button ${look}`, onclick: run }, icon(image), h("span", {}, text));
  return [
    h("p", { class: "book-count" }, t("book.count", { done, total: pages.length })),
    ...(rest.length
      ? [
          button(
            "play",
            tn(done ? "book.rest" : "book.all", rest.length),
            () => void startJob({ ...QUEUE, pages: rest.map((page) => page.id) }),
            "primary",
          ),
        ]
      : []),
    ...(done ? [button("carry", tn("book.carry", done), () => void carry())] : []),
    ...(failed.length ? [button("retry", tn("book.retry", failed.length), () => void retry(failed))] : []),
  ];
}

/** Make a sheet and swatches of the pages that are done. */
async function carry() {
  if (await alterProject("/carry", { method: "POST", json: {} })) notify(t("book.carried"));
}

/** @param {Page[]} failed */
async function retry(failed) {
  for (const page of failed) {
    const again = await attempt(() => json(`/pages/${page.id}/retry`, { method: "POST" }));
    if (again) updatePage(again);
  }
}

/**
 * @param {HTMLElement} place
 * @param {Map<string, {element: HTMLElement, close: () => void}>} cards
 */
function showJobs(place, cards) {
  const { jobs } = app.value;
  for (const job of [...jobs].reverse()) {
    if (cards.has(job.id)) continue;
    const card = jobCard(job.id);
    cards.set(job.id, card);
    place.prepend(card.element);
  }
  place.querySelector(".empty")?.remove();
  if (!jobs.length) place.appendChild(h("p", { class: "empty" }, t("book.nojobs")));
}

/**
 * @param {HTMLElement} grid
 * @param {Map<string, HTMLElement>} tiles
 * @param {Page[]} pages
 */
function showPages(grid, tiles, pages) {
  const shown = pages.map((page, at) => {
    const tile = tiles.get(page.id) ?? newTile(page);
    tiles.set(page.id, tile);
    showTile(tile, page, at);
    return tile;
  });
  arrange(grid, shown);
}

/** @param {Page} page @returns {HTMLElement} */
function newTile(page) {
  const done = h(
    "button",
    { type: "button", class: "button icon-button quiet done", onclick: () => void toggleDone(page.id) },
    icon("check"),
  );
  const face = h(
    "button",
    { type: "button", class: "tile-face", onclick: () => go("page", page.id) },
    pageImage(page.id, thumbnail(page.id)),
  );
  return h(
    "li",
    { class: "tile" },
    face,
    h(
      "div",
      { class: "tile-foot" },
      h("span", { class: "state-dot" }),
      h("span", { class: "tile-name", title: page.name }),
      done,
    ),
    h("p", { class: "tile-state" }),
    h("p", { class: "tile-detail" }),
  );
}

/** @param {string} id @returns {string} */
function thumbnail(id) {
  return `/pages/${id}/thumbnail?width=${innerWidth > 2000 ? 480 : 240}`;
}

/**
 * Show a page's picture again, if it has been shown before.
 *
 * @param {HTMLElement} tile
 * @param {string} id
 */
function reload(tile, id) {
  const image = tile.querySelector("img");
  if (image?.dataset.path && !stampOf(id)) void loadPicture(image, `${thumbnail(id)}&at=${Date.now()}`);
}

/** @param {HTMLElement} tile @param {Page} page @param {number} at */
function showTile(tile, page, at) {
  const [face, done] = tile.querySelectorAll("button");
  const state = t(`state.${page.state}`);
  face.setAttribute("aria-label", t("pages.frame", { number: at + 1, name: page.name, state }));
  face.dataset.tip = state;
  done.setAttribute("aria-label", t("book.mark", { name: page.name }));
  done.dataset.tip = t("book.mark", { name: page.name });
  done.setAttribute("aria-pressed", String(page.state === "done"));
  const texts = { name: `${at + 1} · ${page.name}`, state, detail: page.detail };
  for (const [part, text] of Object.entries(texts)) {
    const place = tile.querySelector(`.tile-${part}`);
    if (place) place.textContent = text;
  }
  if (tile.dataset.state && tile.dataset.state !== page.state) reload(tile, page.id);
  tile.dataset.state = page.state;
}

/** @param {string} id */
async function toggleDone(id) {
  const page = app.value.project?.pages.find((page) => page.id === id);
  const changed = await attempt(() =>
    json(`/pages/${id}`, { method: "PATCH", json: { done: page?.state !== "done" } }),
  );
  if (changed) updatePage(changed);
}

/** @param {HTMLElement} place */
async function loadDrift(place) {
  const found = await attempt(() => json("/drift"));
  const rows = /** @type {Drift[]} */ (found?.drift ?? []);
  if (!rows.length) return fill(place, h("p", { class: "empty" }, t("book.nodrift")));
  const head = ["color", "pages", "mean", "worst"].map((column) => h("th", { scope: "col" }, t(`drift.${column}`)));
  fill(place, h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows.map(driftRow))));
}

/** @param {Drift} row @returns {HTMLElement} */
function driftRow({ color, name, pages, mean, worst, worst_page: page }) {
  const level = worst >= SHADE ? "far" : worst >= SEEN ? "seen" : "near";
  const figure = worst.toFixed(1);
  const link = page
    ? h(
        "button",
        {
          type: "button",
          class: "link",
          "aria-label": t("drift.open", { figure }),
          onclick: () => go("page", page),
        },
        figure,
      )
    : figure;
  return h(
    "tr",
    { dataset: { level } },
    h("th", { scope: "row" }, h("span", { class: "dot", style: { "--chip": color } }), name || color),
    h("td", {}, pages),
    h("td", {}, mean.toFixed(1)),
    h("td", {}, link),
  );
}
