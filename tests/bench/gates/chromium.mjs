/** @file A run of a gate in Chromium: the built package in a worker of its own. */
import path from "node:path";
import { Sentence, root } from "../../../tools/console.mjs";
import { serve } from "../../../tools/serve.mjs";
import { findChromium } from "../../../tools/setup.mjs";
import { digestOf } from "./kept.mjs";
import { unpacked } from "./readings.mjs";

const folder = "tests/bench/gates/";

/** Opens the browser. Its `train` gives what there is to know of a run. */
export async function openChromium() {
  // Only now: setup may just have installed it.
  const { chromium } = await import("playwright-core");
  const executablePath = findChromium();
  if (!executablePath) throw new Sentence('there is no Chromium: run "npm run setup"');
  const server = await serve({ folder: root, port: 0 });
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
  const page = await browser.newPage();
  await page.goto(server.url + path.posix.join(folder, "page.html"));

  /** @param {any} config @param {number} steps @param {any} needs @returns {Promise<import("./readings.mjs").Found>} */
  async function train(config, steps, needs) {
    const { error, ...told } = await page.evaluate(
      (run) =>
        new Promise((resolve) => {
          const worker = new Worker("worker.js", { type: "module" });
          worker.onerror = ({ message }) => resolve(/** @type {any} */ ({ error: message }));
          worker.onmessage = ({ data }) => {
            if (data === "ready") return worker.postMessage(run);
            worker.terminate();
            resolve(data.error ? data : { ...data, buffer: Array.from(data.buffer), weights: Array.from(data.weights) });
          };
        }),
      { config, steps, needs },
    );
    if (error) throw new Error(error);
    return unpacked({ ...told, info: JSON.parse(told.info), weights: Uint8Array.from(told.weights) });
  }

  const close = async () => {
    await browser.close();
    await server.close();
  };
  const version = browser.version();
  return { train, close, version, program: [version, digestOf(path.join(root, "pkg", "tealight_bg.wasm"))] };
}
