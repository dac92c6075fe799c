// The tools, and the size of the one in hand.

import { app, setRadius } from "../app.js";
import { commandButton, runCommand } from "../core/commands.js";
import { fill, h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { SIZED } from "../tools/index.js";

const TOOLS = /** @type {import("../app.js").ToolName[]} */ ([
  "brush",
  "point",
  "eraser",
  "picker",
  "rough",
  "mask",
  "hand",
]);
const STEPS = 100;
const [SMALLEST, LARGEST] = [0.0015, 0.15];

/** @returns {{element: HTMLElement, close: () => void}} */
export function toolRail() {
  const buttons = TOOLS.map((tool) => commandButton(`tool-${tool}`, { class: "tool" }));
  const color = colorButton();
  const end = app.watch(["tool", "color"], ({ tool, color: present }) => {
    for (const [at, button] of buttons.entries())
      button.setAttribute("aria-pressed", String(TOOLS[at] === tool));
    color.style.setProperty("--chip", present);
  });
  return {
    element: h("section", { class: "rail", "aria-label": t("label.tools") }, color, buttons),
    close: end,
  };
}

/** @returns {HTMLElement} the present colour, which opens the panels where they are not beside the page */
function colorButton() {
  const name = t("label.color");
  return h(
    "button",
    {
      type: "button",
      class: "button icon-button tool narrow-only",
      "aria-label": name,
      dataset: { tip: name },
      onclick: () => runCommand("panel"),
    },
    h("span", { class: "dot" }),
  );
}

/** @returns {{element: HTMLElement, close: () => void}} */
export function toolOptions() {
  const element = h("div", { class: "tool-options" });
  let shown = "";
  const end = app.watch(["tool", "radii", "maskMode", "layer"], ({ tool, maskMode, layer }) => {
    const wanted = `${tool} ${maskMode} ${layer}`;
    if (wanted !== shown)
      fill(element, h("h2", { class: "tool-title" }, t(`tool.${tool}`)), sizeSlider(tool), extras(tool));
    shown = wanted;
    const slider = /** @type {HTMLInputElement | null} */ (element.querySelector("input[type=range]"));
    if (slider) slider.value = String(stepOf(app.value.radii[tool]));
    if (slider) slider.setAttribute("aria-valuetext", sizeText(app.value.radii[tool]));
    const text = element.querySelector("output");
    if (text) text.textContent = sizeText(app.value.radii[tool]);
  });
  return { element, close: end };
}

/** @param {string} tool @returns {HTMLElement | null} */
function sizeSlider(tool) {
  if (!SIZED.has(tool)) return null;
  const slider = h("input", {
    type: "range",
    min: 0,
    max: STEPS,
    step: 1,
    id: "tool-size",
    class: "range",
    dataset: { tip: `${t("label.size")}  ·  [ ]` },
  });
  slider.addEventListener("input", () => setRadius(tool, radiusOf(slider.valueAsNumber)));
  return h(
    "div",
    { class: "size-row" },
    h("label", { for: "tool-size" }, t("label.size")),
    slider,
    h("output", { for: "tool-size" }),
  );
}

/** @param {string} tool @returns {HTMLElement | null} */
function extras(tool) {
  if (tool === "mask") return maskModes();
  const help = h("p", { class: "field-help" }, t(`tool.${tool}.help`));
  if (tool === "rough")
    return h("div", {}, help, commandButton("clear-rough", { label: true, class: "small" }));
  return help;
}

/** @returns {HTMLElement} */
function maskModes() {
  const choices = /** @type {const} */ (["protect", "free"]).map((mode) => {
    const radio = h("input", {
      type: "radio",
      name: "mask-mode",
      value: mode,
      checked: app.value.maskMode === mode,
    });
    radio.addEventListener("change", () => app.set({ maskMode: mode }));
    return h("label", { class: "choice", dataset: { mode } }, radio, h("span", {}, t(`mask.${mode}`)));
  });
  return h(
    "div",
    {},
    h("fieldset", { class: "segmented" }, h("legend", { class: "visually-hidden" }, t("tool.mask")), choices),
    h("p", { class: "field-help" }, t("tool.mask.help")),
    commandButton("clear-mask", { label: true, class: "small" }),
  );
}

/** @param {number} radius @returns {number} */
function stepOf(radius) {
  return Math.round((STEPS * Math.log(radius / SMALLEST)) / Math.log(LARGEST / SMALLEST));
}

/** @param {number} step @returns {number} */
function radiusOf(step) {
  return SMALLEST * (LARGEST / SMALLEST) ** (step / STEPS);
}

/** @param {number} radius @returns {string} */
function sizeText(radius) {
  const digits = radius < 0.05 ? 1 : 0;
  const figure = new Intl.NumberFormat(document.documentElement.lang, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${figure.format(200 * radius)} %`;
}
