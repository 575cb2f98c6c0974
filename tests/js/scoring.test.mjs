/** @file When scores are computed, over a session of the test's own, and over the package's. */
import assert from "node:assert/strict";
import test from "node:test";
import { Engine } from "../../www/engine.js";
import { defaultsOf } from "../../www/state.js";
import { catalog, pairs, wasm } from "./wasm.mjs";

/** How many milliseconds things take. */
const STEP = 1;
const BEGIN = 2;

/**
 * An engine over a session that only counts, with a clock that goes on by what things cost.
 * `parts` are the costs of an evaluation's parts; one that is no number fails.
 */
function host(parts = [4, 4, 4]) {
  const clock = { now: 0, training: 0, scoring: 0 };
  const posted = [];
  const queue = [];
  const log = [];
  class Session {
    #steps = 0;
    #left = [];
    #of = 0;
    step(n) {
      this.#steps += n;
      clock.now += n * STEP;
      clock.training += n * STEP;
    }
    steps() {
      return this.#steps;
    }
    set() {
      return "live";
    }
    reset() {
      this.#steps = 0;
    }
    info() {
      return JSON.stringify({ step: this.#steps, config: {} });
    }
    checkpoint() {
      return new Uint8Array(1);
    }
    beginScores() {
      this.#left = [...parts];
      this.#of = this.#steps;
      log.push(`begin ${this.#steps}`);
      this.#spend(BEGIN);
      return parts.length;
    }
    scorePart() {
      const cost = this.#left.shift();
      if (typeof cost !== "number") throw new Error("the samples are not finite numbers");
      this.#spend(cost);
      if (this.#left.length > 0) return JSON.stringify({ done: false });
      return JSON.stringify({ done: true, step: this.#of, scores: [{ id: "a", value: 1, floor: null, optimum: null, by: null }], findings: [] });
    }
    #spend(cost) {
      clock.now += cost;
      clock.scoring += cost;
    }
    free() {}
  }
  const engine = new Engine({ ...wasm, Session }, (message) => posted.push(message), { slice: 15, later: (callback) => queue.push(callback), now: () => clock.now });
  return {
    clock,
    log,
    queue,
    tell: (message) => engine.handle(message),
    open: (more = {}) => engine.handle({ type: "open", id: 1, config: { dataset: "any" }, events: [], target: null, play: false, generation: 7, ...more }),
    pump(until = () => queue.length === 0) {
      for (let i = 0; i < 1e6 && !until() && queue.length > 0; i++) queue.shift()();
    },
    scores: () => posted.filter(({ type }) => type === "scores"),
  };
}

for (const parts of [[0.1, 0.1, 0.1], [4, 4, 4], Array(60).fill(25), [300, 1]]) {
  test(`parts of ${parts[0]} ms: training keeps 95 % of the time, and scores come again and again`, () => {
    const it = host(parts);
    it.open({ play: true });
    it.tell({ type: "scoring", on: true });
    it.pump(() => it.clock.now > 100_000);
    // What the clock does not see here, such as cold caches, has the rest of the twentieth.
    assert.ok(it.clock.scoring <= 0.035 * it.clock.now, `${it.clock.scoring} of ${it.clock.now} ms`);
    assert.ok(it.clock.training >= 0.965 * it.clock.now);
    const cost = BEGIN + parts.reduce((a, b) => a + b);
    const most = Math.min(100_000 / (cost / 0.03), 100);
    assert.ok(it.scores().length >= 0.8 * Math.floor(most), `${it.scores().length} evaluations`);
    assert.ok(it.scores().every(({ generation }) => generation === 7));
    const steps = it.scores().map(({ step }) => step);
    assert.equal(new Set(steps).size, steps.length, "a step is scored once");
    assert.ok(steps[0] >= 900 && steps[0] <= 1200, `the first is of step ${steps[0]}`);
  });
}

test("what a pause leaves over is spent at once, but never more than a slice", () => {
  const it = host(Array(12).fill(2.5));
  it.open({ play: true });
  it.tell({ type: "scoring", on: true });
  let most = 0;
  while (it.scores().length === 0 && it.clock.now < 5000) {
    const before = it.clock.scoring;
    it.queue.shift()();
    most = Math.max(most, it.clock.scoring - before);
  }
  assert.ok(most > 10 && most <= 15 + 2.5, `${most} ms at once`);
  // 32 ms of scores: a new session has them in advance.
  assert.ok(it.clock.now < 1100, `the first scores came after ${it.clock.now} ms`);
});

for (const [parts, soon] of [[Array(400).fill(0.5), 2000], [Array(60).fill(8), 4500], [Array(10).fill(15), 1500], [Array(200).fill(4), 7000], [Array(400).fill(5), 60_000]]) {
  const cost = BEGIN + parts.reduce((a, b) => a + b);
  test(`first scores that take ${cost} ms are lent time, which is paid back: over twenty seconds training keeps 95 %`, () => {
    const it = host(parts);
    it.open({ play: true });
    it.tell({ type: "scoring", on: true });
    let first = Infinity;
    while (it.clock.now < 60_000) {
      // What one look takes too much, and what the share gives in a long look, is for the next one.
      const slack = 15 + parts[0];
      const { now, scoring } = it.clock;
      assert.ok(scoring <= 60 + 0.125 * now + slack, `${scoring} of ${now} ms`);
      assert.ok(scoring <= 0.048 * Math.max(now, 20_000) + slack, `${scoring} of ${now} ms`);
      if (first === Infinity && it.scores().length > 0) first = now;
      const begun = it.log.length;
      it.queue.shift()();
      // Those after them take what the share gives, and nothing more.
      if (begun > 0 && it.log.length > begun) assert.ok(scoring <= 60 + 0.03 * now, `began after ${scoring} of ${now} ms`);
    }
    assert.ok(first <= soon, `the first scores came after ${first} ms`);
  });
}

test("another session is lent time again, and the same one is not", () => {
  const it = host(Array(50).fill(6));
  const first = () => {
    const [since, known] = [it.clock.now, it.scores().length];
    it.pump(() => it.scores().length > known || it.clock.now > since + 30_000);
    return it.clock.now - since;
  };
  it.open({ play: true });
  it.tell({ type: "scoring", on: true });
  const soon = first();
  assert.ok(soon < 3500, `${soon} ms`);
  const next = first();
  assert.ok(next > 302 / 0.03 - 1000, `${next} ms`);
  it.open({ play: true });
  assert.ok(first() <= soon + 15);
});

test("without being asked, nothing is scored", () => {
  const it = host();
  it.open({ play: true });
  it.pump(() => it.clock.now > 5000);
  it.tell({ type: "run", running: false });
  it.pump();
  assert.deepEqual(it.log, []);
});

test("the step at which training rests is scored once, and the engine sleeps then", () => {
  const it = host([40, 40]);
  it.open({ target: 200 });
  it.tell({ type: "scoring", on: true });
  it.pump();
  assert.deepEqual(it.scores().map(({ step }) => step), [200]);
  it.tell({ type: "hold", held: false });
  it.tell({ type: "scoring", on: true });
  it.pump();
  assert.deepEqual(it.log, ["begin 200"]);
  // A change makes it another model; a single step another step.
  it.tell({ type: "set", id: 2, key: "rate", value: 1 });
  it.pump();
  it.tell({ type: "steps", id: 3, n: 1 });
  it.pump();
  assert.deepEqual(it.log, ["begin 200", "begin 200", "begin 201"]);
  // What has learned nothing has no scores.
  it.tell({ type: "reset", id: 4 });
  it.pump();
  assert.equal(it.log.length, 3);
});

test("at rest, mail is read between the parts, and training comes before scores", () => {
  const it = host(Array(20).fill(20));
  it.open({ target: 50 });
  it.tell({ type: "scoring", on: true });
  it.pump(() => it.log.length > 0);
  assert.equal(it.queue.length, 1, "a slice is over after one part");
  it.tell({ type: "train", id: 2, target: 100 });
  it.pump();
  assert.deepEqual(it.scores().map(({ step }) => step), [100], "the evaluation of step 50 was given up");
  it.tell({ type: "steps", id: 3, n: 1 });
  it.tell({ type: "hold", held: true });
  it.pump();
  assert.equal(it.scores().length, 1, "a page that is out of sight waits");
  it.tell({ type: "hold", held: false });
  it.pump();
  assert.deepEqual(it.scores().map(({ step }) => step), [100, 101]);
});

test("what cannot be scored says why, and is not tried again", () => {
  const it = host([1, null, 1]);
  it.open({ target: 10 });
  it.tell({ type: "scoring", on: true });
  it.pump();
  assert.equal(it.scores().length, 1);
  assert.deepEqual(it.scores()[0], { type: "scores", generation: 7, step: 10, scores: [], findings: [], failed: "the samples are not finite numbers" });
});

test("the package's scores are those of the catalogue, and training does not notice them", () => {
  const { model, dataset } = pairs.find(({ dataset }) => !dataset.drawable);
  const run = (on) => {
    let now = 0;
    const posted = [];
    const queue = [];
    const engine = new Engine({ ...wasm }, (message) => posted.push(message), { slice: 15, later: (callback) => queue.push(callback), now: () => (now += 5) });
    const config = { ...defaultsOf(catalog, { dataset: dataset.id, model: model.id }), batchSize: 16 };
    engine.handle({ type: "open", id: 1, config, events: [], target: 300, play: false, generation: 1 });
    engine.handle({ type: "scoring", on });
    while (queue.length > 0) queue.shift()();
    engine.handle({ type: "snapshot", id: 2 });
    return { scores: posted.filter(({ type }) => type === "scores"), bytes: posted.find(({ id }) => id === 2).value };
  };
  const [off, on] = [run(false), run(true)];
  assert.deepEqual(on.bytes, off.bytes);
  assert.equal(off.scores.length, 0);
  const last = on.scores.at(-1);
  assert.equal(last.step, 300);
  assert.equal(last.failed, null);
  const known = catalog.scores.filter(({ domains }) => domains.includes(dataset.domain)).map(({ id }) => id);
  assert.ok(last.scores.length > 3);
  for (const { id, value, floor } of last.scores) {
    assert.ok(known.includes(id), id);
    assert.ok(Number.isFinite(value) && (floor === null || Number.isFinite(floor)), id);
  }
  for (const { id } of last.findings) assert.ok(catalog.findings.includes(id), id);
});
