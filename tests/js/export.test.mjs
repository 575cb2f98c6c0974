/** @file What is taken away comes back as it was; what was not written by the page is refused by the name of its field. */
import assert from "node:assert/strict";
import test from "node:test";
import { LARGEST_TENSORS, LONGEST_EXPERIMENT, kindOf, linkIn, readFile } from "../../www/export/bring-in.js";
import { readExperiment, writeExperiment } from "../../www/export/experiment-file.js";
import { linesOf } from "../../www/export/pictures.js";
import { MOST_FRAMES, framesAt } from "../../www/export/recorder.js";
import { plainName } from "../../www/export/save.js";
import { csv, floatText, imageSheet, lossesCsv, pointsCsv, scoresCsv, wordsText } from "../../www/export/tables.js";
import { readTensors } from "../../www/export/tensors-file.js";
import { defaultsOf, specsByKey } from "../../www/state.js";
import { anyValue, catalog, pairs, random, wasm } from "./wasm.mjs";

/** Any configuration of a pair, with some live changes. */
function anyExperiment({ model, dataset }, draw) {
  const config = defaultsOf(catalog, { dataset: dataset.id, model: model.id });
  const specs = specsByKey(catalog, config);
  for (const [key, spec] of specs) if (draw() < 0.5) config[key] = anyValue(spec, draw);
  config.seed = Math.floor(draw() * 1000);
  const live = [...specs.values()].filter(({ effect, kind }) => effect === "live" && kind !== "text");
  const events = live.slice(0, 3).map((spec, i) => ({ step: 10 * i, key: spec.key, value: anyValue(spec, draw) }));
  if (model.phases.length > 0) events.push({ step: 40, key: "phase", value: model.phases[0] });
  return { config, events, step: Math.floor(draw() * 1e6) };
}

test("an experiment of any model comes back as it was, and the engine takes it", () => {
  const draw = random(5);
  for (const pair of pairs) {
    const experiment = anyExperiment(pair, draw);
    assert.deepEqual(readExperiment(catalog, writeExperiment(catalog, experiment)), experiment, `${pair.model.id} on ${pair.dataset.id}`);
  }
  const { model, dataset } = pairs[0];
  const { config } = readExperiment(catalog, writeExperiment(catalog, { config: defaultsOf(catalog, { dataset: dataset.id, model: model.id }), events: [], step: 0 }));
  new wasm.Session(JSON.stringify(config)).free();
});

const { model, dataset } = pairs.find((pair) => !pair.dataset.drawable);
const good = () => ({ tealight: catalog.version, config: defaultsOf(catalog, { dataset: dataset.id, model: model.id }), events: [], step: 7 });
const refused = (json, field) =>
  assert.throws(() => readExperiment(catalog, typeof json === "string" ? json : JSON.stringify(json)), (error) => error.name === "Refused" && field.test(error.message), String(field));

test("a broken experiment is refused by the name of its field", () => {
  readExperiment(catalog, JSON.stringify(good()));
  refused("", /^json/);
  refused("{", /^json/);
  refused("[".repeat(100_000), /^json/);
  refused("[]", /^noExperiment/);
  refused("null", /^noExperiment/);
  refused({ config: good().config }, /^noExperiment/);
  refused({ ...good(), script: "<img src=x onerror=alert(1)>" }, /script/);
  refused({ ...good(), tealight: 3 }, /tealight/);
  refused({ ...good(), tealight: "99.0.0" }, /^newer.*99\.0\.0/);
  refused({ ...good(), tealight: "9".repeat(500) }, /tealight/);
  refused({ ...good(), config: [] }, /config/);
  for (const key of ["dataset", "model"]) {
    for (const value of [undefined, null, 3, "nowhere", "__proto__", "constructor", { id: "x" }]) refused({ ...good(), config: { ...good().config, [key]: value } }, new RegExp(`config\\.${key}`));
  }
  const file = catalog.datasets.find((it) => it.file);
  refused({ ...good(), config: { ...good().config, dataset: file.id } }, /config\.dataset/);
  refused({ ...good(), config: { ...good().config, nonsense: 1 } }, /config\.nonsense/);
  refused(JSON.stringify(good()).replace('"config":{', '"config":{"__proto__":{"polluted":1},'), /__proto__/);
  assert.equal(/** @type {any} */ ({}).polluted, undefined);
  for (const spec of [...specsByKey(catalog, good().config).values(), { key: "seed" }]) {
    for (const value of [null, {}, [[]], "<b>", 1e300, -1e300, spec.kind === "flag" ? 1 : true]) {
      if (spec.kind === "text" && value === "<b>") continue;
      refused({ ...good(), config: { ...good().config, [spec.key]: value } }, new RegExp(`config\\.${spec.key}`));
    }
  }
  for (const step of [-1, 0.5, "3", 1e300, {}]) refused({ ...good(), step }, /^value: step/);
  refused({ ...good(), events: {} }, /^value: events/);
  refused({ ...good(), events: Array(5000).fill({}) }, /^value: events/);
  const spec = [...specsByKey(catalog, good().config).values()].find(({ effect, kind }) => effect === "live" && kind === "log");
  const event = { step: 1, key: spec.key, value: spec.default };
  for (const [bad, field] of [[3, "events\\[1\\]"], [{ ...event, step: -1 }, "events\\[1\\]\\.step"], [{ ...event, key: "toString" }, "events\\[1\\]\\.key"], [{ ...event, value: 1e300 }, "events\\[1\\]\\.value"]]) {
    refused({ ...good(), events: [event, bad] }, new RegExp(field));
  }
  const deep = "[".repeat(1000) + "]".repeat(1000);
  refused(JSON.stringify(good()).replace('"events":[]', `"events":${deep}`), /events\[0\]/);
});

test("an experiment that was changed at random is refused with a sentence, or is allowed", () => {
  const draw = random(11);
  const text = writeExperiment(catalog, anyExperiment(pairs[0], draw));
  for (let i = 0; i < 3000; i++) {
    const letters = [...text];
    for (let k = 0; k < 1 + 3 * draw(); k++) letters[Math.floor(draw() * letters.length)] = String.fromCharCode(32 + Math.floor(95 * draw()));
    try {
      const { config } = readExperiment(catalog, letters.join(""));
      assert.equal(Object.keys(config).length, Object.keys(defaultsOf(catalog, config)).length);
    } catch (error) {
      assert.equal(error.name, "Refused", error.stack);
    }
  }
});

/** What follows the header, which tells of the step too. @param {Uint8Array} bytes */
const valuesOf = (bytes) => bytes.subarray(8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true));

const session = (config = good().config) => new wasm.Session(JSON.stringify({ ...config, batchSize: 16 }));

test("snapshots and weights are told apart, and bring their configuration", () => {
  const it = session();
  it.step(3);
  const weights = readTensors(it.weights());
  assert.equal(weights.kind, "weights");
  assert.deepEqual([weights.config.dataset, weights.config.model], [dataset.id, model.id]);
  const snapshot = readTensors(it.snapshot());
  assert.deepEqual([snapshot.kind, snapshot.phase], ["snapshot", "both"]);
  const other = session(weights.config);
  other.loadWeights(it.weights());
  assert.deepEqual(valuesOf(other.weights()), valuesOf(it.weights()));
  other.restore(it.snapshot());
  assert.deepEqual(other.snapshot(), it.snapshot());
});

/** A safetensors file of one number with this header. */
function tensors(header) {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + 4);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 8);
  return bytes;
}

test("a broken safetensors file is refused, and the session stays as it was", () => {
  const it = session();
  it.step(2);
  const before = it.snapshot();
  const refusedAs = (bytes, key) => assert.throws(() => readTensors(bytes), (error) => error.name === "Refused" && error.key === key, key);
  refusedAs(new Uint8Array(0), "noTensors");
  refusedAs(new Uint8Array(100), "noTensors");
  refusedAs(new Uint8Array(9).fill(255), "noTensors");
  refusedAs(it.weights().subarray(0, 60), "cut");
  refusedAs(tensors("{nonsense}"), "header");
  refusedAs(tensors({ __metadata__: { tealight: "nonsense" } }), "metadata");
  refusedAs(tensors({ __metadata__: { tealight: "[]" } }), "metadata");
  refusedAs(tensors({ __metadata__: { tealight: JSON.stringify({ dataset: { deep: [] } }) } }), "value");
  assert.deepEqual(readTensors(tensors({ a: 1 })), { kind: "weights", config: null });
  assert.equal(readTensors(tensors({ __metadata__: { __proto__: null, other: "1" } })).config, null);
  const draw = random(3);
  for (const bytes of [it.weights(), it.snapshot()]) {
    for (let i = 0; i < 60; i++) {
      const broken = bytes.slice(0, i % 2 ? bytes.length : Math.floor(draw() * bytes.length));
      for (let k = 0; k < 4; k++) broken[Math.floor(draw() * Math.min(broken.length, 2000))] = Math.floor(256 * draw());
      try {
        readTensors(broken);
      } catch (error) {
        assert.equal(error.name, "Refused", error.stack);
      }
      for (const load of ["restore", "loadWeights"]) {
        const victim = session();
        victim.step(2);
        try {
          victim[load](broken);
        } catch (error) {
          assert.doesNotMatch(error.message, /unreachable|memory access/);
          assert.deepEqual(victim.snapshot(), before, "untouched");
        }
        victim.free();
      }
    }
  }
});

test("a file's size is looked at before it is read", async () => {
  const file = (name, size, text = "{}") => ({ name, size, type: "", slice: () => new Blob([text]), arrayBuffer: () => assert.fail("it was read") });
  for (const [name, size, kind] of [["a.json", LONGEST_EXPERIMENT + 1, "experiment"], ["a.safetensors", LARGEST_TENSORS + 1, "tensors"]]) {
    assert.equal(await kindOf(/** @type {any} */ (file(name, size))), kind);
    await assert.rejects(readFile(catalog, /** @type {any} */ (file(name, size)), kind), (error) => error.key === "tooLarge");
  }
  assert.equal(await kindOf(new File(["x,y\n1,2"], "a.csv")), null);
  assert.equal(await kindOf(new File([session().weights()], "download")), "tensors");
  await assert.rejects(readFile(catalog, new File([Uint8Array.of(0xff, 0xfe)], "a.json"), "experiment"), (error) => error.key === "json");
});

test("a pasted link is known by what it names", () => {
  assert.equal(linkIn(" https://example.org/x/#dataset=a&model=b\n"), "dataset=a&model=b");
  assert.equal(linkIn("#model=b"), "model=b");
  assert.equal(linkIn("dataset=a&amp;model=b"), "dataset=a&amp;model=b");
  for (const text of ["", "hello", "javascript:alert(1)", "https://example.org/#top", "mydataset=1"]) assert.equal(linkIn(text), null, text);
});

test("a float has as few digits as give it back", () => {
  const draw = random(17);
  const view = new DataView(new ArrayBuffer(4));
  for (let i = 0; i < 20_000; i++) {
    view.setUint32(0, Math.floor(draw() * 2 ** 32));
    const x = view.getFloat32(0);
    if (!Number.isFinite(x)) continue;
    assert.equal(Math.fround(Number(floatText(x))), x);
    assert.ok(x.toExponential().length >= Number(floatText(x)).toExponential().length && Number(floatText(x)).toExponential().replace(/e.*|[-.]/g, "").length <= 9);
  }
  assert.deepEqual([0.1, 1, -2.5, NaN, Infinity].map((x) => floatText(Math.fround(x))), ["0.1", "1", "-2.5", "", ""]);
});

test("tables are what a spreadsheet reads, and nothing it runs", () => {
  assert.equal(csv(["a", "b"], [[1, null], ['=1+1', 'x "y", z']]), "a,b\n1,\n'=1+1,\"x \"\"y\"\", z\"\n");
  assert.equal(lossesCsv(["loss", "kl"], { data: Float32Array.of(1, 2, 0.5, NaN, 3, 0.25), shape: [3, 2] }), "step,loss,kl\n1,0.5,3\n2,,0.25\n");
  const history = { steps: [1, 5], values: (id) => (id === "a" ? [null, 2] : [null, null]) };
  assert.equal(scoresCsv(["a", "b"], history), "step,a\n1,\n5,2\n");
});

test("samples come back as data: points, words, pixels", () => {
  const draw = random(23);
  const data = Float32Array.from({ length: 200 }, () => 4 * draw() - 2);
  const load = (name, bytes) => {
    const loader = new wasm.Loader("{}");
    loader.add(name, bytes);
    return loader.finish();
  };
  const encode = (text) => new TextEncoder().encode(text);
  const points = load("points.csv", encode(pointsCsv({ data, shape: [100, 2] })));
  const rows = points.rows(80);
  const known = new Set(Array.from({ length: 100 }, (_, i) => `${data[2 * i]} ${data[2 * i + 1]}`));
  for (let i = 0; i < 80; i++) assert.ok(known.has(`${rows[2 * i]} ${rows[2 * i + 1]}`), `row ${i}`);
  const tokens = Float32Array.of(1, 2, 0, 2, 2, 1, 1, 0, 0);
  const text = wordsText({ data: tokens, shape: [3, 3] }, "ab");
  assert.equal(text, "ab\nbba\na\n");
  assert.equal(JSON.parse(load("words.txt", encode(text)).info()).alphabet, "ab");
  const sheet = imageSheet({ data: Float32Array.of(0, 1, 0.5, 1, 1, 1, 1, 0), shape: [2, 4] }, { channels: 1, height: 2, width: 2, vocabulary: 0 });
  const at = (x, y) => [...sheet.pixels.subarray(4 * (y * sheet.width + x), 4 * (y * sheet.width + x) + 4)];
  assert.deepEqual([sheet.width, sheet.height], [680, 68]);
  assert.deepEqual([at(2, 2), at(34, 2), at(2, 34), at(70 + 32, 34)], [[0, 0, 0, 255], [255, 255, 255, 255], [128, 128, 128, 255], [0, 0, 0, 255]]);
});

test("a film has both ends, and never too many frames", () => {
  assert.deepEqual(framesAt(0, 10, 4), [0, 4, 8, 10]);
  assert.deepEqual(framesAt(5, 5, 1), [5]);
  for (const [from, to, every] of [[0, 1e6, 1], [7, 12345, 3], [0, 1e15, 1]]) {
    const steps = framesAt(from, to, every);
    assert.ok(steps.length <= MOST_FRAMES, `${steps.length}`);
    assert.deepEqual([steps[0], steps.at(-1)], [from, to]);
    assert.ok(steps.every((step, i) => i === 0 || step > steps[i - 1]));
  }
});

test("captions are broken into lines that fit", () => {
  const measure = (text) => [...text].length;
  assert.deepEqual(linesOf("one two three", 7, measure), ["one two", "three"]);
  assert.deepEqual(linesOf("每一步都在训练", 3, measure), ["每一步", "都在训", "练"]);
  assert.deepEqual(linesOf("https://example.org/abc", 10, measure).join(""), "https://example.org/abc");
  for (const width of [1, 2, 5, 9]) for (const line of linesOf("a bcdefghij kl 二三四五六 m", width, measure)) assert.ok(measure(line) <= width);
});

test("a file's name is one that every system takes", () => {
  assert.equal(plainName("../../etc/passwd"), "etc-passwd");
  assert.equal(plainName('a<b>:"c"'), "a-b-c");
  assert.equal(plainName("..."), "tealight");
});
