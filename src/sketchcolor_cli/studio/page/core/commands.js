// What can be done, by name: one place for keys, tooltips, buttons and the list of keys.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { ariaKey, belongsToFocus, keyMap, keyName } from "./keys.js";
import { t } from "./i18n.js";

/**
 * @typedef {object} Command
 * @property {string} id its message is `command.ID`
 * @property {string} [icon]
 * @property {string[]} keys the first is shown
 * @property {() => void} run
 * @property {() => void} [release] when the key is let go, for commands that last while it is held
 * @property {() => boolean} [enabled]
 * @property {string} group its heading in the list of keys is `group.GROUP`
 */

/** @type {Map<string, Command>} */
const known = new Map();
/** @type {Map<string, string>} */
let byKey = new Map();
/** @type {Map<string, Command>} */
const held = new Map();

/** @param {Command[]} commands */
export function addCommands(commands) {
  for (const command of commands) known.set(command.id, command);
  byKey = keyMap(known.values());
}

/** @returns {Command[]} */
export function allCommands() {
  return [...known.values()];
}

/** @param {string} id */
export function runCommand(id) {
  const command = known.get(id);
  if (command && (command.enabled?.() ?? true)) command.run();
}

/**
 * Return the text of a command's tooltip: what it does, and its key.
 *
 * @param {string} id
 * @returns {string}
 */
function tipOf(id) {
  const key = known.get(id)?.keys[0];
  return key ? `${t(`command.${id}`)}  ·  ${shownKey(key)}` : t(`command.${id}`);
}

/**
 * @param {string} key
 * @returns {string}
 */
export function shownKey(key) {
  return key
    .split("+")
    .map((part) => t(`key.${part}`))
    .map((part) => part.replace(/^key\./, ""))
    .join("+");
}

/**
 * Build the button of a command.
 *
 * @param {string} id
 * @param {{label?: boolean | string, class?: string}} [look] label: whether its name is written on it, or a
 *   shorter one
 * @returns {HTMLButtonElement}
 */
export function commandButton(id, look = {}) {
  const command = known.get(id);
  const name = t(`command.${id}`);
  return h(
    "button",
    {
      type: "button",
      class: `button ${look.label ? "" : "icon-button"} ${look.class ?? ""}`,
      "aria-label": name,
      "aria-keyshortcuts": command?.keys.map(ariaKey).join(" ") || null,
      dataset: { tip: tipOf(id), command: id },
      onclick: () => runCommand(id),
    },
    command?.icon && icon(command.icon),
    look.label && h("span", {}, look.label === true ? name : look.label),
  );
}

/** Listen to the keyboard. */
export function listenToKeys() {
  window.addEventListener("keydown", onKeyDown);
  window.addEventListener("keyup", onKeyUp);
  window.addEventListener("blur", releaseAll);
}

/** @param {KeyboardEvent} event */
function onKeyDown(event) {
  const name = keyName(event);
  const command = known.get(byKey.get(name) ?? "");
  if (!command || event.isComposing || document.querySelector("dialog[open]")) return;
  if (name === "Tab" || belongsToFocus(name, focusOf(event.target))) return; // Tab: see screens/tabkey.js
  if (!(command.enabled?.() ?? true)) return;
  event.preventDefault();
  if (command.release) {
    if (held.has(event.code)) return;
    held.set(event.code, command);
  } else if (event.repeat && !REPEATED.has(command.id)) return;
  command.run();
}

const REPEATED = new Set(["undo", "redo", "brush-smaller", "brush-larger", "zoom-in", "zoom-out"]);

/** @param {KeyboardEvent} event */
function onKeyUp(event) {
  held.get(event.code)?.release?.();
  held.delete(event.code);
}

function releaseAll() {
  for (const command of held.values()) command.release?.();
  held.clear();
}

/**
 * @param {EventTarget | null} target
 * @returns {{tag: string, type: string, editable: boolean, role: string}}
 */
function focusOf(target) {
  if (!(target instanceof HTMLElement)) return { tag: "", type: "", editable: false, role: "" };
  const type = target.getAttribute("type") ?? "";
  return {
    tag: target.tagName,
    type,
    editable: target.isContentEditable,
    role: target.getAttribute("role") ?? "",
  };
}
