// Colours: the present two, named swatches, those used lately; palette files in and out.

import { app, attempt, changeProject, chooseColor, notify } from "../app.js";
import { json, saveBlob } from "../core/api.js";
import { readHex, wantsDarkText } from "../core/color.js";
import { commandButton } from "../core/commands.js";
import { fill, h, refill } from "../core/dom.js";
import { t, tn } from "../core/i18n.js";
import { icon } from "../core/icons.js";
import { isNarrow } from "../core/narrow.js";
import { writePalette } from "../core/palettefile.js";
import { basicColors } from "./basiccolors.js";

/** @typedef {import("../core/api.js").Swatch} Swatch */

/** @returns {{element: HTMLElement, close: () => void}} */
export function swatchPanel() {
  const list = h("div", { class: "swatch-list", role: "list" });
  const recent = h("div", { class: "recent" });
  const basic = basicColors();
  let written = "";
  const ends = [
    app.watch(["project"], ({ project }) => {
      const now = JSON.stringify(project?.swatches ?? []);
      if (now !== written || !list.childElementCount) refill(list, swatchRows());
      written = now;
    }),
    app.watch(["recent"], () => fill(recent, recentDots())),
    app.watch(["color"], ({ color }) => markPresent([basic, list, recent], color)),
  ];
  const element = h("div", { class: "swatches" }, presentColors(ends), basic, recent, list, actions());
  for (const swatches of [basic, recent, list]) swatches.addEventListener("click", showPage);
  return { element, close: () => ends.forEach((end) => end()) };
}

/** @param {Event} event that may have chosen a colour; where the panels lie over the page, they go */
function showPage({ target }) {
  const chosen = target instanceof Element && target.closest("[data-color]");
  if (chosen && isNarrow()) document.body.classList.remove("panel-turned");
}

/**
 * Show which of the colours is the present one.
 *
 * @param {HTMLElement[]} places
 * @param {string} color
 */
function markPresent(places, color) {
  for (const chip of places.flatMap((place) => [...place.querySelectorAll("[data-color]")]))
    chip.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (chip).dataset.color === color));
}

/**
 * @param {(() => void)[]} ends
 * @returns {HTMLElement}
 */
function presentColors(ends) {
  const well = h("input", {
    type: "color",
    class: "color-well",
    "aria-label": t("label.color"),
    dataset: { tip: t("label.color") },
  });
  const hex = h("input", {
    type: "text",
    class: "input hex",
    maxlength: 7,
    spellcheck: "false",
    "aria-label": t("label.hex"),
    dataset: { tip: t("label.hex") },
  });
  well.addEventListener("input", () => chooseColor(well.value));
  hex.addEventListener("change", () => {
    const color = readHex(hex.value);
    if (color) chooseColor(color);
    else hex.value = app.value.color;
  });
  const other = h("button", {
    type: "button",
    class: "other-color",
    "aria-label": t("label.other"),
    dataset: { tip: t("label.other") },
  });
  other.addEventListener("click", () =>
    app.set({ color: app.value.otherColor, otherColor: app.value.color }),
  );
  ends.push(
    app.watch(["color", "otherColor"], ({ color, otherColor }) => {
      well.value = hex.value = color;
      other.style.backgroundColor = otherColor;
    }),
  );
  return h(
    "div",
    { class: "present" },
    h("span", { class: "wells" }, other, well),
    hex,
    commandButton("swap-colors"),
  );
}

/** @returns {HTMLElement[]} */
function swatchRows() {
  const swatches = app.value.project?.swatches ?? [];
  if (!swatches.length) return [h("p", { class: "empty", role: "listitem" }, t("swatches.empty"))];
  return swatches.map(swatchRow);
}

/** @param {Swatch} swatch @param {number} at @returns {HTMLElement} */
function swatchRow({ name, color }, at) {
  const key = at < 9 ? String(at + 1) : "";
  const shown = name || color;
  const chip = h(
    "button",
    {
      type: "button",
      class: "chip",
      style: { "--chip": color },
      "aria-label": t("swatches.use", { name: shown }),
      "aria-pressed": String(color === app.value.color),
      "aria-keyshortcuts": key || null,
      dataset: {
        tip: [t("swatches.use", { name: shown }), key].filter(Boolean).join("  ·  "),
        dark: String(wantsDarkText(color)),
        color,
      },
      onclick: () => chooseColor(color),
    },
    key,
  );
  const label = h("input", {
    type: "text",
    class: "input bare",
    value: name,
    placeholder: color,
    maxlength: 60,
    "aria-label": t("swatches.name", { name: shown }),
  });
  const rename = () =>
    change((all) => all.map((swatch, place) => (place === at ? { ...swatch, name: label.value.trim() } : swatch)));
  label.addEventListener("change", () => setTimeout(rename)); // once the focus has gone where it goes
  const remove = h(
    "button",
    {
      type: "button",
      class: "button icon-button quiet",
      "aria-label": t("swatches.remove", { name: shown }),
      dataset: { tip: t("swatches.remove", { name: shown }) },
      onclick: () => change((all) => all.filter((_, place) => place !== at)),
    },
    icon("close"),
  );
  return h("div", { class: "swatch", role: "listitem" }, chip, label, remove);
}

/** @param {(all: Swatch[]) => Swatch[]} edit */
function change(edit) {
  void changeProject({ swatches: edit(app.value.project?.swatches ?? []) });
}

/**
 * Add swatches that are not there yet.
 *
 * @param {Swatch[]} added
 */
export function addSwatches(added) {
  const all = app.value.project?.swatches ?? [];
  const known = new Set(all.map((swatch) => swatch.color));
  const fresh = added.filter(
    (swatch, at) => !known.has(swatch.color) && added.findIndex((other) => other.color === swatch.color) === at,
  );
  if (fresh.length) change((before) => [...before, ...fresh]);
  notify(tn("swatches.added", fresh.length));
}

/** @returns {HTMLElement} */
function actions() {
  const file = h("input", {
    type: "file",
    accept: ".gpl,.kpl,.pal,.ase,.aco,.css,.txt,.hex",
    class: "hidden-file",
    "aria-hidden": "true",
    tabindex: -1,
  });
  file.addEventListener("change", () => readFile(file));
  return h(
    "div",
    { class: "row" },
    commandButton("add-swatch", { label: true, class: "small" }),
    button("upload", t("swatches.read"), () => file.click()),
    button("download", t("swatches.write"), writeFile),
    file,
  );
}

/** @param {string} image @param {string} name @param {() => void} run @returns {HTMLElement} */
function button(image, name, run) {
  return h(
    "button",
    { type: "button", class: "button icon-button", "aria-label": name, dataset: { tip: name }, onclick: run },
    icon(image),
  );
}

/** @param {HTMLInputElement} input */
async function readFile(input) {
  const [file] = input.files ?? [];
  input.value = "";
  if (!file) return;
  const form = new FormData();
  form.append("file", file, file.name);
  const read = await attempt(() => json("/palettes", { method: "POST", body: form }));
  if (read) addSwatches(read.swatches);
}

function writeFile() {
  const { project } = app.value;
  if (!project) return;
  saveBlob(
    new Blob([writePalette(project.swatches, project.name)], { type: "text/plain" }),
    `${project.name}.gpl`,
  );
}

/** @returns {HTMLElement[]} */
function recentDots() {
  const { recent, color } = app.value;
  const dots = recent.map((used) =>
    h("button", {
      type: "button",
      class: "dot",
      style: { "--chip": used },
      "aria-label": t("swatches.use", { name: used }),
      "aria-pressed": String(used === color),
      dataset: { tip: used, color: used },
      onclick: () => chooseColor(used),
    }),
  );
  return recent.length
    ? [h("h3", { class: "small-head" }, t("label.recent")), h("div", { class: "dots" }, dots)]
    : [];
}
