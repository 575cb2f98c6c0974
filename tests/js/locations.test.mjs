/** @file The tool that joins the places in other people's code that can panic. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { joinLocations } from "../../tools/locations.mjs";
import { toLeb } from "../../tools/wasm-module.mjs";
import { root } from "../../tools/console.mjs";

const BASE = 1024;

/** A module whose memory begins at {@link BASE} with these bytes. @param {Uint8Array} bytes */
function moduleOf(bytes) {
  const data = [1, 0, 0x41, ...[0x80, 0x08], 0x0b, ...toLeb(bytes.length), ...bytes];
  return Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 1, 11, ...toLeb(data.length), ...data]);
}

/** Texts, and then records of them, and what is none. @param {string[]} paths @param {[number, number, number][]} records of a path, a line and a column */
function memory(paths, records) {
  const text = paths.join("");
  const from = Math.ceil(text.length / 4) * 4;
  const bytes = new Uint8Array(from + 16 * records.length + 4);
  bytes.set(new TextEncoder().encode(text));
  const view = new DataView(bytes.buffer);
  records.forEach(([i, line, column], at) => {
    const start = BASE + paths.slice(0, i).join("").length;
    [start, paths[i].length, line, column].forEach((value, k) => view.setUint32(from + 16 * at + 4 * k, value, true));
  });
  return { bytes, from };
}

test("records of libraries become one, and their paths vanish; ours and everything else stay", () => {
  const paths = ["deps/a-1.0/src/lib.rs", "src/nn/vars.rs", "/rustc/123/library/core/src/slice/mod.rs", "not.rust", "deps/b/src/b.rs"];
  const records = [[0, 7, 3], [1, 8, 4], [2, 900, 1], [3, 1, 1], [4, 5, 0], [4, 5, 6], [2, 901, 2]];
  const { bytes, from } = memory(paths, /** @type {any} */ (records));
  const before = moduleOf(bytes);
  const { bytes: after, joined } = joinLocations(before);
  assert.equal(joined, 4);
  assert.ok(WebAssembly.validate(after));
  const shift = before.length - bytes.length;
  const record = (module, i) => [...module.subarray(shift + from + 16 * i, shift + from + 16 * (i + 1))];
  for (const i of [0, 2, 5, 6]) assert.deepEqual(record(after, i), record(before, 0), `record ${i}`);
  for (const i of [1, 3, 4]) assert.deepEqual(record(after, i), record(before, i), `record ${i}`);
  const text = (module) => new TextDecoder().decode(module.subarray(shift, shift + from)).replaceAll("\0", "");
  assert.equal(text(after), [paths[0], paths[1], paths[3]].join(""));
  // Again there is nothing more to join.
  assert.deepEqual(joinLocations(after).bytes, after);
});

test("a module without data stays as it is, and one of another form is refused", () => {
  const empty = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
  assert.deepEqual(joinLocations(empty), { bytes: empty, joined: 0 });
  const passive = Uint8Array.from([...empty, 11, 4, 1, 1, 1, 7]);
  assert.throws(() => joinLocations(passive), /another form/);
});

test("the package names its own sources, and at most one of others", () => {
  const text = readFileSync(path.join(root, "pkg", "tealight_bg.wasm")).toString("latin1");
  assert.ok((text.match(/src\/[a-z_/]+\.rs/g) ?? []).length > 50);
  assert.ok((text.match(/library\/(?:core|alloc|std)\/src|deps\/[a-z]/g) ?? []).length <= 1);
});
