/** @file One run by the built package: in a worker, or in Node. */

/**
 * @param {any} wasm @param {{config: any, steps: number, needs: ReturnType<typeof import("./readings.mjs").needsOf>}} told
 * @returns What the exports give of the run, flat, and the seconds from the making of the session to its last step.
 */
export function train(wasm, { config, steps, needs }) {
  const since = performance.now();
  const session = new wasm.Session(JSON.stringify(config));
  session.step(steps);
  const seconds = (performance.now() - since) / 1000;
  let scores = [];
  if (needs.scores) {
    session.beginScores();
    for (let part = /** @type {any} */ ({ done: false }); !part.done; scores = part.scores ?? []) part = JSON.parse(session.scorePart());
  }
  const { sections, length } = JSON.parse(session.prepare(JSON.stringify(needs.views)));
  const buffer = new Float32Array(length);
  session.read(buffer);
  const weights = needs.weights ? session.weights() : new Uint8Array();
  const info = session.info();
  session.free();
  return { seconds, info, scores, sections, buffer, weights };
}
