/** @file Pages with a content security policy: what they must allow, and what is said where they do not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { serve } from "../../tools/serve.mjs";
import { dist, staged, usual } from "./harness.mjs";
import { hostSite } from "./hosts.mjs";

const { model, dataset } = usual;
const site = hostSite({
  "element.html": `<script type="module" src="tealight/tealight.js"></script><tealight-playground dataset="${dataset.id}" model="${model.id}" lang="en" embed play></tealight-playground>`,
});

const it = staged({ folder: site.folder }, site.end);

/** Opens a page that is served with this policy. */
async function under(policy, name, work, { allow = [] } = {}) {
  const { url, close } = await serve({ folder: site.folder, port: 0, headers: { "Content-Security-Policy": policy } });
  try {
    await it.visit({ from: `${url}${name}`, allow: [new RegExp(`^request: ${url}`), ...allow] }, work);
  } finally {
    await close();
  }
}

/** What the README says that a page with the element must allow. */
const element = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
const violations = [/Content Security Policy/i, /violates the following/i, /WebAssembly/];

test("the element works under the strict policy, in a worker", () =>
  under(element, "element.html", async (visit) => {
    await visit.ready();
    await visit.reaches(5);
    assert.equal(await visit.find("footer.facts").getAttribute("data-mode"), "worker");
    await visit.until("a picture", async () => (await visit.colours()) > 2);
  }));

test("the policy holds nothing that is not needed", async () => {
  for (const directive of element.split("; ").slice(1)) {
    await under(element.replace(`; ${directive}`, ""), "element.html", async (visit) => {
      await visit.until("a violation", async () => visit.problems.some((text) => violations.some((pattern) => pattern.test(text))));
    }, { allow: [/./] });
  }
});

test("a strict page with a frame of another origin: the frame trains, the height follows", async () => {
  const other = await serve({ folder: dist, port: 0 });
  try {
    const { hostname, port } = new URL(other.url);
    const strict = `default-src 'none'; frame-src http://localhost:${port}; script-src http://localhost:${port}`;
    assert.equal(hostname, "127.0.0.1");
    const page = hostSite({ "cross.html": `<iframe src="http://localhost:${port}/#dataset=${dataset.id}&amp;model=${model.id}&amp;play=true&amp;embed=true" width="100%" height="600"></iframe><script src="http://localhost:${port}/tealight-host.js"></script>` });
    const { url, close } = await serve({ folder: page.folder, port: 0, headers: { "Content-Security-Policy": strict } });
    try {
      await it.visit({ from: `${url}cross.html`, allow: [/^request: http:\/\/(?:localhost|127\.0\.0\.1)/, /favicon/] }, async (visit) => {
        await visit.until("the frame", async () => visit.page.frames().length > 1);
        const within = visit.within(visit.page.frames()[1]);
        await within.reaches(5);
        await visit.until("the height", async () => (await visit.page.locator("iframe").getAttribute("height")) !== "600");
      });
    } finally {
      await close();
      page.end();
    }
  } finally {
    await other.close();
  }
});

test("the element of another origin trains in a worker", async () => {
  const other = await serve({ folder: dist, port: 0 });
  try {
    const from = other.url.replace("127.0.0.1", "localhost").slice(0, -1);
    const page = hostSite({ "cross.html": `<script type="module" src="${from}/tealight.js"></script><tealight-playground dataset="${dataset.id}" model="${model.id}" play></tealight-playground>` });
    const policy = `default-src 'none'; script-src ${from} 'wasm-unsafe-eval'; connect-src ${from}; worker-src blob:`;
    const { url, close } = await serve({ folder: page.folder, port: 0, headers: { "Content-Security-Policy": policy } });
    try {
      await it.visit({ from: `${url}cross.html`, allow: [/^request: /, /favicon/, ...violations] }, async (visit) => {
        await visit.ready();
        await visit.reaches(5);
        assert.equal(await visit.find("footer.facts").getAttribute("data-mode"), "blob");
      });
    } finally {
      await close();
      page.end();
    }
  } finally {
    await other.close();
  }
});

test("where wasm is forbidden, the page says so and what would allow it", () =>
  under(element.replace(" 'wasm-unsafe-eval'", ""), "element.html", async (visit) => {
    const alert = visit.find("[role=alert]");
    await alert.waitFor();
    assert.match(await alert.innerText(), /script-src 'wasm-unsafe-eval'/);
  }, { allow: violations }));

test("where workers are forbidden, it trains on the page's thread and says what would allow them", () =>
  under(`${element}; worker-src 'none'`, "element.html", async (visit) => {
    await visit.ready();
    await visit.reaches(5);
    assert.match(await visit.find("footer.facts .engine").innerText(), /worker-src 'self' blob:/);
  }, { allow: violations }));
