/**
 * @file `npm run release`: renews everything in `pkg/`, from which the project is used elsewhere: the wasm package, the
 * element in one module, their types and the page in one file, with a record of what they were built from and with.
 */
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { bundlePage, elementBundle } from "./build.mjs";
import { Sentence, isMain, main, probe, root, run, say, task } from "./console.mjs";
import { buildPackage, describe, digestOf, readRecord, released, writeRecord } from "./package.mjs";

const folder = path.join(root, "pkg");

/** What the page and the element are made from, beside the wasm package. */
function pageSources() {
  const under = (name) => readdirSync(path.join(root, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)).replaceAll(path.sep, "/"));
  return digestOf([...under("www"), "package-lock.json", "tools/build.mjs"]);
}

/** The types of the element, as the compiler reads them out of its sources. */
async function types() {
  const place = mkdtempSync(path.join(os.tmpdir(), "tealight-types-"));
  try {
    const options = ["--project", "tsconfig.json", "--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--outDir", place, "--rootDir", root];
    const { code } = await run(process.execPath, ["node_modules/typescript/bin/tsc", ...options]);
    if (code !== 0) throw new Sentence("the page's types do not fit: run npm run typecheck");
    for (const name of ["tealight-playground.d.ts", "protocol.d.ts"]) {
      const text = readFileSync(path.join(place, "www", name), "utf8");
      const other = /from "(?!\./protocol\.js)[^"]+"|import\("(?!\.\/protocol\.js)[^"]+"\)/.exec(text);
      if (other) throw new Sentence(`${name} names what the package does not hold: ${other[0]}`);
      writeFileSync(path.join(folder, name), text);
    }
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
    await types();
    writeFileSync(path.join(folder, "tealight-playground.js"), await elementBundle());
    copyFileSync(path.join(root, "dist", "tealight.html"), path.join(folder, "tealight.html"));
    const { version: esbuild } = JSON.parse(readFileSync(path.join(root, "node_modules", "esbuild", "package.json"), "utf8"));
    const page = { sources: pageSources(), toolchain: { esbuild, node: process.versions.node } };
    writeRecord({ page }, [...released.filter((name) => name !== "BUILD.json"), "package.json"]);
    const { version, files } = /** @type {import("./package.mjs").BuildRecord} */ (readRecord());
    say(`pkg/ holds version ${version} in ${Object.keys(files).length} files.`);
  });
}

if (isMain(import.meta.url)) await main(release);
