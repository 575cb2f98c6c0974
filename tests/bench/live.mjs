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

const SECONDS = 10;
/**
 * Windows with scores and without, in turn, and how long each is at least in milliseconds: many and short, as the
 * machine has moods. Scores go on where they were when they are shown again, so that all windows with them together
 * are one stretch of a run, with its evaluations and the pauses between them.
 */
const [WINDOWS, WINDOW] = [16, 600];
/** Milliseconds after a change of what is shown that belong to neither. */
const SETTLED = 150;

/** @typedef {{model: import("../../www/protocol.js").ModelEntry, dataset: import("../../www/protocol.js").DatasetEntry}} Pair */
/** @typedef {{browser: import("playwright-core").Browser, url: string}} Place */

/** Opens a pair's page in a fresh profile. @param {Place} place @param {Pair} pair */
async function withPage({ browser, url }, { model, dataset }, work) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    const page = await context.newPage();
    await page.goto(`${url}#dataset=${dataset.id}&model=${model.id}&play=true`);
    return await work(page);
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
 * Steps per second with scores and without, in windows in turn. A window is from one report of the engine to another,
 * some 200 ms apart each, because between them the page does not know how many steps there are.
 */
const scored = (place, pair) =>
  withPage(place, pair, (page) =>
    page.evaluate(async ([windows, ms, settled]) => {
      const wait = (/** @type {number} */ time) => new Promise((resolve) => setTimeout(resolve, time));
      const element = /** @type {any} */ (document.querySelector("tealight-playground"));
      await element.ready;
      const report = () => new Promise((resolve) => element.addEventListener("step", () => resolve([element.steps, performance.now()]), { once: true }));
      await wait(2000);
      const rates = /** @type {[number[], number[]]} */ ([[], []]);
      for (let i = 0; i < 2 * windows; i++) {
        // Which of both comes first alternates: a run that grows slower favours neither.
        const without = Number((i + (i >> 1)) % 2 === 0);
        element.hide = without ? ["scores"] : [];
        await wait(settled);
        const [first, since] = await report();
        await wait(ms - 50);
        const [last, until] = await report();
        rates[without].push((1000 * (last - first)) / (until - since));
      }
      return rates;
    }, /** @type {const} */ ([WINDOWS, WINDOW, SETTLED])));

/** The value below which a share of the others lie. @param {number[]} xs @param {number} share */
const quantile = (xs, share) => [...xs].sort((a, b) => a - b)[Math.round(share * (xs.length - 1))];
const mean = (xs) => xs.reduce((a, b) => a + b, 0) / xs.length;

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
  const lines = [row(["model", "data", "steps/s without scores", "with", "of its speed", "middle half", "of all steps"]), "|---|---|---:|---:|---:|---:|---:|"];
  const [shares, totals] = [[], []];
  for (const pair of pairs) {
    const [withScores, without] = await scored(place, pair);
    const ratios = withScores.map((rate, i) => rate / without[i]);
    shares.push(median(ratios));
    // Evaluations and the pauses between them fall into different windows: the median may see only one kind.
    totals.push(mean(withScores) / mean(without));
    const half = [0.25, 0.75].map((share) => percent(quantile(ratios, share))).join("–");
    lines.push(row([pair.model.id, pair.dataset.id, median(without).toFixed(0), median(withScores).toFixed(0), percent(median(ratios)), half, percent(mean(withScores) / mean(without))]));
    say(lines[lines.length - 1]);
  }
  lines.push("", `Median of all pairs: ${percent(median(shares))}, of all steps ${percent(median(totals))}; smallest: ${percent(Math.min(...shares))}, of all steps ${percent(Math.min(...totals))}.`);
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
        `Steps per second with scores and without, in ${WINDOWS} pairs of windows of ${WINDOW / 1000} s on one page: their medians, the median of the pairs' ratios and between what the middle half of these lie, and the mean with scores over the mean without.`, "", ...costs, "",
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
