/** @file Same link, same bits: fixed runs give the digests that are written down, and ask the platform for no randomness. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { digestOf, runs } from "../bits/runs.js";
import { catalog, wasm } from "./wasm.mjs";

const digests = JSON.parse(readFileSync(new URL("../reference/digests.json", import.meta.url), "utf8"));

test("a fixed run has the bits that it had", async () => {
  const found = {};
  for (const { name, config } of runs(catalog)) found[name] = await digestOf(wasm, config);
  assert.deepEqual(found, digests, 'runs have other bits than before. If that is meant: "node tools/digests.mjs", and say so in the title of the change');
});

test("nothing but a fresh seed asks the platform for randomness", async () => {
  const { crypto } = globalThis;
  let asked = 0;
  const counting = { getRandomValues: (array) => (asked++, crypto.getRandomValues(array)), subtle: crypto.subtle };
  Object.defineProperty(globalThis, "crypto", { value: counting, configurable: true });
  try {
    for (const { config } of runs(catalog)) {
      const session = new wasm.Session(JSON.stringify(config));
      session.step(2);
      session.prepare(JSON.stringify([{ id: "samples", n: 8 }]));
      session.restore(session.snapshot());
      session.free();
    }
    assert.equal(asked, 0);
    wasm.freshSeed();
    assert.equal(asked, 1);
  } finally {
    Object.defineProperty(globalThis, "crypto", { value: crypto, configurable: true });
  }
});
