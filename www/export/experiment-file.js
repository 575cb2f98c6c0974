/**
 * @file An experiment as JSON: `{"tealight": version, "config": {…}, "events": [{"step", "key", "value"}], "step": n}`.
 *
 * A link is read with leave, since people write links by hand; a file is written by a program, so whatever is wrong
 * with one is refused with the name of the field.
 */

import { ALL_PHASES, PHASE } from "../protocol.js";
import { datasetOf, defaultsOf, misfitOf, modelOf, nearest, same, specsByKey } from "../state.js";

/** @import {Catalog, Config, LiveEvent, Spec, Value} from "../protocol.js" */

/** @typedef {{config: Config, events: LiveEvent[], step: number | null}} ExperimentFile */

/** Most live changes, as in a link. */
const MOST_EVENTS = 4096;
/** The longest piece of a file that a sentence quotes. */
const LONGEST_QUOTE = 40;
const FIELDS = ["tealight", "config", "events", "step"];

/** What is wrong with a file; `field` says where, `key` names the sentence. */
export class Refused extends Error {
  /** @param {string} key @param {Record<string, string | number>} vars */
  constructor(key, vars = {}) {
    super(`${key}: ${Object.values(vars).join(", ")}`);
    this.name = "Refused";
    this.key = key;
    this.vars = vars;
  }
}

/** @param {Catalog} catalog @param {ExperimentFile} experiment */
export function writeExperiment(catalog, { config, events, step }) {
  return `${JSON.stringify({ tealight: catalog.version, config, events, step: step ?? 0 }, null, 2)}\n`;
}

/** @param {unknown} value */
export function quote(value) {
  // What is deep is not worth a look.
  const plain = typeof value !== "object" || value === null || Object.values(value).every((part) => typeof part !== "object");
  const text = plain ? JSON.stringify(value) ?? "" : Array.isArray(value) ? "[…]" : "{…}";
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** What a setting takes, as an interval or a list. @param {Spec} spec */
function allowedBy({ kind, low, high, options, layers, width, length }) {
  switch (kind) {
    case "flag":
      return "true, false";
    case "choice":
      return options?.join(", ") ?? "";
    case "widths":
      return `[1..${width}] × ${layers}`;
    case "text":
      return `"…" (${length})`;
    default:
      return `${low}..${high}`;
  }
}

/** @param {string} field @param {Spec} spec @param {unknown} value @returns {Value} */
function allowed(field, spec, value) {
  const got = /** @type {Value} */ (value);
  if (!same(nearest(spec, value), got)) throw new Refused("value", { field, got: quote(value), allowed: allowedBy(spec) });
  return got;
}

/** @param {string} field @param {unknown} value @returns {number} */
function stepOf(field, value) {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Refused("value", { field, got: quote(value), allowed: `0..${Number.MAX_SAFE_INTEGER}` });
}

/**
 * @param {Catalog} catalog
 * @param {string} text
 * @returns {ExperimentFile}
 */
export function readExperiment(catalog, text) {
  /** @type {unknown} */
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Refused("json");
  }
  if (!isObject(json) || !Object.hasOwn(json, FIELDS[0])) throw new Refused("noExperiment");
  for (const field of Object.keys(json)) if (!FIELDS.includes(field)) throw new Refused("unknown", { field: quote(field), allowed: FIELDS.join(", ") });
  checkVersion(catalog.version, json.tealight);
  const config = readConfig(catalog, json.config);
  const events = readEvents(catalog, config, json.events ?? []);
  return { config, events, step: json.step === undefined || json.step === null ? null : stepOf("step", json.step) };
}

/** Settings come and go with versions: one that is newer than this is not guessed at. @param {string} ours @param {unknown} theirs */
function checkVersion(ours, theirs) {
  const numbers = typeof theirs === "string" ? /^(\d{1,4})\.(\d{1,4})\.\d{1,4}/.exec(theirs)?.slice(1).map(Number) : undefined;
  if (!numbers) throw new Refused("value", { field: FIELDS[0], got: quote(theirs), allowed: ours });
  const [major, minor] = ours.split(".").map(Number);
  if (numbers[0] > major || (numbers[0] === major && numbers[1] > minor)) throw new Refused("newer", { field: FIELDS[0], got: quote(theirs), ours });
}

/** @param {Catalog} catalog @param {unknown} json @returns {Config} */
function readConfig(catalog, json) {
  if (!isObject(json)) throw new Refused("value", { field: "config", got: quote(json), allowed: "{…}" });
  // What a file holds of another file's rows is its name alone.
  const entries = { dataset: catalog.datasets.filter(({ file }) => !file), model: catalog.models };
  for (const [key, list] of Object.entries(entries)) {
    if (!list.some(({ id }) => id === json[key])) throw new Refused("value", { field: `config.${key}`, got: quote(json[key]), allowed: list.map(({ id }) => id).join(", ") });
  }
  const ids = { dataset: String(json.dataset), model: String(json.model) };
  if (misfitOf(modelOf(catalog, ids), datasetOf(catalog, ids), ids)) throw new Refused("misfit", { field: "config.model", ...ids });
  const config = defaultsOf(catalog, ids);
  const specs = specsByKey(catalog, config);
  specs.set("seed", /** @type {Spec} */ ({ key: "seed", kind: "integer", ...catalog.seed }));
  for (const [key, value] of Object.entries(json)) {
    if (Object.hasOwn(ids, key)) continue;
    const spec = specs.get(key);
    if (!spec) throw new Refused("unknown", { field: quote(`config.${key}`), allowed: [...specs.keys()].join(", ") });
    config[key] = allowed(`config.${key}`, spec, value);
  }
  return config;
}

/** @param {Catalog} catalog @param {Config} config @param {unknown} json @returns {LiveEvent[]} */
function readEvents(catalog, config, json) {
  if (!Array.isArray(json)) throw new Refused("value", { field: "events", got: quote(json), allowed: "[…]" });
  if (json.length > MOST_EVENTS) throw new Refused("value", { field: "events", got: json.length, allowed: `0..${MOST_EVENTS}` });
  const specs = specsByKey(catalog, config);
  const { phases } = modelOf(catalog, config);
  const live = [...specs.values()].filter(({ effect, kind }) => effect === "live" && kind !== "text");
  const events = json.map((event, i) => {
    const field = `events[${i}]`;
    if (!isObject(event)) throw new Refused("value", { field, got: quote(event), allowed: "{step, key, value}" });
    const step = stepOf(`${field}.step`, event.step);
    if (event.key === PHASE && phases.length > 0) {
      const ids = [ALL_PHASES, ...phases];
      const value = String(event.value);
      if (!ids.includes(value)) throw new Refused("value", { field: `${field}.value`, got: quote(event.value), allowed: ids.join(", ") });
      return { step, key: PHASE, value };
    }
    const spec = live.find(({ key }) => key === event.key);
    if (!spec) throw new Refused("value", { field: `${field}.key`, got: quote(event.key), allowed: live.map(({ key }) => key).join(", ") });
    return { step, key: spec.key, value: allowed(`${field}.value`, spec, event.value) };
  });
  return events.sort((a, b) => a.step - b.step);
}
