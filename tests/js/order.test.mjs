/** @file The tool that puts functions in another order: the module stays the same but for their places. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { gzipSync } from "node:zlib";
import { byLikeness, order } from "../../tools/order.mjs";
import { leb, sectionsOf } from "../../tools/wasm-module.mjs";
import { root } from "../../tools/console.mjs";

const text = (...codes) => codes.map((code) => code.charCodeAt(0));
const section = (id, ...bytes) => [id, bytes.length, ...bytes];

/**
 * Seven functions: one imported (index 0), a small one between two pairs that are alike, `run`, which calls all of
 * them by number and through the table, and one that starts the module. Written by hand after the specification.
 */
function example() {
  const alike = (a, b) => [0x41, a, 0x41, 1, 0x6a, 0x41, 2, 0x6a, 0x41, 3, 0x6a, 0x41, 4, 0x6a, 0x41, b, 0x6a, 0x0b];
  const bodies = [
    [0, ...alike(10, 5)],
    [0, 0x41, 9, 0x0b],
    [0, ...alike(20, 6)],
    // 100 · f1() + 10 · f2() + f3(), and what stands at place 1 of the table.
    [0, 0x41, 0xe4, 0, 0x10, 1, 0x6c, 0x41, 10, 0x10, 2, 0x6c, 0x6a, 0x10, 3, 0x6a, 0x41, 1, 0x11, 0, 0, 0x6a, 0x0b],
    [0, 0x10, 0, 0x0b],
  ];
  return Uint8Array.from([
    0x00, ...text("a", "s", "m"), 1, 0, 0, 0,
    ...section(1, 2, 0x60, 0, 1, 0x7f, 0x60, 0, 0),
    ...section(2, 1, 1, ...text("m"), 1, ...text("f"), 0, 1),
    ...section(3, 5, 0, 0, 0, 0, 1),
    ...section(4, 1, 0x70, 0, 2),
    ...section(7, 2, 3, ...text("r", "u", "n"), 0, 4, 1, ...text("t"), 1, 0),
    ...section(8, 5),
    ...section(9, 1, 0, 0x41, 0, 0x0b, 2, 2, 3),
    ...section(10, 5, ...bodies.flatMap((body) => [body.length, ...body])),
  ]);
}

test("functions that are alike become neighbours", () => {
  const body = (/** @type {string} */ name) => new TextEncoder().encode(name.repeat(8));
  const bodies = ["abcdefgh", "12345678", "abcdefgX", "12345679", "zyxwvuts"].map(body);
  const sequence = byLikeness(bodies);
  assert.deepEqual([...sequence].sort(), [0, 1, 2, 3, 4]);
  assert.equal(Math.abs(sequence.indexOf(0) - sequence.indexOf(2)), 1);
  assert.equal(Math.abs(sequence.indexOf(1) - sequence.indexOf(3)), 1);
});

test("calls, the table, the exports and the start follow", () => {
  const before = example();
  const after = order(before);
  assert.notDeepEqual([...before], [...after]);
  for (const bytes of [before, after]) {
    let started = 0;
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: { f: () => started++ } });
    // f1 = 10 + 1 + 2 + 3 + 4 + 5, f2 = 9, f3 = 20 + 1 + 2 + 3 + 4 + 6; place 1 holds f3.
    assert.equal(exports.run(), 100 * 25 + 10 * 9 + 36 + 36);
    assert.equal(started, 1);
    assert.deepEqual([exports.t.get(0)(), exports.t.get(1)()], [9, 36]);
  }
});

test("what it does not know is refused", () => {
  const strange = example();
  strange[strange.lastIndexOf(0x10)] = 0xfb;
  assert.throws(() => order(strange), /0xfb/);
  assert.throws(() => order(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)), /no functions/);
});

test("the package's functions are in that order", () => {
  const shipped = readFileSync(path.join(root, "pkg", "tealight_bg.wasm"));
  const code = sectionsOf(shipped).find(({ id }) => id === 10);
  assert.ok(code);
  const bodies = [];
  let [count, at] = leb(shipped, code.from);
  for (; count > 0; count--) {
    const [length, from] = leb(shipped, at);
    bodies.push(shipped.subarray(at, from + length));
    at = from + length;
  }
  // By name, or by chance, they would be a tenth larger.
  const bySize = [...bodies].sort((a, b) => a.length - b.length);
  const size = (list) => gzipSync(Buffer.concat(list), { level: 9 }).length;
  assert.ok(size(bodies) < 0.95 * size(bySize), `${size(bodies)} against ${size(bySize)}`);
});
