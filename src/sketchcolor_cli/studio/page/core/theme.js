// Light, dark, or as the system has it.

import { keep, kept } from "./kept.js";

/** @typedef {"auto" | "light" | "dark"} Theme */

const ORDER = /** @type {Theme[]} */ (["auto", "light", "dark"]);

/** @returns {Theme} */
export function theme() {
  return kept("theme", "auto");
}

/** Show the page in the theme that was chosen. */
export function showTheme() {
  const chosen = theme();
  if (chosen === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}

/** @returns {Theme} the next one, now shown */
export function nextTheme() {
  const next = ORDER[(ORDER.indexOf(theme()) + 1) % ORDER.length];
  keep("theme", next);
  showTheme();
  return next;
}
