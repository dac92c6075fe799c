// How pages come in: chosen or dropped files, sent to the server.

import { attempt, notify, setProject } from "../app.js";
import { json, upload } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { go } from "../core/router.js";

/** What a file chooser offers. */
export const ACCEPTED = "image/*,.cbz,.zip,.cbt,.tar,.cbr,.rar,.epub,.pdf";

const READ = /\.(png|jpe?g|webp|avif|tiff?|bmp|gif|cbz|zip|cbt|tar|cbr|rar|epub|pdf)$/i;

/**
 * Build a chooser of files that is not seen; a button opens it.
 *
 * @param {Record<string, any>} props
 * @param {(files: File[]) => void} chosen
 * @returns {HTMLInputElement}
 */
export function fileInput(props, chosen) {
  const hidden = { class: "hidden-file", "aria-hidden": "true", tabindex: -1 };
  const input = h("input", { type: "file", multiple: true, ...hidden, ...props });
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = "";
    chosen(files);
  });
  return input;
}

/**
 * Send files, and open the first page that came of them.
 *
 * @param {File[]} all
 * @param {HTMLElement} progress where it is said how far it is
 * @param {boolean} fresh whether they begin a project of their own
 */
export async function takeFiles(all, progress, fresh) {
  const files = all.filter((file) => READ.test(file.name)).sort(byPath);
  if (!files.length) return notify(t("shelf.nothing"), "error");
  const show = (/** @type {number} */ sent) =>
    fill(progress, t("shelf.sending", { sent, total: files.length }));
  /** @type {string | null} */
  let first = null;
  show(0);
  await attempt(async () => {
    if (fresh) setProject(await json("/shelf", { method: "POST", json: { name: nameOf(files[0]) } }));
    await upload("/pages", files, ({ pages, failed }, sent) => {
      first ??= pages[0]?.id ?? null;
      for (const file of failed) notify(`${file.name}: ${file.detail}`, "error");
      show(sent);
    });
  });
  fill(progress);
  const project = first && (await attempt(() => json("/project")));
  if (!project) return;
  setProject(project);
  go("page", first ?? "");
}

/**
 * Return what a project of files is to be called: as their folder, or as the book.
 *
 * @param {File} file
 * @returns {string}
 */
function nameOf(file) {
  const parts = pathOf(file).split("/");
  return parts.length > 1 ? parts[0] : file.name.replace(/\.[^.]+$/, "");
}

/** @param {File} a @param {File} b @returns {number} */
function byPath(a, b) {
  return pathOf(a).localeCompare(pathOf(b), undefined, { numeric: true });
}

/** @param {File} file @returns {string} */
function pathOf(file) {
  return file.webkitRelativePath || file.name;
}

/**
 * Return the files that were dropped, those in folders, too.
 *
 * @param {DataTransfer | null} dropped
 * @returns {Promise<File[]>}
 */
export async function droppedFiles(dropped) {
  const entries = [...(dropped?.items ?? [])]
    .map((item) => item.webkitGetAsEntry?.())
    .filter((entry) => entry !== null && entry !== undefined);
  if (!entries.length) return [...(dropped?.files ?? [])];
  return (await Promise.all(entries.map(filesIn))).flat();
}

/** @param {FileSystemEntry} entry @returns {Promise<File[]>} */
async function filesIn(entry) {
  if (entry.isFile)
    return [await new Promise((found, fail) => /** @type {FileSystemFileEntry} */ (entry).file(found, fail))];
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {File[]} */
  const all = [];
  for (;;) {
    const some = /** @type {FileSystemEntry[]} */ (
      await new Promise((found, fail) => reader.readEntries(found, fail))
    );
    if (!some.length) return all;
    all.push(...(await Promise.all(some.map(filesIn))).flat());
  }
}
