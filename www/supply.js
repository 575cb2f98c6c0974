/** @file The files that an engine comes to need: fetched from beside the module, once for all playgrounds of a page. */

import { inlined, unpack } from "./module.js";

/** @type {Map<string, Promise<ArrayBuffer>>} */
const loaded = new Map();

/**
 * The contents of a file of the package.
 * @param {string} file
 * @param {boolean} [again] Afresh, since what was there before did not do.
 * @returns {Promise<ArrayBuffer>}
 */
export function supply(file, again = false) {
  const before = again ? undefined : loaded.get(file);
  if (before) return before;
  const loading = load(file, again);
  loaded.set(file, loading);
  // What failed is tried again by whoever wants it next.
  loading.catch(() => loaded.get(file) === loading && loaded.delete(file));
  return loading;
}

/** @param {string} file @param {boolean} again @returns {Promise<ArrayBuffer>} */
async function load(file, again) {
  const inline = inlined();
  if (inline) return unpack(inline.supplies[file]);
  const response = await fetch(new URL(`./${file}`, import.meta.url), again ? { cache: "reload" } : {}).catch(() => null);
  if (!response) throw new Error(`${file} cannot be loaded: there is no answer`);
  if (!response.ok) throw new Error(`${file} cannot be loaded: the answer is ${response.status}`);
  return response.arrayBuffer();
}

/** Begins to load what a data set is made of, while there is no engine yet that could ask for it. @param {string | null | undefined} dataset */
export function foresee(dataset) {
  const file = dataset ? TEALIGHT_SUPPLIES[dataset] : undefined;
  if (file && !inlined()) supply(file).catch(() => {});
}
