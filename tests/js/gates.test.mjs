/** @file Those gates of `npm run gates` that take a moment, held by the built package. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { readLink } from "../../www/state.js";
import { needsOf, reading, unpacked } from "../bench/gates/readings.mjs";
import { train } from "../bench/gates/train.js";
import { catalog, wasm } from "./wasm.mjs";

const { sections, tests } = JSON.parse(readFileSync(new URL("../reference/gates.json", import.meta.url), "utf8"));
const runs = sections.flatMap(({ runs }) => runs);

for (const { link, gates } of runs.filter(({ quick }) => quick)) {
  test(`#${link}`, () => {
    const { config, step } = readLink(catalog, link);
    const needs = needsOf(gates);
    const told = train(wasm, { config, steps: step, needs });
    const found = unpacked({ ...told, info: JSON.parse(told.info) });
    for (const { what, read, over = 1, low = -Infinity, high = Infinity } of gates) {
      const value = reading(read, found, needs.views) / over;
      assert.ok(low <= value && value <= high, `${what}: ${value}, required ${low} to ${high}`);
    }
  });
}

test("every gate is of a run that a link can say, has a bound, and names a test that there is", () => {
  assert.ok(runs.some(({ quick }) => quick));
  for (const { link, gates } of runs) {
    const { step, clamped } = readLink(catalog, link);
    assert.ok(step > 0, link);
    assert.deepEqual(clamped, [], link);
    for (const { what, low, high } of gates) assert.ok(what && (low ?? high) !== undefined && (low ?? -Infinity) <= (high ?? Infinity), `${link}: ${what}`);
  }
  for (const { test: name, required, prints } of tests) {
    const [module, own] = name.split("::");
    const source = readFileSync(new URL(`../rust/${module}.rs`, import.meta.url), "utf8");
    assert.ok(source.includes(`fn ${own}()`), name);
    assert.ok(required && new RegExp(prints ?? ""), name);
  }
});
