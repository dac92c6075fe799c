// What the whole page knows: project, route, tools. Screens and panels watch it.

import { ApiError, json, nameProject } from "./core/api.js";
import { t } from "./core/i18n.js";
import { kept, keep } from "./core/kept.js";
import { Saver } from "./core/saver.js";
import { forgetStamps } from "./core/stamps.js";
import { Store } from "./core/store.js";

/** @typedef {import("./core/api.js").Project} Project */
/** @typedef {import("./core/api.js").Page} Page */
/** @typedef {import("./core/api.js").Job} Job */
/** @typedef {"brush" | "point" | "eraser" | "picker" | "rough" | "mask" | "hand"} ToolName */
/** @typedef {"hint" | "rough" | "mask"} Layer */

/**
 * @typedef {object} Setting
 * @property {string} name
 * @property {"float" | "int" | "bool" | "text" | "choice"} kind
 * @property {string[] | null} [choices]
 * @property {boolean} [nullable]
 * @property {number | null} [least]
 * @property {number | null} [most]
 * @property {any} default
 * @property {string} help
 */

/**
 * @typedef {object} State
 * @property {Project | null} project
 * @property {{settings: Setting[], export: Setting[]}} described
 * @property {Job[]} jobs
 * @property {string} worker
 * @property {ToolName} tool
 * @property {Layer} layer that the eraser works on
 * @property {string} color
 * @property {string} otherColor
 * @property {string[]} recent
 * @property {"protect" | "free"} maskMode
 * @property {Record<string, number>} radii in parts of the page's shorter side, by tool
 * @property {boolean} live
 * @property {import("./canvas/stage.js").Compare} compare
 * @property {boolean} showStrokes
 * @property {{color: string, from: string} | null} carried a colour that waits for its place on the page
 * @property {"idle" | "waiting" | "lost"} liveState
 * @property {Record<string, import("./core/saver.js").SaveState>} saving by document
 * @property {string | null} stamped the page of which there is a new stamp
 * @property {number} zoom
 * @property {{undo: boolean, redo: boolean}} steps
 */

/** @type {State} */
const beginning = {
  project: null,
  described: { settings: [], export: [] },
  jobs: [],
  worker: "starting",
  tool: "brush",
  layer: "hint",
  color: "#c9372c",
  otherColor: "#ffffff",
  recent: [],
  maskMode: "protect",
  radii: { brush: 0.008, point: 0.006, eraser: 0.016, rough: 0.03, mask: 0.03, ...kept("radii", {}) },
  live: kept("live", true),
  compare: "result",
  showStrokes: true,
  carried: null,
  liveState: "idle",
  saving: {},
  stamped: null,
  zoom: 1,
  steps: { undo: false, redo: false },
};

export const app = new Store(beginning);

/** @type {Saver | null} */
let projectSaver = null;

/**
 * Take over a project as the server gives it.
 *
 * @param {Project | null} project
 * @param {boolean} [keep] what was changed here and is not saved yet
 */
export function setProject(project, keep = true) {
  const before = app.value.project;
  if (project && before && projectSaver && project.id === before.id) {
    const changed = keep && isProjectChanged();
    if (!keep || projectSaver.state !== "conflict") projectSaver.settle(project.revision, changed);
    const ours = changed ? { settings: before.settings, swatches: before.swatches } : {};
    return app.set({ project: { ...project, ...ours } });
  }
  forgetStamps(null);
  nameProject(project?.id ?? null);
  projectSaver?.stop();
  projectSaver = project && newSaver(project);
  const { project: _, ...saving } = app.value.saving; // how far the one before was saved
  app.set({ project, saving });
}

/** @param {Project} project @returns {Saver} */
function newSaver({ id, revision }) {
  const save = (/** @type {string} */ seen, /** @type {boolean} */ closing) => saveProject(id, seen, closing);
  return new Saver(revision, { save, tell: tellProject, explain });
}

/**
 * Change settings or swatches, and save them by and by.
 *
 * @param {{settings?: Record<string, any>, swatches?: import("./core/api.js").Swatch[]}} change
 * @returns {Promise<void>} once they are saved
 */
export async function changeProject(change) {
  const { project } = app.value;
  if (!project || !projectSaver) return;
  const settings = { ...project.settings, ...change.settings };
  app.set({ project: { ...project, ...change, settings } });
  projectSaver.touch();
  if (change.settings) await projectSaver.flush();
}

/**
 * Change the project by a request that answers with it; what is changed here meanwhile is kept.
 *
 * @param {string} path
 * @param {import("./core/api.js").Options} options
 * @returns {Promise<Project | null>}
 */
export async function alterProject(path, options) {
  const alter = () =>
    attempt(async () => {
      const project = await json(path, options);
      setProject(project);
      return project;
    });
  return projectSaver ? projectSaver.during(alter) : alter();
}

/**
 * Whether there are changes of ours that are not saved, which what others saved must not replace.
 *
 * @returns {boolean}
 */
export function isProjectChanged() {
  return projectSaver !== null && !projectSaver.isSaved;
}

/** Save the project now. */
export async function flushProject(closing = false) {
  await projectSaver?.flush(closing);
}

/** @returns {Saver | null} */
export function saverOfProject() {
  return projectSaver;
}

/**
 * @param {string} id
 * @param {string} revision
 * @param {boolean} closing
 */
async function saveProject(id, revision, closing) {
  const { settings, swatches } = /** @type {Project} */ (app.value.project);
  const body = { settings, swatches };
  const saved = await json("/project", { method: "PUT", json: body, revision, project: id, keepalive: closing });
  return saved.revision;
}

/**
 * @param {import("./core/saver.js").SaveState} state
 * @param {string} [detail]
 */
function tellProject(state, detail) {
  tellSaving("project")(state, detail);
  if (state === "failed") void attempt(async () => setProject(await json("/project"), false)); // as it was before
}

/**
 * Return a function that keeps how far a document is saved.
 *
 * @param {string} name
 * @returns {(state: import("./core/saver.js").SaveState, detail?: string) => void}
 */
export function tellSaving(name) {
  return (state, detail) => {
    app.set({ saving: { ...app.value.saving, [name]: state } });
    if (state === "failed" && detail) notify(detail, "error");
  };
}

/**
 * @param {unknown} error
 * @returns {{status: number, detail: string}}
 */
export function explain(error) {
  if (!(error instanceof ApiError)) throw error;
  return { status: error.status, detail: error.message };
}

/**
 * Replace what is known of one page.
 *
 * @param {Partial<Page> & {id: string}} page
 */
export function updatePage(page) {
  const { project } = app.value;
  if (!project) return;
  const pages = project.pages.map((known) => (known.id === page.id ? { ...known, ...page } : known));
  app.set({ project: { ...project, pages } });
}

/** @type {Set<string>} jobs that were taken off the list; the server may still tell of them */
const forgotten = new Set();

/** @param {string} id */
export function forgetJob(id) {
  forgotten.add(id);
  app.set({ jobs: app.value.jobs.filter((job) => job.id !== id) });
}

/** @param {Job} job */
export function updateJob(job) {
  const { jobs } = app.value;
  if (forgotten.has(job.id)) return;
  if (job.state === "done") forgetStamps(job.request.pages ?? null); // there are results, which are shown
  const found = jobs.some((known) => known.id === job.id);
  app.set({ jobs: found ? jobs.map((known) => (known.id === job.id ? job : known)) : [job, ...jobs] });
}

/** @param {string} color */
export function chooseColor(color) {
  if (color === app.value.color) return;
  app.set({ color });
}

/** @param {string} color that was painted with */
export function rememberColor(color) {
  const recent = [color, ...app.value.recent.filter((known) => known !== color)].slice(0, 12);
  if (recent[0] !== app.value.recent[0]) app.set({ recent });
}

/**
 * @param {string} tool
 * @param {number} radius
 */
export function setRadius(tool, radius) {
  const radii = { ...app.value.radii, [tool]: Math.min(0.2, Math.max(0.001, radius)) };
  app.set({ radii });
  keep("radii", radii);
}

/** @param {boolean} live */
export function setLive(live) {
  app.set({ live });
  keep("live", live);
}

/** @type {((text: string, kind: "info" | "error") => void)[]} */
const notified = [];

/** @param {(text: string, kind: "info" | "error") => void} listener */
export function onNotice(listener) {
  notified.push(listener);
}

/**
 * Tell the user something in passing.
 *
 * @param {string} text
 * @param {"info" | "error"} [kind]
 */
export function notify(text, kind = "info") {
  for (const listener of notified) listener(text, kind);
}

/**
 * Do something, and tell the user in one line why it failed if it does.
 *
 * @template T
 * @param {() => Promise<T>} deed
 * @returns {Promise<T | null>}
 */
export async function attempt(deed) {
  try {
    return await deed();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    notify(error.status === 0 ? t("error.offline") : error.message, "error");
    return null;
  }
}
