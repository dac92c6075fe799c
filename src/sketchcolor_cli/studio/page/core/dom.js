// Elements are built here and nowhere else: text is always text, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * Build an element.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [props] attributes; `on…` are listeners, `class`, `dataset` and `style` are known,
 *     a value of null or false leaves the attribute out
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProp(made, name, value);
  append(made, children);
  return made;
}

/**
 * @param {HTMLElement} made
 * @param {string} name
 * @param {any} value
 */
function setProp(made, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
  else if (name === "dataset") Object.assign(made.dataset, value);
  else if (name === "style") for (const [property, set] of Object.entries(value)) made.style.setProperty(property, set);
  else if (name === "value" || name === "checked") /** @type {any} */ (made)[name] = value;
  else made.setAttribute(name, value === true ? "" : String(value));
}

/**
 * @param {Node} parent
 * @param {(Child | Child[])[]} children
 */
export function append(parent, children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/**
 * Replace all children of an element.
 *
 * @param {Element} parent
 * @param {...(Child | Child[])} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
}

/**
 * Let an element have these children in this order; those that stand where they belong are not touched.
 *
 * @param {Element} parent
 * @param {Element[]} children
 */
export function arrange(parent, children) {
  for (const [at, child] of children.entries())
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
  while (parent.children.length > children.length) parent.lastElementChild?.remove();
}

/**
 * Build the children of an element anew; the focus goes to the control that comes in place of the one that had it.
 *
 * @param {Element} parent
 * @param {...(Child | Child[])} children
 */
export function refill(parent, ...children) {
  const controls = () => /** @type {HTMLElement[]} */ ([...parent.querySelectorAll("button, input")]);
  const at = controls().findIndex((control) => control === document.activeElement);
  fill(parent, ...children);
  if (at >= 0) controls().slice(0, at + 1).at(-1)?.focus();
}

/**
 * Build an SVG icon of 24×24 units drawn with strokes.
 *
 * @param {string[]} paths data of its paths
 * @returns {SVGSVGElement}
 */
export function svgIcon(paths) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  for (const data of paths) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", data);
    svg.appendChild(path);
  }
  return svg;
}

/**
 * Return the element of an id that the page is known to have.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found;
}
