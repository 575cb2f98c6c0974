/**
 * @file The programs that rebuild a model elsewhere, `www/code/<model>.<ending>`. What several have in common is kept
 * once, in `www/code/parts/`: a line `# include parts/<name>` (`//` in Rust) stands for the part, and every program
 * leaves here whole, as one file that runs by itself.
 *
 * `node tools/programs.mjs <folder>` writes them all into a folder.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const code = path.join(path.dirname(fileURLToPath(import.meta.url)), "..", "www", "code");

/** Those that there are: the endings, by model. @returns {Record<string, string[]>} */
export function programs() {
  /** @type {Record<string, string[]>} */
  const found = {};
  for (const name of existsSync(code) ? readdirSync(code).sort() : []) {
    const [, model, ending] = /^([a-z0-9-]+)\.(py|rs)$/.exec(name) ?? [];
    if (model) (found[model] ??= []).push(ending);
  }
  return found;
}

/** Their texts, by file name. @returns {Record<string, string>} */
export function programTexts() {
  const names = Object.entries(programs()).flatMap(([model, endings]) => endings.map((ending) => `${model}.${ending}`));
  return Object.fromEntries(names.map((name) => [name, whole(path.join(code, name))]));
}

/** A program with its parts in their places. @param {string} file @returns {string} */
function whole(file) {
  const text = readFileSync(file, "utf8");
  return text.replace(/^(?:#|\/\/) include (parts\/\S+)\n/gm, (_, part) => whole(path.join(code, part)));
}

/** Writes them all into a folder. @param {string} folder */
export function writePrograms(folder) {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(programTexts())) writeFileSync(path.join(folder, name), text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  if (!folder) {
    console.error("usage: node tools/programs.mjs <folder>");
    process.exit(2);
  }
  writePrograms(folder);
}
