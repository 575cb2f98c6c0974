import assert from "node:assert/strict";
import test from "node:test";
import { defaultsOf, misfitOf, nearest, readLink, specsByKey, switched, textOf, withEvent, writeLink } from "../../www/state.js";
import { anyValue, catalog, pairs, random, wasm } from "./wasm.mjs";

/** Whether the engine itself takes a configuration. */
function accepted(config) {
  const session = new wasm.Session(JSON.stringify(config));
  session.free();
}

test("the defaults are what Rust says they are", () => {
  for (const { model, dataset } of pairs.filter(({ dataset }) => !dataset.drawable)) {
    const session = new wasm.Session(JSON.stringify({ dataset: dataset.id, model: model.id }));
    const { config } = JSON.parse(session.info());
    session.free();
    assert.deepEqual(defaultsOf(catalog, { dataset: dataset.id, model: model.id }), config, `${model.id} on ${dataset.id}`);
  }
});

test("a link of defaults names the data set and the model, and nothing else", () => {
  for (const { model, dataset } of pairs) {
    const config = defaultsOf(catalog, { dataset: dataset.id, model: model.id });
    assert.equal(writeLink(catalog, { config }), `dataset=${dataset.id}&model=${model.id}`);
  }
});

test("every allowed configuration survives the way into a link and back", () => {
  const draw = random(7);
  for (const { model, dataset } of pairs) {
    for (let round = 0; round < 20; round++) {
      const config = defaultsOf(catalog, { dataset: dataset.id, model: model.id });
      config.seed = Math.floor(draw() * (catalog.seed.high + 1));
      for (const [key, spec] of specsByKey(catalog, config)) if (draw() < 0.5) config[key] = anyValue(spec, draw);
      const text = writeLink(catalog, { config });
      const link = readLink(catalog, `#${text}`);
      assert.deepEqual(link.config, config, text);
      assert.deepEqual(link.clamped, [], text);
    }
  }
});

test("a run's live changes, step, view and appearance survive the way into a link and back", () => {
  for (const { model, dataset } of pairs) {
    const config = defaultsOf(catalog, { dataset: dataset.id, model: model.id });
    const live = [...specsByKey(catalog, config).values()].filter(({ effect, kind }) => effect === "live" && kind !== "text");
    const draw = random(3);
    const events = live.map((spec, i) => ({ step: 10 * (i + 1), key: spec.key, value: anyValue(spec, draw) }));
    for (const phase of model.phases) events.push({ step: 10 * (events.length + 1), key: "phase", value: phase });
    const given = { config, events, step: 3000, play: true, view: "latent", layers: ["samples", "real"], lang: "zh", theme: "dark", hide: ["data", "settings"], lock: ["model"], embed: true };
    const { clamped, ...link } = readLink(catalog, writeLink(catalog, given));
    assert.deepEqual(link, given);
    assert.deepEqual(clamped, []);
  }
});

test("numbers in a link are moved into their range, visibly, and Rust takes the result", () => {
  const draw = random(11);
  for (const { model, dataset } of pairs.filter(({ dataset }) => !dataset.drawable)) {
    const defaults = defaultsOf(catalog, { dataset: dataset.id, model: model.id });
    for (const [key, spec] of specsByKey(catalog, defaults)) {
      if (!["linear", "log", "integer"].includes(spec.kind)) continue;
      for (const text of [String(spec.low - 1 - draw()), String(spec.high * 2 + 1), "1e999", "-1e999"]) {
        const { config, clamped } = readLink(catalog, `dataset=${dataset.id}&model=${model.id}&${key}=${text}`);
        const value = /** @type {number} */ (config[key]);
        assert.ok(value >= spec.low && value <= spec.high, `${key}=${text} became ${value}`);
        assert.deepEqual(clamped.map((clamp) => clamp.key), [key], `${key}=${text} is said`);
      }
    }
    // A cheap, small run at the low ends of what was just clamped.
    const lows = Object.entries(defaults).filter(([key]) => specsByKey(catalog, defaults).has(key)).map(([key]) => `${key}=-1e999`);
    accepted(readLink(catalog, `dataset=${dataset.id}&model=${model.id}&${lows.join("&")}`).config);
  }
});

test("hostile links never throw, and what they give is a configuration that Rust takes", () => {
  const [dataset] = catalog.datasets;
  const [model] = catalog.models;
  const own = `dataset=${dataset.id}&model=${model.id}`;
  const keys = [...specsByKey(catalog, { dataset: dataset.id, model: model.id }).keys()];
  const values = ["", "NaN", "null", "undefined", "Infinity", "-0", "1e-999", "0x10", "{}", "[]", "%", "%ZZ", "%00", "__proto__", "constructor",
    "<img src=x onerror=alert(1)>", "'; drop", "1,2,NaN", ",,,", "9".repeat(400), "🕯".repeat(50), "a:b:c;d", "\u202e", "true", "64,64,64,64,64,64,64,64,64,64"];
  const links = ["", "#", "##", "&", "=", "&&==&", "#%", "dataset", "dataset=", "model=", "seed=", "__proto__=1&constructor=2&toString=3", "a".repeat(1 << 20),
    `${own}&step=-1`, `${own}&step=1e99`, `${own}&events=;;;`, `${own}&events=1:2:3:4;NaN:x:y;-1:phase:both;1e999:phase:both`, `${own}&events=${"0:phase:both;".repeat(20_000)}`];
  for (const value of values) {
    links.push(`dataset=${value}`, `model=${value}`, `${own}&hide=${value}&view=${value}&layers=${value}&lang=${value}&theme=${value}&play=${value}&step=${value}`);
    for (const key of keys) links.push(`${own}&${key}=${value}`, `${own}&events=5:${key}:${value}`);
    links.push(`${own}&seed=${value}`, `${own}&${keys.map((key) => `${key}=${value}`).join("&")}`);
  }
  const seen = new Set();
  for (const text of links) {
    const link = readLink(catalog, text);
    assert.ok(catalog.datasets.some(({ id }) => id === link.config.dataset), text.slice(0, 80));
    assert.equal(Object.getPrototypeOf(link.config), Object.prototype);
    for (const [key, spec] of specsByKey(catalog, link.config)) assert.deepEqual(nearest(spec, link.config[key]), link.config[key], `${key} in ${text.slice(0, 80)}`);
    for (const { step } of link.events) assert.ok(Number.isSafeInteger(step) && step >= 0);
    assert.ok(link.step === null || (Number.isSafeInteger(link.step) && link.step >= 0));
    const chosen = catalog.datasets.find(({ id }) => id === link.config.dataset);
    const config = JSON.stringify(link.config);
    // Building each distinct one in Rust; an empty drawing is the one thing that is rightly refused.
    if (!chosen?.drawable && !seen.has(config) && seen.size < 150) accepted(link.config);
    seen.add(config);
  }
});

test("unknown keys are ignored and escaped ampersands are understood", () => {
  const [a, b] = catalog.datasets;
  const [model] = catalog.models;
  const link = readLink(catalog, `#dataset=${b.id}&amp;model=${model.id}&amp;seed=7&amp;nonsense=1`);
  assert.equal(link.config.dataset, b.id);
  assert.equal(link.config.seed, 7);
  assert.ok(!("nonsense" in link.config));
  assert.deepEqual(link.clamped, []);
  assert.notEqual(a.id, b.id);
});

test("an unknown data set or model is said, not swallowed", () => {
  const { config, clamped } = readLink(catalog, "dataset=nowhere&model=nothing");
  assert.equal(config.dataset, catalog.datasets[0].id);
  assert.deepEqual(clamped.map(({ key }) => key).sort(), ["dataset", "model"]);
});

test("a link that names only a model leads to the data that show it; one that names data keeps to them", () => {
  for (const { id, example } of catalog.models) {
    const { config, clamped } = readLink(catalog, `#model=${id}`);
    assert.deepEqual([config.model, config.dataset, clamped], [id, example, []]);
  }
  const { config, clamped } = readLink(catalog, "#dataset=digits&model=ebm");
  assert.equal(config.dataset, "digits");
  assert.deepEqual(clamped.map(({ key }) => key), ["model"]);
});

test("choosing another data set keeps the model's settings and the seed, and drops the old data's", () => {
  for (const model of catalog.models) {
    const sets = catalog.datasets.filter(({ id }) => !(id in model.misfits));
    const [from, to] = sets;
    const draw = random(5);
    const config = defaultsOf(catalog, { dataset: from.id, model: model.id });
    config.seed = 99;
    for (const spec of [...from.params, ...model.params]) config[spec.key] = anyValue(spec, draw);
    const after = switched(catalog, config, { dataset: to.id });
    assert.equal(after.dataset, to.id);
    assert.equal(after.seed, 99);
    const specs = specsByKey(catalog, after);
    for (const { key } of model.params) assert.deepEqual(after[key], nearest(specs.get(key), config[key]), key);
    for (const { key, default: value } of to.params) assert.deepEqual(after[key], value, key);
  }
});

test("a live change takes the place of what was planned for later", () => {
  const events = [{ step: 1, key: "a", value: 1 }, { step: 5, key: "a", value: 2 }, { step: 5, key: "b", value: 3 }, { step: 9, key: "b", value: 4 }];
  assert.deepEqual(withEvent(events, { step: 5, key: "a", value: 7 }), [events[0], events[2], { step: 5, key: "a", value: 7 }]);
});

test("values in links are the shortest text that reads back", () => {
  assert.equal(textOf([64, 64]), "64,64");
  assert.equal(textOf(0.001), "0.001");
  assert.equal(textOf(true), "true");
});

test("a model that takes data of some sizes is judged at the size that is set", () => {
  const sized = catalog.models.flatMap((model) => Object.entries(model.upTo).map(([id, upTo]) => ({ model, dataset: catalog.datasets.find((set) => set.id === id), ...upTo })));
  assert.ok(sized.length > 0);
  for (const { model, dataset, key, most, misfit } of sized) {
    const spec = dataset.params.find((param) => param.key === key);
    assert.ok(spec.low <= most && most < spec.high);
    assert.equal(misfitOf(model, dataset, { [key]: most }), null);
    assert.equal(misfitOf(model, dataset, { [key]: most + 1 })?.misfit, misfit);
    assert.equal(misfitOf(model, dataset) === null, !(dataset.id in model.misfits), "without settings it is judged at the defaults");
    const link = (/** @type {number} */ value) => readLink(catalog, `dataset=${dataset.id}&model=${model.id}&${key}=${value}`);
    const fits = link(most);
    assert.deepEqual([fits.config.model, fits.config[key], fits.clamped], [model.id, most, []]);
    assert.deepEqual(readLink(catalog, writeLink(catalog, fits)).config, fits.config);
    // Another is taken instead, and that is said.
    const outgrown = link(most + 1);
    assert.notEqual(outgrown.config.model, model.id);
    assert.deepEqual(outgrown.clamped.map((clamp) => clamp.key), ["model"]);
    // The engine agrees.
    accepted(fits.config);
    assert.throws(() => accepted({ dataset: dataset.id, model: model.id, [key]: most + 1 }), /does not take these data/);
    // Other data have their own size.
    for (const other of catalog.datasets.filter(({ file }) => !file)) {
      const after = switched(catalog, fits.config, { dataset: other.id });
      const taken = catalog.models.find(({ id }) => id === after.model);
      assert.equal(misfitOf(taken, other, after), null, `${after.model} on ${other.id}`);
    }
    const chosen = switched(catalog, { ...defaultsOf(catalog, { dataset: dataset.id }), [key]: most }, { model: model.id });
    assert.deepEqual([chosen.model, chosen[key]], [model.id, most]);
  }
});
