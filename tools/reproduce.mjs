/**
 * @file Builds again, elsewhere, and compares: the same sources and the same tools give the same bytes, wherever the
 * folder is. `node tools/reproduce.mjs`
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Sentence, isMain, main, root, run, say, task } from "./console.mjs";
import { packageIsFresh, readRecord, sameToolchain } from "./package.mjs";

/** A copy of parts of the project in a folder of another name; gone when `work` is done. */
async function elsewhere(names, work) {
  const place = mkdtempSync(path.join(os.tmpdir(), "tealight-elsewhere-"));
  try {
    for (const name of names) {
      if (existsSync(path.join(root, name))) cpSync(path.join(root, name), path.join(place, name), { recursive: true });
    }
    return await work(place);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** The files of a folder, by name. @param {string} folder */
function contents(folder) {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(names.map((entry) => {
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    return [path.relative(folder, file).replaceAll(path.sep, "/"), readFileSync(file)];
  }));
}

/** The files that are not the same in both folders. @param {string} one @param {string} other @param {(name: string) => boolean} [counts] */
function differences(one, other, counts = () => true) {
  const [a, b] = [contents(one), contents(other)];
  return [...new Set([...a.keys(), ...b.keys()])].filter(counts).filter((name) => !a.get(name)?.equals(b.get(name) ?? Buffer.alloc(0))).sort();
}

/** Does something with the tools of a copy. @param {string} place @param {string} code */
async function there(place, code, env = process.env) {
  const { code: failed } = await run(process.execPath, ["--input-type=module", "--eval", code], { env, cwd: place });
  if (failed !== 0) throw new Sentence("the build elsewhere failed: see its words above");
}

/** Bundles the page elsewhere; gives the files that came out otherwise. @returns {Promise<string[]>} */
export function reproducePage() {
  return elsewhere(["www", "tools", "pkg", "Cargo.toml", "package.json", "tsconfig.json"], async (place) => {
    symlinkSync(path.join(root, "node_modules"), path.join(place, "node_modules"), "junction");
    await there(place, 'await (await import("./tools/build.mjs")).bundlePage();');
    return differences(path.join(root, "dist"), path.join(place, "dist"));
  });
}

/** Where compiled things go. */
const targetFolder = () => process.env.CARGO_TARGET_DIR ?? path.join(root, "target");

/**
 * Compiles the package elsewhere; gives the files that came out otherwise, or says why there is nothing to compare.
 * @param {{again?: boolean}} [options] `again`: even if this very package came out the same before.
 * @returns {Promise<string[] | string>}
 */
export async function reproducePackage({ again = false } = {}) {
  if (!packageIsFresh()) return "The package was not built from these sources: nothing to compare.";
  if (!sameToolchain()) return "The package was built with other tools: nothing to compare.";
  const stamp = path.join(targetFolder(), "reproduced.json");
  const { package: built, files } = /** @type {import("./package.mjs").BuildRecord} */ (readRecord());
  const state = JSON.stringify([built, files["tealight_bg.wasm"], files["tealight.js"]]);
  if (!again && existsSync(stamp) && readFileSync(stamp, "utf8") === state) return "This very package came out the same before.";
  const different = await compiledElsewhere();
  if (different.length === 0) writeFileSync(stamp, state);
  return different;
}

/** @returns {Promise<string[]>} */
function compiledElsewhere() {
  return elsewhere(["src", "tools", "Cargo.toml", "Cargo.lock", ".cargo", "tests/rust/main.rs", "tests/wasm.rs"], async (place) => {
    mkdirSync(path.join(place, "pkg"));
    // The libraries are compiled already; what is ours depends on where it lies, and is compiled anew.
    const env = { ...process.env, CARGO_TARGET_DIR: targetFolder() };
    await there(place, 'await (await import("./tools/package.mjs")).buildPackage({ force: true });', env);
    const built = contents(path.join(place, "pkg"));
    return differences(path.join(root, "pkg"), path.join(place, "pkg"), (name) => built.has(name) && name !== "BUILD.json");
  });
}

if (isMain(import.meta.url)) {
  await main(async () => {
    for (const [title, work] of /** @type {const} */ ([["The page, bundled elsewhere", reproducePage], ["The package, compiled elsewhere", reproducePackage]])) {
      await task(title, async () => {
        const different = await work();
        if (typeof different === "string") say(different);
        else if (different.length > 0) throw new Sentence(`not the same bytes: ${different.join(", ")}`);
      });
    }
  });
}
