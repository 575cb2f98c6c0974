/**
 * @file `npm test`: sets up what is missing and runs every check that CI runs, to the end even where one fails.
 * `npm test -- js e2e` runs only the stages named. The last line counts the tests.
 */
import { readdirSync } from "node:fs";
import path from "node:path";
import { build } from "./build.mjs";
import { Sentence, duration, heading, main, root, run, say, verdict } from "./console.mjs";
import { sameToolchain } from "./package.mjs";
import { reproducePackage } from "./reproduce.mjs";
import { setup } from "./setup.mjs";
import { report } from "./size.mjs";

/** @typedef {{passed: number, failed: number}} Count */

/** @param {string} text @param {RegExp} pattern One or more numbers in its first group. */
const sum = (text, pattern) => [...text.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);

const withoutColour = (text) => text.replace(/\u001b\[[0-9;]*m/g, "");

/** What cargo's and wasm-bindgen's test runners count. @param {string} output @returns {Count} */
function rustCount(output) {
  const lines = withoutColour(output);
  return {
    passed: sum(lines, /^test result: .*?(\d+) passed;/gm),
    failed: sum(lines, /^test result: .*?(\d+) failed;/gm),
  };
}

/** What Node's test runner counts. @param {string} output @returns {Count} */
function nodeCount(output) {
  const lines = withoutColour(output);
  return {
    passed: sum(lines, /^ℹ pass (\d+)$/gm),
    failed: sum(lines, /^ℹ fail (\d+)$/gm) + sum(lines, /^ℹ cancelled (\d+)$/gm),
  };
}

/** Runs a program that counts tests: it must succeed, and must have run some. */
async function counted(program, args, count, options = {}) {
  const { code, output } = await run(program, args, { capture: "stdout", ...options });
  return believed(program, code, count(output));
}

/** A runner that failed without a failed test, or that ran none, has failed all the same. @param {Count} count */
function believed(program, code, { passed, failed }) {
  if (failed > 0 || (code === 0 && passed > 0)) return { passed, failed };
  say(code !== 0 ? `${program} ended with code ${code}` : `${program} ran no test`);
  return { passed, failed: 1 };
}

/** Runs a program that says yes or no. @returns {Promise<Count>} */
async function check(program, args, options) {
  const { code } = await run(program, args, options);
  return { passed: 0, failed: code === 0 ? 0 : 1 };
}

/** Node's test runner over a folder; the files are named one by one, as versions differ in how they read a folder. */
function node(folder, ...args) {
  const files = readdirSync(path.join(root, folder)).filter((name) => name.endsWith(".test.mjs")).sort();
  const names = files.map((name) => `${folder}/${name}`);
  return counted(process.execPath, ["--test", "--test-reporter=spec", ...args, ...names], nodeCount);
}

/** What chromedriver and wasm-bindgen say when the browser did not come up: no word about our code. */
const noBrowser = /driver failed to start|failed to (?:bind|connect)|session not created|DevToolsActivePort|unable to discover open window|tab crashed/i;

async function wasmTests() {
  const once = () => run("wasm-pack", ["test", "--headless", "--chrome"], { capture: "both" });
  let { code, output } = await once();
  if (code !== 0 && rustCount(output).failed === 0 && noBrowser.test(output)) {
    say("The browser did not start; trying once more.");
    ({ code, output } = await once());
  }
  return believed("wasm-pack", code, rustCount(output));
}

const deny = ["--", "-D", "warnings"];

/** Every check, in the order in which a mistake shows soonest. @type {[id: string, title: string, () => Promise<Count>][]} */
const stages = [
  ["fmt", "Rust is formatted", () => check("cargo", ["fmt", "--all", "--check"])],
  ["clippy", "Clippy, native", () => check("cargo", ["clippy", "--locked", "--all-targets", "--all-features", ...deny])],
  ["clippy-wasm", "Clippy, wasm", () =>
    check("cargo", ["clippy", "--locked", "--lib", "--test", "wasm", "--target", "wasm32-unknown-unknown", ...deny])],
  ["rust", "Rust tests, native", () => counted("cargo", ["test", "--locked", "--all-features", "--no-fail-fast"], rustCount)],
  ["build", "Build the page", async () => {
    // What was built with the tools that are here is built again below, elsewhere, and compared.
    await build({ force: Boolean(process.env.CI) && !sameToolchain() });
    return { passed: 0, failed: 0 };
  }],
  ["release", "Built elsewhere, the package is the same", async () => {
    const different = await reproducePackage({ again: Boolean(process.env.CI) });
    if (typeof different === "string") say(different);
    else for (const name of different) say(`pkg/${name} came out otherwise`);
    return { passed: 0, failed: typeof different === "string" ? 0 : different.length };
  }],
  ["size", "Sizes are within the budgets", async () => {
    const over = report();
    for (const line of over) say(line);
    return { passed: 0, failed: over.length };
  }],
  ["types", "The page's types", () => check(process.execPath, ["node_modules/typescript/bin/tsc", "--project", "tsconfig.json"])],
  ["js", "JavaScript tests", () => node("tests/js")],
  ["wasm", "Rust tests, in the browser", wasmTests],
  ["e2e", "End to end, in the browser", () => node("tests/e2e", "--test-concurrency=1")],
];

await main(async () => {
  const since = performance.now();
  const asked = process.argv.slice(2);
  const unknown = asked.filter((id) => !stages.some(([stage]) => stage === id));
  if (unknown.length > 0) {
    throw new Sentence(`there is no stage ${unknown.join(", ")}; there are ${stages.map(([id]) => id).join(", ")}`);
  }
  await setup({ tests: true });
  const needsPage = asked.some((id) => ["size", "types", "js", "e2e"].includes(id));
  if (needsPage && !asked.includes("build")) await build();

  /** @type {{title: string, passed: number, failed: number, seconds: string}[]} */
  const results = [];
  for (const [id, title, work] of stages) {
    if (asked.length > 0 && !asked.includes(id)) continue;
    const began = performance.now();
    heading(title);
    let count = { passed: 0, failed: 1 };
    try {
      count = await work();
    } catch (error) {
      console.error(error instanceof Sentence ? error.message : error);
    }
    verdict(count.failed === 0, title, began);
    results.push({ title, ...count, seconds: duration(performance.now() - began) });
  }

  heading(`All checks (${duration(performance.now() - since)})`);
  for (const { title, passed, failed, seconds } of results) {
    const tests = passed + failed === 0 ? "ok" : `${passed} passed${failed > 0 ? `, ${failed} failed` : ""}`;
    say(`${title.padEnd(32)} ${tests.padEnd(24)} ${seconds}`);
  }
  const total = results.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed }), { passed: 0, failed: 0 });
  process.exitCode = total.failed === 0 ? 0 : 1;
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
});
