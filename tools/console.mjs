/**
 * @file What the tools share: saying what happens and for how long, running programs, and failing with a sentence.
 */
import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code, text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);

/** An error whose message is all that a person needs: it is shown without a stack. */
export class Sentence extends Error {}

/** `75000` → `1 min 15 s`. @param {number} milliseconds */
export function duration(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** @param {string} text */
export const heading = (text) => console.log(`\n${paint("1;36", "▸")} ${paint("1", text)}`);

/** @param {string} text */
export const say = (text) => console.log(`  ${text}`);

/** @param {boolean} ok @param {string} text @param {number} since */
export function verdict(ok, text, since) {
  const mark = ok ? paint("32", "✔") : paint("31", "✘");
  console.log(`${mark} ${text} ${paint("2", `(${duration(performance.now() - since)})`)}`);
}

/**
 * Does `work` under a heading and says how long it took.
 * @template T
 * @param {string} title
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function task(title, work) {
  heading(title);
  const since = performance.now();
  try {
    const result = await work();
    verdict(true, title, since);
    return result;
  } catch (error) {
    verdict(false, title, since);
    throw error;
  }
}

/**
 * Runs a program and waits for it. What is captured is shown as well, as it comes.
 * A program that stays silent is reported as still running every half minute.
 * @param {string} program
 * @param {string[]} args
 * @param {{env?: NodeJS.ProcessEnv, cwd?: string, capture?: "none" | "stdout" | "both", quiet?: boolean}} [options]
 *   `quiet` keeps the captured text to itself.
 * @returns {Promise<{code: number, output: string}>}
 */
export function run(program, args, { env = process.env, cwd = root, capture = "none", quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const stdio = /** @type {("inherit" | "pipe" | "ignore")[]} */ ([
      "ignore",
      capture === "none" ? "inherit" : "pipe",
      capture === "both" ? "pipe" : "inherit",
    ]);
    const child = spawn(program, args, { cwd, env, stdio, shell: process.platform === "win32" });
    const pieces = [];
    const since = performance.now();
    let lastSign = since;
    for (const [stream, sink] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
      stream?.on("data", (piece) => {
        pieces.push(piece);
        lastSign = performance.now();
        if (!quiet) sink.write(piece);
      });
    }
    const pulse = setInterval(() => {
      const now = performance.now();
      if (now - lastSign < 30_000) return;
      lastSign = now;
      say(`… ${path.basename(program)} is still running (${duration(now - since)})`);
    }, 1000);
    child.on("error", (error) => {
      clearInterval(pulse);
      reject(new Sentence(`could not start ${program}: ${error.message}`));
    });
    child.on("close", (code, signal) => {
      clearInterval(pulse);
      if (signal) console.error(`${program} was ended by ${signal}`);
      resolve({ code: code ?? 1, output: Buffer.concat(pieces).toString("utf8") });
    });
  });
}

/** What a program prints, or null where it cannot be run or fails. @param {string} program @param {...string} args */
export function probe(program, ...args) {
  const { status, stdout } = spawnSync(program, args, {
    cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], shell: process.platform === "win32",
  });
  return status === 0 ? stdout.trim() : null;
}

/**
 * Where a program is, or null.
 * @param {string} name
 * @param {string[]} [folders] Where to look; the search path unless told.
 */
export function which(name, folders = (process.env.PATH ?? "").split(path.delimiter)) {
  const endings = process.platform === "win32" ? [".exe", ".cmd", ""] : [""];
  for (const folder of folders) {
    for (const ending of endings) {
      const file = path.join(folder, name + ending);
      try {
        accessSync(file, constants.X_OK);
        if (statSync(file).isFile()) return file;
      } catch {
        // Not here: look on.
      }
    }
  }
  return null;
}

/** Whether this module is the program that was started. @param {string} url */
export const isMain = (url) => Boolean(process.argv[1]) && path.resolve(process.argv[1]) === fileURLToPath(url);

/** Runs a tool: a Sentence is shown as such, anything else with its stack. @param {() => Promise<unknown>} work */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    console.error(`\n${paint("31", "✘")} ${error instanceof Sentence ? error.message : error?.stack ?? error}`);
    process.exitCode = 1;
  }
}
