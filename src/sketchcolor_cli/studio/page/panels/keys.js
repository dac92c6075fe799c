// The list of keys.

import { allCommands, shownKey } from "../core/commands.js";
import { openDialog } from "../core/dialog.js";
import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";

const GROUPS = ["tools", "colors", "view", "pages", "work"];
/** What is done with a key and is not a command. */
const OTHERS = [
  ["colors", "1–9", "swatch"],
  ["colors", "Alt", "alt-picker"],
  ["view", "wheel", "wheel"],
  ["view", "arrows", "arrows"],
  ["view", "enter-cross", "cross"],
];

/** Show every key and what it does. */
export function openKeys() {
  const columns = GROUPS.map((group) =>
    h("section", {}, h("h3", {}, t(`group.${group}`)), h("dl", {}, rows(group))),
  );
  openDialog(t("command.help"), { class: "wide" }, h("div", { class: "key-list" }, columns));
}

/** @param {string} group @returns {HTMLElement[]} */
function rows(group) {
  const own = allCommands()
    .filter((command) => command.group === group && command.keys.length)
    .map((command) => row(command.keys.map(shownKey), t(`command.${command.id}`)));
  const others = OTHERS.filter(([where]) => where === group);
  return [...own, ...others.map(([, key, what]) => row([shownKey(key)], t(`keys.${what}`)))];
}

/** @param {string[]} keys @param {string} what @returns {HTMLElement} */
function row(keys, what) {
  return h(
    "div",
    {},
    h(
      "dt",
      {},
      keys.map((key) => h("kbd", {}, key)),
    ),
    h("dd", {}, what),
  );
}
