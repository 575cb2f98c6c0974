/** @file The same runs have the same bits in every browser that is installed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { root, which } from "../../tools/console.mjs";
import { findChromium } from "../../tools/setup.mjs";

const PATIENCE = 600_000;
const reference = (name) => JSON.parse(readFileSync(path.join(root, "tests/reference", name), "utf8"));
/** What every browser must find: fixed runs, and links with their live changes and their steps. */
const expected = {
  runs: reference("digests.json"),
  links: Object.fromEntries(reference("links.json").map(({ link, digest }) => [link, digest])),
};
const types = { ".json": "application/json", ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

/** What the page finds in a browser that is started on it. @param {(url: string, profile: string) => [string, string[]]} command */
async function digestsIn(command) {
  const profile = mkdtempSync(path.join(os.tmpdir(), "tealight-bits-"));
  /** @type {(value: string) => void} */
  let arrived = () => {};
  const result = new Promise((resolve) => (arrived = resolve));
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (request.method === "POST") {
      let body = "";
      request.on("data", (chunk) => (body += chunk)).on("end", () => arrived(body));
      response.end();
      return;
    }
    if (!/^\/(?:pkg|www|tests\/bits|tests\/reference)\/[\w.-]+$/.test(pathname)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "Content-Type": types[path.extname(pathname)] ?? "application/octet-stream" }).end(readFileSync(path.join(root, pathname)));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const [program, args] = command(`http://127.0.0.1:${port}/tests/bits/page.html`, profile);
  const browser = spawn(program, args, { stdio: "ignore", env: { ...process.env, HOME: profile, MOZ_HEADLESS: "1" } });
  let timer;
  try {
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${program} gave no digests in ${PATIENCE / 1000} s`)), PATIENCE);
      browser.on("error", reject);
    });
    return JSON.parse(await Promise.race([result, late]));
  } finally {
    clearTimeout(timer);
    const gone = new Promise((resolve) => browser.on("exit", resolve).on("error", resolve));
    browser.kill("SIGKILL");
    server.closeAllConnections();
    server.close();
    if (browser.exitCode === null && browser.signalCode === null && browser.pid) await gone;
    try {
      rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    } catch {
      // A helper process of the browser may still be writing: what is left lies among temporary files.
    }
  }
}

test("fixed runs and replayed links have the same bits in Chromium as in Node", async () => {
  const found = await digestsIn((url, profile) => [findChromium() ?? "chromium",
    ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", `--user-data-dir=${profile}`, url]]);
  assert.deepEqual(found, expected);
});

const firefox = which("firefox-esr") ?? which("firefox");
test("fixed runs and replayed links have the same bits in Firefox as in Node", { skip: firefox ? false : "Firefox is not installed" }, async () => {
  assert.ok(firefox);
  const found = await digestsIn((url, profile) => [firefox, ["--headless", "--no-remote", "--profile", profile, url]]);
  assert.deepEqual(found, expected);
});
