// Sizes, times and parts in words. Pure.

/** @param {number} bytes @returns {string} */
export function fileSize(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  const at = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** at;
  return `${value.toFixed(at && value < 10 ? 1 : 0)} ${units[at]}`;
}

/**
 * Return how much of a job is done, 0…1.
 *
 * @param {{done: number, skipped: number, total: number, failed: unknown[]}} job
 * @returns {number}
 */
export function progressOf({ done, skipped, total, failed }) {
  return total ? Math.min(1, (done + skipped + failed.length) / total) : 0;
}

/**
 * Return a moment as it is written in a language.
 *
 * @param {string} moment ISO 8601
 * @param {string} language
 * @returns {string}
 */
export function momentText(moment, language) {
  const date = new Date(moment);
  return Number.isNaN(date.getTime())
    ? ""
    : new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(date);
}
