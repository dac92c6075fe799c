// Which screen the address names: #/ is the shelf, #/page/ID a page, #/book the book.

/** @typedef {{screen: "shelf" | "page" | "book", page: string | null}} Route */

/**
 * @param {string} hash
 * @returns {Route}
 */
export function routeOf(hash) {
  const [, screen, page] = hash.replace(/^#/, "").split("/");
  if (screen === "page" && page) return { screen, page };
  return { screen: screen === "book" ? "book" : "shelf", page: null };
}

/**
 * @param {Route["screen"]} screen
 * @param {string} [page]
 */
export function go(screen, page) {
  const target = screen === "page" ? `#/page/${page ?? ""}` : screen === "book" ? "#/book" : "#/";
  if (location.hash === target) window.dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = target;
}
