// The page that is open, for the commands that work on it.

/** @type {{bench: import("./bench.js").Bench | null}} */
export const current = { bench: null };
