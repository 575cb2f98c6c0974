/** @file A contender that is compiled from Rust, in the page. */

let module;
let wasm;

/** @param {string} folder Where wasm-bindgen's files are. */
export async function start(folder) {
  module = await import(`${folder}bench.js`);
  wasm = await module.default();
}

/** @param {string} id @param {Float32Array} rows */
export async function open(id, rows) {
  const bench = new module.Bench(id, rows);
  return async (steps) => bench.run(steps);
}

/** The bytes of wasm memory. It never shrinks. */
export const memory = () => wasm.memory.buffer.byteLength;
