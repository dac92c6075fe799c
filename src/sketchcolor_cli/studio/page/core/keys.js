// What a key press is called, and which command it asks for. Pure: knows no document.

/** @typedef {{key: string, code?: string, ctrlKey?: boolean, metaKey?: boolean, shiftKey?: boolean, altKey?: boolean}} KeyPress */

const NAMED = new Map([
  [" ", "Space"],
  ["Esc", "Escape"],
  ["Del", "Delete"],
]);

/**
 * Return the name of a key press: `B`, `Ctrl+Z`, `Ctrl+Shift+Z`, `[`, `Space`, `?`.
 *
 * Letters are upper case. The command key of a Mac counts as Ctrl. Shift is named with letters and named keys only:
 * with a sign it is part of the sign, wherever the keyboard has it.
 *
 * @param {KeyPress} press
 * @returns {string}
 */
export function keyName(press) {
  const plain = NAMED.get(press.key) ?? press.key;
  const single = [...plain].length === 1;
  const letter = single && plain.toLowerCase() !== plain.toUpperCase();
  const name = letter ? plain.toUpperCase() : plain;
  const parts = [];
  if (press.ctrlKey || press.metaKey) parts.push("Ctrl");
  if (press.altKey && !(single && !letter)) parts.push("Alt");
  if (press.shiftKey && (letter || !single)) parts.push("Shift");
  return [...parts, name].join("+");
}

/**
 * Return the name as `aria-keyshortcuts` wants it.
 *
 * @param {string} name
 * @returns {string}
 */
export function ariaKey(name) {
  return name.replace("Ctrl", "Control");
}

/**
 * Whether a key press belongs to the element that has the focus rather than to a command: typing in a field,
 * arrows in a slider, Enter and Space on a button.
 *
 * @param {string} name
 * @param {{tag: string, type: string, editable: boolean, role: string}} focus
 * @returns {boolean}
 */
export function belongsToFocus(name, focus) {
  const typing =
    focus.editable || focus.tag === "TEXTAREA" || (focus.tag === "INPUT" && TYPED.has(focus.type));
  if (typing) return !/^Ctrl\+(S|Enter)$/.test(name) && name !== "Escape";
  const moves = /^(Arrow|Home|End|Page)/.test(name);
  if (focus.tag === "SELECT") return moves || /^.$/u.test(name) || name === "Space" || name === "Enter";
  if (focus.tag === "INPUT") return moves || name === "Space" || (focus.type !== "range" && name === "Enter");
  if (moves && (focus.role === "slider" || focus.role === "tab" || focus.role === "radio")) return true;
  const pressed = name === "Enter" || name === "Space";
  return pressed && (focus.tag === "BUTTON" || focus.tag === "A" || focus.tag === "SUMMARY");
}

const TYPED = new Set(["text", "number", "search", "email", "url", "password", ""]);

/**
 * Which commands a key asks for, by name of the key.
 *
 * @param {Iterable<{id: string, keys: string[]}>} commands
 * @returns {Map<string, string>}
 * @throws {Error} two commands have one key
 */
export function keyMap(commands) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const { id, keys } of commands) {
    for (const key of keys) {
      const other = found.get(key);
      if (other) throw new Error(`${key} is the key of ${other} and of ${id}`);
      found.set(key, id);
    }
  }
  return found;
}
