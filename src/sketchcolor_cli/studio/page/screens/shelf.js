// The shelf: pages come in here, and projects that were opened lately wait here.

import { app, attempt, setProject } from "../app.js";
import { json } from "../core/api.js";
import { momentText } from "../core/amounts.js";
import { fill, h } from "../core/dom.js";
import { t, tn } from "../core/i18n.js";
import { icon } from "../core/icons.js";
import { go } from "../core/router.js";
import { ACCEPTED, droppedFiles, fileInput, takeFiles } from "../panels/intake.js";
import { topBar } from "../panels/topbar.js";

/** @typedef {{id: string, name: string, folder: string, pages: number, opened: string, here: boolean}} Recent */

/** @returns {import("../main.js").Screen} */
export function shelfScreen() {
  const recent = h("div", { class: "recent-projects" });
  const drop = dropZone();
  void showRecent(recent);
  const element = h(
    "div",
    { class: "shelf-screen" },
    topBar([]),
    h(
      "main",
      { class: "shelf" },
      h("div", { class: "shelf-head" }, h("h1", {}, t("shelf.title")), h("p", {}, t("shelf.text"))),
      drop.element,
      openNow(),
      recent,
    ),
  );
  return { element, close: drop.close };
}

/** @returns {HTMLElement | null} */
function openNow() {
  const { project } = app.value;
  if (!project?.pages.length) return null;
  return h(
    "button",
    { type: "button", class: "button primary go-on", onclick: () => go("page", project.pages[0].id) },
    icon("play"),
    h("span", {}, t("shelf.continue", { name: project.name })),
  );
}

/** @returns {{element: HTMLElement, close: () => void}} */
function dropZone() {
  const progress = h("p", { class: "drop-progress", role: "status" });
  const send = (/** @type {File[]} */ files) => void takeFiles(files, progress, true);
  const files = fileInput({ accept: ACCEPTED, id: "shelf-files" }, send);
  const folder = fileInput({ webkitdirectory: true, id: "shelf-folder" }, send);
  const element = h(
    "section",
    { class: "drop", "aria-label": t("shelf.drop") },
    icon("upload"),
    h("p", { class: "drop-title" }, t("shelf.drop")),
    h("p", { class: "field-help" }, t("shelf.formats")),
    h(
      "div",
      { class: "row" },
      pickButton(files, "original", "shelf.files", "primary"),
      pickButton(folder, "folder", "shelf.folder"),
    ),
    files,
    folder,
    progress,
  );
  return { element, close: listenToDrops(element, send) };
}

/**
 * @param {HTMLInputElement} input
 * @param {string} image
 * @param {string} key
 * @param {string} [look]
 * @returns {HTMLElement}
 */
function pickButton(input, image, key, look = "") {
  const props = { type: "button", class: `button large ${look}`, onclick: () => input.click() };
  return h("button", props, icon(image), h("span", {}, t(key)));
}

/**
 * Take files that are dropped anywhere on the window.
 *
 * @param {HTMLElement} zone that shows it
 * @param {(files: File[]) => void} dropped
 * @returns {() => void} ends it
 */
function listenToDrops(zone, dropped) {
  const ends = new AbortController();
  const { signal } = ends;
  window.addEventListener(
    "dragover",
    (event) => {
      event.preventDefault();
      zone.classList.add("over");
    },
    { signal },
  );
  window.addEventListener("dragleave", () => zone.classList.remove("over"), { signal });
  window.addEventListener(
    "drop",
    (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      void droppedFiles(event.dataTransfer).then(dropped);
    },
    { signal },
  );
  return () => ends.abort();
}

/** @param {HTMLElement} place */
async function showRecent(place) {
  const shelf = await attempt(() => json("/shelf"));
  const recent = /** @type {Recent[]} */ (shelf?.recent ?? []);
  if (!recent.length) return;
  fill(place, h("h2", {}, t("shelf.recent")), h("ul", {}, recent.map(recentRow)));
}

/** @param {Recent} one @returns {HTMLElement} */
function recentRow({ id, name, folder, pages, opened, here }) {
  const about = here ? tn("shelf.pages", pages) : t("shelf.gone");
  return h(
    "li",
    {},
    h(
      "button",
      { type: "button", class: "project-card", disabled: !here, onclick: () => void openProject(id) },
      icon("folder"),
      h("span", { class: "project-text" }, h("strong", {}, name), h("small", {}, folder)),
      h(
        "span",
        { class: "project-about" },
        h("span", {}, about),
        h("small", {}, momentText(opened, document.documentElement.lang)),
      ),
    ),
  );
}

/** @param {string} id */
async function openProject(id) {
  const project = await attempt(() => json(`/shelf/${id}/open`, { method: "POST" }));
  if (!project) return;
  setProject(project);
  if (project.pages.length) go("page", project.pages[0].id);
}
