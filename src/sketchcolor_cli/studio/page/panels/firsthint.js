// What to do first, and what next, until it was done once in this browser or the tip was closed.

import { app } from "../app.js";
import { fill, h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { icon } from "../core/icons.js";
import { keep, kept } from "../core/kept.js";
import { isNarrow } from "../core/narrow.js";

/** Tips in their order: what is kept once each is no longer needed. */
const TIPS = /** @type {const} */ ({ first: "knows.painting", next: "knows.export" });

/** Note that the user has found the export. */
export function knowsExport() {
  keep(TIPS.next, true);
}

/** @returns {{element: HTMLElement, close: () => void}} */
export function firstHint() {
  const element = h("div", { class: "first-hint" });
  const show = () => {
    if (app.value.steps.undo) keep(TIPS.first, true);
    const tip = !kept(TIPS.first, false) ? "first" : !kept(TIPS.next, false) ? "next" : null;
    element.hidden = !tip;
    if (tip && element.dataset.hint !== tip) fill(element, ...tipParts(tip, show));
    element.dataset.hint = tip ?? "";
  };
  return { element, close: app.watch(["steps", "jobs"], show) };
}

/** @param {keyof typeof TIPS} tip @param {() => void} changed @returns {HTMLElement[]} */
function tipParts(tip, changed) {
  const forget = () => {
    for (const name of Object.values(TIPS)) keep(name, true);
    changed();
  };
  const texts = ["1", "2", "3"].map((step) => t(`hint.${tip}.${step}`));
  if (tip === "first" && isNarrow()) texts[0] = t("hint.narrow"); // where the panel is not seen
  const steps = texts.map((text) => h("li", {}, text));
  return [
    h("ol", {}, steps),
    h(
      "button",
      { type: "button", class: "button icon-button quiet", "aria-label": t("hint.close"), onclick: forget },
      icon("close"),
    ),
  ];
}
