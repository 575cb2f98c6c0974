/** @file Files before the engine sees them: packed ones are unpacked, and none is let in that is too large or damaged. */
import assert from "node:assert/strict";
import test from "node:test";
import { gzipSync } from "node:zlib";
import { FileProblem, MOST_BYTES, MOST_FILES, readFiles } from "../../www/files.js";
import { wasm } from "./wasm.mjs";

const read = (...files) => readFiles(files, { size: 16, progress: () => {} });
const refused = (key) => (error) => error instanceof FileProblem && error.key === key;
const table = Buffer.from("x,y\n1,2\n3,4\n5,6\n");

test("a packed file is what is in it", async () => {
  const [plain, packed] = await read(new File([table], "a.csv"), new File([gzipSync(table)], "b.csv"));
  assert.deepEqual(Buffer.from(packed.bytes), table);
  assert.deepEqual(plain.bytes, packed.bytes);
});

test("a file that unpacks to more than is allowed is given up on the way", async () => {
  const bomb = gzipSync(Buffer.alloc(MOST_BYTES + 1));
  assert.ok(bomb.length < 100_000);
  await assert.rejects(read(new File([bomb], "bomb.gz")), refused("tooLarge"));
});

test("what is cut off, damaged or too much is refused", async () => {
  const packed = gzipSync(table);
  for (let end = 2; end < packed.length; end++) await assert.rejects(read(new File([packed.subarray(0, end)], "a.gz")), refused("notGzip"), `cut at ${end}`);
  const damaged = Buffer.from(packed);
  damaged[damaged.length - 6] ^= 1;
  await assert.rejects(read(new File([damaged], "a.gz")), refused("notGzip"));
  const file = new File([table], "a.csv");
  await assert.rejects(readFiles(Array(MOST_FILES + 1).fill(file), { size: 16, progress: () => {} }), refused("tooMany"));
});

test("what the engine refuses it refuses with a sentence, and goes on", () => {
  const session = new wasm.Session('{"dataset":"ring","model":"gan"}');
  session.step(2);
  const before = session.snapshot();
  const shape = JSON.stringify({ domain: "images", channels: 4096, height: 4096, width: 4096, vocabulary: 0 });
  const head = JSON.stringify({ format: 1, version: "0.1.0", config: { dataset: "own-images", model: "vae" }, steps: 1, phase: "both", axes: [0, 1], batches: [1, 2, 3, 4], noise: [1, 2, 3, 4], rows: { shape: JSON.parse(shape), classes: 0, alphabet: "" } });
  const header = Buffer.from(JSON.stringify({ __metadata__: { tealight: head }, "data.train": { dtype: "F32", shape: [2], data_offsets: [0, 8] }, "data.held_out": { dtype: "F32", shape: [2], data_offsets: [8, 16] } }));
  const file = Buffer.concat([Buffer.alloc(8), header, Buffer.alloc(16)]);
  file.writeBigUInt64LE(BigInt(header.length));
  for (const bytes of [file, Buffer.alloc(0), Buffer.alloc(8, 255), header]) assert.throws(() => session.restore(bytes), /this file cannot be used/);
  assert.deepEqual(session.snapshot(), before);
  session.step(1);
  session.free();
});
