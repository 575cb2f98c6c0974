/**
 * @file What the built page costs in the browser: its cold start, its steps per second with and without views, and its
 * memory. Wall-clock figures of one run on one machine: compare them within the run.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Sentence, heading, root, run, say } from "../../tools/console.mjs";
import { report } from "../../tools/size.mjs";
import { median } from "./compare.mjs";

/** @typedef {{browser: import("playwright-core").Browser, url: string}} Place */

const hash = ({ dataset, model }) => `dataset=${dataset.id}&model=${model.id}`;

/** Opens the page in a fresh profile. */
async function withPage({ browser, url }, address, work) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  try {
    const page = await context.newPage();
    await page.goto(url + address);
    return await work(page);
  } finally {
    await context.close();
  }
}

/** Milliseconds from the navigation to the first finished step, as the page itself hears of it. */
function coldStart(place, pair) {
  return withPage(place, `#${hash(pair)}&play=true`, (page) =>
    page.evaluate(() => new Promise((resolve) => {
      const element = /** @type {any} */ (document.querySelector("tealight-playground"));
      const look = () => (element.steps > 0 ? resolve(performance.now()) : setTimeout(look, 1));
      look();
    })));
}

/** Steps per second and the longest task of the main thread while the page shows its default views. */
function shown(place, pair, time) {
  return withPage(place, `#${hash(pair)}&play=true`, (page) =>
    page.evaluate(async (duration) => {
      const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
      const element = /** @type {any} */ (document.querySelector("tealight-playground"));
      await element.ready;
      await wait(1500);
      let longest = 0;
      new PerformanceObserver((list) => {
        for (const { duration: task } of list.getEntries()) longest = Math.max(longest, task);
      }).observe({ type: "longtask" });
      const [from, since] = [element.steps, performance.now()];
      await wait(duration);
      return { rate: (1000 * (element.steps - from)) / (performance.now() - since), longest };
    }, time));
}

/** Steps per second of the worker alone, which nobody asks for views. */
function alone(place, { dataset, model }, time) {
  return withPage(place, "icon.svg", (page) =>
    page.evaluate(async ({ config, duration, script }) => {
      const worker = new Worker(script, { type: "module" });
      const step = await new Promise((resolve, reject) => {
        const seen = /** @type {{at: number, step: number}[]} */ ([]);
        worker.onerror = (event) => reject(new Error(event.message));
        worker.onmessage = ({ data }) => {
          if (data.type === "hello") worker.postMessage({ type: "start", wasm: null });
          else if (data.type === "started") worker.postMessage({ type: "open", id: 1, config, events: [], target: null, play: true, generation: 1 });
          else if (data.type === "error" || data.type === "failed") reject(new Error(data.message));
          else if (data.type === "status") {
            seen.push({ at: performance.now(), step: data.status.step });
            const first = seen.find(({ at }) => at > seen[0].at + 1500);
            const last = seen[seen.length - 1];
            if (first && last.at - first.at >= duration) resolve((1000 * (last.step - first.step)) / (last.at - first.at));
          }
        };
      });
      worker.terminate();
      return step;
    }, { config: { dataset: dataset.id, model: model.id }, duration: time, script: `${place.url}worker.js` }));
}

/** Steps per second natively: what more steps cost more. */
function native({ dataset, model }, out) {
  const program = path.join(root, "target", "release", process.platform === "win32" ? "tealight.exe" : "tealight");
  const seconds = (steps) => {
    const since = performance.now();
    const { status, stderr } = spawnSync(program, ["train", "--dataset", dataset.id, "--model", model.id, "--steps", String(steps), "--out", out], { encoding: "utf8" });
    if (status !== 0) throw new Sentence(`${program} failed: ${stderr}`);
    return (performance.now() - since) / 1000;
  };
  const [few, many] = [200, 1400];
  return (many - few) / median([0, 1, 2].map(() => seconds(many) - seconds(few)));
}

/**
 * Cold starts of the first pair, in milliseconds. @param {Place} place
 */
export async function coldStarts(place, pairs) {
  heading("Cold start to the first finished step");
  const starts = [];
  for (let i = 0; i < 7; i++) starts.push(await coldStart(place, pairs[0]));
  say(`median ${Math.round(median(starts))} ms (${starts.map(Math.round).sort((a, b) => a - b).join(", ")}); budget 700 ms`);
  return starts;
}

/**
 * What every pair of a model and a data set does in a second.
 * @param {Place} place @param {{pairs: any[], time: number, withNative: boolean}} options
 */
export async function reportPairs(place, { pairs, time, withNative }) {
  heading("Sizes");
  report();
  if (withNative) {
    const { code } = await run("cargo", ["build", "--locked", "--release", "--features", "cli"]);
    if (code !== 0) throw new Sentence("the native command line does not compile: see cargo's words above");
  }
  await coldStarts(place, pairs);
  const out = mkdtempSync(path.join(os.tmpdir(), "tealight-bench-"));
  try {
    heading(`Steps per second, defaults of each pair, ${time} ms after a warm-up`);
    say(`${"".padEnd(24)}${["worker alone", "with views", "share", "longest task", ...(withNative ? ["native"] : [])].map((it) => it.padStart(14)).join("")}`);
    for (const pair of pairs.filter(({ dataset }) => !dataset.drawable)) {
      const bare = await alone(place, pair, time);
      const { rate, longest } = await shown(place, pair, time);
      const cells = [bare.toFixed(0), rate.toFixed(0), `${((100 * rate) / bare).toFixed(0)} %`, longest > 0 ? `${longest.toFixed(0)} ms` : "< 50 ms"];
      if (withNative) cells.push(native(pair, out).toFixed(0));
      say(`${`${pair.model.id} on ${pair.dataset.id}`.padEnd(24)}${cells.map((it) => it.padStart(14)).join("")}`);
    }
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
