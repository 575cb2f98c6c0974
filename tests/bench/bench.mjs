/**
 * @file `npm run bench`: Tealight and others at the same training steps, in headless Chromium, in one run.
 *
 * Wall-clock figures of one run on one machine: compare them within the run. Nothing is asserted about time.
 *
 * `--rounds N` (7 unless told), `--only w1,w3`, `--contenders tealight,candle`, `--no-native`. A run that leaves
 * something out writes neither the README's table nor `bench/results.json`.
 * `--pages` measures the built page instead: steps per second of every model on every data set, with and without
 * views; `--pages 3000` for 3,000 ms each instead of 2,000.
 */
import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "../../tools/build.mjs";
import { Sentence, duration, main, root, say } from "../../tools/console.mjs";
import { serve } from "../../tools/serve.mjs";
import { findChromium, setup } from "../../tools/setup.mjs";
import { measure } from "../../tools/size.mjs";
import { buildContenders, compressedBytes, site, versions } from "./build.mjs";
import { compare } from "./compare.mjs";
import { contenders, foldersOf } from "./contenders.mjs";
import { measureMemory } from "./memory.mjs";
import { torchVersion } from "./natives.mjs";
import { coldStarts, reportPairs } from "./pages.mjs";
import { intoReadme, print, write } from "./report.mjs";
import { workloads } from "./workloads.mjs";

const chromiumArgs = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-quic", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--no-first-run"];

/** @param {string[]} args */
function read(args) {
  const known = { rounds: true, only: true, contenders: true, "no-native": false, pages: false };
  /** @type {Record<string, string | true>} */
  const given = {};
  for (let i = 0; i < args.length; i++) {
    const name = args[i].replace(/^--/, "");
    if (/^\d+$/.test(args[i])) given.time = args[i];
    else if (!(name in known)) throw new Sentence(`${args[i]} is not known; there are ${Object.keys(known).map((it) => `--${it}`).join(", ")}`);
    else given[name] = known[name] ? args[++i] ?? "" : true;
  }
  const list = (name, all) => {
    const ids = typeof given[name] === "string" ? given[name].split(",") : all;
    const unknown = ids.filter((id) => !all.includes(id));
    if (unknown.length > 0) throw new Sentence(`--${name}: there is no ${unknown.join(", ")}; there are ${all.join(", ")}`);
    return all.filter((id) => ids.includes(id));
  };
  const rounds = Number(given.rounds ?? 7);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Sentence(`--rounds ${given.rounds} is not a whole number from 1 on`);
  return {
    rounds,
    only: list("only", workloads.map(({ id }) => id)),
    ids: list("contenders", contenders.map(({ id }) => id)),
    native: !given["no-native"],
    pages: Boolean(given.pages),
    time: Number(given.time ?? 2000),
  };
}

/** Which program draws: an imitation of a GPU is no GPU. */
async function describeGpu(browser) {
  const page = await browser.newPage();
  const name = await page.evaluate(() => {
    const gl = document.createElement("canvas").getContext("webgl2");
    const info = gl?.getExtension("WEBGL_debug_renderer_info");
    return gl ? String(gl.getParameter(info?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER)) : null;
  });
  await page.close();
  if (name === null) return "no GPU";
  return /swiftshader|llvmpipe|software/i.test(name) ? "no GPU (webgl in software)" : name;
}

/** A headless browser. @param {string[]} extra */
async function launch(extra) {
  // Only now: setup may just have installed it.
  const { chromium } = await import("playwright-core");
  return chromium.launch({ executablePath: findChromium() ?? undefined, args: [...chromiumArgs, ...extra] });
}

/** The page alone. */
async function pagesOnly({ time, native }) {
  const { pairs } = await import("../js/wasm.mjs");
  const [server, browser] = await Promise.all([serve({ folder: path.join(root, "dist"), port: 0 }), launch(["--disable-gpu"])]);
  try {
    await reportPairs({ browser, url: server.url }, { pairs, time, withNative: native });
  } finally {
    await browser.close();
    await server.close();
  }
}

/** The cold start, in a browser of its own, which has compiled nothing yet. */
async function startOfThePage(pairs) {
  const [server, browser] = await Promise.all([serve({ folder: path.join(root, "dist"), port: 0 }), launch(["--disable-gpu"])]);
  try {
    return await coldStarts({ browser, url: server.url }, pairs);
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Bytes of each contender, compressed. Tealight's are those of the package that the page ships. */
function sizes(chosen) {
  const script = gzipSync(readFileSync(path.join(root, "pkg", "tealight.js")), { level: 9 }).length;
  const tfjs = (backend) => compressedBytes("tfjs", (name) => name.endsWith(".js") || (backend === "wasm" && name === "tfjs-backend-wasm-simd.wasm"));
  const of = {
    tealight: () => measure().wasm.gzip + script,
    candle: () => compressedBytes("candle"),
    burn: () => compressedBytes("burn"),
    "jax-js": () => compressedBytes("jax"),
    "tfjs-wasm": () => tfjs("wasm"),
    "tfjs-cpu": () => tfjs("cpu"),
    "tfjs-webgl": () => tfjs("webgl"),
  };
  return Object.fromEntries(chosen.filter(({ id }) => id in of).map(({ id }) => [id, of[id]()]));
}

async function everything({ rounds, only, ids, native }) {
  const torch = native && ids.includes("torch") ? torchVersion() : null;
  const chosen = contenders.filter(({ id, kind }) => ids.includes(id) && (kind !== "native" || native) && (kind !== "torch" || torch));
  if (ids.includes("torch") && !torch) say("PyTorch is left out: python3 has no torch here.");
  await buildContenders(foldersOf(chosen), { native: chosen.some(({ kind }) => kind === "native") });
  const { pairs } = await import("../js/wasm.mjs");
  const server = await serve({ folder: site, port: 0 });
  const browser = await launch(["--enable-unsafe-swiftshader"]);
  try {
    const gpu = await describeGpu(browser);
    const { results, roof } = await compare({ browser, url: server.url, chosen, only, rounds });
    print({ results, roof, chosen, only });
    const whole = only.length === workloads.length && ids.length === contenders.length && native;
    if (!whole) return;
    const tealight = contenders[0];
    const memory = await measureMemory({ browser, url: server.url }, tealight, pairs);
    const starts = await startOfThePage(pairs);
    const machine = { cpu: os.cpus()[0].model.trim(), cores: os.cpus().length, browser: `Chromium ${browser.version()}`, gpu, system: `${os.type()} ${os.arch()}`, torch, ...versions() };
    const report = { machine, workloads, chosen, bytes: sizes(chosen), results, roof, memory, starts };
    write(report);
    intoReadme(report);
  } finally {
    await browser.close();
    await server.close();
  }
}

await main(async () => {
  const since = performance.now();
  const options = read(process.argv.slice(2));
  await setup({ tests: true });
  await build();
  await (options.pages ? pagesOnly(options) : everything(options));
  say(`The benchmark took ${duration(performance.now() - since)}.`);
});
