// The server's API over HTTP: token, errors, revisions.

/** @typedef {{status: number, title: string, detail: string, current?: any,
 *   failed?: {name: string, detail: string}[]}} Problem */
/** @typedef {{id: string, name: string, width: number, height: number, state: string, detail: string,
 *   seed: number | null, marks: number, rough: boolean, mask: boolean, colored: boolean,
 *   marks_revision?: string, rough_revision?: string, mask_revision?: string, by?: string | null}} Page */
/** @typedef {{name: string, color: string}} Swatch */
/** @typedef {{id: string, name: string, width: number, height: number}} Sheet */
/** @typedef {{revision: string, id: string, name: string, folder: string, settings: Record<string, any>,
 *   swatches: Swatch[], sheets: Sheet[], pages: Page[], books: string[], notes: string[]}} Project */
/** @typedef {{id: string, state: string, done: number, failed: {page: string | null, name: string, detail: string}[],
 *   skipped: number, total: number, page: string | null, detail: string, folder: string,
 *   request: Record<string, any>, files: {id: string, name: string, size: number}[],
 *   started: string | null, finished: string | null}} Job */

const BASE = "/api/v1";
const KEPT = "sketchcolor.token";

/** Name of this window, by which it knows its own changes. */
export const CLIENT = [...crypto.getRandomValues(new Uint8Array(12))]
  .map((byte) => (byte % 36).toString(36))
  .join("");

/** @type {string | null} */
let shownProject = null;

/**
 * Say which project this window shows: requests name it, so that they reach no other that was opened meanwhile.
 *
 * @param {string | null} id
 */
export function nameProject(id) {
  shownProject = id;
}

/** What the server says when it cannot do something. */
export class ApiError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.detail || problem.title);
    this.status = problem.status;
    this.problem = problem;
  }
}

/**
 * Take the token out of the address, so that it stays in no history.
 *
 * @returns {boolean} whether there was one
 */
export function takeToken() {
  const found = /^#([\w-]{8,})$/.exec(location.hash);
  if (!found) return false;
  sessionStorage.setItem(KEPT, found[1]);
  history.replaceState(null, "", location.pathname);
  return true;
}

/** @returns {string} */
export function token() {
  return sessionStorage.getItem(KEPT) ?? "";
}

/**
 * @typedef {object} Options
 * @property {string} [method]
 * @property {any} [json] sent as JSON
 * @property {BodyInit} [body] sent as it is
 * @property {string} [type] of `body`
 * @property {string} [revision] that the change is of
 * @property {string | null} [project] that it is meant for, where it is not the one that is shown
 * @property {boolean} [keepalive] goes on when the window closes
 * @property {AbortSignal} [signal]
 * @property {string} [accept]
 */

/**
 * Ask the server.
 *
 * @param {string} path below the API
 * @param {Options} [options]
 * @returns {Promise<Response>}
 * @throws {ApiError}
 */
export async function request(path, options = {}) {
  /** @type {Record<string, string>} */
  const headers = { Authorization: `Bearer ${token()}`, "X-Client": CLIENT };
  const project = options.project ?? shownProject;
  if (project) headers["X-Project"] = project;
  if (options.json !== undefined) headers["Content-Type"] = "application/json";
  if (options.type) headers["Content-Type"] = options.type;
  if (options.revision !== undefined) headers["If-Match"] = `"${options.revision}"`;
  if (options.accept) headers.Accept = options.accept;
  const body = options.json === undefined ? options.body : JSON.stringify(options.json);
  const { keepalive, signal, method } = options;
  let response;
  try {
    response = await fetch(BASE + path, { method: method ?? "GET", headers, body, keepalive, signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError({ status: 0, title: "offline", detail: "" });
  }
  if (!response.ok) throw new ApiError(await problemOf(response));
  return response;
}

/** @param {Response} response @returns {Promise<Problem>} */
async function problemOf(response) {
  const known = { status: response.status, title: response.statusText, detail: "" };
  try {
    return { ...known, ...(await response.json()) };
  } catch {
    return known;
  }
}

/**
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<any>}
 */
export async function json(path, options) {
  return (await request(path, options)).json();
}

/**
 * Return a picture, ready to be drawn.
 *
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @returns {Promise<ImageBitmap>}
 */
export async function picture(path, signal) {
  const response = await request(path, { accept: "image/webp,image/jpeg,image/png", signal });
  return createImageBitmap(await response.blob());
}

/**
 * Send files; the answer of each lot goes to `arrived`.
 *
 * @param {string} path
 * @param {File[]} files
 * @param {(answer: any, sent: number) => void} arrived
 */
export async function upload(path, files, arrived) {
  let sent = 0;
  for (const lot of lots(files)) {
    const form = new FormData();
    for (const file of lot) form.append("file", file, file.name);
    const answer = await json(path, { method: "POST", body: form }).catch(namedFailures);
    sent += lot.length;
    arrived(answer, sent);
  }
}

/** @param {unknown} error @returns {{pages: Page[], failed: {name: string, detail: string}[]}} that none was taken */
function namedFailures(error) {
  if (error instanceof ApiError && error.problem.failed) return { pages: [], failed: error.problem.failed };
  throw error;
}

const LOT_FILES = 20;
const LOT_BYTES = 60 * 1024 * 1024;

/** @param {File[]} files @returns {File[][]} */
function lots(files) {
  /** @type {File[][]} */
  const found = [];
  let bytes = Infinity;
  for (const file of files) {
    const last = found.at(-1);
    if (!last || last.length === LOT_FILES || bytes + file.size > LOT_BYTES) {
      found.push([file]);
      bytes = file.size;
    } else {
      last.push(file);
      bytes += file.size;
    }
  }
  return found;
}

/**
 * Save a file of the server's on the user's disk.
 *
 * @param {string} path
 * @param {string} name
 */
export async function download(path, name) {
  saveBlob(await (await request(path)).blob(), name);
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
export function saveBlob(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
