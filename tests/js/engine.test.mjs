/** @file The worker's core over the real package, with a clock and a scheduler of the test's own. */
import assert from "node:assert/strict";
import test from "node:test";
import { Engine } from "../../www/engine.js";
import { defaultsOf } from "../../www/state.js";
import { catalog, pairs, wasm } from "./wasm.mjs";

/**
 * An engine whose time passes by `tick` milliseconds at each look at the clock: small ticks make long slices.
 * `session` may stand in for the package's.
 */
function host({ tick = 1, Session = wasm.Session } = {}) {
  let time = 0;
  const posted = [];
  const queue = [];
  const engine = new Engine(
    { catalog: wasm.catalog, Source: wasm.Source, Loader: wasm.Loader, freshSeed: wasm.freshSeed, Session },
    (message) => posted.push(message),
    { slice: 15, later: (callback) => queue.push(callback), now: () => (time += tick) },
  );
  let id = 0;
  return {
    posted,
    /** Runs what was put off, until nothing is left or `most` callbacks ran. */
    pump(most = Infinity) {
      for (let i = 0; i < most && queue.length > 0; i++) queue.shift()();
    },
    tell: (message) => engine.handle(message),
    ask(message) {
      engine.handle({ ...message, id: ++id });
      const answer = posted.find((it) => (it.type === "reply" || it.type === "error") && it.id === id);
      if (answer?.type === "error") throw new Error(answer.message);
      return answer?.value;
    },
  };
}

const small = (dataset, model) => ({ ...defaultsOf(catalog, { dataset: dataset.id, model: model.id }), batchSize: 16 });
const playable = pairs.filter(({ dataset }) => !dataset.drawable);
const opening = (config, more = {}) => ({ type: "open", config, events: [], target: null, play: false, generation: 1, ...more });
const losses = (it) => {
  const { sections, buffer } = it.ask({ type: "once", requests: [{ id: "losses" }] });
  return [...new Uint32Array(buffer, 4 * sections[0].offset, sections[0].length)];
};

/** A live setting of a model whose value can be halved. */
function change(model, config) {
  const spec = model.params.find(({ kind, effect }) => kind === "log" && effect === "live");
  return { key: spec.key, value: Math.max(spec.low, config[spec.key] / 2) };
}

for (const { model, dataset } of [playable[0], playable.at(-1)]) {
  test(`${model.id} on ${dataset.id}: a run does not depend on how it is sliced`, () => {
    const config = small(dataset, model);
    const events = [{ step: 7, ...change(model, config) }, { step: 7, key: "phase", value: model.phases[0] }, { step: 20, key: "phase", value: "both" }];
    const kept = events.filter(({ key }) => key !== "phase" || model.phases.length > 0);
    const bytes = [0.001, 1, 50].map((tick) => {
      const it = host({ tick });
      it.ask(opening(config, { events: kept, target: 40 }));
      it.pump();
      const applied = it.posted.filter(({ type }) => type === "applied").map(({ event }) => event);
      assert.deepEqual(applied, kept);
      return it.ask({ type: "snapshot" });
    });
    assert.deepEqual(bytes[1], bytes[0]);
    assert.deepEqual(bytes[2], bytes[0]);
  });

  test(`${model.id} on ${dataset.id}: rewinding gives the same loss curve, bit for bit`, () => {
    const it = host();
    it.ask(opening(small(dataset, model), { target: 30 }));
    it.pump();
    const first = losses(it);
    assert.ok(first.length > 30);
    assert.equal(it.ask({ type: "reset" }).step, 0);
    it.ask({ type: "train", target: 30 });
    it.pump();
    assert.deepEqual(losses(it), first);
  });

  test(`${model.id} on ${dataset.id}: what the page keeps is enough to go on in another engine`, () => {
    const config = small(dataset, model);
    const it = host();
    it.ask(opening(config, { target: 12 }));
    it.pump();
    const { rescue } = it.posted.findLast(({ type }) => type === "snapshot");
    assert.equal(rescue.step, 12);
    const other = host();
    other.ask(opening(rescue.config));
    assert.equal(other.ask({ type: "restore", bytes: rescue.bytes }).step, 12);
    for (const each of [it, other]) {
      each.ask({ type: "train", target: 20 });
      each.pump();
    }
    assert.deepEqual(other.ask({ type: "snapshot" }), it.ask({ type: "snapshot" }));
  });
}

test("a refused configuration is an answer, and what runs goes on", () => {
  const { model, dataset } = playable[0];
  const it = host();
  it.ask(opening(small(dataset, model)));
  it.ask({ type: "steps", n: 3 });
  for (const config of [{}, { dataset: "nowhere", model: model.id }, { ...small(dataset, model), seed: -1 }, { ...small(dataset, model), nonsense: 1 }]) {
    assert.throws(() => it.ask(opening(config, { generation: 2 })), /\w+ \w+/);
  }
  assert.throws(() => it.ask({ type: "set", key: "nonsense", value: 1 }), /nonsense/);
  assert.throws(() => it.ask({ type: "restore", bytes: new Uint8Array([1, 2, 3]) }));
  assert.throws(() => it.ask({ type: "once", requests: [{ id: "nonsense" }] }), /nonsense/);
  assert.equal(it.ask({ type: "steps", n: 1 }), 4);
});

test("an empty drawing is refused with a sentence", () => {
  const drawable = pairs.find(({ dataset }) => dataset.drawable);
  assert.ok(drawable);
  const { key } = drawable.dataset.params.find(({ kind }) => kind === "text");
  const it = host();
  assert.throws(() => it.ask(opening({ ...small(drawable.dataset, drawable.model), [key]: "" })), /point/);
});

test("files become data; refused ones change nothing", () => {
  const it = host();
  const { model, dataset } = playable[0];
  it.ask(opening(small(dataset, model)));
  it.ask({ type: "steps", n: 2 });
  const bytes = (text) => new TextEncoder().encode(text);
  const load = (...parts) => it.ask({ type: "load", parts, size: null, n: 4 });
  assert.throws(() => load({ name: "a.csv", bytes: bytes("1,2\n3") }), /a\.csv: line 2 has 1 fields/);
  assert.throws(() => load({ name: "p.png", rgba: new Uint8Array(3), width: 1, height: 1 }), /p\.png: 3 bytes/);
  assert.throws(() => load(), /empty/);
  assert.equal(it.ask({ type: "steps", n: 1 }), 3);
  const loaded = load({ name: "a.csv", bytes: bytes("x,y,class\n1,2,a\n3,4,b\n5,6,a\n0,1,b\n2,2,a") });
  assert.deepEqual([loaded.rows, loaded.trainRows, loaded.heldOutRows, loaded.classes, loaded.scaled], [5, 4, 1, 2, false]);
  assert.equal(loaded.buffer.byteLength, 4 * 4 * 2);
  assert.equal(it.ask({ type: "steps", n: 1 }), 4, "what ran goes on");
  const own = catalog.datasets.find(({ id }) => id === loaded.dataset);
  assert.ok(own.file);
  const taker = catalog.models.find(({ id }) => !(id in loaded.misfits));
  const config = small(own, taker);
  const info = it.ask(opening(config, { generation: 2 }));
  assert.deepEqual([info.trainRows, info.classes], [4, 2]);
  it.ask({ type: "steps", n: 5 });
  // Another engine has no file; the snapshot brings its rows.
  const other = host();
  assert.throws(() => other.ask(opening(config)), /drop the file again/);
  other.ask(opening(small(dataset, model)));
  other.ask({ type: "restore", bytes: it.ask({ type: "snapshot" }) });
  assert.equal(other.ask({ type: "steps", n: 1 }), it.ask({ type: "steps", n: 1 }));
  assert.deepEqual(other.ask({ type: "snapshot" }), it.ask({ type: "snapshot" }));
});

test("a trap is told once, and the engine says nothing more", () => {
  class Trapping extends wasm.Session {
    step() {
      throw new WebAssembly.RuntimeError("unreachable");
    }
  }
  const { model, dataset } = playable[0];
  const it = host({ Session: Trapping });
  it.ask(opening(small(dataset, model), { play: true }));
  it.pump(3);
  const said = it.posted.length;
  assert.deepEqual(it.posted.at(-1), { type: "trap", message: "unreachable" });
  it.tell({ type: "run", running: true });
  it.pump(3);
  assert.equal(it.posted.length, said);
});

test("training that diverges stops and says why", () => {
  class Diverging extends wasm.Session {
    step(n) {
      if (this.steps() + n > 10) throw new Error("training diverged at step 11");
      super.step(n);
    }
  }
  const { model, dataset } = playable[0];
  const it = host({ tick: 50, Session: Diverging });
  it.ask(opening(small(dataset, model), { play: true }));
  it.pump(40);
  const stopped = it.posted.find(({ type }) => type === "stopped");
  assert.match(stopped.message, /diverged/);
  assert.ok(it.ask({ type: "snapshot" }).length > 0, "the session is still there");
});

test("a frame answers each credit, and none comes without", () => {
  const { model, dataset } = playable[0];
  const it = host();
  const frames = () => it.posted.filter(({ type }) => type === "frame");
  it.ask(opening(small(dataset, model)));
  it.tell({ type: "views", generation: 1, requests: [{ id: "samples", n: 50 }, { id: "losses" }], fresh: true });
  assert.equal(frames().length, 0);
  it.tell({ type: "credit", buffer: null });
  assert.equal(frames().length, 1);
  assert.deepEqual(frames()[0].sections.map(({ id }) => id), ["samples", "losses"]);
  it.ask({ type: "steps", n: 1 });
  assert.equal(frames().length, 1);
  it.tell({ type: "credit", buffer: new ArrayBuffer(1 << 16) });
  assert.equal(frames().length, 2);
  it.tell({ type: "credit", buffer: null });
  assert.equal(frames().length, 2, "nothing is new");
});

test("a credit that one session left unanswered is not the next one's", () => {
  const { model, dataset } = playable[0];
  const it = host();
  const frames = () => it.posted.filter(({ type }) => type === "frame").length;
  const views = (generation) => it.tell({ type: "views", generation, requests: [{ id: "samples", n: 50 }, { id: "real", n: 50 }], fresh: true });
  it.ask(opening(small(dataset, model)));
  it.tell({ type: "credit", buffer: null });
  it.ask(opening(small(dataset, model), { generation: 2 }));
  views(2);
  assert.equal(frames(), 0);
  it.tell({ type: "credit", buffer: null });
  assert.equal(frames(), 1);
});

test("a view that fails is named, and the others arrive", () => {
  const { model, dataset } = playable[0];
  const it = host();
  it.ask(opening(small(dataset, model)));
  it.tell({ type: "views", generation: 1, requests: [{ id: "samples", n: 50 }, { id: "nonsense" }], fresh: true });
  it.tell({ type: "credit", buffer: null });
  const frame = it.posted.findLast(({ type }) => type === "frame");
  assert.deepEqual(frame.sections.map(({ id }) => id), ["samples"]);
  assert.deepEqual(Object.keys(frame.failed), ["nonsense"]);
});

test("a refused snapshot leaves a run going; one that is taken ends it and what was planned for it", () => {
  const [here, there] = [playable[0], playable.find(({ model }) => model !== playable[0].model)];
  const config = small(here.dataset, here.model);
  const it = host();
  const other = host();
  other.ask(opening(small(there.dataset, there.model)));
  other.ask({ type: "steps", n: 3 });
  const [snapshot, weights] = [other.ask({ type: "snapshot" }), other.ask({ type: "weights" })];
  it.ask(opening(config, { play: true, events: [{ step: 1e6, ...change(here.model, config) }] }));
  it.pump(3);
  const trains = () => {
    const before = it.ask({ type: "snapshot" });
    it.pump(1);
    return !Buffer.from(before).equals(it.ask({ type: "snapshot" }));
  };
  for (const [type, bytes] of [["restore", snapshot.slice(0, 900)], ["loadWeights", weights]]) {
    assert.throws(() => it.ask({ type, bytes, config: null }));
    assert.ok(trains());
  }
  assert.throws(() => it.ask({ type: "loadWeights", bytes: weights.slice(0, -4), config: small(there.dataset, there.model) }));
  assert.throws(() => it.ask({ type: "loadWeights", bytes: weights, config: { dataset: "nowhere" } }), /nowhere|model/);
  assert.ok(trains());
  const info = it.ask({ type: "restore", bytes: snapshot });
  assert.deepEqual([info.config.model, info.step], [there.model.id, 3]);
  assert.ok(!trains());
  assert.deepEqual(it.ask({ type: "snapshot" }), snapshot, "nothing happens to it by itself");
  const again = it.ask({ type: "loadWeights", bytes: weights, config: small(there.dataset, there.model) });
  assert.equal(again.step, 0);
  // The header tells of the step too: the values follow it.
  const valuesOf = (bytes) => bytes.subarray(8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true));
  assert.deepEqual(valuesOf(it.ask({ type: "weights" })), valuesOf(weights));
});
