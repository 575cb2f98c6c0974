/**
 * @file The package as it is shipped: every model trains, draws, is scored and comes back from a snapshot with it.
 * What tools/slim.mjs left out would end these with a trap.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { catalog, pairs, wasm } from "./wasm.mjs";

/** Data that the visitor makes stand in the configuration. */
const DRAWING = "AAAAgACAAIAAAIAAQABAAP__AAAAAP__";

const REQUESTS = [
  { id: "real", n: 20 }, { id: "realLabels", n: 20 }, { id: "samples", n: 20 }, { id: "sampleDensity", grid: 8 }, { id: "density", grid: 6 },
  { id: "discriminator", grid: 6 }, { id: "manifold", grid: 4 }, { id: "latentMap", grid: 3 }, { id: "latentPoints", n: 20 }, { id: "decode", u: 0.2, v: 0.7 },
  { id: "reconstruct", n: 4 }, { id: "paths", n: 4, frames: 3 }, { id: "energy", grid: 6 }, { id: "classes", n: 2 }, { id: "components" }, { id: "filters" }, { id: "conditionals", n: 3 }, { id: "losses" },
];

function open(config) {
  return new wasm.Session(JSON.stringify(config));
}

/** A session that stands for its data set: some need a drawing first. */
function started(model, dataset, settings = {}) {
  const text = dataset.params.find(({ kind }) => kind === "text");
  return open({ dataset: dataset.id, model: model.id, ...(dataset.drawable && text ? { [text.key]: DRAWING } : {}), ...settings });
}

/** Views that this session has, as numbers; a view it has not is refused with a sentence, never a trap. */
function draw(session) {
  const drawn = [];
  for (const request of REQUESTS) {
    try {
      const { length } = JSON.parse(session.prepare(JSON.stringify([request])));
      const out = new Float32Array(length);
      session.read(out);
      drawn.push(request.id);
    } catch (error) {
      assert.ok(!(error instanceof WebAssembly.RuntimeError), `${request.id}: ${error}`);
    }
  }
  return drawn;
}

/** Scores a session as the engine does, to the end. */
function score(session) {
  for (let left = session.beginScores(); left > 0; left--) {
    const result = JSON.parse(session.scorePart());
    assert.equal(result.done, left === 1);
    if (result.done) return result;
  }
  return assert.fail("there are no parts");
}

/** One data set of each kind and shape for every model. */
const some = pairs.filter(({ model, dataset }, i) =>
  pairs.findIndex((other) => other.model === model && JSON.stringify(other.dataset.shape) === JSON.stringify(dataset.shape) && other.dataset.classes > 0 === dataset.classes > 0) === i);

for (const { model, dataset } of some) {
  test(`${model.id} on ${dataset.id}: the shipped module trains, draws, comes back, and is scored`, () => {
    const session = started(model, dataset);
    session.step(3);
    const drawn = draw(session);
    for (const id of ["real", "samples", "losses"]) assert.ok(drawn.includes(id), id);
    const bytes = session.snapshot();
    session.step(2);
    const losses = JSON.parse(session.info()).losses;
    session.restore(bytes);
    session.step(2);
    assert.deepEqual(JSON.parse(session.info()).losses, losses);
    session.loadWeights(session.weights());
    const { step, scores, findings } = score(session);
    assert.equal(step, 5);
    assert.ok(scores.length > 0);
    for (const { id, value } of scores) assert.ok(Number.isFinite(value) && catalog.scores.some((entry) => entry.id === id), id);
    for (const { id } of findings) assert.ok(catalog.findings.includes(id), id);
    session.free();
  });
}

for (const model of catalog.models) {
  test(`${model.id}: every option trains`, () => {
    for (const { dataset } of some.filter((pair) => pair.model === model)) {
      for (const spec of model.params) {
        const options = spec.kind === "choice" ? spec.options : spec.kind === "flag" ? [true, false] : [];
        for (const option of options) {
          if (spec.domains?.[option] && !spec.domains[option].includes(dataset.domain)) continue;
          const when = spec.when ? { [spec.when.key]: spec.when.in[0] } : {};
          let session;
          try {
            session = started(model, dataset, { ...when, [spec.key]: option });
          } catch (error) {
            assert.ok(!(error instanceof WebAssembly.RuntimeError), `${spec.key} = ${option} on ${dataset.id}: ${error}`);
            continue;
          }
          session.step(2);
          draw(session);
          session.free();
        }
      }
    }
  });
}
