// The beginning: token, language, events of the server, and the screen that the address names.

import {
  app,
  attempt,
  flushProject,
  isProjectChanged,
  notify,
  onNotice,
  saverOfProject,
  setProject,
  updateJob,
  updatePage,
} from "./app.js";
import { generalCommands } from "./commands.js";
import { ApiError, CLIENT, json, takeToken, token } from "./core/api.js";
import { addCommands, listenToKeys } from "./core/commands.js";
import { confirmed } from "./core/dialog.js";
import { byId, fill, h } from "./core/dom.js";
import { onEvent, readEvents } from "./core/events.js";
import { keptLanguage, loadMessages, pickLanguage, t } from "./core/i18n.js";
import { icon } from "./core/icons.js";
import { go, routeOf } from "./core/router.js";
import { showTheme } from "./core/theme.js";
import { showTooltips } from "./core/tooltip.js";
import { loadJobs } from "./panels/jobs.js";
import { bookScreen } from "./screens/book.js";
import { pageScreen } from "./screens/page.js";
import { pageCommands } from "./screens/pagecommands.js";
import { shelfScreen } from "./screens/shelf.js";

/** @typedef {object} Screen
 * @property {HTMLElement} element
 * @property {() => void | Promise<void>} close
 * @property {(event: any) => void} [heard] what the server tells of a page
 * @property {() => Promise<void>} [catchUp] with what was changed while nothing was heard
 * @property {() => Promise<boolean>} [saved] whether all is saved, which is tried
 */

const NOTICE_MS = 6000;

/** @type {Screen | null} */
let shown = null;
let address = ""; // of the screen that is shown
let turning = Promise.resolve();
let asked = 0;
let greeted = false; // whether the server has said hello before

async function begin() {
  showTheme();
  takeToken();
  window.addEventListener("hashchange", () => takeToken() && location.reload()); // the address was typed again
  await loadMessages(pickLanguage(keptLanguage(), navigator.languages));
  onNotice(showNotice);
  if (!token()) return showClosed();
  addCommands([...generalCommands(), ...pageCommands()]);
  listenToKeys();
  showTooltips();
  if (!(await loadProject())) return;
  listenToServer();
  window.addEventListener("hashchange", () => showScreen());
  for (const drag of ["dragover", "drop"]) // or the window would go to the file that is dropped
    window.addEventListener(drag, (event) => event.preventDefault());
  window.addEventListener("pagehide", () => flushProject(true));
  window.addEventListener("beforeunload", (event) => isAtRisk() && event.preventDefault());
  if (app.value.project?.pages.length && routeOf(location.hash).screen === "shelf" && !location.hash)
    go("page", app.value.project.pages[0].id);
  else await showScreen();
  void readEvents();
}

/** @returns {boolean} whether something cannot be saved right now */
function isAtRisk() {
  return Object.values(app.value.saving).some(
    (state) => state === "offline" || state === "failed" || state === "conflict",
  );
}

/** @returns {Promise<boolean>} whether the server lets us in */
async function loadProject() {
  try {
    const [described, project] = await Promise.all([json("/settings"), currentProject()]);
    app.set({ described });
    setProject(project);
    project?.notes.forEach((/** @type {string} */ note) => notify(note));
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    showClosed(error.status === 401 ? "" : error.message);
    return false;
  }
}

/** @returns {Promise<import("./core/api.js").Project | null>} */
async function currentProject() {
  try {
    return await json("/project");
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

function listenToServer() {
  onEvent("hello", onHello);
  onEvent("worker", (event) => app.set({ worker: event.state }));
  onEvent("page", (event) => {
    updatePage(event);
    shown?.heard?.(event);
  });
  onEvent("job", updateJob);
  onEvent("project", onProject);
}

/**
 * Learn what happened while the stream of events was broken.
 *
 * @param {{worker: string}} event
 */
async function onHello({ worker }) {
  app.set({ worker });
  if (greeted) {
    await onProject({ revision: "", opened: false, by: null });
    await loadJobs();
    await shown?.catchUp?.();
  }
  greeted = true;
}

/** @param {{revision: string, opened: boolean, by: string | null}} event */
async function onProject(event) {
  if (event.by === CLIENT && !event.opened) return;
  const found = await attempt(async () => ({ project: await currentProject() }));
  const before = app.value.project?.id;
  if (!found) return;
  const { project } = found;
  const differs = project?.id === before && project?.revision !== saverOfProject()?.revision;
  if (isProjectChanged() && differs)
    return void flushProject(); // which is refused, and the user chooses
  setProject(project);
  if (before && project?.id !== before && event.by !== CLIENT) go("shelf");
}

/** Show the screen that the address names, once the one before it has closed; only the last one asked for. */
function showScreen() {
  asked += 1;
  const own = asked;
  const next = () => (own === asked ? turn() : undefined);
  turning = turning.then(next, next); // the next one comes, too, where one has failed
  return turning;
}

async function turn() {
  for (const dialog of document.querySelectorAll("dialog")) dialog.close(); // it belongs to the screen before
  if (!((await shown?.saved?.()) ?? true) && !(await confirmed(t("leave.text"), t("leave.yes"))))
    return history.replaceState(null, "", address);
  address = location.hash || "#/";
  const route = routeOf(address);
  await shown?.close();
  const { project } = app.value;
  const page = project?.pages.find((page) => page.id === route.page);
  if (route.screen === "page" && page) shown = pageScreen(page);
  else if (route.screen === "book" && project) shown = bookScreen();
  else shown = shelfScreen();
  fill(byId("screen"), shown.element);
  document.title =
    project && route.screen !== "shelf" ? `${page?.name ?? project.name} – Sketchcolor` : "Sketchcolor";
}

/**
 * Say that this window may not talk to the server.
 *
 * @param {string} [detail]
 */
function showClosed(detail = "") {
  fill(
    byId("screen"),
    h(
      "main",
      { class: "closed" },
      icon("warning"),
      h("h1", {}, t("closed.title")),
      h("p", {}, detail || t("closed.text")),
    ),
  );
}

/**
 * @param {string} text
 * @param {"info" | "error"} kind
 */
function showNotice(text, kind) {
  const note = h(
    "div",
    { class: `notice ${kind}` },
    icon(kind === "error" ? "warning" : "check"),
    h("span", {}, text),
  );
  byId("notices").appendChild(note);
  setTimeout(() => note.remove(), kind === "error" ? 2 * NOTICE_MS : NOTICE_MS);
}

void begin();
