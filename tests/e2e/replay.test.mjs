/** @file Links replay bit for bit in every browser, and the main ways to embed work in each. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";
import { nearest, readLink, writeLink } from "../../www/state.js";
import { wasm } from "../js/wasm.mjs";
import { browsers, reportFrom } from "./browsers.mjs";
import { catalog, defaultsOf, hashOf, someDatasets, specsOf, usual } from "./harness.mjs";
import { hostSite } from "./hosts.mjs";

/** Twenty runs of a few steps, each with a change on the way: every model, then again on other data. */
const runs = [0, 1].flatMap((k) => catalog.models.flatMap((model) => someDatasets(model).slice(k, k + 1).map((dataset) => ({ model, dataset, k }))));
const links = runs.slice(0, 20).map(({ model, dataset, k }, i) => {
  const config = { ...defaultsOf(catalog, { dataset: dataset.id, model: model.id }), seed: 100 + i };
  const live = specsOf(dataset, model).model.find(({ effect, kind, when, advanced }) => effect === "live" && ["log", "linear", "integer"].includes(kind) && !when && !advanced);
  const events = live ? [{ step: 3, key: live.key, value: nearest(live, 0.7 * Number(config[live.key])) }] : [];
  if (model.phases.length > 0) events.push({ step: 4, key: "phase", value: model.phases[0] });
  return writeLink(catalog, { config, events, step: 6 + k });
});

/** What Node makes of a link. */
function digestOf(text) {
  const { config, events, step } = readLink(catalog, text);
  const session = new wasm.Session(JSON.stringify(config));
  const left = [...events];
  for (let at = 0; ; at++) {
    while (left.length > 0 && left[0].step <= at) {
      const { key, value } = left.shift();
      session.set(key, JSON.stringify(value));
    }
    if (at >= step) break;
    session.step(1);
  }
  const bytes = session.snapshot();
  session.free();
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

const expected = Object.fromEntries(links.map((link) => [link, digestOf(link)]));

const page = `
<tealight-playground></tealight-playground>
<iframe src="tealight/#${hashOf(usual, { embed: true, play: true })}" width="900" height="300" title="A frame"></iframe>
<iframe sandbox="allow-scripts" src="tealight/tealight.html#${hashOf(usual, { embed: true, play: true })}" width="900" height="300" title="A sandbox"></iframe>
<script src="tealight/tealight-host.js"></script>
<script type="module">
  import "./tealight/tealight.js";
  const element = document.querySelector("tealight-playground");
  const found = {};
  const errors = [];
  element.addEventListener("error", (event) => errors.push(event.detail.message));
  await element.ready;
  for (const link of ${JSON.stringify(links)}) {
    const goal = new Promise((resolve) => element.addEventListener("goal", resolve, { once: true }));
    element.link = link;
    await goal;
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await element.snapshot()));
    found[link] = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("").slice(0, 16);
  }
  const frames = [];
  for (const frame of document.querySelectorAll("iframe")) {
    frame.scrollIntoView();
    const it = tealight.connect(frame);
    // Until it listens, nothing answers.
    let state = null;
    while (state === null) state = await Promise.race([it.state(), new Promise((resolve) => setTimeout(resolve, 300, null))]);
    while ((await it.state()).step < 3) await new Promise((resolve) => setTimeout(resolve, 100));
    await it.pause();
    await it.reset();
    await it.step(5);
    const refused = await it.set("nothing", 1).then(() => "", (error) => error.message);
    frames.push({ step: (await it.state()).step, refused, height: frame.height });
  }
  const report = (value) => fetch(new URL(location).searchParams.get("report"), { method: "POST", mode: "no-cors", body: JSON.stringify(value) });
  report({ found, errors, frames, mode: element.shadowRoot.querySelector("footer.facts").dataset.mode });
</script>`;

const site = hostSite({ "report.html": page });
after(site.end);

for (const browser of browsers) {
  test(`twenty links replay bit for bit in ${browser.name}, and frames answer`, { skip: browser.skip }, async () => {
    assert.equal(links.length, 20);
    const { found, errors, frames, mode } = await reportFrom(browser, site.folder, "report.html");
    assert.deepEqual(errors, []);
    assert.deepEqual(found, expected);
    assert.equal(mode, "worker");
    assert.equal(frames.length, 2);
    for (const { step, refused, height } of frames) {
      assert.equal(step, 5);
      assert.match(refused, /there is no setting "nothing"/);
      assert.notEqual(height, "300");
    }
  });
}
