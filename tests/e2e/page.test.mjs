/** @file The page for people: languages, themes, widths, keys, drawing, accidents, embedding. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { root } from "../../tools/console.mjs";
import { catalog, hashOf, pairs, someDatasets, staged, usual } from "./harness.mjs";

const it = staged();

const texts = (lang) => JSON.parse(readFileSync(path.join(root, "www", "i18n", `${lang}.json`), "utf8"));

for (const from of ["http", "file"]) {
  test(`${from}: the language switches while it runs, and the link keeps it`, () =>
    it.visit({ from, hash: hashOf(usual) }, async (visit) => {
      await visit.ready();
      const name = visit.find(`[data-model="${usual.model.id}"] b`);
      assert.equal(await name.innerText(), texts("en").models[usual.model.id].name);
      await visit.play();
      await visit.reaches(3);
      await visit.scope.locator("#language").click();
      await visit.until("Chinese", async () => (await name.innerText()) === texts("zh").models[usual.model.id].name);
      await visit.until("the page's language", () => visit.scope.evaluate(() => document.documentElement.lang.startsWith("zh")));
      const step = await visit.step();
      await visit.reaches(step + 3);
      await visit.until("lang=zh in the link", async () => (await visit.scope.evaluate(() => location.hash)).includes("lang=zh"));
      await visit.page.reload();
      await visit.ready();
      assert.equal(await name.innerText(), texts("zh").models[usual.model.id].name);
      await visit.scope.locator("#language").click();
      await visit.until("English", async () => (await name.innerText()) === texts("en").models[usual.model.id].name);
    }));
}

test("no text is left in the other language, and none is a key", () =>
  it.visit({ hash: hashOf(usual, { lang: "zh", step: 3 }) }, async (visit) => {
    await visit.ready();
    await visit.reaches(3);
    const shown = await visit.find(".playground").innerText();
    assert.doesNotMatch(shown, /\b(?:ui|params|models|datasets|choices|losses|views|layers|tabs|keys|units|badges|scores|findings|gallery)\.[a-z]/);
    assert.match(shown, /\p{Script=Han}{4}/u);
  }));

test("the theme goes round, changes the colours of page and pictures, and the link keeps it", () =>
  it.visit({ hash: hashOf(usual, { step: 2 }), context: { colorScheme: "light" } }, async (visit) => {
    await visit.ready();
    await visit.reaches(2);
    const ground = () => visit.scope.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const inner = () => visit.find(".playground").evaluate((node) => getComputedStyle(node).color);
    const light = [await ground(), await inner(), await visit.settled()];
    const press = () => visit.scope.locator("#theme").click();
    const themed = async (name) => {
      for (let i = 0; i < 3 && (await visit.element.getAttribute("theme")) !== name; i++) await press();
      assert.equal(await visit.element.getAttribute("theme"), name);
    };
    await themed("dark");
    await visit.until("dark", async () => (await ground()) !== light[0] && (await inner()) !== light[1] && (await visit.picture()) !== light[2]);
    await visit.until("theme=dark in the link", async () => (await visit.scope.evaluate(() => location.hash)).includes("theme=dark"));
    await themed("light");
    await visit.until("light", async () => (await ground()) === light[0] && (await inner()) === light[1] && (await visit.picture()) === light[2]);
  }));

test("without a choice, the theme is the system's", () =>
  it.visit({ hash: hashOf(usual), context: { colorScheme: "dark" } }, async (visit) => {
    await visit.ready();
    const ground = () => visit.scope.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await ground();
    await visit.page.emulateMedia({ colorScheme: "light" });
    await visit.until("light", async () => (await ground()) !== dark);
  }));

for (const width of [320, 360, 768, 1024, 1440, 2560]) {
  for (const lang of ["en", "zh"]) {
    test(`${width} pixels wide, ${lang}: nothing is cut off sideways`, () =>
      it.visit({ width, height: 740, hash: hashOf(usual, { lang }) }, async (visit) => {
        await visit.ready();
        for (const model of catalog.models) {
          for (const dataset of someDatasets(model)) {
            await visit.arrives(hashOf({ model, dataset }, { step: 3 }));
            for (const drawer of await visit.find("details").all()) {
              if (!(await drawer.evaluate((node) => /** @type {HTMLDetailsElement} */ (node).open))) if (await drawer.isVisible()) await drawer.locator("summary").click();
            }
            assert.ok((await visit.overflow()) <= 0, `${model.id} on ${dataset.id} is ${await visit.overflow()} pixels too wide`);
            const out = await visit.find(".view *").evaluateAll((nodes) => nodes
              .filter((node) => node.getBoundingClientRect().right > (node.closest(".view")?.getBoundingClientRect().right ?? 0) + 8 && !node.closest(".handle"))
              .map((node) => node.textContent || node.className));
            assert.deepEqual(out, [], `${model.id} on ${dataset.id} lies over what is beside it`);
            const box = await visit.find("button.play").boundingBox();
            assert.ok(box && box.x >= 0 && box.x + box.width <= width, "the play button is in view");
          }
        }
      }));
  }
}

test("the play button stays in reach on a small screen", () =>
  it.visit({ width: 360, height: 740, hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    await visit.scope.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
    const box = await visit.find("button.play").boundingBox();
    assert.ok(box && box.y >= 0 && box.y + box.height <= 740);
  }));

for (const [name, size] of Object.entries({ "a page": {}, "a phone": { width: 360, height: 740, context: { hasTouch: true, isMobile: true } } })) test(`nothing on ${name} moves while it runs`, () =>
  it.visit({ hash: hashOf(usual), ...size }, async (visit) => {
    await visit.ready();
    await visit.page.waitForTimeout(1000);
    await visit.scope.evaluate(() => {
      const it = /** @type {any} */ (window);
      it.shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!(/** @type {any} */ (entry).hadRecentInput)) it.shift += /** @type {any} */ (entry).value;
      }).observe({ type: "layout-shift" });
    });
    await visit.play();
    await visit.reaches(200);
    await visit.page.waitForTimeout(800);
    const shift = await visit.scope.evaluate(() => /** @type {any} */ (window).shift);
    assert.ok(shift < 0.005, `the layout moved by ${shift}`);
  }));

test("the keys: space plays and pauses, → steps, R rewinds, N draws a seed, ? helps", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    const { keyboard } = visit.page;
    await keyboard.press("ArrowRight");
    await visit.reaches(1);
    await keyboard.press("ArrowRight");
    await visit.reaches(2);
    assert.equal(await visit.step(), 2);
    await keyboard.press("Space");
    await visit.reaches(20);
    await keyboard.press("Space");
    await visit.until("a pause", async () => !(await visit.element.evaluate((element) => /** @type {any} */ (element).playing)));
    await keyboard.press("r");
    await visit.until("step 0", async () => (await visit.step()) === 0);
    await keyboard.press("n");
    await visit.until("a new seed", async () => (await visit.setting("seed")) !== catalog.seed.default);
    await keyboard.press("?");
    await visit.find("dialog.help-dialog[open]").waitFor();
    await keyboard.press("Escape");
    await visit.until("no help", async () => (await visit.find("dialog.help-dialog[open]").count()) === 0);
  }));

test("a button that was clicked leaves the space bar to playing, and no button takes the arrow", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    const playing = () => visit.element.evaluate((element) => /** @type {any} */ (element).playing);
    const { keyboard } = visit.page;
    const other = pairs.find(({ model, dataset }) => model === usual.model && dataset !== usual.dataset && dataset.domain === usual.dataset.domain);
    await visit.find(`[data-dataset="${other?.dataset.id}"]`).click();
    await visit.until("the other data", async () => (await visit.element.evaluate((element) => /** @type {any} */ (element).datasetId)) === other?.dataset.id);
    await keyboard.press("Space");
    await visit.until("playing", playing);
    await visit.reaches(5);
    await visit.play();
    await visit.until("a pause", async () => !(await playing()));
    await visit.page.waitForTimeout(300);
    const step = await visit.step();
    await keyboard.press("ArrowRight");
    await visit.reaches(step + 1);
    // With the keyboard on a button, the bar presses it.
    await keyboard.press("Tab");
    await keyboard.press("Space");
    await visit.reaches(step + 2);
    assert.equal(await playing(), false);
  }));

test("the enlarged picture is played with the same keys", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    await visit.find(".stage-bar .icon-only").click();
    await visit.find("dialog.enlarged[open]").waitFor();
    await visit.page.keyboard.press("ArrowRight");
    await visit.reaches(1);
    await visit.page.keyboard.press("Space");
    await visit.reaches(10);
    assert.equal(await visit.find("dialog.enlarged[open]").count(), 1);
    await visit.page.keyboard.press("Escape");
    await visit.until("the page", async () => (await visit.find("dialog.enlarged[open]").count()) === 0);
  }));

test("a setting that is put back keeps the focus", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    const control = visit.find('[data-group="settings"] .setting[data-effect="live"]:not([hidden]):has(input[type=range])').first();
    const key = String(await control.getAttribute("data-key"));
    const before = await visit.setting(key);
    await control.locator("input[type=range]").focus();
    await visit.page.keyboard.press("ArrowRight");
    await visit.until("another value", async () => (await visit.setting(key)) !== before);
    await control.locator(".reset:not(.invisible)").click();
    await visit.until("the default", async () => (await visit.setting(key)) === before);
    assert.equal(await control.locator(".name").evaluate((node) => node.matches(":focus")), true);
  }));

test("a first visit says what to press, and where the transport is out of bounds, nothing", () =>
  it.visit({}, async (visit) => {
    await visit.ready();
    const invitation = visit.find(".invitation");
    await invitation.waitFor();
    await invitation.locator("button").click();
    await visit.reaches(2);
    assert.equal(await invitation.isVisible(), false);
    await visit.page.keyboard.press("r");
    await visit.until("step 0", async () => (await visit.step()) === 0);
    await invitation.waitFor();
    for (const group of ["hide", "lock"]) {
      await visit.element.evaluate((element, key) => element.setAttribute(key, "transport"), group);
      await visit.until(`none with ${group}`, async () => !(await invitation.isVisible()));
      await visit.element.evaluate((element, key) => element.removeAttribute(key), group);
      await invitation.waitFor();
    }
  }));

test("choosing a tab or a model moves none", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    const places = (what = "[data-model]") => visit.find(what).evaluateAll((nodes) => nodes.map((node) => {
      const { x, y, width, height } = node.getBoundingClientRect();
      return [x, y + scrollY, width, height].join();
    }));
    const before = await places();
    const other = pairs.findLast(({ dataset, model }) => dataset === usual.dataset && model !== usual.model);
    await visit.find(`[data-model="${other?.model.id}"]`).click();
    await visit.until("the other model", async () => (await visit.element.evaluate((element) => /** @type {any} */ (element).model)) === other?.model.id);
    assert.deepEqual(await places(), before);
    const tabs = await places("[role=tab]");
    await visit.find("[role=tab]").last().click();
    await visit.until("the other tab", async () => (await visit.find("[role=tab]").last().getAttribute("aria-selected")) === "true");
    assert.deepEqual(await places("[role=tab]"), tabs);
  }));

test("on a phone the picture is on the first screen, and everything can be hit with a finger", () =>
  it.visit({ width: 360, height: 740, context: { hasTouch: true, isMobile: true }, hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    const box = await visit.find(".main .frame").boundingBox();
    assert.ok(box && box.y + box.height <= 740, `the picture ends at ${box && box.y + box.height}`);
    const small = await visit.find(":is(button, select, summary, [role=tab])").evaluateAll((nodes) => nodes
      .map((node) => ({ node, box: node.getBoundingClientRect() }))
      .filter(({ node, box }) => box.width * box.height > 0 && node.checkVisibility({ visibilityProperty: true }) && box.height < 43.5)
      .map(({ node, box }) => `${node.className || node.textContent}: ${box.height}`));
    assert.deepEqual(small, []);
  }));

test("a control that has the focus keeps its keys", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    const seed = visit.find("input.seed");
    await seed.focus();
    await visit.page.keyboard.press("End");
    await visit.page.keyboard.type(" rn");
    assert.match(await seed.inputValue(), / rn$/);
    assert.equal(await visit.step(), 0);
    await seed.fill("123");
    await visit.page.keyboard.press("Enter");
    await visit.until("the seed", async () => (await visit.setting("seed")) === 123);
    await seed.fill("-5");
    await visit.page.keyboard.press("Enter");
    await visit.until("the nearest seed", async () => (await visit.setting("seed")) === catalog.seed.low);
    assert.match((await visit.toasts()).join(), /-5/);
  }));

test("everything can be reached with the Tab key, and has a name", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    const nameless = await visit.find(":is(button, input:not([hidden]), select, canvas[tabindex], [role=tab])").evaluateAll((nodes) =>
      nodes.filter((node) => {
        const element = /** @type {HTMLElement & {labels?: NodeListOf<HTMLLabelElement>}} */ (node);
        const text = element.getAttribute("aria-label") || element.textContent || element.title || [...(element.labels ?? [])].map((label) => label.textContent).join("");
        return !text.trim();
      }).map((node) => node.outerHTML.slice(0, 120)));
    assert.deepEqual(nameless, []);
    const seen = new Set();
    for (let i = 0; i < 60; i++) {
      await visit.page.keyboard.press("Tab");
      seen.add(await visit.scope.evaluate(() => {
        let node = document.activeElement;
        while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
        return node?.className || node?.id || node?.tagName || "";
      }));
    }
    for (const part of ["play", "language", "theme"]) assert.ok([...seen].some((name) => name.includes(part)), `${part} was not reached`);
  }));

test("layers of the picture switch by their words, and stand in the link", () =>
  it.visit({ hash: hashOf(usual, { step: 3 }) }, async (visit) => {
    await visit.ready();
    await visit.reaches(3);
    const buttons = visit.find(".legend button");
    assert.ok((await buttons.count()) >= 2);
    for (const button of await buttons.all()) {
      const [before, pressed] = [await visit.settled(), await button.getAttribute("aria-pressed")];
      await button.click();
      assert.notEqual(await button.getAttribute("aria-pressed"), pressed);
      await visit.until("another picture", async () => (await visit.picture()) !== before);
    }
    await visit.until("layers in the link", async () => (await visit.scope.evaluate(() => location.hash)).includes("layers="));
    const [shown, link] = [await visit.settled(), await visit.link()];
    await visit.page.reload();
    await visit.ready();
    await visit.reaches(3);
    assert.equal(await visit.link(), link);
    await visit.until("the same picture", async () => (await visit.picture()) === shown);
  }));

test("a drawing becomes the data: with the mouse, taken back, and by keyboard", () =>
  it.visit({ hash: hashOf(pairs.find(({ dataset }) => dataset.drawable)) }, async (visit) => {
    await visit.find('.playground:is([data-state="ready"], [data-state="empty"])').waitFor();
    const { key } = pairs.find(({ dataset }) => dataset.drawable).dataset.params.find(({ kind }) => kind === "text");
    const sheet = visit.find(".draw-sheet canvas");
    if (!(await sheet.isVisible())) await visit.find(".stage-bar button.pill").first().click();
    await sheet.waitFor();
    const count = async () => ((await visit.setting(key)) ?? "").length / 4;
    const begun = await count();
    const box = await sheet.boundingBox();
    assert.ok(box);
    const { mouse, keyboard } = visit.page;
    await mouse.move(box.x + box.width * 0.3, box.y + box.height * 0.4);
    await mouse.down();
    for (let i = 0; i <= 10; i++) await mouse.move(box.x + box.width * (0.3 + 0.04 * i), box.y + box.height * (0.4 + 0.01 * i));
    await visit.page.waitForTimeout(200);
    await mouse.up();
    await visit.until("points", async () => (await count()) > begun);
    const drawn = await count();
    await visit.ready();
    await visit.until("the drawing in the link", async () => (await visit.scope.evaluate(() => location.hash)).includes(`${key}=`));
    await sheet.focus();
    for (let i = 0; i < 5; i++) await keyboard.press("ArrowRight");
    await keyboard.press("Space");
    await visit.until("one more", async () => (await count()) > drawn);
    await keyboard.press("Control+z");
    await visit.until("taken back", async () => (await count()) === drawn);
    await visit.ready();
    await visit.find("button.step").click();
    await visit.reaches(1);
  }));

for (const from of ["http", "file"]) {
  test(`${from}: a trap in the worker costs the worker: the page says so and goes on from the last snapshot`, () =>
    it.visit({ from, hash: hashOf(usual, { seed: 3 }), allow: [/RuntimeError|unreachable/] }, async (visit) => {
      await visit.ready();
      await visit.play();
      await visit.reaches(50);
      // Pausing saves; training to 50 more steps leaves something to lose.
      await visit.play();
      await visit.page.waitForTimeout(400);
      const saved = await visit.step();
      const state = await visit.state();
      const [worker] = visit.page.workers();
      assert.ok(worker, "there is a worker");
      await worker.evaluate(() => {
        setTimeout(() => {
          throw new WebAssembly.RuntimeError("unreachable");
        });
      });
      await visit.until("another worker", async () => visit.page.workers().length > 0 && visit.page.workers()[0] !== worker);
      await visit.until("a word about it", async () => (await visit.toasts()).length > 0);
      await visit.ready();
      await visit.until("the last snapshot", async () => (await visit.step()) === saved);
      assert.equal(await visit.state(), state);
      assert.equal(await visit.setting("seed"), 3);
      await visit.play();
      await visit.reaches(saved + 20);
    }));
}

test("a trap while playing: training goes on by itself", () =>
  it.visit({ hash: hashOf(usual), allow: [/RuntimeError|unreachable/] }, async (visit) => {
    await visit.ready();
    await visit.play();
    // Longer than the time between two snapshots.
    await visit.page.waitForTimeout(3000);
    const [worker] = visit.page.workers();
    const before = await visit.step();
    await worker.evaluate(() => {
      setTimeout(() => {
        throw new WebAssembly.RuntimeError("unreachable");
      });
    });
    await visit.until("a word about it", async () => (await visit.toasts()).length > 0);
    await visit.reaches(before + 50);
    await visit.play();
  }));

test("two elements on one page run side by side; one that is removed takes its worker along", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    const [other] = pairs.filter(({ model }) => model !== usual.model);
    await visit.scope.evaluate(({ dataset, model }) => {
      const element = document.createElement("tealight-playground");
      for (const [key, value] of Object.entries({ dataset, model, play: "", id: "second" })) element.setAttribute(key, value);
      document.body.append(element);
      // Below the first it is out of sight, and would wait.
      element.scrollIntoView();
    }, { dataset: other.dataset.id, model: other.model.id });
    const second = visit.scope.locator("#second");
    await visit.until("the second to run", () => second.evaluate((element) => /** @type {any} */ (element).steps > 10));
    assert.equal(await visit.element.evaluate((element) => /** @type {any} */ (element).steps), 0);
    assert.equal(visit.page.workers().length, 2);
    await second.evaluate((element) => element.remove());
    await visit.until("one worker", async () => visit.page.workers().length === 1);
  }));

test("an element that comes and goes leaves nothing behind", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    for (let i = 0; i < 5; i++) {
      await visit.scope.evaluate(() => {
        const element = document.createElement("tealight-playground");
        element.id = "passing";
        document.body.append(element);
        return /** @type {any} */ (element).ready;
      });
      await visit.scope.evaluate(() => document.getElementById("passing")?.remove());
      await visit.until("one worker", async () => visit.page.workers().length === 1);
    }
    await visit.play();
    await visit.reaches(10);
  }));
