/** @file The page's languages: which there are, and how a text is looked up. */

import en from "../i18n/en.json" with { type: "json" };

/**
 * Looks up a text and fills its `{placeholders}`; an unknown key is its own text.
 * @typedef {(key: string, vars?: Record<string, string | number>) => string} Translate
 */

/** @typedef {{[key: string]: string | Texts}} Texts */

/** The languages that are there; the first stands in for one that is not there yet. @type {Record<string, Texts>} */
const LANGUAGES = { en };

/** The others come when they are asked for: who reads one should not wait for all. */
const OTHERS = /** @type {Record<string, () => Promise<{default: Texts}>>} */ ({
  zh: () => import("../i18n/zh.json", { with: { type: "json" } }),
});

/** What each language is called in itself, and its tag. @type {Record<string, {name: string, tag: string}>} */
export const LANGUAGE_NAMES = { en: { name: "English", tag: "en" }, zh: { name: "中文", tag: "zh-Hans" } };

/** The ids of the languages, in the order in which a switch goes round. */
export const languages = Object.keys(LANGUAGE_NAMES);

/**
 * Calls back when a language that is not there yet has come; never for one that is there, or that does not come.
 * @param {string} lang
 * @param {() => void} then
 */
export function whenThere(lang, then) {
  if (lang in LANGUAGES || !(lang in OTHERS)) return;
  OTHERS[lang]().then((texts) => {
    LANGUAGES[lang] = texts.default;
    then();
  }, () => {});
}

/** The language that fits best what a browser or an attribute asks for. @param {readonly (string | null | undefined)[]} wanted */
export function languageFor(wanted) {
  for (const tag of wanted) {
    const id = tag?.toLowerCase().split(/[-_]/)[0];
    if (id && id in LANGUAGE_NAMES) return id;
  }
  return languages[0];
}

/** @param {Texts} texts @param {string} key @returns {string | undefined} */
function find(texts, key) {
  /** @type {string | Texts | undefined} */
  let node = texts;
  for (const part of key.split(".")) {
    if (typeof node !== "object" || !Object.hasOwn(node, part)) return undefined;
    node = node[part];
  }
  return typeof node === "string" ? node : undefined;
}

/** @param {string} lang @returns {Translate} */
export function translator(lang) {
  const texts = LANGUAGES[lang] ?? LANGUAGES[languages[0]];
  return (key, vars = {}) => {
    const text = find(texts, key) ?? find(LANGUAGES[languages[0]], key) ?? key;
    return text.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(vars, name) ? String(vars[name]) : whole));
  };
}

/** A text that may be missing, as for an entry that is new in the catalogue. @param {Translate} t @param {string} key @param {string} fallback */
export function textOr(t, key, fallback) {
  const text = t(key);
  return text === key ? fallback : text;
}
