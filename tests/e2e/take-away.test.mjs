/** @file What is taken away from the page, and brought back. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { catalog, hashOf, pairs, staged, usual } from "./harness.mjs";

const it = staged();

/** Opens the dialog with its key and waits for it. */
async function dialog(visit) {
  await visit.page.keyboard.press("t");
  await visit.find("dialog.take-away[open]").waitFor();
}

/** Takes one thing away: its name and its bytes. */
async function take(visit, id) {
  if ((await visit.find("dialog.take-away[open]").count()) === 0) await dialog(visit);
  const [download] = await Promise.all([visit.page.waitForEvent("download"), visit.find(`[data-take="${id}"]`).click()]);
  const bytes = readFileSync(await download.path());
  assert.ok((await visit.find(".take-away .result").innerText()).includes(download.suggestedFilename()));
  return { name: download.suggestedFilename(), mimeType: "application/octet-stream", buffer: bytes };
}

const close = async (visit) => {
  await visit.page.keyboard.press("Escape");
  await visit.until("the dialog to close", async () => (await visit.find("dialog.take-away[open]").count()) === 0);
};
const bring = (visit, file) => visit.find(".file-drop input[type=file]").setInputFiles([file]);
const said = (visit, pattern) => visit.until(`a word: ${pattern}`, async () => (await visit.toasts()).some((text) => pattern.test(text)));
const pixelsOf = ({ buffer }) => [buffer.readUInt32BE(16), buffer.readUInt32BE(20)];
const isPng = ({ buffer }) => assert.equal(buffer.subarray(0, 8).toString("latin1"), "\x89PNG\r\n\x1a\n");

/** The values of a safetensors file: its header tells of the step too. */
const valuesOf = ({ buffer }) => buffer.subarray(8 + buffer.readUInt32LE(0));

/** The frames of a GIF, counted by their control blocks. */
const framesOf = ({ buffer }) => buffer.toString("latin1").split("\x21\xf9\x04").length - 1;

/** One pair of each kind of data. */
const kinds = ["points", "images", "sequences"].map((domain) => pairs.find(({ dataset }) => dataset.domain === domain && !dataset.drawable));

for (const [from, pairsOf] of [["http", kinds], ["file", kinds.slice(0, 1)]]) {
  for (const pair of pairsOf) {
    test(`${from}: every file of ${pair.model.id} on ${pair.dataset.id} is what its name says`, () =>
      it.visit({ from, hash: hashOf(pair, { step: 4 }) }, async (visit) => {
        await visit.ready();
        await visit.reaches(4);
        await visit.until("a picture", async () => (await visit.colours()) > 2);
        for (const id of ["view", "curves"]) {
          const picture = await take(visit, id);
          isPng(picture);
          assert.ok(Math.min(...pixelsOf(picture)) > 400, `${picture.name}: ${pixelsOf(picture)}`);
        }
        const losses = (await take(visit, "losses")).buffer.toString();
        assert.equal(losses.split("\n")[0], ["step", ...pair.model.losses.map(({ id }) => id)].join(","));
        assert.deepEqual(losses.trim().split("\n").slice(1).map((line) => Number(line.split(",")[0])), [1, 2, 3, 4]);
        const samples = await take(visit, "samples");
        if (pair.dataset.domain === "images") isPng(samples);
        else assert.ok(samples.buffer.toString().split("\n").length > 100);
        const film = await take(visit, "film");
        assert.equal(film.buffer.subarray(0, 6).toString(), "GIF89a");
        assert.equal(framesOf(film), 5);
        assert.deepEqual(JSON.parse((await take(visit, "experiment")).buffer.toString()).step, 4);
      }));
  }
}

test("an experiment, a snapshot and weights come back in a new page, bit for bit", () =>
  it.visit({ hash: hashOf(usual, { seed: 11 }) }, async (visit) => {
    await visit.ready();
    await visit.trainTo(6);
    const spec = usual.model.params.find(({ effect, kind }) => effect === "live" && kind === "log");
    await visit.element.evaluate((element, [key, value]) => /** @type {any} */ (element).set(key, value), [spec.key, spec.low * 2]);
    await visit.until("the change", async () => (await visit.setting(spec.key)) === spec.low * 2);
    await visit.trainTo(12);
    const [experiment, snapshot, weights] = [await take(visit, "experiment"), await take(visit, "snapshot"), await take(visit, "weights")];
    await close(visit);
    const [state, link] = [await visit.state(), await visit.link()];
    const other = pairs.find(({ model }) => model !== usual.model);
    const elsewhere = async () => {
      await visit.element.evaluate((element, to) => (/** @type {any} */ (element).link = to), hashOf(other));
      await visit.until("another run", async () => (await visit.setting("model")) === other.model.id && (await visit.step()) === 0);
      await visit.ready();
    };

    await elsewhere();
    await bring(visit, experiment);
    await visit.until("the experiment", async () => (await visit.setting("seed")) === 11);
    await visit.reaches(12);
    assert.equal(await visit.link(), link);
    assert.equal(await visit.state(), state);

    await elsewhere();
    await bring(visit, snapshot);
    await visit.until("the snapshot", async () => (await visit.step()) === 12);
    assert.equal(await visit.state(), state);
    await visit.until("a picture", async () => (await visit.colours()) > 2);
    await visit.trainTo(14);

    await elsewhere();
    await bring(visit, weights);
    await said(visit, new RegExp(weights.name.replaceAll(".", "\\.")));
    assert.equal(await visit.setting("model"), usual.model.id);
    assert.ok(valuesOf(await take(visit, "weights")).equals(valuesOf(weights)));
    await close(visit);

    await elsewhere();
    await dialog(visit);
    const input = visit.find(".take-away input.text");
    await input.fill(`https://example.org/page/#${link}`);
    await input.press("Enter");
    await visit.until("the link", async () => (await visit.setting("seed")) === 11);
    await visit.reaches(12);
    assert.equal(await visit.state(), state);
  }));

test("samples come back as data", () =>
  it.visit({ hash: hashOf(kinds[0], { step: 3 }) }, async (visit) => {
    await visit.ready();
    await visit.reaches(3);
    const samples = await take(visit, "samples");
    await close(visit);
    await bring(visit, samples);
    const own = catalog.datasets.find(({ file, domain }) => file && domain === "points");
    await visit.until("a run on them", async () => (await visit.setting("dataset")) === own.id);
    // What is learned from a file can be filmed too: a snapshot brings its rows.
    await visit.ready();
    await visit.trainTo(3);
    assert.equal(framesOf(await take(visit, "film")), 4);
  }));

test("a film is the same each time, leaves the run alone, and can be stopped", () =>
  it.visit({ hash: hashOf(usual, { step: 15 }) }, async (visit) => {
    await visit.ready();
    await visit.reaches(15);
    const state = await visit.state();
    const [one, two] = [await take(visit, "film"), await take(visit, "film")];
    assert.ok(one.buffer.equals(two.buffer));
    assert.equal(await visit.state(), state);
    assert.equal(visit.page.workers().length, 1);
    await visit.find('.take-away input[name="to"]').fill("500000");
    await visit.find('[data-take="film"]').click();
    await visit.until("progress", async () => (await visit.find(".take-away .working progress").evaluate((node) => /** @type {HTMLProgressElement} */ (node).position)) > 0);
    assert.equal(visit.page.workers().length, 2);
    await visit.find(".take-away .working button").click();
    await visit.until("its end", async () => visit.page.workers().length === 1 && (await visit.find(".take-away .working").isHidden()));
    assert.equal(await visit.state(), state);
  }));

test("broken files are refused with the field, and what runs goes on as it was", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    await visit.trainTo(5);
    const [experiment, snapshot, weights] = [await take(visit, "experiment"), await take(visit, "snapshot"), await take(visit, "weights")];
    await close(visit);
    const state = await visit.state();
    const json = JSON.parse(experiment.buffer.toString());
    const file = (name, content) => ({ name, mimeType: "application/octet-stream", buffer: Buffer.from(content) });
    const broken = (change) => file("a.json", JSON.stringify({ ...json, ...change }));
    // What marks up stays text.
    const markup = "<img src=x onerror=document.title='hacked'>";
    const cases = [
      [file("b.json", "{"), /b\.json.*JSON/],
      [broken({ [markup]: 1 }), /<img src=x/],
      [broken({ config: { ...json.config, model: markup } }), /config\.model = "<img/],
      [broken({ config: { ...json.config, seed: 1e300 } }), /config\.seed = 1e\+300/],
      [broken({ events: [{ step: -1, key: "x", value: 1 }] }), /events\[0\]\.step/],
      [broken({ tealight: "99.1.0" }), /99\.1\.0.*newer/],
      [{ ...snapshot, name: "c.safetensors", buffer: snapshot.buffer.subarray(0, 300) }, /c\.safetensors.*header/],
      [{ ...snapshot, name: "d.safetensors", buffer: snapshot.buffer.subarray(0, snapshot.buffer.length - 40) }, /d\.safetensors.*not used/],
      [{ ...weights, name: "e.safetensors", buffer: Buffer.from(weights.buffer).fill(255, weights.buffer.length - 4) }, /e\.safetensors.*not finite/],
      [file("f.safetensors", "nothing"), /f\.safetensors.*no safetensors/],
    ];
    for (const [bad, reason] of cases) {
      await bring(visit, bad);
      await said(visit, reason);
    }
    assert.equal(await visit.state(), state);
    assert.doesNotMatch(await visit.page.title(), /hacked/);
    assert.equal(await visit.find(".toast img").count(), 0);
    await visit.trainTo(7);
  }));

test("the dialog is worked by keys, in both languages, and fits a narrow screen", () =>
  it.visit({ hash: hashOf(usual, { lang: "zh", step: 3 }), width: 320, height: 700 }, async (visit) => {
    await visit.ready();
    await visit.reaches(3);
    await dialog(visit);
    assert.match(await visit.find(".take-away h2").innerText(), /\p{Script=Han}/u);
    assert.doesNotMatch(await visit.find(".take-away").innerText(), /\bui\.[a-z]/);
    const box = await visit.find("dialog.take-away").evaluate((node) => ({ inner: node.scrollWidth, outer: node.clientWidth }));
    assert.ok(box.inner <= box.outer, JSON.stringify(box));
    const seen = new Set();
    for (let i = 0; i < 30; i++) {
      await visit.page.keyboard.press("Tab");
      seen.add(await visit.element.evaluate((element) => element.shadowRoot?.activeElement?.getAttribute("data-take")));
    }
    for (const id of ["view", "film", "losses", "experiment", "snapshot"]) assert.ok(seen.has(id), `${id} was not reached`);
    await close(visit);
  }));
