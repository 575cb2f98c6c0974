/**
 * @file Measures every contender on every workload, in rounds: each round runs all of them, one after the other.
 */
import { heading, say } from "../../tools/console.mjs";
import { openNative } from "./natives.mjs";
import { times, workloads } from "./workloads.mjs";

/**
 * @typedef {object} Runner
 * @property {(steps: number) => Promise<{ms: number, loss: number}>} run
 * @property {(steps: number) => Promise<number[]>} losses
 * @property {() => Promise<number | null>} memory
 * @property {() => Promise<void>} close
 */

/** How long a contender runs in each round, and before the first, in milliseconds; and the fewest steps of a round. */
const [PER_ROUND, WARM_UP, FEWEST] = [400, 1000, 2];

export const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/**
 * A page for one contender. `open` gives the runner of one workload.
 * @param {import("playwright-core").Browser} browser @param {string} url @param {import("./contenders.mjs").Contender} contender
 */
export async function openPage(browser, url, { script, args }) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url);
  await page.evaluate(async ([script, args]) => {
    const harness = await import("/page/harness.js");
    Object.assign(globalThis, { harness });
    await harness.start(script, args);
  }, /** @type {const} */ ([script, args]));
  const call = (name, ...rest) => page.evaluate(([name, rest]) => /** @type {any} */ (globalThis).harness[name](...rest), /** @type {const} */ ([name, rest]));
  return {
    call,
    close: () => context.close(),
    /** @returns {Promise<Runner>} */
    async open({ id, size }) {
      await call("open", id, `/rows/${size}.f32`, { size, times: times() });
      return {
        run: (steps) => call("run", id, steps),
        losses: (steps) => call("losses", id, steps),
        memory: () => call("memory"),
        close: async () => {},
      };
    },
  };
}

/**
 * Trains from the start: the loss must fall. In a game it falls only until the other player answers, so there the
 * lowest stretch counts, else the last.
 */
async function check(runner, { check: steps, game }) {
  const losses = await runner.losses(steps);
  const few = Math.max(3, steps / 10);
  const stretches = Array.from({ length: Math.floor(steps / few) }, (_, i) => mean(losses.slice(i * few, (i + 1) * few)));
  const [first, last] = [losses[0], stretches[stretches.length - 1]];
  const reached = game ? Math.min(...stretches) : last;
  if (!losses.every(Number.isFinite) || !(reached < first)) throw new Error(`its loss does not fall: ${first} to ${reached}`);
  return { first, last };
}

/** Runs until it is warm; the steps that fill a round. */
async function warmUp(runner) {
  let [steps, spent, ms] = [1, 0, 0];
  while (spent < WARM_UP) {
    ({ ms } = await runner.run(steps));
    spent += ms;
    if (ms < PER_ROUND / 2) steps *= 2;
  }
  return Math.max(FEWEST, Math.ceil((steps * PER_ROUND) / ms));
}

/**
 * @typedef {object} Result
 * @property {string} contender
 * @property {string} workload
 * @property {number} [steps] Steps in each round.
 * @property {number[]} rounds Milliseconds per step.
 * @property {{first: number, last: number}} [loss]
 * @property {string} [failed] Why there is no figure.
 */

/**
 * @param {object} options
 * @param {import("playwright-core").Browser} options.browser
 * @param {string} options.url
 * @param {import("./contenders.mjs").Contender[]} options.chosen
 * @param {string[]} options.only Ids of workloads.
 * @param {number} options.rounds
 * @returns {Promise<{results: Result[], roof: number[]}>}
 */
export async function compare({ browser, url, chosen, only, rounds }) {
  /** @type {{result: Result, runner: Runner, workload: string}[]} */
  const lanes = [];
  /** @type {Result[]} */
  const results = [];
  const closing = [];
  heading("Every contender trains: losses at the start and after the steps that all take");
  for (const contender of chosen) {
    let page;
    for (const workload of workloads.filter(({ id }) => only.includes(id))) {
      /** @type {Result} */
      const result = { contender: contender.id, workload: workload.id, rounds: [] };
      results.push(result);
      try {
        if (contender.script && !page) {
          page = await openPage(browser, url, contender);
          closing.push(page.close);
        }
        const runner = page ? await page.open(workload) : await openNative(/** @type {"native" | "torch"} */ (contender.kind), workload);
        closing.push(runner.close);
        result.loss = await check(runner, workload);
        result.steps = await warmUp(runner);
        lanes.push({ result, runner, workload: workload.id });
        say(`${contender.title.padEnd(30)}${workload.id}  ${result.loss.first.toFixed(3)} → ${result.loss.last.toFixed(3)} after ${workload.check} steps`);
      } catch (error) {
        result.failed = String(error.message).split("\n")[0].replace(/^page\.evaluate: (?:Error: )?/, "");
        say(`${contender.title.padEnd(30)}${workload.id}  no figure: ${result.failed}`);
        // What did not start will not start for the next workload.
        if (contender.script && !page) break;
      }
    }
  }

  const roofPage = await openPage(browser, url, { id: "roof", title: "", kind: "js", script: "/page/nothing.js", args: [] });
  closing.push(roofPage.close);
  await roofPage.call("roof", "/roof/roof.wasm", 200);
  const roof = [];
  heading(`${rounds} rounds`);
  for (let round = 1; round <= rounds; round++) {
    const since = performance.now();
    for (const id of only) {
      for (const { result, runner } of lanes.filter(({ workload }) => workload === id)) {
        const { ms } = await runner.run(/** @type {number} */ (result.steps));
        result.rounds.push(ms / /** @type {number} */ (result.steps));
      }
      if (id === "w4") roof.push(await roofPage.call("roof", "/roof/roof.wasm", 200));
    }
    say(`round ${round} took ${((performance.now() - since) / 1000).toFixed(0)} s`);
  }
  for (const close of closing) await close();
  return { results, roof };
}
