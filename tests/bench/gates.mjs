/**
 * @file Every model at its gates, in Chromium and natively: `npm run gates`.
 *
 * `tests/reference/gates.json` says which runs there are, what is read of each, and what it must be; a link of it opens
 * the same run on the page. Writes `bench/gates.md`, and fails where a gate is missed; it asserts nothing about time.
 * `--only ring,gmm` takes the runs and tests in whose link or name one of these words is; `--chromium` and `--native`
 * only one of both. These write nothing. What the same program was measured at before is read from `target/gates/`;
 * `--afresh` does it again.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { Sentence, duration, heading, isMain, main, root, say } from "../../tools/console.mjs";
import { buildPackage } from "../../tools/package.mjs";
import { readLink } from "../../www/state.js";
import { openChromium } from "./gates/chromium.mjs";
import { openNative, openTests } from "./gates/native.mjs";
import { kept } from "./gates/kept.mjs";
import { needsOf, reading } from "./gates/readings.mjs";

/** A value with as many digits as tell it from its bounds. @param {number} x @param {{low?: number, high?: number}} gate */
function short(x, { low = -Infinity, high = Infinity }) {
  if (x !== 0 && Math.abs(x) < 1e-3) return x.toExponential(1).replaceAll("-", "−");
  return String(Number(x.toFixed(low !== high && high - low < 1e-3 ? 7 : 4))).replace("-", "−");
}

/** A number as a test printed it, of at most seven digits. @param {string | null} text */
const tidy = (text) => (text === null ? "" : text.replace(/\D/g, "").length > 8 ? String(Number(Number(text).toPrecision(7))) : text).replaceAll("-", "−");
const bound = (/** @type {number} */ x) => String(x).replace("-", "−");
const time = (/** @type {number} */ x) => (x < 0.1 ? x.toFixed(3) : x.toFixed(1));
const row = (/** @type {(string | number)[]} */ cells) => `| ${cells.join(" | ")} |`;

/** What is required, in a few characters. @param {{low?: number, high?: number}} gate */
function required({ low, high }) {
  if (low === undefined) return `≤ ${bound(/** @type {number} */ (high))}`;
  if (high === undefined) return `≥ ${bound(low)}`;
  return low === high ? bound(low) : `${bound(low)} to ${bound(high)}`;
}

/** Why some gates are held by tests in Rust. */
const NATIVE_ONLY = [
  "The page's exports do not give these: their data are a formula or rows of another program, their predictor is exact, or what is compared lies inside a model.",
  "They are compiled as tests are (`opt-level = 2`), and timed by the test runner. Smaller ones, such as σ₁ of the formula matrix (`src/nn/spectral.rs`), stand beside what they test.",
];

const holds = ({ low = -Infinity, high = Infinity }, value) => low <= value && value <= high;

/** One run on both sides: a line for each of its gates. */
async function lines({ link, gates }, { catalog, chromium, native, afresh }, missed) {
  const { config, step, clamped } = readLink(catalog, link);
  if (!step || clamped.length > 0) throw new Sentence(`gates.json: ${link} has no step, or what is not allowed: ${JSON.stringify(clamped)}`);
  const needs = needsOf(gates);
  const reads = gates.map(({ read }) => read);
  /** The seconds of a run, and what its gates read. */
  const measure = (side, train) =>
    kept([side.program, link, reads], afresh, async () => {
      const found = await train();
      const values = reads.map((read) => reading(read, found, needs.views));
      if (!values.every(Number.isFinite)) throw new Error(`${link}: what is read of it is no number: ${values}`);
      return { seconds: found.seconds, values };
    });
  const sides = [
    ["Chromium", chromium && (await measure(chromium, () => chromium.train(config, step, needs)))],
    ["native", native && (await measure(native, () => native.train(`#${link}`, step, needs)))],
  ];
  return gates.map((gate, i) => {
    const values = sides.map(([name, found]) => {
      if (!found) return "";
      const value = found.values[i] / (gate.over ?? 1);
      if (holds(gate, value)) return short(value, gate);
      missed.push(`${config.model} on ${config.dataset}, ${name}: ${gate.what} is ${value}, required ${required(gate)}`);
      return `**${short(value, gate)}**`;
    });
    const seconds = sides.map(([, found]) => (found ? time(found.seconds) : ""));
    const verdict = values.some((text) => text.startsWith("**")) ? "**missed**" : "yes";
    const line = row([`${config.model}, ${config.dataset}`, gate.what, required(gate), ...values, verdict, step, ...seconds]);
    say(line);
    return line;
  });
}

/** A gate that a test in Rust holds. */
async function testLine(gate, { tests, afresh }, missed) {
  const { holds: held, seconds, value } = await kept([tests.program, gate], afresh, () => tests.hold(gate));
  if (!held) missed.push(`${gate.test}: ${gate.what}`);
  const line = row([gate.what, gate.required, tidy(value), held ? "yes" : "**missed**", time(seconds), `\`${gate.test}\``]);
  say(line);
  return line;
}

/** What is asked: compiled, or started. */
async function open(withNative, withTests, withChromium) {
  const native = withNative ? await openNative() : null;
  const tests = withTests ? await openTests() : null;
  return { native, tests, chromium: withChromium ? await openChromium() : null };
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const { values } = parseArgs({ options: { only: { type: "string" }, chromium: { type: "boolean" }, native: { type: "boolean" }, afresh: { type: "boolean", default: false } } });
    const words = values.only?.split(",");
    const wanted = (text) => !words || words.some((word) => text.includes(word));
    const [inChromium, natively] = [!values.native || values.chromium, !values.chromium || values.native];
    const since = performance.now();
    const { sections, tests } = JSON.parse(readFileSync(path.join(root, "tests/reference/gates.json"), "utf8"));
    const chosenTests = natively ? tests.filter(({ test }) => wanted(test)) : [];
    const chosenRuns = sections.flatMap(({ runs }) => runs.filter(({ link }) => wanted(link)));
    if (chosenRuns.length + chosenTests.length === 0) throw new Sentence(`--only: nothing has ${values.only} in its link or name`);
    await buildPackage();
    const { catalog } = await import("../js/wasm.mjs");
    const tools = { catalog, afresh: values.afresh, ...(await open(natively && chosenRuns.length > 0, chosenTests.length > 0, inChromium && chosenRuns.length > 0)) };
    const missed = /** @type {string[]} */ ([]);
    const text = [];
    try {
      for (const { title, runs } of sections) {
        const chosen = runs.filter(({ link }) => wanted(link));
        if (chosen.length === 0) continue;
        heading(title);
        text.push("", `## ${title}`, "", row(["model, data", "gate", "required", "Chromium", "native", "holds", "steps", "s, Chromium", "s, native"]), "|---|---|---|---:|---:|---|---:|---:|---:|");
        for (const run of chosen) text.push(...(await lines(run, tools, missed)));
        text.push("", "Where the bounds come from, and the runs:", "");
        for (const { link, gates } of chosen) text.push(`- \`#${link}\`: ${[...new Set(gates.map(({ from }) => from).filter(Boolean))].join("; ")}.`);
      }
      if (chosenTests.length > 0) {
        heading("By tests in Rust");
        text.push("", "## By tests in Rust, native only", "", ...NATIVE_ONLY, "", row(["gate", "required", "measured", "holds", "s", "test"]), "|---|---|---:|---|---:|---|");
        for (const gate of chosenTests) text.push(await testLine(gate, tools, missed));
      }
    } finally {
      await tools.chromium?.close();
    }
    const taken = duration(performance.now() - since);
    if (!words && inChromium && natively) {
      const top = [
        "# Gates", "",
        `Chromium ${tools.chromium?.version} on ${os.cpus().length} cores (${os.cpus()[0].model.trim()}), seed 42; made by \`npm run gates\`.`, "",
        `Every run in the page's own package and by the command line. Seconds are from the making of the session to its last step, on one thread, of a machine whose load was ${os.loadavg()[1].toFixed(1)} at the end: with a load far above its cores, they are longer than on a quiet one by as much.`,
        "A −log p of points is the entropy H of the data's law plus what the model loses on 1,000 fresh rows against the law itself: its standard error is below 0.01.",
        "A link opens the same run on the page.",
      ];
      mkdirSync(path.join(root, "bench"), { recursive: true });
      writeFileSync(path.join(root, "bench", "gates.md"), `${[...top, ...text].join("\n")}\n`);
      say("Written: bench/gates.md");
    }
    if (missed.length > 0) throw new Sentence(`${missed.length} gates are missed:\n${missed.join("\n")}`);
    say(`Every gate holds (${taken}).`);
  });
}
