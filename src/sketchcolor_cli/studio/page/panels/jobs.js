// One job: how far it is, what failed, what came out, and what can be done about it.

import { app, attempt, forgetJob, updateJob } from "../app.js";
import { download, json } from "../core/api.js";
import { fileSize, progressOf } from "../core/amounts.js";
import { fill, h } from "../core/dom.js";
import { t, tn } from "../core/i18n.js";
import { icon } from "../core/icons.js";
import { go } from "../core/router.js";

/** @typedef {import("../core/api.js").Job} Job */

const BOOKS = /\.(cbz|zip|cbt|tar|pdf|epub)$/;
const ENDED = new Set(["done", "failed", "cancelled", "interrupted"]);

/**
 * Start a job.
 *
 * @param {Record<string, any>} wanted
 * @returns {Promise<Job | null>}
 */
export async function startJob(wanted) {
  const job = await attempt(() => json("/jobs", { method: "POST", json: wanted }));
  if (job) updateJob(job);
  return job;
}

/** Load the jobs that the server knows. */
export async function loadJobs() {
  const found = await attempt(() => json("/jobs"));
  if (found) app.set({ jobs: found.jobs });
}

/**
 * Build a card that follows a job.
 *
 * @param {string} id
 * @returns {{element: HTMLElement, close: () => void}}
 */
export function jobCard(id) {
  const element = h("article", { class: "job" });
  let shown = "";
  const end = app.watch(["jobs"], ({ jobs }) => {
    const job = jobs.find((job) => job.id === id);
    element.hidden = !job;
    const now = JSON.stringify(job);
    if (!job || now === shown) return;
    shown = now;
    element.dataset.state = job.state;
    const focused = element.contains(document.activeElement)
      ? document.activeElement?.getAttribute("data-action")
      : null;
    fill(element, head(job), bar(job), counts(job), failures(job), files(job));
    if (focused)
      /** @type {HTMLElement | null} */ (element.querySelector(`[data-action="${focused}"]`))?.focus();
  });
  return { element, close: end };
}

/** @param {Job} job @returns {HTMLElement} */
function head(job) {
  const page = app.value.project?.pages.find((page) => page.id === job.page);
  const working = job.state === "running" && !page; // while the model is loaded, or the book bound
  const title = working ? t("job.working") : t(`job.${job.state}`, { page: page?.name ?? "" });
  const act = (/** @type {string} */ name, /** @type {string} */ image, /** @type {() => void} */ run) =>
    h(
      "button",
      { type: "button", class: "button small", dataset: { action: name }, onclick: run },
      icon(image),
      h("span", {}, t(`job.action.${name}`)),
    );
  return h(
    "header",
    {},
    h("h3", {}, title),
    h(
      "div",
      { class: "row" },
      !ENDED.has(job.state) && act("cancel", "stop", () => void remove(job)),
      job.state !== "done" && ENDED.has(job.state) && act("resume", "play", () => void resume(job)),
      ENDED.has(job.state) && act("forget", "close", () => void remove(job)),
    ),
  );
}

/** @param {Job} job */
async function remove(job) {
  const gone = ENDED.has(job.state);
  const answer = await attempt(() => json(`/jobs/${job.id}`, { method: "DELETE" }));
  if (answer && gone) forgetJob(job.id);
  else if (answer) updateJob(answer);
}

/** @param {Job} job */
async function resume(job) {
  const again = await attempt(() => json(`/jobs/${job.id}/resume`, { method: "POST" }));
  if (again) updateJob(again);
}

/** @param {Job} job @returns {HTMLElement} */
function bar(job) {
  const part = Math.round(100 * progressOf(job));
  return h("progress", { max: 100, value: part, "aria-label": t("job.progress") }, `${part} %`);
}

/** @param {Job} job @returns {HTMLElement} */
function counts(job) {
  const parts = [
    t("job.count", { done: job.done + job.skipped, total: job.total }),
    job.skipped ? tn("job.skipped", job.skipped) : "",
    job.failed.length ? tn("job.failures", job.failed.length) : "",
  ];
  return h(
    "p",
    { class: "job-counts" },
    parts.filter(Boolean).join(" · "),
    job.detail && h("span", { class: "job-detail" }, job.detail),
  );
}

/** @param {Job} job @returns {HTMLElement | null} */
function failures(job) {
  if (!job.failed.length) return null;
  const row = (/** @type {Job["failed"][number]} */ failure) =>
    h(
      "li",
      {},
      failure.page
        ? h("button", { type: "button", class: "link", onclick: () => go("page", failure.page ?? "") }, failure.name)
        : h("strong", {}, failure.name),
      ` ${failure.detail}`,
    );
  return h("ul", { class: "failures" }, job.failed.map(row));
}

/** @param {Job} job @returns {HTMLElement | null} */
function files(job) {
  if (!job.files.length) return null;
  const row = (/** @type {Job["files"][number]} */ file) =>
    h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          class: `button small ${BOOKS.test(file.name) ? "primary" : ""}`,
          onclick: () => void attempt(() => download(`/jobs/${job.id}/files/${file.id}`, file.name)),
        },
        icon("download"),
        h("span", {}, file.name),
        h("small", {}, fileSize(file.size)),
      ),
    );
  return h(
    "div",
    { class: "job-files" },
    h("p", { class: "field-help" }, t("job.folder", { folder: job.folder })),
    h("ul", {}, job.files.map(row)),
  );
}
