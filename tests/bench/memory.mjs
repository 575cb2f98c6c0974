/**
 * @file Whether memory stays flat: wasm memory never shrinks, so its size is the most that was ever needed.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { heading, root, say } from "../../tools/console.mjs";
import { openPage } from "./compare.mjs";
import { workloads } from "./workloads.mjs";

const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** wasm memory of Tealight's W1 after 5,000 and after 50,000 steps. */
async function afterSteps({ browser, url }, tealight) {
  const page = await openPage(browser, url, tealight);
  try {
    const runner = await page.open(workloads[0]);
    await runner.run(5000);
    const few = await runner.memory();
    await runner.run(45_000);
    return { after5000: few, after50000: await runner.memory() };
  } finally {
    await page.close();
  }
}

/** wasm memory of the package after 5 and after 50 sessions that were made, stepped, looked at and dropped. */
async function afterSessions(pairs) {
  const wasm = await import("../../pkg/tealight.js");
  const { memory } = wasm.initSync({ module: readFileSync(path.join(root, "pkg", "tealight_bg.wasm")) });
  const sizes = [];
  const usual = pairs.filter(({ dataset }) => !dataset.drawable);
  for (let i = 0; i < 50; i++) {
    // The same few pairs again and again: what five sessions need is enough for fifty.
    const { model, dataset } = usual[i % Math.min(5, usual.length)];
    const session = new wasm.Session(JSON.stringify({ model: model.id, dataset: dataset.id }));
    session.step(5);
    session.free();
    sizes.push(memory.buffer.byteLength);
  }
  return { after5: sizes[4], after50: sizes[49] };
}

/**
 * @param {{browser: import("playwright-core").Browser, url: string}} place
 * @param {import("./contenders.mjs").Contender} tealight
 */
export async function measureMemory(place, tealight, pairs) {
  heading("Tealight's wasm memory");
  const steps = await afterSteps(place, tealight);
  say(`W1 after 5,000 steps ${megabytes(steps.after5000)}, after 50,000 ${megabytes(steps.after50000)}`);
  const sessions = await afterSessions(pairs);
  say(`after 5 sessions ${megabytes(sessions.after5)}, after 50 ${megabytes(sessions.after50)}`);
  return { steps, sessions };
}
