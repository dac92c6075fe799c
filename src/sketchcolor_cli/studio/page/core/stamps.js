// Small pictures of the pages in the colours that this window computed last; lists show them before the server's.

/** @type {Map<string, string>} addresses by page */
const known = new Map();

/** @param {string} page @param {Blob} picture @returns {string} its address */
export function keepStamp(page, picture) {
  forgetStamps([page]);
  const address = URL.createObjectURL(picture);
  known.set(page, address);
  return address;
}

/** @param {string} page @returns {string | null} its address */
export function stampOf(page) {
  return known.get(page) ?? null;
}

/**
 * Let stamps go that are not true any more.
 *
 * @param {string[] | null} pages null for all
 */
export function forgetStamps(pages) {
  for (const page of pages ?? [...known.keys()]) {
    const address = known.get(page);
    if (address) URL.revokeObjectURL(address);
    known.delete(page);
  }
}
