/** @file Files that come when they are needed: what a visit loads, and what the page says where one does not come. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { catalog, hashOf, pairs, staged } from "./harness.mjs";

const it = staged();

const stored = pairs.find(({ dataset }) => dataset.supply);
const plain = pairs.find(({ dataset }) => !dataset.supply && !dataset.drawable);
assert.ok(stored && plain);
const { supply } = stored.dataset;
/** What the test itself causes. */
const allow = [new RegExp(supply), /ERR_FAILED/, /status of 5/];

/** The files of the package, beside the module, that are asked for. @param {any} visit */
function asked(visit) {
  /** @type {string[]} */
  const names = [];
  visit.page.on("request", (request) => {
    const name = new URL(request.url()).pathname.split("/").at(-1);
    if (catalog.supplies.some((it) => it.name === name)) names.push(name);
  });
  return names;
}

test("a visit loads none of them before it needs it, and then each once", () =>
  it.visit({ hash: hashOf(plain) }, async (visit) => {
    const names = asked(visit);
    await visit.ready();
    // The thumbnails are there, and a step is taken: nothing else is to come by itself.
    await visit.until("the thumbnail", async () => (await visit.colours(`[data-dataset="${stored.dataset.id}"] canvas`)) > 1);
    await visit.find("button.step").click();
    await visit.reaches(1);
    assert.deepEqual(names, []);
    for (const { dataset } of [stored, plain, stored]) {
      await visit.find(`[data-dataset="${dataset.id}"]`).click();
      await visit.until("its run", async () => (await visit.setting("dataset")) === dataset.id && (await visit.step()) === 0);
      await visit.find("button.step").click();
      await visit.reaches(1);
    }
    assert.deepEqual(names.filter((name) => name === supply), [supply]);
  }));

test("where one does not come, the page says so, what ran goes on, and it can be tried again", () =>
  it.visit({ hash: hashOf(plain), allow }, async (visit) => {
    await visit.ready();
    await visit.page.route(`**/${supply}`, (route) => route.abort());
    await visit.play();
    await visit.reaches(5);
    await visit.find(`[data-dataset="${stored.dataset.id}"]`).click();
    const toast = visit.find(".toast.error");
    await toast.waitFor();
    assert.match(await toast.innerText(), new RegExp(supply.replace(".", "\\.")));
    assert.equal(await visit.setting("dataset"), plain.dataset.id);
    await visit.reaches((await visit.step()) + 5);
    await visit.page.unroute(`**/${supply}`);
    await toast.locator("button.again").click();
    await visit.until("its run", async () => (await visit.setting("dataset")) === stored.dataset.id);
    await visit.reaches(1);
    assert.equal(await visit.find(".toast.error").count(), 0);
  }));

test("a visit that begins without one offers to try again", () =>
  it.visit({ from: "about:blank", allow }, async (visit) => {
    await visit.page.route(`**/${supply}`, (route) => route.fulfill({ status: 503 }));
    await visit.page.goto(`${it.urls.http}#${hashOf(stored)}`);
    const alert = visit.find('.veil [role="alert"]');
    await alert.waitFor();
    assert.match(await alert.innerText(), /503/);
    await visit.page.unroute(`**/${supply}`);
    await alert.locator("button").click();
    await visit.ready();
    assert.equal(await visit.setting("dataset"), stored.dataset.id);
  }));

test("the single file has them all in itself", () =>
  it.visit({ from: "file", hash: hashOf(stored) }, async (visit) => {
    await visit.ready();
    await visit.find("button.step").click();
    await visit.reaches(1);
    await visit.until("scores", async () => (await visit.find('[data-group="scores"] [data-score]').count()) > 0);
  }));
