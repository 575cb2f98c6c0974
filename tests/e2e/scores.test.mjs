/** @file Scores beside their floors, findings with their remedy, and the gallery of failures. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { wasm } from "../js/wasm.mjs";
import { catalog, defaultsOf, hashOf, pairs, staged, usual } from "./harness.mjs";

const it = staged();

/** How long an exhibit may train, or scores may take beside training, on a busy machine. */
const LONG = 240_000;

const steps = (visit) => visit.element.evaluate((element) => /** @type {any} */ (element).scores.steps);
const forDomain = (domain) => catalog.scores.filter(({ domains }) => domains.includes(domain));
/** Waits for so many evaluations. Beside training they get a twentieth of the time. */
async function scored(visit, count = 1) {
  const end = Date.now() + LONG;
  while ((await steps(visit)).length < count) {
    assert.ok(Date.now() < end, `waited in vain for ${count} evaluations`);
    await visit.page.waitForTimeout(100);
  }
}
/** Every row as it is shown, also those that are folded. */
const rows = (visit) => visit.find(".score").evaluateAll((nodes) => nodes.map((node) => ({
  id: /** @type {HTMLElement} */ (node).dataset.score,
  mark: /** @type {HTMLElement} */ (node).dataset.mark,
  value: node.querySelector(".score-value b")?.textContent,
  beside: node.querySelector(".score-beside")?.textContent,
  label: node.querySelector("button")?.getAttribute("aria-label"),
})));

test("scores come with training, each beside its floor, and nothing moves when they come", () =>
  it.visit({}, async (visit) => {
    await visit.ready();
    const expected = forDomain(usual.dataset.domain).map(({ id }) => id);
    const before = await rows(visit);
    assert.deepEqual(before.map(({ id }) => id), expected);
    assert.deepEqual(new Set(before.map(({ value }) => value)), new Set(["–"]));
    await visit.page.waitForTimeout(500);
    await visit.scope.evaluate(() => {
      const it = /** @type {any} */ (window);
      it.shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!(/** @type {any} */ (entry).hadRecentInput)) it.shift += /** @type {any} */ (entry).value;
      }).observe({ type: "layout-shift" });
    });
    const told = visit.element.evaluate((element) => new Promise((resolve) => {
      element.addEventListener("score", (event) => resolve(/** @type {CustomEvent} */ (event).detail), { once: true });
    }));
    await visit.play();
    await scored(visit);
    const detail = await told;
    assert.ok(detail.step > 0 && detail.scores.length > 3);
    const shown = (await rows(visit)).filter(({ value }) => value !== "–");
    assert.ok(shown.length > 5, `${shown.length} scores`);
    for (const { id, value, beside, mark, label } of shown) {
      assert.match(value ?? "", /\d/, id);
      assert.match(beside ?? "", /\d/, `${id} has a floor`);
      assert.notEqual(mark, "none", id);
      assert.ok(label?.includes(value ?? ""), `${id}: ${label}`);
    }
    assert.deepEqual(shown.map(({ id }) => id), expected.filter((id) => shown.some((row) => row.id === id)));
    const shift = await visit.scope.evaluate(() => /** @type {any} */ (window).shift);
    assert.ok(shift < 0.005, `the layout moved by ${shift}`);
  }));

for (const domain of new Set(pairs.map(({ dataset }) => dataset.domain))) {
  test(`${domain}: a paused run is scored at its step`, () =>
    it.visit({ hash: hashOf(pairs.find(({ dataset }) => dataset.domain === domain && !dataset.drawable), { step: 5 }) }, async (visit) => {
      await visit.ready();
      await visit.reaches(5);
      await visit.until("scores of step 5", async () => (await steps(visit)).at(-1) === 5);
      const all = await rows(visit);
      assert.deepEqual(all.map(({ id }) => id), forDomain(domain).map(({ id }) => id));
      assert.ok(all.some(({ value }) => value !== "–"));
    }));
}

test("a score opens its curve and what it can and cannot tell", () =>
  it.visit({ hash: hashOf(usual, { step: 5 }) }, async (visit) => {
    await visit.ready();
    await scored(visit);
    const known = (await rows(visit)).filter(({ value }) => value !== "–");
    const line = visit.find(`.score[data-score="${known[0].id}"] .score-line`);
    await line.focus();
    await visit.page.keyboard.press("Enter");
    assert.equal(await line.getAttribute("aria-expanded"), "true");
    const detail = visit.find(`.score[data-score="${known[0].id}"] .score-detail`);
    assert.ok((await detail.innerText()).length > 80);
    await visit.until("the chart", async () => (await detail.locator("canvas").count()) > 0);
    const chart = detail.locator(".chart-host");
    const words = await chart.getAttribute("aria-label");
    assert.match(words ?? "", /\d/);
    // → walks along the curve; it takes no step.
    await chart.focus();
    await visit.page.keyboard.press("ArrowLeft");
    assert.match((await chart.getAttribute("aria-label")) ?? "", /5/);
    assert.equal(await visit.step(), 5);
    const other = visit.find(`.score[data-score="${known[1].id}"] .score-line`);
    await other.click();
    assert.equal(await line.getAttribute("aria-expanded"), "false");
    assert.equal(await other.getAttribute("aria-expanded"), "true");
  }));

test("the history follows the run: rewinding clears it, another model begins anew", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    await visit.play();
    await scored(visit);
    await visit.find("button.rewind").click();
    await visit.until("no scores", async () => (await steps(visit)).length === 0);
    assert.deepEqual(new Set((await rows(visit)).map(({ value }) => value)), new Set(["–"]));
    await visit.play();
    await scored(visit);
    const { model } = pairs.find((pair) => pair.dataset === usual.dataset && pair.model !== usual.model);
    await visit.find(`[data-model="${model.id}"]`).click();
    await visit.until("another run", async () => (await visit.setting("model")) === model.id);
    await visit.until("its scores", async () => (await steps(visit)).every((step) => step > 0));
  }));

test("scores that are hidden are not computed", () =>
  it.visit({ hash: hashOf(usual, { hide: "scores", step: 20 }) }, async (visit) => {
    await visit.ready();
    await visit.reaches(20);
    assert.equal(await visit.find('[data-group="scores"]').isVisible(), false);
    await visit.play();
    await visit.page.waitForTimeout(4000);
    assert.deepEqual(await steps(visit), []);
    await visit.element.evaluate((element) => element.removeAttribute("hide"));
    await scored(visit);
    assert.equal(await visit.find('[data-group="scores"]').isVisible(), true);
  }));

test("the gallery opens and closes by keyboard, and gives the focus back", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    await visit.scope.locator("#gallery").focus();
    await visit.page.keyboard.press("Enter");
    await visit.find("dialog.gallery-dialog[open]").waitFor();
    const cards = visit.find("[data-exhibit]");
    assert.deepEqual(await cards.evaluateAll((nodes) => nodes.map((node) => /** @type {HTMLElement} */ (node).dataset.exhibit)), catalog.gallery.map(({ id }) => id));
    for (const text of await cards.allInnerTexts()) assert.ok(text.length > 30, text);
    await visit.page.keyboard.press("Escape");
    await visit.until("a closed gallery", async () => (await visit.find("dialog.gallery-dialog[open]").count()) === 0);
    assert.equal(await visit.scope.evaluate(() => document.activeElement?.id), "gallery");
  }));

test("an exhibit trains to its failure, the failure names itself, and its remedy goes on", () =>
  it.visit({}, async (visit) => {
    // The shortest.
    const [exhibit] = [...catalog.gallery].sort((a, b) => a.steps - b.steps);
    await visit.ready();
    await visit.scope.locator("#gallery").click();
    await visit.find(`[data-exhibit="${exhibit.id}"]`).click();
    await visit.until("the experiment", async () => (await visit.setting("model")) === exhibit.config.model && (await visit.setting("dataset")) === exhibit.config.dataset);
    for (const [key, value] of Object.entries(exhibit.config)) assert.equal(String(await visit.setting(key)), String(value), key);
    const banner = visit.find(`.finding[data-finding="${exhibit.finding}"]`);
    await visit.find(`.playground:not(:has(.progress:not([hidden])))`).waitFor({ timeout: LONG });
    await banner.waitFor({ timeout: LONG });
    assert.match(await banner.innerText(), /\d/);
    await banner.locator(".why").click();
    assert.ok((await banner.locator(".reason").innerText()).length > 60);
    const before = await visit.element.evaluate((element) => JSON.stringify(/** @type {any} */ (element).config));
    await banner.locator(".remedy").click();
    await visit.until("the remedy", async () => (await visit.element.evaluate((element) => JSON.stringify(/** @type {any} */ (element).config))) !== before);
    assert.equal(await banner.isVisible(), false);
    await visit.until("training", () => visit.element.evaluate((element) => /** @type {any} */ (element).playing));
    const step = await visit.step();
    await visit.until("progress", async () => (await visit.step()) !== step);
  }));

/** A pair with one choice and one live setting at its highest, with which training diverges at once. */
function diverging() {
  for (const pair of pairs.filter(({ dataset }) => dataset.domain === "images")) {
    const config = defaultsOf(catalog, { dataset: pair.dataset.id, model: pair.model.id });
    for (const fast of pair.model.params.filter(({ kind, effect, advanced }) => kind === "log" && effect === "live" && !advanced)) {
      for (const choice of pair.model.params.filter(({ kind }) => kind === "choice")) {
        for (const option of choice.options ?? []) {
          const more = { [choice.key]: option, [fast.key]: fast.high };
          if (refuses({ ...config, ...more })) return { pair, more };
        }
      }
    }
  }
  assert.fail("nothing diverges");
}

/** Whether training stops at a number that is not finite. */
function refuses(config) {
  let session;
  try {
    session = new wasm.Session(JSON.stringify(config));
    session.step(15);
    return false;
  } catch (error) {
    return session !== undefined && /finite/.test(String(error));
  } finally {
    session?.free();
  }
}

/** The settings of now. @returns {Promise<Record<string, any>>} */
const configOf = (visit) => visit.element.evaluate((element) => ({ .../** @type {any} */ (element).config }));

test("training that diverges says so where failures are named, and what it went back to", () => {
  const { pair, more } = diverging();
  return it.visit({ hash: hashOf(pair, { ...more, step: 200 }) }, async (visit) => {
    const banner = visit.find(".finding");
    await banner.waitFor();
    assert.match(await banner.innerText(), /step \d+/);
    assert.match(await visit.find(".findings [role=status]").innerText(), /step \d+/);
    await banner.locator(".why").click();
    assert.ok((await banner.locator(".reason").innerText()).length > 60);
    // At one press it goes on, more gently.
    const before = await configOf(visit);
    const step = await visit.step();
    await banner.locator(".remedy").click();
    await visit.until("progress", async () => (await visit.step()) > step);
    const after = await configOf(visit);
    const changed = Object.keys(before).filter((key) => String(after[key]) !== String(before[key]));
    const rates = pair.model.params.filter(({ rate, key }) => rate && changed.includes(key)).map(({ key }) => key);
    assert.ok(rates.length > 0, changed.join());
    assert.deepEqual(changed, rates);
    for (const key of rates) assert.ok(after[key] < before[key], key);
  });
});
