/** @file Every model plays, from a server and from a single file. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { catalog, hashOf, pairs, singleFile, someDatasets, staged, usual } from "./harness.mjs";

const it = staged();

/** Presses play and watches: the counter rises, the picture changes, pause holds both. */
async function plays(visit) {
  await visit.ready();
  await visit.until("a picture", async () => (await visit.colours()) > 2);
  const first = await visit.picture();
  await visit.play();
  await visit.reaches(20);
  await visit.until("another picture", async () => (await visit.picture()) !== first);
  await visit.play();
  await visit.until("a pause", async () => {
    const step = await visit.step();
    await visit.page.waitForTimeout(250);
    return (await visit.step()) === step;
  });
}

for (const from of ["http", "file"]) {
  for (const model of catalog.models) {
    for (const dataset of someDatasets(model)) {
      test(`${from}: ${model.id} learns ${dataset.id}`, () => it.visit({ from, hash: hashOf({ model, dataset }) }, plays));
    }
  }
}

test("every data set has a thumbnail, a picture, and takes a step", () =>
  it.visit({}, async (visit) => {
    await visit.ready();
    const pictures = new Set();
    for (const { dataset } of pairs.filter(({ model, dataset }) => model === catalog.models[0] && !dataset.drawable)) {
      const thumb = visit.find(`[data-dataset="${dataset.id}"]`);
      await visit.until(`the thumbnail of ${dataset.id}`, async () => (await visit.colours(`[data-dataset="${dataset.id}"] canvas`)) > 1);
      await thumb.click();
      await visit.until(`${dataset.id} is chosen`, async () => (await visit.setting("dataset")) === dataset.id && (await thumb.getAttribute("aria-pressed")) === "true");
      await visit.until("its run to begin", async () => (await visit.step()) === 0);
      await visit.find("button.step").click();
      await visit.reaches(1);
      await visit.until("a picture", async () => (await visit.colours()) > 2);
      pictures.add(await visit.settled());
    }
    assert.equal(pictures.size, pairs.filter(({ model, dataset }) => model === catalog.models[0] && !dataset.drawable).length);
  }));

test("every tab of every model shows pictures with words", () =>
  it.visit({}, async (visit) => {
    for (const model of catalog.models) {
      for (const dataset of model.domains.map((domain) => someDatasets(model).find((it) => it.domain === domain))) {
        await visit.arrives(hashOf({ model, dataset }, { step: 5 }));
        assert.deepEqual([await visit.setting("model"), await visit.setting("dataset")], [model.id, dataset.id]);
        const tabs = visit.find('[role="tab"]');
        for (let i = 0; i < (await tabs.count()); i++) {
          await tabs.nth(i).click();
          assert.equal(await tabs.nth(i).getAttribute("aria-selected"), "true");
          const figures = visit.find("figure.view");
          assert.ok((await figures.count()) > 0);
          for (let j = 0; j < (await figures.count()); j++) {
            const id = await figures.nth(j).getAttribute("data-view");
            const canvas = figures.nth(j).locator("canvas").first();
            await visit.until(`${model.id} on ${dataset.id}: ${id} is drawn`, async () => (await visit.colours(`figure.view >> nth=${j} >> canvas >> nth=0`)) > 2);
            await visit.until(`${id} has words`, async () => ((await canvas.getAttribute("aria-label")) ?? "").length > 3);
            assert.ok((await figures.nth(j).locator("figcaption").innerText()).length > 3);
          }
        }
      }
    }
  }));

test("the single file plays in a sandboxed frame that may only run scripts", () =>
  // In an empty page: a frame written as text is bound by the policy of the page around it as well.
  it.visit({ from: "about:blank" }, async (visit) => {
    await visit.page.setContent('<!doctype html><iframe sandbox="allow-scripts" style="width:1200px;height:800px"></iframe>');
    const html = readFileSync(singleFile, "utf8");
    await visit.page.evaluate((text) => {
      /** @type {HTMLIFrameElement} */ (document.querySelector("iframe")).srcdoc = text;
    }, html);
    await visit.until("the frame", async () => visit.page.frames().length > 1);
    const inner = visit.within(visit.page.frames()[1]);
    await inner.ready();
    assert.equal(await inner.scope.evaluate(() => self.origin), "null");
    await plays(inner);
  }));

for (const from of ["http", "file"]) {
  test(`${from}: without workers, training goes on in the page, which says so`, () =>
    it.visit({
      from,
      hash: hashOf(usual),
      init: () => {
        // As where a policy forbids workers.
        window.Worker = /** @type {any} */ (class {
          constructor() {
            throw new DOMException("no workers here", "SecurityError");
          }
        });
      },
    }, async (visit) => {
      await plays(visit);
      assert.equal(await visit.find("footer.facts").getAttribute("data-mode"), "page");
      assert.ok((await visit.find("footer.facts .engine").innerText()).length > 3);
    }));
}

test("the two ways to run a worker are told apart", async () => {
  await it.visit({ from: "http" }, async (visit) => {
    await visit.ready();
    assert.equal(await visit.find("footer.facts").getAttribute("data-mode"), "worker");
  });
  await it.visit({ from: "file" }, async (visit) => {
    await visit.ready();
    assert.equal(await visit.find("footer.facts").getAttribute("data-mode"), "blob");
  });
});
