/** @file The files that lie beside the module: what happens without them, and when they come. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { Engine } from "../../www/engine.js";
import { defaultsOf } from "../../www/state.js";
import { catalog, wasm as whole } from "./wasm.mjs";

const file = (/** @type {string} */ name) => new Uint8Array(readFileSync(new URL(`../../pkg/${name}`, import.meta.url)));

let modules = 0;

/** The package in an instance of its own, to which nobody has provided anything. */
async function bare() {
  const wasm = await import(`../../pkg/tealight.js?bare=${++modules}`);
  wasm.initSync({ module: file("tealight_bg.wasm") });
  return wasm;
}

/** An engine over a package, and what it posts. */
function host(wasm) {
  const posted = [];
  const queue = [];
  let time = 0;
  const engine = new Engine(wasm, (message) => posted.push(message), { slice: 15, later: (callback) => queue.push(callback), now: () => (time += 1) });
  let id = 0;
  return {
    posted,
    tell: (message) => engine.handle(message),
    /** Asks, and gives the number under which an answer may come. */
    ask(message) {
      engine.handle({ ...message, id: ++id });
      return id;
    },
    answer: (number) => posted.find((it) => (it.type === "reply" || it.type === "error") && it.id === number),
    wanted: () => posted.filter(({ type }) => type === "wanted").map(({ file: name, again }) => [name, again]),
    /** Where the run stands. */
    status() {
      engine.handle({ type: "hold", held: false });
      return posted.filter(({ type }) => type === "status").at(-1).status;
    },
    pump(most = Infinity) {
      for (let i = 0; i < most && queue.length > 0; i++) queue.shift()();
    },
  };
}

const stored = catalog.datasets.find(({ supply }) => supply);
const plain = catalog.datasets.find(({ supply, drawable, file: own }) => !supply && !drawable && !own);
assert.ok(stored?.supply && plain);
const modelFor = (dataset) => catalog.models.find(({ misfits }) => !(dataset.id in misfits));
const config = (dataset) => ({ ...defaultsOf(catalog, { dataset: dataset.id, model: modelFor(dataset).id }), batchSize: 16 });
const opening = (dataset, more = {}) => ({ type: "open", config: config(dataset), events: [], target: null, play: false, generation: 1, ...more });
const provided = (name) => ({ type: "provide", file: name, bytes: file(name).buffer, problem: "" });
const scoring = catalog.supplies.find((it) => it.for === "scores");

test("the catalogue names every file, with its size and what needs it", () => {
  assert.ok(catalog.supplies.length >= 2);
  for (const { name, bytes } of catalog.supplies) assert.equal(file(name).length, bytes, name);
  const rows = catalog.supplies.filter((it) => it.for === "rows").map(({ name }) => name);
  assert.deepEqual(rows, catalog.datasets.flatMap(({ supply }) => supply ?? []));
});

test("without its file a data set says which it needs, and nothing else needs one", async () => {
  const wasm = await bare();
  for (const dataset of catalog.datasets.filter(({ file: own, drawable }) => !own && !drawable)) {
    const make = () => new wasm.Session(JSON.stringify(config(dataset)));
    if (!dataset.supply) make().free();
    else assert.throws(make, (error) => error.name === "MissingFile" && error.cause === dataset.supply && error.message.includes("provide("));
  }
  // A snapshot of such a session is not restored either, and the session that was to become it stays.
  const other = new whole.Session(JSON.stringify(config(stored)));
  const session = new wasm.Session(JSON.stringify(config(plain)));
  const before = session.info();
  assert.throws(() => session.restore(other.snapshot()), { name: "MissingFile" });
  assert.equal(session.info(), before);
  wasm.provide(stored.supply, file(stored.supply));
  session.restore(other.snapshot());
  assert.deepEqual(session.snapshot(), other.snapshot());
});

test("its first rows are there for a look", async () => {
  const wasm = await bare();
  const text = JSON.stringify({ dataset: stored.id });
  const few = new wasm.Source(text, 4);
  assert.deepEqual(few.rows(4), new whole.Source(text, 1e4).rows(4));
  assert.throws(() => new wasm.Source(text, 320), { name: "MissingFile" });
});

test("only the very file is taken, once or twice, and nothing that is refused does harm", async () => {
  const wasm = await bare();
  const { supply } = stored;
  const bytes = file(supply);
  const damaged = bytes.slice();
  damaged[damaged.length >> 1] ^= 1;
  for (const [name, given, words] of [
    ["nothing.bin", bytes, new RegExp(`nothing\\.bin.*${supply}`)],
    ["../" + supply, bytes, /there is no file/],
    ["", bytes, /there is no file/],
    ["x".repeat(1e6), bytes, /^.{0,400}$/],
    [supply, damaged, /damaged/],
    [supply, bytes.subarray(1), /bytes/],
    [supply, new Uint8Array(0), /has 0 bytes/],
    [supply, new Uint8Array(5e6), /has 5000000 bytes/],
    [scoring.name, bytes, /bytes/],
  ]) {
    assert.throws(() => wasm.provide(name, given), (error) => !(error instanceof WebAssembly.RuntimeError) && words.test(error.message), name.slice(0, 40));
    assert.throws(() => new wasm.Session(JSON.stringify(config(stored))), { name: "MissingFile" });
  }
  wasm.provide(supply, bytes);
  wasm.provide(supply, bytes);
  assert.throws(() => wasm.provide(supply, damaged), /damaged/);
  const [a, b] = [wasm, whole].map(({ Session }) => new Session(JSON.stringify(config(stored))));
  for (const session of [a, b]) session.step(3);
  assert.deepEqual(a.snapshot(), b.snapshot());
});

test("the engine keeps what waits for a file in order, and the session that is there goes on", async () => {
  const it = host(await bare());
  assert.equal(it.answer(it.ask(opening(plain))).type, "reply");
  it.tell({ type: "run", running: true });
  it.pump(3);
  const preview = it.ask({ type: "preview", config: { dataset: stored.id }, n: 320 });
  const open = it.ask(opening(stored, { generation: 2 }));
  const steps = it.ask({ type: "steps", n: 5 });
  const look = it.ask({ type: "preview", config: { dataset: plain.id }, n: 4 });
  for (const waiting of [preview, open, steps]) assert.equal(it.answer(waiting), undefined);
  assert.equal(it.answer(look).type, "reply");
  assert.deepEqual(it.wanted(), [[stored.supply, false]]);
  const { step } = it.status();
  it.pump(3);
  assert.ok(it.status().step > step && it.status().running);
  it.tell({ type: "run", running: false });
  assert.equal(it.status().running, false);
  it.tell(provided(stored.supply));
  assert.deepEqual([preview, open, steps].map((number) => it.answer(number).type), ["reply", "reply", "reply"]);
  assert.equal(it.answer(open).value.config.dataset, stored.id);
  assert.equal(it.answer(steps).value, 5);
  assert.equal(it.posted.filter(({ type }) => type === "wanted").length, 1);
});

test("playing and pausing while it waits is meant for the session that is to come, too", async () => {
  for (const running of [true, false]) {
    const it = host(await bare());
    it.ask(opening(stored, { play: !running, target: 9 }));
    it.tell({ type: "run", running });
    it.tell(provided(stored.supply));
    assert.equal(it.posted.at(-1).status.running, running);
    it.pump(2);
    assert.deepEqual([it.status().running, it.status().target, it.status().step > 0], [running, null, running]);
  }
});

test("whoever goes elsewhere does not wait", async () => {
  const it = host(await bare());
  const left = it.ask(opening(stored));
  const behind = it.ask({ type: "snapshot" });
  const gone = it.ask(opening(plain, { generation: 2 }));
  assert.deepEqual([left, behind, gone].map((number) => it.answer(number).type), ["error", "error", "reply"]);
  it.tell(provided(stored.supply));
  assert.equal(JSON.parse(JSON.stringify(it.answer(it.ask({ type: "steps", n: 2 })).value)), 2);
});

test("a file that does not come, or comes damaged, is an answer; then it is asked for afresh", async () => {
  const it = host(await bare());
  it.ask(opening(plain));
  it.ask({ type: "steps", n: 3 });
  for (const [i, answer] of [
    { type: "provide", file: stored.supply, bytes: null, problem: "there is no answer" },
    { ...provided(stored.supply), bytes: new Uint8Array(7).buffer },
  ].entries()) {
    const open = it.ask(opening(stored, { generation: 2 }));
    const set = it.ask({ type: "set", key: "batchSize", value: 32 });
    it.tell(answer);
    assert.match(it.answer(open).message, i === 0 ? /no answer/ : /has 7 bytes/);
    assert.deepEqual([open, set].map((number) => it.answer(number).file), [stored.supply, stored.supply]);
    // The session that was there is as it was.
    assert.equal(it.answer(it.ask({ type: "steps", n: 1 })).value, 4 + i);
  }
  const open = it.ask(opening(stored, { generation: 2 }));
  assert.deepEqual(it.wanted(), [[stored.supply, false], [stored.supply, true], [stored.supply, true]]);
  it.tell(provided(stored.supply));
  assert.equal(it.answer(open).type, "reply");
});

test("scores wait for their file while training goes on, and say so if it does not come", async () => {
  const wasm = await bare();
  const it = host(wasm);
  wasm.provide(stored.supply, file(stored.supply));
  it.ask(opening(stored));
  it.tell({ type: "scoring", on: true });
  it.ask({ type: "steps", n: 5 });
  it.pump();
  const scores = () => it.posted.filter(({ type }) => type === "scores");
  assert.deepEqual(it.wanted(), [[scoring.name, false]]);
  assert.equal(scores().length, 0);
  it.tell({ type: "provide", file: scoring.name, bytes: null, problem: "no network" });
  assert.deepEqual(scores().map(({ step, failed }) => [step, failed]), [[5, "no network"]]);
  assert.equal(it.answer(it.ask({ type: "steps", n: 1 })).value, 6);
  it.pump();
  assert.deepEqual(it.wanted().at(-1), [scoring.name, true]);
  it.tell(provided(scoring.name));
  it.pump();
  const { step, failed, scores: found } = scores().at(-1);
  assert.deepEqual([step, failed], [6, null]);
  assert.ok(found.some(({ id }) => id === "labels"));
});
