/** @file Same link, same bits: fixed runs give the digests that are written down, and ask the platform for no randomness. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { readLink } from "../../www/state.js";
import { replay } from "../bits/links.js";
import { digestOf, runs } from "../bits/runs.js";
import { catalog, wasm } from "./wasm.mjs";

const links = JSON.parse(readFileSync(new URL("../reference/links.json", import.meta.url), "utf8"));
const digests = JSON.parse(readFileSync(new URL("../reference/digests.json", import.meta.url), "utf8"));

test("a fixed run has the bits that it had", async () => {
  const found = {};
  for (const { name, config } of runs(catalog)) found[name] = await digestOf(wasm, config);
  assert.deepEqual(found, digests, 'runs have other bits than before. If that is meant: "node tools/digests.mjs", and say so in the title of the change');
});

test("a link is read as it was, and replays bit for bit, live changes and all", async () => {
  assert.ok(links.length >= 20);
  for (const { link, read, digest, losses } of links) {
    const { config, events, step, clamped } = readLink(catalog, link);
    assert.deepEqual({ config, events, step, clamped }, read, link);
    const first = await replay(wasm, catalog, link);
    const second = await replay(wasm, catalog, link);
    assert.equal(first.step, step, link);
    assert.deepEqual(first.losses, losses, link);
    assert.deepEqual([first.digest, second.digest], [digest, digest], `${link}: other bits than before. If that is meant: "node tools/digests.mjs"`);
  }
  const models = new Set(links.map(({ read }) => read.config.model));
  assert.deepEqual([...models].sort(), catalog.models.map(({ id }) => id).sort(), "a link for every model");
  assert.ok(links.filter(({ read }) => read.events.length > 0).length >= 10);
  assert.equal(new Set(links.map(({ digest }) => digest)).size, links.length);
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
