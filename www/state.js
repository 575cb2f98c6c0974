/**
 * @file Links and configurations: pure functions over the catalogue, without DOM and without any model's,
 * data set's or setting's name.
 *
 * A link holds what differs from the defaults of its data set and model. Reading one never fails: unknown
 * keys are dropped, and what is out of range is moved to the nearest allowed value and listed.
 */

import { ALL_PHASES, PHASE } from "./protocol.js";

/** @import {Catalog, Config, DatasetEntry, LiveEvent, ModelEntry, Spec, Value} from "./protocol.js" */

/** A link longer than this is not read further: browsers differ in what they keep. */
const LONGEST_LINK = 1 << 16;
/** Most live changes that one link can carry. */
const MOST_EVENTS = 4096;
/** The largest step number: beyond it, counting in floating point would skip steps. */
const LAST_STEP = Number.MAX_SAFE_INTEGER;
/** The longest piece of a link that a message quotes. */
const LONGEST_QUOTE = 40;

/**
 * A value that was not allowed, and what is used instead.
 * @typedef {{key: string, got: string, used: string}} Clamp
 */

/**
 * What a link says.
 * @typedef {object} Link
 * @property {Config} config Complete: every setting of its data set and model.
 * @property {LiveEvent[]} events In the order of their steps.
 * @property {number | null} step Train to this step, then pause, or go on if `play` is set.
 * @property {boolean} play
 * @property {string | null} view
 * @property {string[] | null} layers
 * @property {string | null} lang
 * @property {string | null} theme
 * @property {string[]} hide Groups of controls that are not shown.
 * @property {string[]} lock Groups of controls that show their values and cannot be changed.
 * @property {boolean} embed Part of another page: compact, without a header.
 */

/** @param {Catalog} catalog @param {Config} config @returns {DatasetEntry} */
export function datasetOf(catalog, config) {
  return catalog.datasets.find(({ id }) => id === config.dataset) ?? catalog.datasets[0];
}

/** @param {Catalog} catalog @param {Config} config @returns {ModelEntry} */
export function modelOf(catalog, config) {
  return catalog.models.find(({ id }) => id === config.model) ?? catalog.models[0];
}

/**
 * What keeps a model from learning a data set with these settings, if anything does: the id of the reason, and up to
 * which value of which setting it would.
 * @param {ModelEntry} model
 * @param {DatasetEntry} dataset
 * @param {Config} [config] Settings that are not given have their defaults.
 * @returns {{misfit: string, upTo?: {key: string, most: number}} | null}
 */
export function misfitOf(model, dataset, config = {}) {
  const upTo = model.upTo[dataset.id];
  if (!upTo) return dataset.id in model.misfits ? { misfit: model.misfits[dataset.id] } : null;
  const value = config[upTo.key] ?? dataset.params.find(({ key }) => key === upTo.key)?.default;
  return Number(value) > upTo.most ? { misfit: upTo.misfit, upTo } : null;
}

/** Which models can learn a data set depends on what its files hold. @param {Catalog} catalog @param {{dataset: string, misfits: Record<string, string>}} loaded */
export function refit({ models }, { dataset, misfits: found }) {
  for (const { id, misfits } of models) {
    if (id in found) misfits[dataset] = found[id];
    else delete misfits[dataset];
  }
}

/**
 * A setting as it is for this domain and model: the model's own default, the options that the domain allows.
 * @param {Spec} spec
 * @param {string} domain
 * @param {ModelEntry} [model]
 * @returns {Spec}
 */
function specFor(spec, domain, model) {
  const options = spec.options?.filter((option) => spec.domains?.[option]?.includes(domain) ?? true);
  return { ...spec, default: model?.defaults?.[domain]?.[spec.key] ?? spec.default, ...(options && { options }) };
}

/**
 * The settings of a data set and of a model on it.
 * @param {DatasetEntry} dataset
 * @param {ModelEntry} model
 * @returns {{data: Spec[], model: Spec[]}}
 */
export function specsOf(dataset, model) {
  return {
    data: dataset.params.map((spec) => specFor(spec, dataset.domain)),
    model: model.params.map((spec) => specFor(spec, dataset.domain, model)),
  };
}

/** All settings by key. @param {Catalog} catalog @param {Config} config @returns {Map<string, Spec>} */
export function specsByKey(catalog, config) {
  const { data, model } = specsOf(datasetOf(catalog, config), modelOf(catalog, config));
  return new Map([...data, ...model].map((spec) => [spec.key, spec]));
}

/** The setting that holds a drawable data set's points. @param {DatasetEntry} dataset */
export function drawingKey(dataset) {
  return dataset.drawable ? dataset.params.find(({ kind }) => kind === "text")?.key ?? null : null;
}

/** Whether two values are the same. @param {Value | undefined} a @param {Value | undefined} b */
export function same(a, b) {
  return a === b || (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((x, i) => x === b[i]));
}

/**
 * Whether a setting is shown, given the values of the others; not if what it depends on is itself hidden.
 * @param {Spec} spec
 * @param {Config} config
 * @param {Map<string, Spec>} specs By key.
 * @returns {boolean}
 */
export function shown({ when }, config, specs) {
  if (!when) return true;
  const other = specs.get(when.key);
  return when.in.includes(String(config[when.key])) && (!other || other.when?.key === when.key || shown(other, config, specs));
}

/** A value as it stands in a link. @param {Value} value */
export function textOf(value) {
  return Array.isArray(value) ? value.join(",") : String(value);
}

/** A value from a link; undefined if it cannot be one. @param {Spec} spec @param {string} text @returns {Value | undefined} */
function parse(spec, text) {
  switch (spec.kind) {
    case "flag":
      return text === "true" || text === "1" || text === "" ? true : text === "false" || text === "0" ? false : undefined;
    case "choice":
    case "text":
      return text;
    case "widths": {
      if (text.trim() === "") return [];
      const widths = text.split(/[,\s·]+/).filter(Boolean).map(Number);
      return widths.every(Number.isFinite) ? widths : undefined;
    }
    default: {
      const x = text.trim() === "" ? NaN : Number(text);
      return Number.isNaN(x) ? undefined : x;
    }
  }
}

/**
 * The allowed value nearest to this one; the default where there is no nearest.
 * @param {Spec} spec
 * @param {unknown} value
 * @returns {Value}
 */
export function nearest(spec, value) {
  const { low = -Infinity, high = Infinity } = spec;
  switch (spec.kind) {
    case "flag":
      return typeof value === "boolean" ? value : spec.default;
    case "choice":
      return typeof value === "string" && spec.options?.includes(value) ? value : spec.default;
    case "text":
      return typeof value === "string" && new TextEncoder().encode(value).length <= (spec.length ?? 0) ? value : spec.default;
    case "widths": {
      if (!Array.isArray(value)) return spec.default;
      const most = spec.width ?? Infinity;
      return value.slice(0, spec.layers).map((width) => clamp(Math.round(Number(width)) || 1, 1, most));
    }
    default: {
      if (typeof value !== "number" || Number.isNaN(value)) return spec.default;
      return clamp(spec.kind === "integer" ? Math.round(value) : value, low, high);
    }
  }
}

/** @param {number} x @param {number} low @param {number} high */
function clamp(x, low, high) {
  return Math.min(Math.max(x, low), high);
}

/**
 * The defaults of a data set and a model; another model's where this one does not take the data.
 * @param {Catalog} catalog
 * @param {Config} ids With the settings of the data on which that depends.
 * @returns {Config}
 */
export function defaultsOf(catalog, ids) {
  const dataset = datasetOf(catalog, ids);
  let model = modelOf(catalog, ids);
  if (misfitOf(model, dataset, ids)) model = catalog.models.find((other) => !misfitOf(other, dataset, ids)) ?? model;
  /** @type {Config} */
  const config = { dataset: dataset.id, model: model.id, seed: catalog.seed.default };
  for (const [key, spec] of specsByKey(catalog, config)) config[key] = spec.default;
  return config;
}

/**
 * A complete, allowed configuration from texts: what attributes and links hold.
 * @param {Catalog} catalog
 * @param {Map<string, string>} texts Keys are compared without case, as attributes have none.
 * @returns {{config: Config, clamped: Clamp[]}}
 */
export function configFrom(catalog, texts) {
  /** @type {Clamp[]} */
  const clamped = [];
  const given = new Map([...texts].map(([key, text]) => [key.toLowerCase(), text]));
  /** @type {Config} */
  const ids = {};
  // A text cannot carry a file.
  const datasets = catalog.datasets.filter(({ file }) => !file);
  for (const [key, entries] of /** @type {const} */ ([["dataset", datasets], ["model", catalog.models]])) {
    const got = given.get(key);
    if (got !== undefined && entries.some(({ id }) => id === got)) ids[key] = got;
    if (got !== undefined && !entries.some(({ id }) => id === got)) clamped.push({ key, got: quote(got), used: entries[0].id });
  }
  // A model alone brings its own example.
  if (ids.model !== undefined && !given.has("dataset")) ids.dataset = modelOf(catalog, ids).example;
  for (const spec of datasetOf(catalog, ids).params) {
    const text = given.get(spec.key.toLowerCase());
    if (text !== undefined) ids[spec.key] = nearest(spec, parse(spec, text));
  }
  const config = defaultsOf(catalog, ids);
  if (ids.model !== undefined && ids.model !== config.model && !clamped.some(({ key }) => key === "model")) {
    clamped.push({ key: "model", got: quote(String(ids.model)), used: String(config.model) });
  }
  const seed = /** @type {Spec} */ ({ key: "seed", kind: "integer", ...catalog.seed });
  for (const [key, spec] of new Map([["seed", seed], ...specsByKey(catalog, config)])) {
    const text = given.get(key.toLowerCase());
    if (text === undefined) continue;
    const got = parse(spec, text);
    config[key] = nearest(spec, got);
    if (!same(got, config[key])) clamped.push({ key, got: quote(text), used: quote(textOf(config[key])) });
  }
  return { config, clamped };
}

/** @param {string} text */
function quote(text) {
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
}

/** The keys and texts of a link, with or without its `#`. @param {string} hash @returns {Map<string, string>} */
export function textsOf(hash) {
  const texts = new Map();
  // A link pasted out of a web page's source has its ampersands escaped.
  const text = hash.replace(/^#/, "").slice(0, LONGEST_LINK).replaceAll("&amp;", "&");
  for (const part of text.split("&")) {
    const at = part.indexOf("=");
    const key = decode(at < 0 ? part : part.slice(0, at));
    const value = decode(at < 0 ? "" : part.slice(at + 1));
    if (key && value !== null && !texts.has(key)) texts.set(key, value);
  }
  return texts;
}

/** @param {string} text @returns {string | null} */
function decode(text) {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return null;
  }
}

/** Escapes only what a link cannot hold, so that it stays readable. @param {string} text */
function encode(text) {
  return encodeURIComponent(text).replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%3B", ";");
}

/**
 * Reads a link, or an element's attributes.
 * @param {Catalog} catalog
 * @param {string | Map<string, string>} source
 * @returns {Link & {clamped: Clamp[]}}
 */
export function readLink(catalog, source) {
  const texts = typeof source === "string" ? textsOf(source) : source;
  const { config, clamped } = configFrom(catalog, texts);
  const text = texts.get("step");
  let step = text === undefined ? null : Number(text);
  if (step !== null && !(Number.isSafeInteger(step) && step >= 0)) {
    const used = step > 0 && step < LAST_STEP ? Math.round(step) : null;
    clamped.push({ key: "step", got: quote(text ?? ""), used: used === null ? "—" : String(used) });
    step = used;
  }
  const flag = (/** @type {string} */ key) => ["true", "1", ""].includes(texts.get(key) ?? "false");
  const list = (/** @type {string} */ key) => texts.get(key)?.split(",").map((item) => item.trim()).filter(Boolean) ?? null;
  return {
    config,
    events: readEvents(catalog, config, texts.get("events") ?? "", clamped),
    step,
    play: flag("play"),
    view: texts.get("view") || null,
    layers: list("layers") ?? (texts.has("layers") ? [] : null),
    lang: texts.get("lang") || null,
    theme: texts.get("theme") || null,
    hide: list("hide") ?? [],
    lock: list("lock") ?? [],
    embed: flag("embed"),
    clamped,
  };
}

/**
 * @param {Catalog} catalog
 * @param {Config} config
 * @param {string} text
 * @param {Clamp[]} clamped
 * @returns {LiveEvent[]}
 */
function readEvents(catalog, config, text, clamped) {
  const specs = specsByKey(catalog, config);
  const phases = modelOf(catalog, config).phases;
  /** @type {LiveEvent[]} */
  const events = [];
  for (const item of text.split(";").slice(0, MOST_EVENTS)) {
    const [at, key, ...rest] = item.split(":");
    const step = at.trim() === "" ? NaN : Number(at);
    const written = rest.join(":");
    if (!Number.isSafeInteger(step) || step < 0 || key === undefined) continue;
    if (key === PHASE) {
      if (phases.length > 0 && [ALL_PHASES, ...phases].includes(written)) events.push({ step, key, value: written });
      continue;
    }
    const spec = specs.get(key);
    if (!spec || spec.effect !== "live" || spec.kind === "text") continue;
    const got = parse(spec, written);
    const value = nearest(spec, got);
    if (!same(got, value)) clamped.push({ key: `${step}:${key}`, got: quote(written), used: textOf(value) });
    events.push({ step, key, value });
  }
  return events.sort((a, b) => a.step - b.step);
}

/**
 * Writes a link: the inverse of {@link readLink}.
 * @param {Catalog} catalog
 * @param {Partial<Link> & {config: Config}} link
 * @returns {string} Without `#`.
 */
export function writeLink(catalog, { config, events = [], step = null, play = false, view = null, layers = null, lang = null, theme = null, hide = [], lock = [], embed = false }) {
  /** @type {[string, string][]} */
  const pairs = [["dataset", String(config.dataset)], ["model", String(config.model)]];
  const defaults = defaultsOf(catalog, config);
  for (const [key, value] of Object.entries(defaults)) {
    if (key === "dataset" || key === "model" || config[key] === undefined) continue;
    if (!same(config[key], value)) pairs.push([key, textOf(config[key])]);
  }
  if (events.length > 0) pairs.push(["events", events.map((event) => `${event.step}:${event.key}:${textOf(event.value)}`).join(";")]);
  if (step !== null && step > 0) pairs.push(["step", String(step)]);
  if (play) pairs.push(["play", "true"]);
  if (view) pairs.push(["view", view]);
  if (layers) pairs.push(["layers", layers.join(",")]);
  if (lang) pairs.push(["lang", lang]);
  if (theme) pairs.push(["theme", theme]);
  if (hide.length > 0) pairs.push(["hide", hide.join(",")]);
  if (lock.length > 0) pairs.push(["lock", lock.join(",")]);
  if (embed) pairs.push(["embed", "true"]);
  return pairs.map(([key, text]) => `${encode(key)}=${encode(text)}`).join("&");
}

/**
 * What is wrong with a value that a program gives to a setting, in a sentence; null if nothing is.
 * @param {Spec} spec
 * @param {unknown} value
 */
export function problemOf(spec, value) {
  const numbers = Array.isArray(value) && value.every((x) => typeof x === "number");
  const plain = numbers || ["number", "boolean", "string"].includes(typeof value);
  if (plain && same(nearest(spec, value), /** @type {Value} */ (value))) return null;
  // What is no value of any setting is named by its kind: its own words may be anything.
  const got = typeof value === "string" ? `"${quote(value)}"` : plain ? quote(textOf(/** @type {Value} */ (value))) : `(${typeof value})`;
  const { kind, low, high, options, layers, width, length } = spec;
  const allowed = {
    flag: "true or false",
    choice: `one of ${options?.join(", ")}`,
    text: `a text of at most ${length} bytes`,
    widths: `a list of at most ${layers} whole numbers from 1 to ${width}`,
    integer: `a whole number from ${low} to ${high}`,
    linear: `a number from ${low} to ${high}`,
    log: `a number from ${low} to ${high}`,
  }[kind];
  return `${spec.key} = ${got} is not allowed: it takes ${allowed}`;
}

/**
 * The configuration after choosing another data set or model: what the visitor had set stays where it still
 * means something, everything else takes the new defaults.
 * @param {Catalog} catalog
 * @param {Config} config
 * @param {{dataset?: string, model?: string}} chosen
 * @returns {Config}
 */
export function switched(catalog, config, chosen) {
  const before = defaultsOf(catalog, config);
  const moves = chosen.dataset !== undefined && chosen.dataset !== config.dataset;
  const after = defaultsOf(catalog, moves ? { model: config.model, ...chosen } : { ...config, ...chosen });
  const specs = specsByKey(catalog, after);
  // Another data set has its own scale: its settings start afresh. The seed and the model's settings stay.
  const data = new Set(datasetOf(catalog, after).params.map(({ key }) => key));
  const keepsData = after.dataset === config.dataset;
  if (config.seed !== undefined) after.seed = config.seed;
  for (const [key, spec] of specs) {
    if (config[key] === undefined || same(config[key], before[key]) || (data.has(key) && !keepsData)) continue;
    after[key] = nearest(spec, config[key]);
  }
  return after;
}

/**
 * Adds a live change to the script of a run: it replaces a change of the same setting at the same step, and
 * everything planned for later.
 * @param {LiveEvent[]} events
 * @param {LiveEvent} event
 * @returns {LiveEvent[]}
 */
export function withEvent(events, event) {
  const kept = events.filter(({ step, key }) => step < event.step || (step === event.step && key !== event.key));
  return [...kept, event];
}
