import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";
import { catalog } from "./wasm.mjs";

const www = new URL("../../www/", import.meta.url);
const folder = new URL("i18n/", www);

/** `{a: {b: "text"}}` → `{"a.b": "text"}` */
function flatten(node, prefix = "", out = new Map()) {
  for (const [key, value] of Object.entries(node)) {
    if (typeof value === "object" && value !== null) flatten(value, `${prefix}${key}.`, out);
    else out.set(prefix + key, value);
  }
  return out;
}

const languages = readdirSync(folder).filter((name) => name.endsWith(".json"));
const texts = new Map(languages.map((name) => [name, flatten(JSON.parse(readFileSync(new URL(name, folder), "utf8")))]));

/** What the catalogue needs words for. */
function needed() {
  const keys = new Set();
  for (const { id, presets, params } of catalog.datasets) {
    keys.add(`datasets.${id}.name`).add(`datasets.${id}.about`);
    for (const preset of presets) keys.add(`presets.${id}.${preset.id}`);
    for (const spec of params) forSpec(spec);
  }
  for (const { id, badge, params, losses, phases, capabilities, misfits } of catalog.models) {
    keys.add(`models.${id}.name`).add(`models.${id}.tagline`).add(`models.${id}.about`);
    keys.add(`models.${id}.step`).add(`models.${id}.formula`);
    keys.add(`badges.${badge}.name`).add(`badges.${badge}.about`);
    for (const spec of params) forSpec(spec);
    for (const loss of losses) {
      keys.add(`losses.${id}.${loss.id}`);
      if (loss.unit !== "") keys.add(`units.${loss.unit}`);
    }
    for (const misfit of Object.values(misfits)) keys.add(`misfits.${misfit}`);
    for (const phase of phases) keys.add(`phases.${phase}`);
    for (const capability of capabilities) keys.add(`capabilities.${capability}`);
  }
  for (const { id, unit } of catalog.scores) {
    keys.add(`scores.${id}.name`).add(`scores.${id}.about`);
    if (unit !== "") keys.add(`units.${unit}`);
  }
  for (const id of catalog.findings) for (const part of ["name", "text", "why", "remedy"]) keys.add(`findings.${id}.${part}`);
  for (const { id } of catalog.gallery) keys.add(`gallery.${id}.name`).add(`gallery.${id}.about`);
  function forSpec({ key, options = [] }) {
    keys.add(`params.${key}.name`).add(`params.${key}.help`);
    for (const option of options) keys.add(`choices.${key}.${option}`);
  }
  return keys;
}

/** The keys that the page asks for by name: a text in quotes with a group of ours at its beginning. */
function asked() {
  const groups = new Set([...texts.values()].flatMap((map) => [...map.keys()].map((key) => key.split(".")[0])));
  const keys = new Set();
  const files = readdirSync(www, { recursive: true, encoding: "utf8" }).filter((name) => /\.(js|html)$/.test(name));
  for (const name of files) {
    const source = readFileSync(new URL(name, www), "utf8");
    for (const [, key] of source.matchAll(/["'`]((?:[a-zA-Z]+)(?:\.[a-zA-Z0-9]+)+)["'`]/g)) if (groups.has(key.split(".")[0])) keys.add(key);
  }
  return keys;
}

test("there are English and Chinese", () => {
  assert.deepEqual(languages.sort(), ["en.json", "zh.json"]);
});

test("every language has the same keys, none of them empty", () => {
  const [first, ...others] = texts.values();
  for (const other of others) assert.deepEqual([...other.keys()].sort(), [...first.keys()].sort());
  for (const [name, map] of texts) {
    for (const [key, text] of map) assert.ok(typeof text === "string" && text.trim() !== "", `${name}: ${key}`);
  }
});

test("every id of the catalogue has its texts", () => {
  for (const [name, map] of texts) {
    assert.deepEqual([...needed()].filter((key) => !map.has(key)), [], `missing in ${name}`);
  }
});

test("no text is for an id that the catalogue no longer has", () => {
  const keys = needed();
  const generated = /^(datasets|presets|models|params|choices|losses|units|badges|phases|capabilities|scores|findings|gallery)\./;
  for (const [name, map] of texts) {
    assert.deepEqual([...map.keys()].filter((key) => generated.test(key) && !keys.has(key) && key !== "phases.both"), [], `left over in ${name}`);
  }
});

test("every text that the page asks for by name is there", () => {
  for (const [name, map] of texts) assert.deepEqual([...asked()].filter((key) => !map.has(key)), [], `missing in ${name}`);
});

test("a text has the same placeholders in every language", () => {
  const placeholders = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();
  const [first, ...others] = texts.values();
  for (const other of others) for (const [key, text] of first) assert.deepEqual(placeholders(other.get(key) ?? ""), placeholders(text), key);
});

test("what one step does has as many parts in every language, and the same formula", () => {
  const [first, ...others] = texts.values();
  for (const { id } of catalog.models) {
    const [step, formula] = ["step", "formula"].map((part) => `models.${id}.${part}`);
    for (const other of others) {
      assert.equal(other.get(step)?.split("\n").length, first.get(step)?.split("\n").length, id);
      assert.equal(other.get(formula), first.get(formula), id);
    }
  }
});

test("Chinese texts are Chinese", () => {
  // Names, symbols and units may stand as they are; sentences may not.
  const zh = texts.get("zh.json") ?? new Map();
  const sentences = [...zh].filter(([key]) => /\.(about|help|caption|tagline|step)$/.test(key));
  assert.ok(sentences.length > 20);
  assert.deepEqual(sentences.filter(([, text]) => !/\p{Script=Han}/u.test(text)).map(([key]) => key), []);
});
