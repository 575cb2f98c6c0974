/**
 * @file Programs that rebuild a model outside of the page: static files, one per model and language, that the build
 * found in `www/code/`. Over http they are fetched when they are asked for; a self-contained build carries them.
 */

import { gunzip } from "./gunzip.js";

/** The endings of the files that there are, by model. @type {Record<string, string[]>} */
const files = TEALIGHT_CODE;

/** The endings of the programs for a model. @param {string} model */
export function programsFor(model) {
  return Object.hasOwn(files, model) ? files[model] : [];
}

/** The text of one of them. @param {string} model @param {string} ending @returns {Promise<string>} */
export async function program(model, ending) {
  const name = `${model}.${ending}`;
  const inline = /** @type {{__tealightInline?: {code?: string}}} */ (globalThis).__tealightInline;
  if (inline?.code) return JSON.parse(new TextDecoder().decode(await gunzip(inline.code)))[name];
  const response = await fetch(new URL(`./code/${name}`, import.meta.url));
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response.text();
}
