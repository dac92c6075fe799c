// Words of the page: one file of messages for each language, English where a word is missing.

/** @typedef {Record<string, string>} Messages */

export const LANGUAGES = /** @type {const} */ ({ en: "English", es: "Español", ja: "日本語" });
const KEPT = "sketchcolor.language";

/** @type {Messages} */
let messages = {};

/**
 * Return the language to begin with: the one chosen before, else the first of the browser's that we have.
 *
 * @param {string | null} chosen
 * @param {readonly string[]} wanted
 * @returns {keyof typeof LANGUAGES}
 */
export function pickLanguage(chosen, wanted) {
  const known = [chosen ?? "", ...wanted].map((locale) => locale.slice(0, 2).toLowerCase());
  return /** @type {keyof typeof LANGUAGES} */ (known.find((language) => language in LANGUAGES) ?? "en");
}

/** @returns {string | null} */
export function keptLanguage() {
  return localStorage.getItem(KEPT);
}

/** @param {string} language */
export function keepLanguage(language) {
  localStorage.setItem(KEPT, language);
}

/**
 * Load the messages of a language.
 *
 * @param {string} language
 */
export async function loadMessages(language) {
  const names = language === "en" ? ["en"] : ["en", language];
  const address = (/** @type {string} */ name) => new URL(`../messages/${name}.json`, import.meta.url);
  const loaded = await Promise.all(names.map(async (name) => (await fetch(address(name))).json()));
  messages = Object.assign({}, ...loaded);
  document.documentElement.lang = language;
}

/**
 * Return a message; `{name}` in it stands for a value.
 *
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  return format(messages[key] ?? key, values);
}

/**
 * Return a message of a number: `KEY.one` for one thing, `KEY.other` else.
 *
 * @param {string} key
 * @param {number} count
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function tn(key, count, values = {}) {
  return t(`${key}.${count === 1 ? "one" : "other"}`, { count, ...values });
}

/**
 * Return a message where there is one, else what the server says in English.
 *
 * @param {string} key
 * @param {string} fallback
 * @returns {string}
 */
export function tOr(key, fallback) {
  return messages[key] ?? fallback;
}

/**
 * @param {string} text
 * @param {Record<string, string | number>} values
 * @returns {string}
 */
export function format(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}
