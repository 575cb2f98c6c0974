/** @file The release in `pkg/`, as others use it: the page from a disk, the element in a page of their own. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { root } from "../../tools/console.mjs";
import { manifestField } from "../../tools/package.mjs";
import { staged } from "./harness.mjs";

const it = staged();

const folder = path.join(root, "pkg");

async function learns(visit) {
  await visit.ready();
  assert.equal(await visit.element.evaluate((element) => /** @type {any} */ (element).version), manifestField("version"), 'run "npm run release"');
  await visit.until("a picture", async () => (await visit.colours()) > 2);
  await visit.play();
  await visit.reaches(10);
}

test("the committed page opens from a disk without a network, and is of this version", () =>
  it.visit({ from: "about:blank", context: { offline: true }, allow: [/^request: file:/] }, async (visit) => {
    const asked = new Set();
    visit.page.on("request", (request) => asked.add(request.url().split("#")[0]));
    const url = pathToFileURL(path.join(folder, "tealight.html")).href;
    await visit.page.goto(url);
    await learns(visit);
    assert.deepEqual([...asked].filter((address) => !/^(?:blob|data):/.test(address)), [url]);
  }));

test("the committed element runs in another page from one file, under that page's policy", async () => {
  const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; worker-src blob:";
  const asked = [];
  const server = http.createServer((request, response) => {
    asked.push(request.url);
    if (request.url === "/element.js") response.writeHead(200, { "Content-Type": "text/javascript; charset=utf-8" }).end(readFileSync(path.join(folder, "tealight-playground.js")));
    else response.writeHead(200, { "Content-Type": "text/html", "Content-Security-Policy": policy }).end('<!doctype html><link rel="icon" href="data:,"><script type="module" src="element.js"></script><tealight-playground></tealight-playground>');
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  try {
    await it.visit({ from: `http://127.0.0.1:${port}/`, allow: [/^request: http:\/\/127/] }, async (visit) => {
      await learns(visit);
      assert.equal(await visit.find("footer.facts").getAttribute("data-mode"), "blob");
      assert.deepEqual(asked, ["/", "/element.js"]);
    });
  } finally {
    server.close();
  }
});
