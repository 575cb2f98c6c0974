/** @file Playgrounds in other pages: as the documentation shows them, in frames and as elements. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf, pairs, staged, usual } from "./harness.mjs";
import { frames, hostSite, pageOf } from "./hosts.mjs";

const other = pairs.find(({ model, dataset }) => model !== usual.model && dataset === usual.dataset);
const frame = (hash, more = "") => `<iframe src="tealight/#${hash}" width="100%" height="600" title="A frame" ${more}></iframe>`;
const element = ({ model, dataset }, more = "") => `<tealight-playground dataset="${dataset.id}" model="${model.id}" embed ${more}></tealight-playground>`;
const helper = '<script src="tealight/tealight-host.js"></script>';
const script = '<script type="module" src="tealight/tealight.js"></script>';
const playing = hashOf(usual, { embed: true, play: true });

const site = hostSite({
  "frame.html": `${frame(hashOf(usual, { embed: true }))}${helper}`,
  "two-frames.html": `${frame(playing)}${frame(hashOf(usual, { embed: true, play: true, seed: 2 }))}`,
  "two-elements.html": `${script}${element(usual, "play")}${element(usual, 'play seed="2"')}`,
  "locked.html": `${script}${element(usual, 'lock="data,model,settings,transport"')}`,
  "below-frame.html": `<div style="height:3000px"></div>${frame(playing)}`,
  "below-element.html": `${script}<div style="height:3000px"></div>${element(usual, "play")}`,
  "sandbox-file.html": `<iframe sandbox="allow-scripts" src="tealight/tealight.html#${playing}" width="100%" height="600"></iframe>`,
  "sandbox-site.html": frame(playing, 'sandbox="allow-scripts"'),
  "goal.html": `${script}${element(usual, 'step="30"')}<script>document.querySelector("tealight-playground").addEventListener("goal", (event) => (globalThis.reached = event.detail.step))</script>`,
});

const it = staged({ folder: site.folder }, site.end);

const open = (name, work, options = {}) => it.visit({ from: `${it.urls.http}${name}`, ...options }, work);

/** The playground in the n-th frame of a page. */
async function inner(visit, n = 0) {
  await visit.until("the frame", async () => visit.page.frames().length > n + 1);
  const within = visit.within(visit.page.frames()[n + 1]);
  await within.ready();
  return within;
}

/** Talks to the frame of a page as its scripts would. */
const connected = (visit, work, ...args) => visit.page.evaluate(`(async (...args) => {
  globalThis.frame ??= tealight.connect(document.querySelector("iframe"));
  return (${work})(globalThis.frame, ...args);
})(${args.map((arg) => JSON.stringify(arg)).join()})`);

for (const name of frames) {
  test(`the example ${name} trains in its frame`, () =>
    open(pageOf(name), async (visit) => {
      const within = await inner(visit);
      if (!(await within.link()).includes("play=true")) await within.play();
      await within.reaches(3);
      assert.equal(await within.scope.locator("header.shell").isVisible(), false);
      assert.equal(await within.find(".way").isVisible(), true);
      assert.deepEqual(await within.toasts(), []);
    }));
}

test("the example of elements trains both, with one module for the two", () => {
  const asked = [];
  return open("element.html", async (visit) => {
    visit.page.on("request", (request) => asked.push(request.url()));
    await visit.page.reload();
    await visit.page.locator("#both").click();
    await visit.until("both to be there", async () => /step 500.*step 500/.test(await visit.page.locator("#said").innerText()));
    assert.equal(asked.filter((url) => url.endsWith(".wasm")).length, 1);
  });
});

test("a deck's frame trains while its slide is shown", () =>
  open("reveal.html", async (visit) => {
    const slide = (n) => visit.page.evaluate(`Reveal.slide(${n})`);
    await slide(1);
    const within = await inner(visit);
    await within.reaches(5);
    await slide(2);
    await rests(within);
    const step = await within.step();
    await slide(1);
    await within.reaches(step + 5);
  }));

/** Waits until training rests. */
async function rests(visit) {
  await visit.until("a rest", async () => {
    const step = await visit.element.evaluate((element) => /** @type {any} */ (element).steps);
    await visit.page.waitForTimeout(400);
    return (await visit.element.evaluate((element) => /** @type {any} */ (element).steps)) === step;
  });
}

for (const kind of ["frame", "element"]) {
  test(`what is scrolled out of sight waits, as ${kind}`, () =>
    open(`below-${kind}.html`, async (visit) => {
      const within = kind === "frame" ? await inner(visit) : visit;
      await within.ready();
      await rests(within);
      await visit.page.evaluate(() => scrollTo(0, 3000));
      const steps = () => within.element.evaluate((element) => /** @type {any} */ (element).steps);
      const before = await steps();
      await within.until("steps", async () => (await steps()) > before + 5);
      await visit.page.evaluate(() => scrollTo(0, 0));
      await rests(within);
      assert.equal(await within.element.evaluate((element) => /** @type {any} */ (element).playing), true);
    }));

  test(`two on a page go on at about the same pace, as ${kind}s`, () =>
    open(`two-${kind}s.html`, async (visit) => {
      const both = kind === "frame" ? [(await inner(visit, 0)).element, (await inner(visit, 1)).element] : [0, 1].map((n) => visit.scope.locator("tealight-playground").nth(n));
      const steps = () => Promise.all(both.map((each) => each.evaluate((element) => /** @type {any} */ (element).steps)));
      await visit.until("both to begin", async () => (await steps()).every((step) => step > 20));
      const before = await steps();
      await visit.page.waitForTimeout(3000);
      const taken = (await steps()).map((step, i) => step - before[i]);
      console.log(`steps in 3 s, ${kind}s: ${taken.join(" and ")}`);
      assert.ok(Math.min(...taken) > 0 && Math.max(...taken) / Math.min(...taken) < 3, taken.join(" and "));
    }, { height: 3000 }));
}

test("locked groups show their values and cannot be changed; links and scripts still can", () =>
  open("locked.html", async (visit) => {
    await visit.ready();
    const enabled = await visit.find(":is([data-group=data], [data-group=model], [data-group=settings], [data-group=transport]) :is(button, input, select, textarea):enabled").count();
    assert.equal(enabled, 0);
    const spec = usual.model.params.find(({ kind, advanced, when }) => kind === "log" && !advanced && !when);
    const entry = (await visit.control(spec.key)).locator("input.entry");
    assert.notEqual(await entry.inputValue(), "");
    const link = await visit.link();
    await visit.find(".stage").click();
    for (const key of [" ", "ArrowRight", "r", "n"]) await visit.page.keyboard.press(key);
    await visit.page.waitForTimeout(300);
    assert.equal(await visit.step(), 0);
    assert.equal(await visit.link(), link);
    await visit.element.evaluate((element, [key, value]) => /** @type {any} */ (element).set(key, value), [spec.key, spec.high]);
    await visit.until("the value", async () => (await visit.setting(spec.key)) === spec.high);
    assert.match(await entry.inputValue(), /\d/);
    await visit.element.evaluate((element, hash) => /** @type {any} */ (element).open(hash), `${hashOf(other)}&step=5`);
    await visit.until("the other run", async () => (await visit.setting("model")) === other.model.id && (await visit.step()) === 5);
    await visit.element.evaluate((element) => element.setAttribute("lock", ""));
    assert.equal(await visit.find("button.play").isEnabled(), true);
  }));

test("an element says when it reached what it was asked for", () =>
  open("goal.html", async (visit) => {
    await visit.until("the goal", async () => (await visit.page.evaluate("globalThis.reached")) === 30);
    // The count on the page follows with the next picture.
    await visit.until("the count", async () => (await visit.step()) === 30);
  }));

test("a page talks to its frame: calls are answered, events arrive, the height follows", () =>
  open("frame.html", async (visit) => {
    const within = await inner(visit);
    await visit.until("the height", async () => (await visit.page.locator("iframe").getAttribute("height")) !== "600");
    const height = Number(await visit.page.locator("iframe").getAttribute("height"));
    const needed = await within.scope.evaluate(() => document.documentElement.scrollHeight);
    assert.ok(Math.abs(needed - height) <= 1, `${height} of ${needed}`);

    const seen = await connected(visit, async (frame) => {
      const goals = [];
      frame.addEventListener("goal", (event) => goals.push(event.detail.step));
      await frame.step(12);
      const snapshot = await frame.snapshot();
      await frame.step(5);
      const later = await frame.snapshot();
      await frame.restore(snapshot);
      const back = (await frame.state()).step;
      await frame.step(5);
      const again = await frame.snapshot();
      const rows = await frame.sample(7);
      const weights = await frame.exportWeights();
      await frame.loadWeights(weights);
      await frame.set("seed", 99);
      await frame.reset();
      const state = await frame.state();
      return { goals, back, same: later.length === again.length && later.every((byte, i) => byte === again[i]), rows: rows.data.length, weights: weights.length, state };
    });
    assert.deepEqual(seen.goals, [12, 17, 17]);
    assert.equal(seen.back, 12);
    assert.equal(seen.same, true);
    assert.ok(seen.rows >= 7 && seen.weights > 100);
    assert.equal(seen.state.config.seed, 99);
    assert.equal(seen.state.step, 0);

    const refusals = await connected(visit, async (frame) => {
      const reason = (promise) => promise.then(() => "", (error) => error.message);
      return [await reason(frame.call("destroy")), await reason(frame.step(-1)), await reason(frame.set("nothing", 1)), await reason(frame.set("seed", -1)), await reason(frame.set("model", "<img src=x onerror=alert(1)>")), await reason(frame.restore(new Uint8Array(9)))];
    });
    assert.match(refusals[0], /^call = "destroy" is not known/);
    assert.match(refusals[1], /^args\[0\] \(n\) = -1/);
    assert.match(refusals[2], /no setting "nothing"/);
    assert.match(refusals[3], /^seed = -1 is not allowed/);
    assert.match(refusals[4], /^model takes one of/);
    assert.ok(refusals[5].length > 5);
    await connected(visit, (frame, hash) => frame.open(hash), `${hashOf(other)}&step=4`);
    await within.until("the run of the link", async () => (await within.setting("model")) === other.model.id && (await within.step()) === 4);
    assert.equal(await within.scope.locator("header.shell").isVisible(), false, "it stays embedded");
  }));

test("only the page that holds the frame is heard", () =>
  open("frame.html", async (visit) => {
    const within = await inner(visit);
    // The frame itself, and another frame of the same page.
    await within.scope.evaluate(() => postMessage({ tealight: 1, id: 1, call: "step", args: [3] }, "*"));
    await visit.page.evaluate(() => new Promise((resolve) => {
      const sibling = document.createElement("iframe");
      addEventListener("message", ({ data }) => data === "sent" && resolve(undefined));
      sibling.srcdoc = "<script>parent.frames[0].postMessage({ tealight: 1, id: 2, call: 'step', args: [3] }, '*'); parent.postMessage('sent', '*')</script>";
      document.body.append(sibling);
    }));
    await visit.page.waitForTimeout(600);
    assert.equal(await within.step(), 0);
    // The same from the page itself is done.
    await visit.page.evaluate(() => document.querySelector("iframe")?.contentWindow?.postMessage({ tealight: 1, id: 3, call: "step", args: [3] }, "*"));
    await within.reaches(3);
  }));

for (const [name, from] of [["sandbox-file", "the single file"], ["sandbox-site", "the site"]]) {
  test(`${from} trains in a sandboxed frame that may only run scripts`, () =>
    open(`${name}.html`, async (visit) => {
      const within = await inner(visit);
      assert.equal(await within.scope.evaluate(() => self.origin), "null");
      await within.reaches(5);
      // A worker, as everywhere: a sandbox is no reason to train on the page's own thread.
      assert.equal(await within.find("footer.facts").getAttribute("data-mode"), "blob");
    }));
}

test("an embedded page fits 320 pixels, and groups that are hidden leave no gap", () =>
  open("frame.html", async (visit) => {
    const within = await inner(visit);
    assert.equal(await within.overflow(), 0);
    await connected(visit, (frame, hash) => frame.open(hash), hashOf(usual, { hide: "data,model,settings,losses", embed: true }));
    await within.until("the groups to go", async () => !(await within.find("[data-group=data]").isVisible()));
    for (const width of [340, 900, 1280]) {
      await visit.page.setViewportSize({ width, height: 900 });
      const widths = await within.find(".stage").evaluate((stage) => [stage.getBoundingClientRect().width, document.documentElement.clientWidth]);
      assert.ok(widths[0] > 0.9 * widths[1], widths.join(" of "));
    }
  }, { width: 340 }));
