/**
 * @file The page as a visitor sees it, measured in Chromium: `npm run live`.
 *
 * For every model on its example, and on the first data set of each other kind that it takes: what it has learned ten seconds after the address
 * was asked for, by its scores and their floors, and what scores cost it. Writes `bench/live.md`, and a picture of every
 * page to `target/live/`. `--all` takes every data set; `--only a/b,c/d` chooses pairs of a model and a data set;
 * `--scores` and `--seconds` only one of both.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { Sentence, heading, isMain, main, root, say } from "../../tools/console.mjs";
import { serve } from "../../tools/serve.mjs";
import { findChromium } from "../../tools/setup.mjs";
import { pairs as every } from "../js/wasm.mjs";
import { median } from "./compare.mjs";
import { countWorkers, look } from "./worker-time.mjs";

const SECONDS = 10;
/**
 * Windows with scores and without, in turn, and how long each is at least in milliseconds: many and short, as the
 * machine has moods. Scores go on where they were when they are shown again, so that all windows with them together
 * are one stretch of a run, with its evaluations and the pauses between them.
 */
const [WINDOWS, WINDOW] = [16, 600];
/** Milliseconds after a change of what is shown that belong to neither. */
const SETTLED = 150;
/** Seconds of play in which the first scores come and what was lent to them is paid back. */
const FIRST = 20;

/** @typedef {{model: import("../../www/protocol.js").ModelEntry, dataset: import("../../www/protocol.js").DatasetEntry}} Pair */
/** @typedef {{browser: import("playwright-core").Browser, url: string}} Place */

/** Opens a pair's page in a fresh profile. @param {Place} place @param {Pair} pair */
async function withPage({ browser, url }, { model, dataset }, work) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    await countWorkers(context);
    const page = await context.newPage();
    const came = page.waitForEvent("worker");
    await page.goto(`${url}#dataset=${dataset.id}&model=${model.id}&play=true`);
    return await work(page, await came);
  } finally {
    await context.close();
  }
}

/** Trains until ten seconds after the navigation, and scores what is there. */
const learned = (place, pair, picture) =>
  withPage(place, pair, async (page) => {
    const found = await page.evaluate(async (seconds) => {
      const element = /** @type {any} */ (document.querySelector("tealight-playground"));
      await element.ready;
      let last = /** @type {any} */ (null);
      element.addEventListener("score", ({ detail }) => (last = detail));
      const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
      await wait(1000 * seconds - performance.now());
      element.pause();
      // A pause takes effect after the slice that is under way; then the step that it rests at is scored.
      let step = -1;
      while (step !== element.steps) {
        step = element.steps;
        await wait(300);
      }
      while (last?.step !== step) await wait(50);
      return { step, scores: last.scores, findings: last.findings.map(({ id }) => id) };
    }, SECONDS);
    await page.screenshot({ path: picture });
    return found;
  });

/**
 * What scores cost: how soon the first ones come and what all take of the worker's time until then and in the first
 * seconds, then what the worker does in windows with scores and without, in turn.
 */
const scored = (place, pair) =>
  withPage(place, pair, async (page, worker) => {
    const now = () => look(place.browser, worker);
    await page.evaluate(async () => {
      const element = /** @type {any} */ (document.querySelector("tealight-playground"));
      element.addEventListener("score", () => (/** @type {any} */ (globalThis).scoredAt ??= performance.timeOrigin + performance.now()));
      await element.ready;
    });
    const { began } = await now();
    await page.waitForTimeout(Math.max(0, 1000 * FIRST - (Date.now() - began)));
    const first = await now();
    const windows = /** @type {[any[], any[]]} */ ([[], []]);
    for (let i = 0; i < 2 * WINDOWS; i++) {
      // Which of both comes first alternates: a run that grows slower favours neither.
      const without = Number((i + (i >> 1)) % 2 === 0);
      await page.evaluate((hide) => (/** @type {any} */ (document.querySelector("tealight-playground")).hide = hide), without ? ["scores"] : []);
      await page.waitForTimeout(SETTLED);
      const start = await now();
      await page.waitForTimeout(WINDOW);
      const end = await now();
      const spent = (/** @type {string} */ what) => (end[what] === null ? null : end[what] - start[what]);
      windows[without].push({ time: spent("now"), steps: spent("steps"), scores: spent("scores"), processor: spent("processor") });
    }
    const came = await page.evaluate(() => /** @type {any} */ (globalThis).scoredAt ?? null);
    return { windows, came: came === null ? null : (came - began) / 1000, early: first.scores / (first.now - first.began) };
  });

/** The value below which a share of the others lie. @param {number[]} xs @param {number} share */
const quantile = (xs, share) => [...xs].sort((a, b) => a - b)[Math.round(share * (xs.length - 1))];
const mean = (xs) => xs.reduce((a, b) => a + b, 0) / xs.length;

const total = (windows, what) => windows.reduce((sum, window) => sum + window[what], 0);

/** The rate with scores over that without, of all windows together, and its standard error, by leaving each pair out. */
function compared([withScores, without], what) {
  const ratio = (left) => {
    const rate = (windows) => total(windows.filter((_, i) => i !== left), "steps") / total(windows.filter((_, i) => i !== left), what);
    return rate(withScores) / rate(without);
  };
  const others = withScores.map((_, i) => ratio(i));
  const n = others.length;
  return { ratio: ratio(-1), error: Math.sqrt(((n - 1) / n) * others.reduce((sum, x) => sum + (x - mean(others)) ** 2, 0)) };
}

const short = (x) => (x === null || x === undefined ? "" : Math.abs(x) >= 100 ? x.toFixed(0) : x.toFixed(2));
const percent = (x) => `${(100 * x).toFixed(1)} %`;
const row = (cells) => `| ${cells.join(" | ")} |`;

/** @param {Place} place @param {Pair[]} pairs */
async function tenSeconds(place, pairs) {
  heading(`After ${SECONDS} seconds`);
  const lines = [row(["model", "data", "steps", "scores (floor)", "found"]), "|---|---|---:|---|---|"];
  const pictures = path.join(root, "target", "live");
  mkdirSync(pictures, { recursive: true });
  for (const pair of pairs) {
    const { step, scores, findings } = await learned(place, pair, path.join(pictures, `${pair.model.id}-${pair.dataset.id}.png`));
    const texts = scores.filter(({ value }) => value !== null).map(({ id, value, floor }) => `${id} ${short(value)}${floor === null || floor === undefined ? "" : ` (${short(floor)})`}`);
    lines.push(row([pair.model.id, pair.dataset.id, step, texts.join(", "), findings.join(", ")]));
    say(lines[lines.length - 1]);
  }
  return lines;
}

/** @param {Place} place @param {Pair[]} pairs */
async function costOfScores(place, pairs) {
  heading("What scores cost");
  const lines = [row(["model", "data", "first scores, s", `time in scores, first ${FIRST} s`, "then", "steps/s without scores", "with", "of its speed", "middle half", "by the processor's time"]), "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"];
  const [times, shares, speeds] = [[], [], []];
  for (const pair of pairs) {
    const { windows, came, early } = await scored(place, pair);
    const [withScores, without] = windows.map((all) => all.map(({ steps, time }) => (1000 * steps) / time));
    const ratios = withScores.map((rate, i) => rate / without[i]);
    const later = total(windows[0], "scores") / total(windows[0], "time");
    const half = [0.25, 0.75].map((share) => percent(quantile(ratios, share))).join("–");
    const processor = windows[0][0].processor === null ? null : compared(windows, "processor");
    times.push(came ?? Infinity);
    shares.push(early);
    speeds.push(processor?.ratio ?? compared(windows, "time").ratio);
    const byProcessor = processor ? `${percent(processor.ratio)} ± ${(100 * processor.error).toFixed(1)}` : "–";
    lines.push(row([pair.model.id, pair.dataset.id, came?.toFixed(1) ?? "none", percent(early), percent(later), median(without).toFixed(0), median(withScores).toFixed(0), percent(median(ratios)), half, byProcessor]));
    say(lines[lines.length - 1]);
  }
  lines.push("", `First scores after ${median(times).toFixed(1)} s on the median, at the latest ${Math.max(...times).toFixed(1)} s; most time in scores in the first ${FIRST} s: ${percent(Math.max(...shares))}; speed by the processor's time: median ${percent(median(speeds))}, smallest ${percent(Math.min(...speeds))}.`);
  say(lines[lines.length - 1]);
  return lines;
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const { values } = parseArgs({ options: { all: { type: "boolean" }, only: { type: "string" }, scores: { type: "boolean" }, seconds: { type: "boolean" } } });
    const only = values.only?.split(",");
    const id = ({ model, dataset }) => `${model.id}/${dataset.id}`;
    const pairs = every.filter((pair) => !pair.dataset.drawable && (!only || only.includes(id(pair))));
    if (pairs.length === 0) throw new Sentence(`--only takes pairs of a model and a data set, as ${id(every[0])}; ${values.only} names none`);
    const executablePath = findChromium();
    if (!executablePath) throw new Sentence('there is no Chromium: run "npm run setup"');
    const server = await serve({ folder: path.join(root, "dist"), port: 0 });
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
    try {
      const place = { browser, url: server.url };
      // Of each kind of data the first, or the one that the model itself names.
      const first = ({ model, dataset }, i, all) => {
        const alike = all.filter((other) => other.model === model && other.dataset.domain === dataset.domain);
        return all[i] === (alike.find((other) => other.dataset.id === model.example) ?? alike[0]);
      };
      const chosen = only || values.all ? pairs : pairs.filter(first);
      const learnt = values.scores ? [] : await tenSeconds(place, chosen);
      const costs = values.seconds ? [] : await costOfScores(place, chosen);
      if (only || values.scores || values.seconds) return;
      const text = [
        "# The page as a visitor sees it", "",
        `Chromium ${browser.version()} on ${os.cpus().length} cores (${os.cpus()[0].model.trim()}), every model at its defaults and the default seed; made by \`npm run live\`.`, "",
        `## ${SECONDS} seconds after the address was asked for`, "",
        "In brackets is the *floor*: what as many fresh real rows score.", "", ...learnt, "",
        "## What scores cost", "",
        `Seconds of play until the first scores are there, and the share of its time that the worker spends in them: in the first ${FIRST} s, and in what comes then, which is ${WINDOWS} pairs of windows of ${WINDOW / 1000} s with scores and without on one page.`,
        "Of these: the medians of steps per second, the median of the pairs' ratios, and between what the middle half of them lie; and, as that is the part that does not depend on what else the machine does, the steps for a second that the worker's thread has really run, all windows together, with the standard error.", "", ...costs, "",
      ];
      mkdirSync(path.join(root, "bench"), { recursive: true });
      writeFileSync(path.join(root, "bench", "live.md"), text.join("\n"));
      say("Written: bench/live.md");
    } finally {
      await browser.close();
      await server.close();
    }
  });
}
