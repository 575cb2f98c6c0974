/**
 * @file A browser, the built page in it, and what a visitor sees and does there. The page is known by its catalogue,
 * its roles and its data attributes; no test names a model, a data set or a setting.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import path from "node:path";
import { after, before } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { root } from "../../tools/console.mjs";
import { serve } from "../../tools/serve.mjs";
import { findChromium } from "../../tools/setup.mjs";
import { defaultsOf, specsOf, textOf } from "../../www/state.js";
import { catalog, pairs } from "../js/wasm.mjs";

export { catalog, defaultsOf, pairs, specsOf, textOf };

/** How long anything may take on a busy machine with two cores. */
const PATIENCE = 30_000;

export const dist = path.join(root, "dist");
export const singleFile = path.join(dist, "tealight.html");

/** The smallest and the largest thing a machine without a GPU and without the internet needs to be told. */
const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--no-first-run"];

/** The data sets to try a model on: one of each domain is not enough where the first is the easiest. @param {import("../../www/protocol.js").ModelEntry} model */
export function someDatasets(model) {
  const all = pairs.filter((pair) => pair.model === model && !pair.dataset.drawable).map(({ dataset }) => dataset);
  const first = model.domains.map((domain) => all.find((dataset) => dataset.domain === domain));
  return [...new Set([...first, all[1]])].filter(Boolean);
}

/** A pair that has a live setting on a logarithmic slider. */
export const usual = pairs[0];

/**
 * A browser and a server for one file of tests.
 * @param {import("node:test").TestContext | {after: Function}} t
 * @param {{folder?: string}} [options] What is served, if not the built page.
 */
export async function stage(t, { folder = dist } = {}) {
  const executablePath = findChromium();
  assert.ok(executablePath, 'there is no Chromium: run "npm test", which sets one up');
  const [browser, server] = await Promise.all([chromium.launch({ executablePath, args }), serve({ folder, port: 0 })]);
  t.after(async () => {
    await browser.close();
    await server.close();
  });
  const urls = { http: server.url, file: pathToFileURL(singleFile).href };
  return {
    browser,
    urls,
    /**
     * Opens the page in a fresh profile, does something with it, and checks that nothing went wrong unseen.
     * @param {{from?: "http" | "file" | string, hash?: string, width?: number, height?: number, context?: object, allow?: RegExp[], init?: () => void}} options
     *   `from` is how the page is reached, or an address; `allow` are problems that the test itself causes.
     * @param {(visit: Visit) => Promise<void>} work
     */
    async visit({ from = "http", hash = "", width = 1280, height = 900, context: options = {}, allow = [], init }, work) {
      const context = await browser.newContext({ viewport: { width, height }, locale: "en-US", ...options });
      context.setDefaultTimeout(PATIENCE);
      try {
        if (init) await context.addInitScript(init);
        const page = await context.newPage();
        const problems = watch(page, urls);
        await page.goto(`${urls[from] ?? from}${hash && `#${hash}`}`);
        await work(new Visit(page, problems));
        const unexpected = problems.filter((text) => !allow.some((pattern) => pattern.test(text)));
        assert.deepEqual(unexpected, [], "the console and the network stay quiet");
      } finally {
        await context.close();
      }
    },
  };
}

/**
 * A stage for all the tests of a file: there when the first begins, gone after the last.
 * @param {{folder?: string}} [options] As `stage` has them.
 * @param {(() => unknown)[]} ends What else to end, after the stage.
 * @returns {Awaited<ReturnType<typeof stage>>}
 */
export function staged(options, ...ends) {
  const it = /** @type {Awaited<ReturnType<typeof stage>>} */ ({});
  before(async () => {
    Object.assign(it, await stage({ after: (end) => ends.push(end) }, options));
  });
  after(async () => {
    for (const end of ends.reverse()) await end();
  });
  return it;
}

/** Collects what a visitor would not see: errors in the console, and requests that leave the page's own place. */
function watch(page, urls) {
  /** @type {string[]} */
  const problems = [];
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") problems.push(`${message.type()}: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    const own = url.startsWith(urls.http) || url === urls.file || url.startsWith(`${urls.file}#`) || /^(?:data|blob|about):/.test(url);
    if (!own) problems.push(`request: ${url}`);
  });
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText;
    // What a page had asked for when it was left.
    if (reason !== "net::ERR_ABORTED") problems.push(`failed: ${request.url()} ${reason}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) problems.push(`status ${response.status()}: ${response.url()}`);
  });
  return problems;
}

/** The page as a visitor has it before them. */
export class Visit {
  /** @param {import("playwright-core").Page} page @param {string[]} problems */
  constructor(page, problems, scope = page) {
    this.page = page;
    this.problems = problems;
    /** @type {import("playwright-core").Page | import("playwright-core").Frame} */
    this.scope = scope;
  }

  /** The same for a frame in the page. @param {import("playwright-core").Frame} frame */
  within(frame) {
    return new Visit(this.page, this.problems, frame);
  }

  /** Something in the element; selectors reach into its shadow root. @param {string} selector */
  find(selector) {
    return this.scope.locator(`tealight-playground ${selector}`);
  }

  get element() {
    return this.scope.locator("tealight-playground").first();
  }

  async ready() {
    await this.find('.playground[data-state="ready"]').first().waitFor();
  }

  /** The step counter, as it is shown. */
  async step() {
    return Number((await this.find(".count b").innerText()).replaceAll(",", ""));
  }

  /** Waits until something is so. @param {string} what @param {() => Promise<boolean>} holds */
  async until(what, holds) {
    const end = Date.now() + PATIENCE;
    while (!(await holds())) {
      assert.ok(Date.now() < end, `waited in vain: ${what}. Problems: ${this.problems.join("; ") || "none"}`);
      await this.page.waitForTimeout(40);
    }
  }

  /** @param {number} step */
  async reaches(step) {
    await this.until(`step ${step}`, async () => (await this.step()) >= step);
  }

  async play() {
    await this.find("button.play").click();
  }

  /** What the main picture shows, as a digest of its pixels. */
  picture(selector = "figure.view canvas") {
    return this.find(selector).first().evaluate((canvas) => /** @type {HTMLCanvasElement} */ (canvas).toDataURL()).then(digest);
  }

  /** The main picture once it has come to rest: the last frames of a pause may still be on their way. */
  async settled() {
    let last = "";
    await this.until("a picture at rest", async () => {
      const before = last;
      last = await this.picture();
      await this.page.waitForTimeout(300);
      return last === before;
    });
    return last;
  }

  /** How many different colours a picture has: an empty one has one. */
  colours(selector = "figure.view canvas") {
    return this.find(selector).first().evaluate((node) => {
      const canvas = /** @type {HTMLCanvasElement} */ (node);
      // Read from a copy: a canvas that is read from is moved out of the GPU for good.
      const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
      const g = /** @type {CanvasRenderingContext2D} */ (copy.getContext("2d", { willReadFrequently: true }));
      if (canvas.width * canvas.height > 0) g.drawImage(canvas, 0, 0);
      const { data } = g.getImageData(0, 0, Math.max(1, canvas.width), Math.max(1, canvas.height));
      const seen = new Set();
      for (let i = 0; i < data.length; i += 4) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
      return seen.size;
    });
  }

  /** Everything that the session is, as a digest. */
  state() {
    // As text, one character a byte: a list of numbers takes a hundred times as long on its way.
    return this.element.evaluate(async (element) => new TextDecoder("latin1").decode(await /** @type {any} */ (element).snapshot())).then(digest);
  }

  /**
   * Begins the run of a link that names a step, and waits until it is there. Not by the step that is shown:
   * that of the run before may be the same.
   * @param {string} link
   */
  arrives(link) {
    return this.element.evaluate(
      (element, to) =>
        new Promise((resolve, reject) => {
          element.addEventListener("goal", () => resolve(undefined), { once: true });
          setTimeout(() => reject(new Error(`the run of ${to} never arrived`)), 60_000);
          /** @type {any} */ (element).link = to;
        }),
      link,
    );
  }

  /** Trains to a step and waits there. @param {number} step */
  trainTo(step) {
    return this.element.evaluate((element, to) => /** @type {any} */ (element).step(to - /** @type {any} */ (element).steps), step);
  }

  /** The link to what is on the page. */
  link() {
    return this.element.evaluate((element) => /** @type {any} */ (element).link);
  }

  /** One value of the configuration. @param {string} key */
  setting(key) {
    return this.element.evaluate((element, name) => /** @type {any} */ (element).config[name], key);
  }

  /** The control of a setting; one that is among the rarer ones is brought to light. @param {string} key */
  async control(key) {
    const control = this.find(`.setting[data-key="${key}"]`);
    const drawer = this.find(`details:has(.setting[data-key="${key}"])`);
    if ((await drawer.count()) > 0 && !(await drawer.first().evaluate((node) => /** @type {HTMLDetailsElement} */ (node).open))) {
      await drawer.first().locator("summary").click();
    }
    return control;
  }

  toasts() {
    return this.find(".toast").allInnerTexts();
  }

  /** Whether the page is wider than its window. */
  overflow() {
    return this.scope.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  }
}

/** @param {string | Uint8Array} data */
const digest = (data) => createHash("sha256").update(data).digest("hex").slice(0, 16);

/** `dataset=…&model=…&` and more. */
export const hashOf = ({ model, dataset }, more = {}) =>
  [["dataset", dataset.id], ["model", model.id], ...Object.entries(more)].map(([key, value]) => `${key}=${value}`).join("&");
