/** @file Without a network: the site after the first visit, and the single file wherever it is opened. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { bundle } from "../../tools/build.mjs";
import { root } from "../../tools/console.mjs";
import { filesOf, writeServiceWorker } from "../../tools/offline.mjs";
import { serve } from "../../tools/serve.mjs";
import { hashOf, singleFile, staged, usual } from "./harness.mjs";

const it = staged();

const dist = path.join(root, "dist");

/** Waits until a build is kept and answers. */
const kept = (visit) => visit.until("a service worker", () => visit.scope.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.active?.state === "activated"));

/** Everything that a visitor may ask of the page, once. */
async function usedThroughout(visit) {
  await visit.ready();
  await visit.until("a picture", async () => (await visit.colours()) > 2);
  const step = await visit.step();
  await visit.play();
  await visit.reaches(step + 10);
  await visit.play();
  await visit.scope.locator("#language").click();
  await visit.scope.locator("#language").click();
  await visit.page.keyboard.press("t");
  await visit.find("dialog.take-away[open]").waitFor();
  await visit.find('[data-take="film"]').click();
  await visit.until("a film", async () => /\.gif/.test(await visit.find(".take-away .result").innerText()));
  for (const program of await visit.find('[data-take^="code-"]').all()) {
    await program.click();
    await visit.until("a program", async () => /\.(?:py|rs)/.test(await visit.find(".take-away .result").innerText()));
  }
  await visit.page.keyboard.press("Escape");
}

test("after one visit the site works with the network cut, and asks for nothing that is not there", () =>
  it.visit({ from: `${it.urls.http}?offline`, hash: hashOf(usual, { step: 5 }) }, async (visit) => {
    await visit.ready();
    await kept(visit);
    await visit.page.context().setOffline(true);
    await visit.page.reload();
    await usedThroughout(visit);
    assert.equal(await visit.setting("model"), usual.model.id);
    // Every file of the site, each as it was built.
    const digests = await visit.scope.evaluate(async (names) => {
      /** @type {Record<string, string>} */
      const out = {};
      for (const name of names) {
        const bytes = await (await fetch(name)).arrayBuffer();
        const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
        out[name] = `sha256-${btoa(String.fromCharCode(...digest))}`;
      }
      return out;
    }, Object.keys(filesOf(dist)));
    assert.deepEqual(digests, filesOf(dist));
  }));

test("a new build comes with the next visit, whole", async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "tealight-site-"));
  cpSync(dist, folder, { recursive: true });
  /** Marks two files of a build, to see whether they ever meet another one's. */
  const publish = async (mark) => {
    const change = (name, pattern, by) => writeFileSync(path.join(folder, name), readFileSync(path.join(folder, name), "utf8").replace(pattern, by));
    change("index.html", /<html lang="en"[^>]*>/, `<html lang="en" data-build="${mark}">`);
    change("style.css", /(?:\/\*build.*\*\/)?$/, `/*build ${mark}*/`);
    await writeServiceWorker(folder, bundle);
  };
  await publish("one");
  const { url, close } = await serve({ folder, port: 0 });
  const build = (visit) => visit.scope.evaluate(async () => [document.documentElement.dataset.build, (await (await fetch("style.css")).text()).match(/build (\w+)/)?.[1]]);
  try {
    await it.visit({ from: `${url}?offline`, hash: hashOf(usual), allow: [/^request/] }, async (visit) => {
      await visit.ready();
      await kept(visit);
      await visit.page.reload();
      await visit.ready();
      assert.deepEqual(await build(visit), ["one", "one"]);
      await publish("two");
      // The visit during which the new build is found still has the old one, all of it.
      await visit.page.reload();
      await visit.ready();
      assert.deepEqual(await build(visit), ["one", "one"]);
      await visit.until("the new build to be kept", () => visit.scope.evaluate(async () => Boolean((await navigator.serviceWorker.getRegistration())?.waiting)));
      assert.deepEqual(await build(visit), ["one", "one"]);
      await visit.page.reload();
      await visit.until("the new build", async () => (await build(visit).catch(() => []))[0] === "two");
      await visit.ready();
      assert.deepEqual(await build(visit), ["two", "two"]);
      assert.equal((await visit.scope.evaluate(() => caches.keys())).length, 1, "the old build is forgotten");
      assert.equal(await visit.setting("model"), usual.model.id, "the link is kept");
      // A build whose files are not those of its list is not kept.
      writeFileSync(path.join(folder, "style.css"), "/*build three*/");
      await visit.scope.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update().catch(() => {}));
      await visit.page.reload();
      await visit.ready();
      assert.deepEqual(await build(visit), ["two", "two"]);
    });
  } finally {
    await close();
    rmSync(folder, { recursive: true });
  }
});

test("on this machine's own address, in a frame and from a disk there is no service worker", async () => {
  const registrations = (scope) => scope.evaluate(async () => (navigator.serviceWorker ? (await navigator.serviceWorker.getRegistrations()).length : 0).valueOf());
  await it.visit({}, async (visit) => {
    await visit.ready();
    assert.equal(await registrations(visit.scope), 0);
  });
  const page = http.createServer((_, response) => response.writeHead(200, { "Content-Type": "text/html" }).end(`<!doctype html><iframe src="${it.urls.http}?offline" width="900" height="700"></iframe>`));
  await new Promise((resolve) => page.listen(0, "127.0.0.1", () => resolve(undefined)));
  try {
    const { port } = /** @type {import("node:net").AddressInfo} */ (page.address());
    await it.visit({ from: `http://127.0.0.1:${port}/`, allow: [/^request|favicon|status 404/] }, async (visit) => {
      await visit.until("the frame", async () => visit.page.frames().length > 1);
      const inner = visit.within(visit.page.frames()[1]);
      await inner.ready();
      assert.equal(await registrations(inner.scope), 0);
    });
  } finally {
    page.close();
  }
  await it.visit({ from: "file" }, async (visit) => {
    await visit.ready();
    assert.equal(await visit.scope.evaluate(async () => (await navigator.serviceWorker?.getRegistrations().catch(() => []))?.length ?? 0), 0);
  });
});

const denied = () => {
  // As where a browser's settings forbid storage: every way in throws.
  const forbid = () => {
    throw new DOMException("storage is denied", "SecurityError");
  };
  for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"]) Object.defineProperty(window, name, { get: forbid });
  Object.defineProperty(Navigator.prototype, "serviceWorker", { get: forbid });
};

for (const [from, address] of [["http", () => `${it.urls.http}?offline`], ["file", () => it.urls.file]]) {
  test(`${from}: with storage denied everything works but what is remembered`, () =>
    it.visit({ from: address(), hash: hashOf(usual, { step: 5 }), init: denied }, usedThroughout));
}

test("the single file works from a disk with the network denied, and asks for nothing", () =>
  it.visit({ from: "about:blank", context: { offline: true } }, async (visit) => {
    const asked = [];
    visit.page.on("request", (request) => asked.push(request.url()));
    await visit.page.goto(`${it.urls.file}#${hashOf(usual, { step: 5 })}`);
    await usedThroughout(visit);
    assert.deepEqual(asked.filter((url) => !/^(?:blob|data):/.test(url)).map((url) => url.split("#")[0]), [it.urls.file]);
  }));

for (const sandbox of ["allow-scripts", "allow-scripts allow-same-origin"]) {
  test(`the single file works as srcdoc with the network denied, sandbox="${sandbox}"`, () =>
    it.visit({ from: "about:blank", context: { offline: true }, allow: [/download/i, /can escape its sandboxing/] }, async (visit) => {
      await visit.page.setContent(`<!doctype html><iframe sandbox="${sandbox}" style="width:1000px;height:800px"></iframe>`);
      await visit.page.evaluate((text) => {
        /** @type {HTMLIFrameElement} */ (document.querySelector("iframe")).srcdoc = text;
      }, readFileSync(singleFile, "utf8"));
      await visit.until("the frame", async () => visit.page.frames().length > 1);
      const inner = visit.within(visit.page.frames()[1]);
      await inner.ready();
      const plays = inner.find("button.play");
      await plays.click();
      await inner.reaches(5);
      await plays.click();
      // Downloads may be forbidden here: the picture is shown all the same.
      await inner.find("button.take").click();
      await inner.find('[data-take="view"]').click();
      await inner.find(".take-away .result img").waitFor();
    }));
}
