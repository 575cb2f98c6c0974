/**
 * @file Where the time of the page's worker goes, counted inside it: what the calls into the wasm module take.
 *
 * And how long its thread has really run, where the system tells (Linux): steps for a second of that do not depend on
 * what else the machine does.
 */
import { readFileSync, readdirSync } from "node:fs";

/** Goes before the worker's own script: wraps the exports of a session as they are instantiated. */
const PROLOGUE = `{
  const spent = (globalThis.spent = { steps: 0 });
  const timed = (name, call) => (...given) => {
    const start = performance.now();
    try {
      return call(...given);
    } finally {
      spent[name] = (spent[name] ?? 0) + performance.now() - start;
      if (name === "step") {
        spent.began ??= performance.timeOrigin + start;
        spent.steps += given[1];
      }
    }
  };
  for (const how of ["instantiate", "instantiateStreaming"]) {
    const original = WebAssembly[how];
    WebAssembly[how] = async (module, imports) => {
      const made = await original.call(WebAssembly, module, imports);
      const exports = Object.entries((made.instance ?? made).exports).map(([name, value]) => {
        const [, method] = /^session_(step|beginScores|scorePart)$/.exec(name) ?? [];
        return [name, method ? timed(method, value) : value];
      });
      return { instance: { exports: Object.fromEntries(exports) }, module: made.module ?? module };
    };
  }
}
`;

/**
 * What the worker has done so far, in milliseconds; `began`, the first step, and `now` are times of day.
 * @typedef {{now: number, began: number, steps: number, scores: number, processor: number | null}} Spent
 */

/** Gives the pages of a context a worker that counts. @param {import("playwright-core").BrowserContext} context */
export async function countWorkers(context) {
  await context.route("**/worker.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: PROLOGUE + (await response.text()) });
  });
}

/** Looks at what a worker has done. @param {import("playwright-core").Browser} browser @param {import("playwright-core").Worker} worker @returns {Promise<Spent>} */
export async function look(browser, worker) {
  const { now, spent } = await worker.evaluate(() => ({ now: performance.timeOrigin + performance.now(), spent: /** @type {any} */ (globalThis).spent }));
  const { began = now, steps, beginScores = 0, scorePart = 0 } = spent;
  return { now, began, steps, scores: beginScores + scorePart, processor: await processorTime(browser) };
}

/** Milliseconds that the threads of workers of this browser have run; null where the system does not tell. @param {import("playwright-core").Browser} browser */
async function processorTime(browser) {
  if (process.platform !== "linux") return null;
  const session = await browser.newBrowserCDPSession();
  try {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    let total = 0;
    for (const { id } of processInfo) total += workersOf(`/proc/${id}/task`);
    return total > 0 ? total : null;
  } finally {
    await session.detach();
  }
}

/** @param {string} folder One for each thread of a process. */
function workersOf(folder) {
  let total = 0;
  try {
    for (const thread of readdirSync(folder)) {
      if (readFileSync(`${folder}/${thread}/comm`, "utf8").trim() !== "DedicatedWorker") continue;
      total += Number(readFileSync(`${folder}/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e6;
    }
  } catch {
    // A process, or a thread, that has ended meanwhile.
  }
  return total;
}
