/** @file The link holds the run: what is changed stands in it, and whoever opens it sees the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { catalog, defaultsOf, hashOf, pairs, specsOf, staged, textOf, usual } from "./harness.mjs";

const it = staged();

const defaults = ({ model, dataset }) => defaultsOf(catalog, { dataset: dataset.id, model: model.id });
const hash = (visit) => visit.scope.evaluate(() => decodeURIComponent(location.hash));

/** Changes a setting as a visitor does, to something that it is not; returns whether its control is shown. */
async function change(visit, spec) {
  const control = await visit.control(spec.key);
  if (!(await control.isVisible())) return false;
  const before = textOf(await visit.setting(spec.key));
  switch (spec.kind) {
    case "choice":
      if ((await control.locator("select").count()) > 0) {
        await control.locator("select").selectOption(spec.options.find((option) => option !== before));
      } else {
        await control.locator("label:not(:has(input:checked))").first().click();
      }
      break;
    case "flag":
      await control.locator("input").click();
      break;
    case "widths":
      await control.locator("button:visible").last().click();
      if (textOf(await visit.setting(spec.key)) === before) await control.locator("button:visible").first().click();
      break;
    case "text":
      return false;
    default: {
      const range = control.locator("input[type=range]");
      await range.focus();
      const [value, max] = await range.evaluate((node) => [Number(node.value), Number(node.max)]);
      await range.press(value < max ? "ArrowRight" : "ArrowLeft");
    }
  }
  return true;
}

for (const model of catalog.models) {
  for (const domain of model.domains) {
    const pair = pairs.find((each) => each.model === model && each.dataset.domain === domain);
    test(`every control of ${model.id} on ${pair.dataset.id} changes its setting and the link`, () =>
      it.visit({ hash: hashOf(pair, { hide: "losses" }) }, async (visit) => {
        await visit.ready();
        const { data, model: own } = specsOf(pair.dataset, model);
        let tried = 0;
        for (const spec of [...data, ...own].filter(({ options }) => options?.length !== 1)) {
          const before = textOf(await visit.setting(spec.key));
          if (!(await change(visit, spec))) continue;
          tried++;
          await visit.until(`${spec.key} to change`, async () => textOf(await visit.setting(spec.key)) !== before);
          const value = textOf(await visit.setting(spec.key));
          await visit.until(`${spec.key}=${value} in the link`, async () => {
            const text = await hash(visit);
            return text.includes(`${spec.key}=${value}`) || text.includes(`:${spec.key}:${value}`) || value === textOf(defaults(pair)[spec.key]);
          });
        }
        assert.ok(tried >= 5, `${tried} controls were there to try`);
        assert.deepEqual(await visit.toasts(), []);
      }));
  }
}

for (const from of ["http", "file"]) {
  test(`${from}: reloading restores the configuration, the step and the very same state`, () =>
    it.visit({ from, hash: hashOf(usual, { seed: 7 }) }, async (visit) => {
      await visit.ready();
      await visit.trainTo(40);
      await visit.until("the step in the link", async () => (await hash(visit)).includes("step=40"));
      const [state, link] = [await visit.state(), await visit.link()];
      await visit.page.reload();
      await visit.ready();
      await visit.reaches(40);
      assert.equal(await visit.link(), link);
      assert.equal(await visit.setting("seed"), 7);
      assert.equal(await visit.state(), state);
    }));
}

for (const { model, dataset } of catalog.models.map((model) => pairs.find((pair) => pair.model === model))) {
  test(`${model.id}: rewinding gives the same run again, and the seed another one`, () =>
    it.visit({ hash: hashOf({ model, dataset }) }, async (visit) => {
      await visit.ready();
      // The last step of the training before may still be told when this one is asked for.
      const losses = () => visit.element.evaluate((element) => new Promise((resolve) => {
        element.addEventListener("step", (event) => {
          const { detail } = /** @type {CustomEvent} */ (event);
          if (detail.step > 25) resolve(JSON.stringify(detail));
        });
        /** @type {any} */ (element).step();
      }));
      const run = async () => {
        await visit.trainTo(25);
        return [await visit.state(), await losses()];
      };
      const first = await run();
      await visit.find("button.rewind").click();
      await visit.until("step 0", async () => (await visit.step()) === 0);
      assert.deepEqual(await run(), first);
      await visit.find("button.dice").click();
      await visit.until("another seed", async () => (await visit.setting("seed")) !== catalog.seed.default && (await visit.step()) === 0);
      await visit.ready();
      assert.notDeepEqual(await run(), first);
    }));

  const live = model.params.find(({ kind, effect, when, advanced }) => kind === "log" && effect === "live" && !when && !advanced);
  // What is estimated in closed form has no rate to change on the way.
  if (!live) continue;
  test(`${model.id}: a change made while running is in the link, at its step, and its reader gets the same state`, async () => {
    let link = "";
    let state = "";
    await it.visit({ hash: hashOf({ model, dataset }) }, async (visit) => {
      await visit.ready();
      await visit.trainTo(15);
      const range = (await visit.control(live.key)).locator("input[type=range]");
      await range.focus();
      await range.press("ArrowLeft");
      await visit.until("the change", async () => (await visit.link()).includes(`15:${live.key}:`));
      if (model.phases.length > 0) {
        await visit.trainTo(20);
        await visit.find(`[data-phase="${model.phases[0]}"]`).click();
        await visit.until("the phase", async () => (await visit.link()).includes(`20:phase:${model.phases[0]}`));
      }
      await visit.trainTo(30);
      [link, state] = [await visit.link(), await visit.state()];
    });
    assert.match(link, /step=30/);
    await it.visit({ hash: link }, async (visit) => {
      await visit.ready();
      await visit.reaches(30);
      assert.equal(await visit.link(), link);
      assert.equal(await visit.state(), state);
    });
  });
}

test("what a link asks for beyond the limits is moved into them, and said", () =>
  it.visit({ hash: hashOf(usual, numbers(1e9)) }, async (visit) => {
    await visit.ready();
    for (const [key, spec] of Object.entries(numeric())) assert.equal(await visit.setting(key), spec.high, key);
    const [text] = await visit.toasts();
    assert.match(text, /1000000000/);
  }));

/** A few cheap numbers of the usual pair. */
function numeric() {
  const specs = specsOf(usual.dataset, usual.model).model.filter(({ kind, advanced }) => ["linear", "log"].includes(kind) && !advanced);
  assert.ok(specs.length > 0);
  return Object.fromEntries(specs.slice(0, 3).map((spec) => [spec.key, spec]));
}
function numbers(value) {
  return Object.fromEntries(Object.keys(numeric()).map((key) => [key, value]));
}

test("an unknown data set or model is said, and something sensible runs", () =>
  it.visit({ hash: "dataset=nowhere&model=nothing" }, async (visit) => {
    await visit.ready();
    const text = (await visit.toasts()).join(" ");
    assert.match(text, /nowhere/);
    assert.match(text, /nothing/);
    await visit.play();
    await visit.reaches(5);
  }));

test("junk in a link breaks nothing and injects nothing", async () => {
  const key = Object.keys(numeric())[0];
  const junk = ["%", "#%ZZ&&==", `${key}=NaN`, `${key}=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E`, "__proto__=1&constructor=2", "events=1:2:3;;-1:phase:both",
    "step=-5&layers=%00&view=nonsense&lang=xx&theme=neon&hide=everything", `${key}=${"9".repeat(5000)}`];
  for (const hash of junk) {
    await it.visit({ hash }, async (visit) => {
      await visit.ready();
      await visit.find("button.step").click();
      await visit.reaches(1);
      assert.equal(await visit.scope.locator("tealight-playground img").count(), 0);
    });
  }
});

test("a link that is pasted into the address bar is followed at once", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    const other = pairs.find(({ model, dataset }) => model !== usual.model && dataset !== usual.dataset && !dataset.drawable);
    await visit.scope.evaluate((text) => (location.hash = text), hashOf(other, { seed: 5 }).replaceAll("&", "&amp;"));
    await visit.until("the other run", async () => (await visit.setting("model")) === other.model.id);
    await visit.ready();
    assert.equal(await visit.setting("dataset"), other.dataset.id);
    assert.equal(await visit.setting("seed"), 5);
  }));

test("training leaves no trail of history entries", () =>
  it.visit({ hash: hashOf(usual, { play: true }) }, async (visit) => {
    await visit.ready();
    await visit.reaches(50);
    await visit.play();
    await visit.find("button.dice").click();
    await visit.page.waitForTimeout(600);
    assert.equal(await visit.scope.evaluate(() => history.length), 2);
  }));

for (const dataset of catalog.datasets.filter(({ presets }) => presets.length > 0)) {
  test(`the presets of ${dataset.id} set what they say`, () =>
    it.visit({ hash: hashOf(pairs.find((pair) => pair.dataset === dataset)) }, async (visit) => {
      await visit.ready();
      for (const { id, values } of dataset.presets) {
        await visit.find(`[data-preset="${id}"]`).click();
        for (const [key, value] of Object.entries(values)) {
          await visit.until(`${key} of ${id}`, async () => textOf(await visit.setting(key)) === textOf(value));
        }
        await visit.ready();
        assert.equal(await visit.find(`[data-preset="${id}"]`).getAttribute("aria-pressed"), "true");
      }
      assert.deepEqual(await visit.toasts(), []);
    }));
}
