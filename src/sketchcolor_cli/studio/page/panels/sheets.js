// Other drawings in the right colours, beside the page: a click takes a colour, the next one puts it on the page.

import { alterProject, app, attempt, chooseColor, notify } from "../app.js";
import { pixelsOf } from "../canvas/pixels.js";
import { json } from "../core/api.js";
import { meanColor } from "../core/color.js";
import { confirmed } from "../core/dialog.js";
import { fill, h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { icon } from "../core/icons.js";
import { loadPicture } from "../core/pictures.js";
import { addSwatches } from "./swatches.js";

/** @typedef {import("../core/api.js").Sheet} Sheet */

const WIDTH = 720;
const COUNT = 8; // colours taken from a sheet

/** @returns {{element: HTMLElement, close: () => void}} */
export function sheetPanel() {
  const list = h("div", { class: "sheet-list" });
  let shown = "";
  const end = app.watch(["project"], ({ project }) => {
    const sheets = project?.sheets ?? [];
    const wanted = sheets.map((sheet) => sheet.id).join(" ");
    if (wanted === shown && list.childElementCount) return;
    shown = wanted;
    fill(list, sheets.length ? sheets.map(sheetCard) : h("p", { class: "empty" }, t("sheets.empty")));
  });
  return { element: h("div", { class: "sheets" }, list, adder()), close: end };
}

/** @param {Sheet} sheet @returns {HTMLElement} */
function sheetCard(sheet) {
  const image = h("img", { alt: "", draggable: "false" });
  void loadPicture(image, `/sheets/${sheet.id}?width=${WIDTH}`);
  const face = h(
    "button",
    {
      type: "button",
      class: "sheet-face",
      "aria-label": t("sheets.pick", { name: sheet.name }),
      dataset: { tip: t("sheets.pick", { name: sheet.name }) },
    },
    image,
  );
  face.addEventListener("click", (event) => pickAt(image, sheet, event));
  return h(
    "figure",
    { class: "sheet" },
    face,
    h(
      "figcaption",
      {},
      h("span", { class: "sheet-name" }, sheet.name),
      sheetButton("palette", t("sheets.swatches", { name: sheet.name }), () => takeSwatches(sheet)),
      sheetButton("trash", t("sheets.remove", { name: sheet.name }), () => remove(sheet)),
    ),
  );
}

/** @param {string} image @param {string} name @param {() => void} run @returns {HTMLElement} */
function sheetButton(image, name, run) {
  return h(
    "button",
    {
      type: "button",
      class: "button icon-button quiet",
      "aria-label": name,
      dataset: { tip: name },
      onclick: run,
    },
    icon(image),
  );
}

/**
 * Take the colour at a place of a sheet; by keyboard that of its middle.
 *
 * @param {HTMLImageElement} image
 * @param {Sheet} sheet
 * @param {MouseEvent} event
 */
function pickAt(image, sheet, event) {
  if (!image.naturalWidth) return;
  const box = image.getBoundingClientRect();
  const byKeyboard = event.detail === 0;
  const x = byKeyboard ? 0.5 : (event.clientX - box.left) / box.width;
  const y = byKeyboard ? 0.5 : (event.clientY - box.top) / box.height;
  const color = meanColor(pixelsOf(image, { x, y }, 2));
  if (!color) return;
  chooseColor(color);
  app.set({ carried: { color, from: sheet.name } });
}

/** @param {Sheet} sheet */
async function takeSwatches(sheet) {
  const found = await attempt(() => json(`/sheets/${sheet.id}/swatches?count=${COUNT}`));
  if (found) addSwatches(found.swatches);
}

/** @param {Sheet} sheet */
async function remove(sheet) {
  if (!(await confirmed(t("sheets.sure", { name: sheet.name }), t("action.remove")))) return;
  await alterProject(`/sheets/${sheet.id}`, { method: "DELETE" });
}

/** @returns {HTMLElement} */
function adder() {
  const file = h("input", {
    type: "file",
    accept: "image/*",
    multiple: true,
    class: "hidden-file",
    "aria-hidden": "true",
    tabindex: -1,
  });
  file.addEventListener("change", () => add(file));
  return h(
    "div",
    { class: "row" },
    h(
      "button",
      {
        type: "button",
        class: "button small",
        onclick: () => file.click(),
        dataset: { tip: t("sheets.add") },
      },
      icon("plus"),
      h("span", {}, t("sheets.add")),
    ),
    file,
  );
}

/** @param {HTMLInputElement} input */
async function add(input) {
  const files = [...(input.files ?? [])];
  input.value = "";
  for (const file of files) {
    const form = new FormData();
    form.append("file", file, file.name);
    if (!(await alterProject("/sheets", { method: "POST", body: form }))) return;
    notify(t("sheets.added", { name: file.name }));
  }
}
