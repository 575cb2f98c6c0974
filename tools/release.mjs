/**
 * @file `npm run release`: renews everything in `pkg/`, from which the project is used elsewhere: the wasm package, the
 * element in one module, their types and the page in one file, with a record of what they were built from and with.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { bundlePage, elementBundle } from "./build.mjs";
import { Sentence, isMain, main, probe, root, run, say, task } from "./console.mjs";
import { buildPackage, describe, digestOf, readRecord, writeRecord } from "./package.mjs";

const folder = path.join(root, "pkg");

/** What the page and the element are made from, beside the wasm package. */
export function pageSources() {
  const under = (name) => readdirSync(path.join(root, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)).replaceAll(path.sep, "/"));
  return digestOf([...under("www"), "package-lock.json", "tsconfig.json", "tools/build.mjs", "tools/offline.mjs"]);
}

/** The types of the element, as the compiler reads them out of its sources, and those that they name. @returns {Promise<string[]>} */
async function types() {
  const place = mkdtempSync(path.join(os.tmpdir(), "tealight-types-"));
  try {
    const options = ["--project", "tsconfig.json", "--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--outDir", place, "--rootDir", root];
    const { code } = await run(process.execPath, ["node_modules/typescript/bin/tsc", ...options]);
    if (code !== 0) throw new Sentence("the page's types do not fit: run npm run typecheck");
    rmSync(path.join(folder, "types"), { recursive: true, force: true });
    const names = new Set(["tealight-playground.d.ts"]);
    for (const name of names) {
      const text = readFileSync(path.join(place, "www", name), "utf8");
      for (const [, other] of text.matchAll(/\b(?:from |import\()"([^"]+)"/g)) {
        if (!other.startsWith(".")) throw new Sentence(`${name} names ${other}, whose types the package does not hold`);
        names.add(path.posix.join(path.posix.dirname(name), other.replace(/\.js$/, ".d.ts")));
      }
      const file = path.join(folder, "types", name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    return [...names].map((name) => `types/${name}`);
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** Renews `pkg/`. */
export async function release() {
  await buildPackage();
  await bundlePage();
  await task("Release", async () => {
    describe();
    const typings = await types();
    writeFileSync(path.join(folder, "tealight-playground.js"), await elementBundle());
    copyFileSync(path.join(root, "dist", "tealight.html"), path.join(folder, "tealight.html"));
    const { version: esbuild } = JSON.parse(readFileSync(path.join(root, "node_modules", "esbuild", "package.json"), "utf8"));
    const page = { sources: pageSources(), toolchain: { esbuild, node: process.versions.node } };
    writeRecord({ page }, [...typings, "tealight-playground.js", "tealight.html", "package.json"]);
    // What an earlier release had and this one has not is of no version at all.
    const kept = new Set([...Object.keys(readRecord()?.files ?? {}), "BUILD.json"]);
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath ?? entry.path, entry.name);
      if (entry.isFile() && !kept.has(path.relative(folder, file).replaceAll(path.sep, "/"))) rmSync(file);
    }
    const { version, files } = /** @type {import("./package.mjs").BuildRecord} */ (readRecord());
    say(`pkg/ holds version ${version} in ${Object.keys(files).length} files.`);
  });
}

if (isMain(import.meta.url)) await main(release);
