/**
 * @file Runs an experiment once more, in an engine of its own, and hands out the views at chosen steps.
 *
 * The same build, configuration and live changes give the same bits, so a recording shows the run that was seen,
 * whatever the visitor does meanwhile. A run that goes on from a file has no script from step 0: it is recorded from
 * its snapshot on.
 */

import { Client } from "../client.js";
import { ALL_PHASES, PHASE } from "../protocol.js";
import { arrived } from "../ui/sections.js";

/** @import {Catalog, Config, LiveEvent, Section, ViewRequest} from "../protocol.js" */

/** Milliseconds of training between two looks at whether to go on. */
const SLICE = 60;
/** Most steps at once. */
const MOST_STEPS = 4096;
/** Most frames of a recording: what no file format of the web takes well. */
export const MOST_FRAMES = 600;

/**
 * Where a recording begins.
 * @typedef {object} Origin
 * @property {Config} config At its first step.
 * @property {LiveEvent[]} events In the order of their steps.
 * @property {Uint8Array | null} snapshot What holds the data, if the configuration alone does not make them; or the state to go on from.
 * @property {boolean} onwards Whether it goes on from the snapshot, rather than from step 0.
 */

/** The steps at which frames are taken: both ends, and every so many steps between. @param {number} from @param {number} to @param {number} every */
export function framesAt(from, to, every) {
  const stride = Math.max(1, Math.round(every), Math.ceil((to - from) / (MOST_FRAMES - 1)));
  /** @type {number[]} */
  const steps = [];
  for (let step = from; step < to; step += stride) steps.push(step);
  return [...steps, Math.max(from, to)];
}

/** Thrown where the visitor ended a recording. */
export class Cancelled extends Error {
  constructor() {
    super("cancelled");
    this.name = "Cancelled";
  }
}

/**
 * Runs through the steps and shows each of them.
 * @param {Catalog} catalog
 * @param {Origin} origin
 * @param {{steps: readonly number[], requests: ViewRequest[], signal: AbortSignal,
 *   frame: (views: Map<string, Section>, step: number, index: number) => void | Promise<void>, progress: (share: number) => void}} options
 */
export async function record(catalog, origin, { steps, requests, signal, frame, progress }) {
  let problem = "";
  const client = new Client((message) => {
    if (message.type === "stopped" || message.type === "trap") problem = message.message;
  });
  const check = () => {
    if (signal.aborted) throw new Cancelled();
    if (problem) throw new Error(problem);
  };
  const end = () => client.end();
  signal.addEventListener("abort", end);
  try {
    check();
    await client.start();
    let step = await begin(client, catalog, origin);
    const first = step;
    const last = steps[steps.length - 1];
    const events = origin.onwards ? [] : [...origin.events];
    let n = 1;
    for (const [index, target] of steps.entries()) {
      for (;;) {
        check();
        while (events.length > 0 && events[0].step <= step) {
          const { key, value } = /** @type {LiveEvent} */ (events.shift());
          await client.ask({ type: "set", key, value });
        }
        if (step >= target) break;
        const goal = Math.min(target, events[0]?.step ?? Infinity, step + n);
        const since = performance.now();
        step = await client.ask({ type: "steps", n: goal - step });
        const elapsed = Math.max(performance.now() - since, 0.5);
        n = Math.max(1, Math.min(2 * n, Math.round((n * SLICE) / elapsed), MOST_STEPS));
        progress((step - first) / Math.max(last - first, 1));
      }
      const { sections, buffer } = await client.views(requests);
      check();
      await frame(arrived(sections, buffer), step, index);
    }
  } catch (error) {
    // An engine that was ended answers nothing any more.
    throw signal.aborted ? new Cancelled() : error;
  } finally {
    signal.removeEventListener("abort", end);
    client.end();
  }
}

/** Opens the session of a recording. @param {Client} client @param {Catalog} catalog @param {Origin} origin @returns {Promise<number>} the step it is at */
async function begin(client, catalog, { config, snapshot, onwards }) {
  const opening = { type: /** @type {const} */ ("open"), events: [], target: null, play: false, generation: 1 };
  if (!snapshot) {
    await client.ask({ ...opening, config });
    return 0;
  }
  // Any session will do to become the snapshot's.
  const [dataset] = catalog.datasets.filter(({ file, drawable }) => !file && !drawable);
  const model = catalog.models.find(({ misfits }) => !(dataset.id in misfits));
  await client.ask({ ...opening, config: { dataset: dataset.id, model: String(model?.id) } });
  const info = await client.ask({ type: "restore", bytes: snapshot });
  if (onwards) return info.step;
  const { config: now } = await client.ask({ type: "reset" });
  for (const [key, value] of Object.entries(config)) {
    if (JSON.stringify(now[key]) !== JSON.stringify(value)) await client.ask({ type: "set", key, value });
  }
  await client.ask({ type: "set", key: PHASE, value: ALL_PHASES });
  return 0;
}
