// Tab on the canvas: held, it shows the original; tapped, it goes on to the next control as everywhere.

const HELD = 180; // ms from which on it is held

/**
 * @param {HTMLElement} canvas
 * @param {(peek: boolean) => void} peek
 * @returns {() => void} ends it
 */
export function tabKey(canvas, peek) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let down = false;
  let shown = false;
  const press = (/** @type {KeyboardEvent} */ event) => {
    const plain = event.key === "Tab" && !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey;
    const ours = event.target === canvas || event.target === document.body;
    if (!plain || !ours || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    event.stopPropagation();
    if (down) return;
    down = true;
    timer = setTimeout(() => peek((shown = true)), HELD);
  };
  const release = (/** @type {KeyboardEvent | FocusEvent} */ event) => {
    if (!down || (event instanceof KeyboardEvent && event.key !== "Tab")) return;
    clearTimeout(timer);
    down = false;
    if (shown) peek((shown = false));
    else if (event instanceof KeyboardEvent) next(document.activeElement === canvas ? canvas : null)?.focus();
  };
  window.addEventListener("keydown", press, true);
  window.addEventListener("keyup", release, true);
  window.addEventListener("blur", release);
  return () => {
    window.removeEventListener("keydown", press, true);
    window.removeEventListener("keyup", release, true);
    window.removeEventListener("blur", release);
  };
}

const FOCUSABLE =
  "a[href], button:not(:disabled), input:not(:disabled):not([tabindex='-1']), select, textarea, summary, [tabindex='0']";

/** @param {HTMLElement | null} element @returns {HTMLElement | null} the next one that the focus can go to */
function next(element) {
  const all = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(FOCUSABLE)]).filter((control) =>
    control.checkVisibility(),
  );
  return all[element ? all.indexOf(element) + 1 : 0] ?? all[0] ?? null;
}
