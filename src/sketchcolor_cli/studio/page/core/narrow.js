// Whether the window is so narrow that the panels lie over the page; the same width as in css/page.css.

const NARROW = matchMedia("(max-width: 960px)");

/** @returns {boolean} */
export function isNarrow() {
  return NARROW.matches;
}
