// Colours to begin with.

import { chooseColor } from "../app.js";
import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";

const BASIC = {
  skin: "#f6d2bd",
  tan: "#b07a5a",
  brown: "#7a4a2b",
  black: "#2b2a30",
  blond: "#e8c86a",
  red: "#c9372c",
  orange: "#e8812e",
  yellow: "#f2cf3b",
  green: "#4f9a4a",
  turquoise: "#3fa7a0",
  sky: "#9fcdf0",
  blue: "#3566c0",
  violet: "#7a56b3",
  pink: "#ee9ab5",
  gray: "#9aa0a8",
  white: "#ffffff",
};

/** @returns {HTMLElement} */
export function basicColors() {
  const dots = Object.entries(BASIC).map(([name, color]) => {
    const label = t(`basic.${name}`);
    return h("button", {
      type: "button",
      class: "dot",
      style: { "--chip": color },
      "aria-label": t("swatches.use", { name: label }),
      dataset: { tip: label, color },
      onclick: () => chooseColor(color),
    });
  });
  return h("div", { class: "dots basic", role: "group", "aria-label": t("label.basic") }, dots);
}
