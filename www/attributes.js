/** @file The element's attributes and what runs: the keys of a link, in both directions. */

import { defaultsOf, same, specsByKey, textOf } from "./state.js";

/** @import {Catalog, Config} from "./protocol.js" */

/** Attributes that concern the element and not the run. */
export const APPEARANCE = new Set(["lang", "theme", "hide", "lock", "embed"]);

/** The attributes that say what runs. @param {Element} element @returns {Map<string, string>} */
export function attributeTexts(element) {
  return new Map([...element.attributes].filter(({ name }) => !APPEARANCE.has(name)).map(({ name, value }) => [name, value]));
}

/**
 * Brings the attributes in line with what runs: like a link, they hold what is not at its default.
 * @param {Element} element
 * @param {{current: Config, busy: boolean}} experiment
 * @param {Catalog} catalog
 */
export function reflect(element, { current, busy }, catalog) {
  const defaults = defaultsOf(catalog, current);
  const specs = specsByKey(catalog, current);
  const known = [...catalog.datasets, ...catalog.models].flatMap(({ params }) => params.map(({ key }) => key));
  for (const key of new Set([...known, ...Object.keys(defaults)])) {
    const value = current[key];
    const always = key === "dataset" || key === "model";
    const written = value !== undefined && (always || !same(value, defaults[key]));
    if (written && specs.get(key)?.kind === "text" && !element.hasAttribute(key)) continue;
    if (!written) element.removeAttribute(key);
    else if (element.getAttribute(key) !== textOf(value)) element.setAttribute(key, textOf(value));
  }
  element.toggleAttribute("play", busy);
  // These say how a run begins; from then on the link holds how it went.
  for (const key of ["step", "events", "view", "layers"]) element.removeAttribute(key);
}
