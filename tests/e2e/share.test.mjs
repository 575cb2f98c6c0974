/** @file The panel that shares a run, and what its links give to whoever opens them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { HOSTS } from "../../www/share.js";
import { hashOf, pairs, staged, usual } from "./harness.mjs";

const texts = Object.fromEntries(["en", "zh"].map((lang) => [lang, JSON.parse(readFileSync(new URL(`../../www/i18n/${lang}.json`, import.meta.url), "utf8"))]));

const it = staged();

const panel = (visit) => visit.find(".share-dialog");
const link = (visit) => panel(visit).locator("textarea").first().inputValue();
const code = (visit) => panel(visit).locator("textarea").nth(1).inputValue();
const choose = (visit, name, value) => panel(visit).locator(`select[data-choice="${name}"]`).selectOption(value);
async function opened(visit) {
  await visit.ready();
  await visit.scope.locator("#share").click();
  await panel(visit).waitFor();
}

for (const { model, dataset } of [usual, pairs.find(({ model, dataset }) => model !== usual.model && dataset.domain !== usual.dataset.domain && model.phases.length === 0), pairs.find(({ model }) => model.phases.length > 0)]) {
  test(`the link of the panel replays ${model.id} on ${dataset.id} bit for bit`, async () => {
    let [text, state] = ["", ""];
    await it.visit({ hash: hashOf({ model, dataset }, { seed: 5 }) }, async (visit) => {
      await visit.ready();
      await visit.trainTo(9);
      const live = model.params.find(({ kind, effect, when, advanced }) => kind === "log" && effect === "live" && !when && !advanced);
      if (live) {
        await visit.element.evaluate((element, [key, value]) => /** @type {any} */ (element).set(key, value), [live.key, live.low]);
        await visit.until("the change", async () => (await visit.link()).includes(`9:${live.key}:`));
      }
      await visit.trainTo(21);
      await opened(visit);
      [text, state] = [await link(visit), await visit.state()];
      assert.ok(text.startsWith(`${it.urls.http}#`) && text.includes("step=21"));
    });
    await it.visit({ from: text }, async (visit) => {
      await visit.ready();
      await visit.reaches(21);
      assert.equal(await visit.state(), state);
    });
  });
}

test("every choice is in the link, and the link does what was chosen", async () => {
  let text = "";
  await it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    await visit.trainTo(8);
    await opened(visit);
    await choose(visit, "lang", "zh");
    await choose(visit, "theme", "dark");
    await choose(visit, "group.data", "hide");
    await choose(visit, "group.settings", "lock");
    await panel(visit).locator("input[role=switch]").click();
    text = await link(visit);
    for (const part of ["step=8", "play=true", "lang=zh", "theme=dark", "hide=data", "lock=settings"]) assert.ok(text.includes(part), `${part} in ${text}`);
    assert.ok(!text.includes("embed"));
    assert.ok((await panel(visit).innerText()).includes(`${text.length} characters`));
    await choose(visit, "from", "start");
    assert.ok(!(await link(visit)).includes("step="));
    for (const host of HOSTS) {
      await choose(visit, "host", host);
      assert.match(await code(visit), /embed/);
      assert.ok((await panel(visit).innerText()).includes(texts.en.share.hints[host]));
    }
  });
  await it.visit({ from: text }, async (visit) => {
    await visit.ready();
    // To the step of then, and on.
    await visit.reaches(12);
    assert.equal(await visit.find("[data-group=data]").isVisible(), false);
    assert.equal(await visit.find("[data-group=settings] input.entry").first().isDisabled(), true);
    assert.equal(await visit.scope.evaluate(() => document.documentElement.dataset.theme), "dark");
    assert.equal(await visit.find("[data-group=settings] h2").innerText(), texts.zh.ui.headings.settings);
  });
});

test("the panel is reached, used and left by keyboard, in both languages", () =>
  it.visit({ hash: hashOf(usual), context: { permissions: ["clipboard-read", "clipboard-write"] } }, async (visit) => {
    await visit.ready();
    await visit.scope.locator("#share").focus();
    await visit.page.keyboard.press("Enter");
    await panel(visit).waitFor();
    await panel(visit).locator("button.pill").first().focus();
    await visit.page.keyboard.press("Enter");
    await visit.until("the word", async () => (await panel(visit).locator(".said").innerText()) === texts.en.share.copied);
    assert.equal(await visit.scope.evaluate(() => navigator.clipboard.readText()), await link(visit));
    // Keys of the page do nothing behind a dialog.
    await visit.page.keyboard.press("n");
    await visit.page.keyboard.press("Escape");
    await panel(visit).waitFor({ state: "hidden" });
    assert.equal(await visit.step(), 0);
    await visit.scope.locator("#language").click();
    await visit.scope.locator("#share").click();
    assert.equal(await panel(visit).locator("h2").innerText(), texts.zh.share.title);
  }));

test("an address that is typed in stands in the code, and none that runs scripts", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await opened(visit);
    const address = panel(visit).locator("input[inputmode=url]");
    await address.fill("https://example.org/course/tealight/");
    await address.press("Tab");
    assert.match(await code(visit), /src="https:\/\/example\.org\/course\/tealight\/#dataset=/);
    await address.fill("javascript:alert(1)");
    await address.press("Tab");
    assert.doesNotMatch(await code(visit), /javascript:/);
    const height = panel(visit).locator("input[inputmode=numeric]");
    for (const [typed, used] of [["500", "500"], ["1e9", "4000"], ["-5", "200"], ["\"><b>", "200"]]) {
      await height.fill(typed);
      await height.press("Tab");
      assert.equal(await height.inputValue(), used);
      assert.match(await code(visit), new RegExp(`height="${used}"`));
    }
  }));

test("a run that no link can carry is shared as its settings, and the panel says so", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    await visit.element.evaluate(async (element) => {
      const it = /** @type {any} */ (element);
      await it.loadWeights(await it.exportWeights());
    });
    await opened(visit);
    assert.ok((await panel(visit).innerText()).includes(texts.en.share.partly));
  }));

test("an element without a header shares by its method, and leads to the whole page", () =>
  it.visit({ hash: hashOf(usual, { embed: true, seed: 3 }) }, async (visit) => {
    await visit.ready();
    await visit.trainTo(4);
    const way = visit.find("a.way");
    await way.focus();
    const href = (await way.getAttribute("href")) ?? "";
    assert.ok(href.startsWith(`${it.urls.http}#`) && href.includes("step=4") && href.includes("seed=3") && !href.includes("embed"), href);
    await visit.element.evaluate((element) => /** @type {any} */ (element).showShare());
    await panel(visit).waitFor();
  }));

for (const width of [320, 1024]) {
  test(`the panel fits ${width} pixels`, () =>
    it.visit({ hash: hashOf(usual), width, height: 640 }, async (visit) => {
      await opened(visit);
      assert.equal(await visit.overflow(), 0);
      const box = await panel(visit).boundingBox();
      assert.ok(box && box.x >= 0 && box.x + box.width <= width && box.height <= 640, JSON.stringify(box));
      const inner = await panel(visit).evaluate((dialog) => dialog.scrollWidth - dialog.clientWidth);
      assert.equal(inner, 0);
    }));
}
