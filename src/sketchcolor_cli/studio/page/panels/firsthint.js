// What to do first, until it was done once in this browser.

import { app } from "../app.js";
import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { icon } from "../core/icons.js";
import { keep, kept } from "../core/kept.js";

const NAME = "knows.painting";

/** @returns {{element: HTMLElement, close: () => void}} */
export function firstHint() {
  const element = h("div", { class: "first-hint" }, icon("brush"), h("p", {}, t("hint.first")));
  const close = app.watch(["steps"], ({ steps }) => {
    if (steps.undo) keep(NAME, true);
    element.hidden = kept(NAME, false);
  });
  return { element, close };
}
