/** @file Any browser that can be started with an address: the page there reports what it found. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { which } from "../../tools/console.mjs";
import { serve } from "../../tools/serve.mjs";
import { findChromium } from "../../tools/setup.mjs";

const PATIENCE = 600_000;

const firefox = which("firefox-esr") ?? which("firefox");

/** @type {{name: string, skip: string | false, command: (url: string, profile: string) => [string, string[]]}[]} */
export const browsers = [
  {
    name: "Chromium",
    skip: false,
    command: (url, profile) => [findChromium() ?? "chromium", ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", `--user-data-dir=${profile}`, url]],
  },
  {
    name: "Firefox",
    skip: firefox ? false : "Firefox is not installed",
    command: (url, profile) => [firefox ?? "firefox", ["--headless", "--no-remote", "--profile", profile, url]],
  },
];

/**
 * Opens a page of a folder, and waits for what it posts to the address that `?report=` gives it.
 * @param {typeof browsers[number]} browser
 * @param {string} folder What is served.
 * @param {string} page
 * @returns {Promise<any>}
 */
export async function reportFrom({ name, command }, folder, page) {
  const profile = mkdtempSync(path.join(os.tmpdir(), "tealight-profile-"));
  /** @type {(text: string) => void} */
  let arrived = () => {};
  const result = new Promise((resolve) => (arrived = resolve));
  const ear = http.createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => (text += chunk)).on("end", () => {
      response.end();
      if (request.method === "POST") arrived(text);
    });
  });
  await new Promise((resolve) => ear.listen(0, "127.0.0.1", () => resolve(null)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (ear.address());
  const { url, close } = await serve({ folder, port: 0 });
  const [program, args] = command(`${url}${page}?report=${encodeURIComponent(`http://127.0.0.1:${port}/`)}`, profile);
  const browser = spawn(program, args, { stdio: "ignore", env: { ...process.env, HOME: profile, MOZ_HEADLESS: "1" } });
  let timer;
  try {
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${name} reported nothing in ${PATIENCE / 1000} s`)), PATIENCE);
      browser.on("error", reject);
    });
    return JSON.parse(await Promise.race([result, late]));
  } finally {
    clearTimeout(timer);
    const gone = new Promise((resolve) => browser.on("exit", resolve).on("error", resolve));
    browser.kill("SIGKILL");
    ear.closeAllConnections();
    ear.close();
    await close();
    if (browser.exitCode === null && browser.signalCode === null && browser.pid) await gone;
    try {
      rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    } catch {
      // A helper process of the browser may still be writing: what is left lies among temporary files.
    }
  }
}
