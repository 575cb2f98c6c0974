/** @file Data from files: chosen or dropped, understood or refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { catalog, hashOf, staged, usual } from "./harness.mjs";

const it = staged();

const file = (name, content, mimeType = "application/octet-stream") => ({ name, mimeType, buffer: Buffer.from(content) });
const choose = (visit, ...files) => visit.find(".file-drop input[type=file]").setInputFiles(files);
const own = (domain) => catalog.datasets.find((dataset) => dataset.file && dataset.domain === domain).id;
/** The data set of the session. */
const learns = (visit, id) => visit.until(`a session on ${id}`, async () => (await visit.setting("dataset")) === id);

/** A file of images as MNIST has them: bright squares that differ in place. */
function idx(n, side) {
  const header = Buffer.from([0, 0, 8, 3, ...[n, side, side].flatMap((x) => [x >>> 24, (x >>> 16) & 255, (x >>> 8) & 255, x & 255])]);
  const pixels = Buffer.from(Array.from({ length: n * side * side }, (_, i) => ((i % side) + Math.floor(i / side / side)) % 5 < 2 ? 250 : 0));
  return Buffer.concat([header, pixels]);
}

test("a table is learned, and stays through a new seed and a rewind", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    const rows = Array.from({ length: 200 }, (_, i) => `${Math.cos(i).toFixed(3)};${Math.sin(i).toFixed(3)}`);
    await choose(visit, file("circle.csv", `x;y\n${rows.join("\n")}`, "text/csv"));
    await learns(visit, own("points"));
    assert.ok((await visit.toasts()).some((text) => text.includes("circle.csv") && text.includes("160") && text.includes("40")));
    assert.ok((await visit.colours(".file-thumb canvas")) > 1, "the preview shows the points");
    await visit.play();
    await visit.reaches(5);
    await visit.play();
    const seed = await visit.setting("seed");
    await visit.page.keyboard.press("n");
    await visit.until("another seed", async () => (await visit.setting("seed")) !== seed);
    assert.equal(await visit.setting("dataset"), own("points"));
    await visit.trainTo(3);
    // A link cannot carry the file: it falls back to what it can, and says so.
    await visit.page.reload();
    await visit.ready();
    assert.equal(await visit.setting("dataset"), catalog.datasets[0].id);
    assert.ok((await visit.toasts()).some((text) => text.includes(own("points"))));
  }));

test("packed images of MNIST's kind are learned", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    await choose(visit, file("images.gz", gzipSync(idx(50, 12))));
    await learns(visit, own("images"));
    await visit.trainTo(2);
    assert.ok((await visit.colours(".file-thumb canvas")) > 1);
  }));

test("what cannot be read is refused with the reason, and what runs goes on", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    await visit.trainTo(4);
    const before = await visit.state();
    const cases = [
      [file("a.csv", "1,2\n3,x", "text/csv"), /a\.csv: line 2, field 2/],
      [file("b.gz", gzipSync(idx(50, 12)).subarray(0, 40)), /b\.gz is damaged/],
      [file("c.idx", idx(50, 12).subarray(0, 99)), /c\.idx: its header promises 50 × 12 × 12 bytes/],
      [file("d.png", "no image", "image/png"), /d\.png is no image/],
      [file("e.txt", "x".repeat(41), "text/plain"), /e\.txt: line 1 has 41 characters/],
    ];
    for (const [bad, reason] of cases) {
      await choose(visit, bad);
      await visit.until(`the reason ${reason}`, async () => (await visit.toasts()).some((text) => reason.test(text)));
    }
    assert.equal(await visit.setting("dataset"), usual.dataset.id);
    assert.equal(await visit.state(), before);
    await visit.trainTo(6);
  }));

test("a picture that is dropped becomes a density of points", () =>
  it.visit({ hash: hashOf(usual) }, async (visit) => {
    await visit.ready();
    await visit.find(".playground").evaluate(async (target) => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 60, height: 40 });
      const g = canvas.getContext("2d");
      g.fillStyle = "white";
      g.fillRect(0, 0, 60, 40);
      g.fillStyle = "black";
      g.fillRect(5, 5, 20, 30);
      const blob = await new Promise((resolve) => canvas.toBlob(resolve));
      const data = new DataTransfer();
      data.items.add(new File([blob], "block.png", { type: "image/png" }));
      target.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true, composed: true }));
    });
    await learns(visit, own("points"));
    await visit.trainTo(2);
  }));
