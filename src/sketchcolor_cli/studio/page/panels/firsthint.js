// What to do first, and what next, until it was done once in this browser or the tip was closed.

import { app } from "../app.js";
import { fill, h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { icon } from "../core/icons.js";
import { keep, kept } from "../core/kept.js";
import { isNarrow } from "../core/narrow.js";

/** Tips in their order: what is kept once each is no longer needed. */
const TIPS = /** @type {const} */ ({ first: "knows.painting", next: "knows.pages", last: "knows.export" });

/** Note that the user has found the export. */
export function knowsExport() {
  keep(TIPS.next, true);
  keep(TIPS.last, true);
}

/**
 * Build the tip for the page that is open: the first stroke on a second page leaves the export alone.
 *
 * @returns {{element: HTMLElement, close: () => void}}
 */
export function firstHint() {
  const element = h("div", { class: "first-hint" });
  const painted = kept(TIPS.first, false);
  const show = () => {
    if (app.value.steps.undo) {
      keep(TIPS.first, true);
      if (painted) keep(TIPS.next, true);
    }
    const tip = tips().find((name) => !kept(TIPS[name], false)) ?? null;
    element.hidden = !tip;
    if (tip && element.dataset.hint !== tip) fill(element, ...tipParts(tip, show));
    element.dataset.hint = tip ?? "";
  };
  return { element, close: app.watch(["steps", "jobs"], show) };
}

/** @returns {(keyof typeof TIPS)[]} */
function tips() {
  return /** @type {(keyof typeof TIPS)[]} */ (Object.keys(TIPS));
}

/** @param {keyof typeof TIPS} tip @param {() => void} changed @returns {HTMLElement[]} */
function tipParts(tip, changed) {
  const forget = () => {
    for (const name of Object.values(TIPS)) keep(name, true);
    changed();
  };
  const texts = stepsOf(tip);
  const steps =
    texts.length > 1
      ? h(
          "ol",
          {},
          texts.map((text) => h("li", {}, text)),
        )
      : h("p", {}, texts);
  return [
    steps,
    h(
      "button",
      { type: "button", class: "button icon-button quiet", "aria-label": t("hint.close"), onclick: forget },
      icon("close"),
    ),
  ];
}

/** @param {keyof typeof TIPS} tip @returns {string[]} */
function stepsOf(tip) {
  if (tip === "last") return [t("hint.export")];
  if (tip === "first") {
    const color = isNarrow() ? "hint.narrow" : "hint.first.1"; // where the panel is not seen
    return [t(color), t("hint.first.2"), t("hint.first.3")];
  }
  const several = (app.value.project?.pages.length ?? 0) > 1;
  return [t("hint.next.1"), ...(several ? [t("hint.next.2")] : []), t("hint.export")];
}
