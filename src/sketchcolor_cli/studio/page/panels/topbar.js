// The bar above each screen.

import { app } from "../app.js";
import { commandButton } from "../core/commands.js";
import { h } from "../core/dom.js";
import { keepLanguage, LANGUAGES, t } from "../core/i18n.js";
import { go } from "../core/router.js";

/**
 * @param {import("../core/dom.js").Child[]} middle
 * @param {import("../core/dom.js").Child[]} right
 * @returns {HTMLElement}
 */
export function topBar(middle, right = []) {
  const { project } = app.value;
  return h(
    "header",
    { class: "topbar" },
    h("div", { class: "topbar-group" }, commandButton("shelf"), project && projectName(project.name)),
    h("div", { class: "topbar-group topbar-middle" }, ...middle),
    h(
      "div",
      { class: "topbar-group topbar-right" },
      ...right,
      languageMenu(),
      commandButton("theme"),
      commandButton("help"),
    ),
  );
}

/** @param {string} name @returns {HTMLElement} */
function projectName(name) {
  return h(
    "button",
    {
      type: "button",
      class: "button project-name",
      onclick: () => go("book"),
      dataset: { tip: t("command.book") },
    },
    name,
  );
}

/** @returns {HTMLElement} */
function languageMenu() {
  const menu = h(
    "select",
    { class: "select language", "aria-label": t("label.language"), dataset: { tip: t("label.language") } },
    Object.entries(LANGUAGES).map(([code, name]) => h("option", { value: code, lang: code }, name)),
  );
  menu.value = document.documentElement.lang;
  menu.addEventListener("change", () => {
    keepLanguage(menu.value);
    location.reload();
  });
  return menu;
}
