/** @file What the benchmark calls in each contender's page. */

/** @type {{open: Function, memory?: () => number}} */
let contender;
/** @type {Map<string, (steps: number) => Promise<number>>} */
const running = new Map();

/** @param {string} script @param {string[]} args */
export async function start(script, args) {
  contender = await import(script);
  await /** @type {any} */ (contender).start(...args);
}

/** Opens a workload on the rows at an address. */
export async function open(id, url, shared) {
  const rows = new Float32Array(await (await fetch(url)).arrayBuffer());
  running.set(id, await contender.open(id, rows, shared));
}

/** Milliseconds that the steps took, and the loss of the last. */
export async function run(id, steps) {
  const work = running.get(id);
  if (!work) throw new Error(`${id} is not open`);
  const since = performance.now();
  const loss = await work(steps);
  return { ms: performance.now() - since, loss };
}

/** The losses of so many single steps. */
export async function losses(id, steps) {
  const all = [];
  for (let i = 0; i < steps; i++) all.push((await run(id, 1)).loss);
  return all;
}

export const memory = () => contender.memory?.() ?? null;

/** The loop in registers, once it is compiled for speed: engines begin with code that is not. @type {Promise<any> | null} */
let loop = null;

/** @param {string} url */
async function compiledLoop(url) {
  const { instance } = await WebAssembly.instantiate(await (await fetch(url)).arrayBuffer());
  const { exports } = /** @type {any} */ (instance);
  for (let i = 0; i < 300; i++) {
    exports.roof(20_000, 1);
    // Compiled elsewhere meanwhile: it is entered by the next call, and never by one that goes on.
    if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return exports;
}

/** GFLOP/s of multiplications and additions in registers. */
export async function roof(url, milliseconds) {
  const { roof: run, operations } = await (loop ??= compiledLoop(url));
  let iterations = 1_000_000;
  for (;;) {
    const since = performance.now();
    run(iterations, 1);
    const taken = performance.now() - since;
    if (taken >= milliseconds) return (operations() * iterations) / taken / 1e6;
    iterations = Math.ceil(iterations * Math.min(10, Math.max(1.2, (1.2 * milliseconds) / Math.max(taken, 0.1))));
  }
}
