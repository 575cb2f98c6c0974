/**
 * @file Builds the benchmark's contenders into `target/bench/www`, a folder each. Their crates and packages are their
 * own, with their own lockfiles: nothing of them is a dependency of the project.
 */
import { copyFileSync, cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { Sentence, probe, root, run, task } from "../../tools/console.mjs";
import { buildEnvironment } from "../../tools/package.mjs";
import { rows } from "./workloads.mjs";

const target = "wasm32-unknown-unknown";
const here = path.join(root, "tests", "bench");
const work = path.join(root, "target", "bench");

/** The folder that is served. */
export const site = path.join(work, "www");

/** Where cargo puts what it compiles for the benchmark. */
const compiled = process.env.CARGO_TARGET_DIR ?? path.join(work, "cargo");

/** The rows of each size, as files for those who do not run in a page. @param {number} size */
export const rowsFile = (size) => path.join(site, "rows", `${size}.f32`);

/** The native program of Tealight's workloads. */
export const nativeProgram = path.join(compiled, "release", process.platform === "win32" ? "tealight-bench.exe" : "tealight-bench");

const manifest = (name) => path.join(here, name, "Cargo.toml");

/**
 * The project's own profiles and lockfile for the crate that measures it: so it is compiled exactly as the package is.
 * @returns {string[]} Arguments for cargo.
 */
function asThePackage() {
  const text = readFileSync(path.join(root, "Cargo.toml"), "utf8");
  const profiles = text.split(/^(?=\[)/m).filter((section) => section.startsWith("[profile.")).join("");
  const file = path.join(work, "profiles.toml");
  mkdirSync(work, { recursive: true });
  writeFileSync(file, profiles);
  copyFileSync(path.join(root, "Cargo.lock"), path.join(here, "tealight", "Cargo.lock"));
  return ["--config", file];
}

/** Compiles; `flags` in place of the project's own. @param {string[]} args @param {string} [flags] */
async function cargo(args, flags) {
  const env = buildEnvironment();
  if (flags !== undefined) env.RUSTFLAGS = flags;
  const { code } = await run("cargo", ["build", "--target-dir", compiled, ...args], { env });
  if (code !== 0) throw new Sentence("a crate of the benchmark does not compile: see cargo's words above");
}

/** Compiles a crate to wasm and makes its web package; others than our own with the flags that anybody would set. */
async function wasm(name, profile, args) {
  await cargo(["--lib", "--manifest-path", manifest(name), "--target", target, "--profile", profile, ...args], name === "tealight" ? undefined : "-C target-feature=+simd128");
  const file = path.join(compiled, target, profile, `${name}_bench.wasm`);
  const names = process.env.TEALIGHT_BENCH_NAMES ? [] : ["--remove-name-section"];
  const out = ["--target", "web", "--no-typescript", "--out-name", "bench", "--remove-producers-section", ...names];
  const { code } = await run("wasm-bindgen", [file, "--out-dir", path.join(site, name), ...out]);
  if (code !== 0) throw new Sentence(`wasm-bindgen could not make a web package of tests/bench/${name}: see its words above`);
}

async function roof() {
  await cargo(["--lib", "--manifest-path", manifest("roof"), "--target", target, "--release"]);
  mkdirSync(path.join(site, "roof"), { recursive: true });
  copyFileSync(path.join(compiled, target, "release", "roof_bench.wasm"), path.join(site, "roof", "roof.wasm"));
}

/** Installs the JavaScript frameworks, beside the project's own packages. */
async function npmPackages() {
  const folder = path.join(work, "js");
  mkdirSync(folder, { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) copyFileSync(path.join(here, "js", name), path.join(folder, name));
  const args = ["ci", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
  if ((await run("npm", args)).code !== 0) throw new Sentence("the JavaScript frameworks could not be installed: is the npm registry reachable?");
  return path.join(folder, "node_modules");
}

async function javascript(name, modules) {
  const esbuild = await import("esbuild");
  await esbuild.build({
    entryPoints: [path.join(here, "js", `${name}.js`)],
    outdir: path.join(site, name),
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    nodePaths: [modules],
    // Node's modules, which the frameworks ask for only in Node.
    external: ["fs", "path", "os", "util", "crypto", "worker_threads", "perf_hooks", "string_decoder", "node:*"],
    logLevel: "error",
  });
  if (name !== "tfjs") return;
  const binaries = path.join(modules, "@tensorflow", "tfjs-backend-wasm", "dist");
  for (const file of readdirSync(binaries).filter((file) => file.endsWith(".wasm"))) copyFileSync(path.join(binaries, file), path.join(site, name, file));
}

/** The folder's name in an address like `/tealight/`. @param {string} address */
export const contenderFolder = (address) => address.replaceAll("/", "");

/**
 * Builds what the chosen contenders need.
 * @param {Set<string>} folders @param {{native: boolean}} options
 */
export async function buildContenders(folders, { native }) {
  mkdirSync(path.join(site, "rows"), { recursive: true });
  cpSync(path.join(here, "page"), path.join(site, "page"), { recursive: true });
  writeFileSync(path.join(site, "index.html"), '<!doctype html><meta charset="utf-8"><title>Benchmark</title>\n');
  for (const [size, values] of Object.entries(await rows())) writeFileSync(rowsFile(Number(size)), Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  await task("Build the roof", roof);
  if (folders.has("tealight")) await task("Build Tealight's workloads", () => wasm("tealight", "wasm", asThePackage()));
  if (native) await task("Build Tealight's workloads, native", () => cargo(["--bins", "--manifest-path", manifest("tealight"), "--release", ...asThePackage()]));
  for (const name of ["candle", "burn"]) {
    if (folders.has(name)) await task(`Build ${name}'s workloads`, () => wasm(name, "release", ["--locked"]));
  }
  if (!folders.has("jax") && !folders.has("tfjs")) return;
  await task("Install and bundle the JavaScript frameworks", async () => {
    const modules = await npmPackages();
    for (const name of ["jax", "tfjs"]) if (folders.has(name)) await javascript(name, modules);
  });
}

/** Compressed bytes of what a page of this contender loads. @param {string} folder @param {(name: string) => boolean} [wanted] */
export function compressedBytes(folder, wanted = () => true) {
  const names = readdirSync(path.join(site, folder)).filter((name) => /\.(?:js|wasm)$/.test(name) && wanted(name));
  return names.reduce((sum, name) => sum + gzipSync(readFileSync(path.join(site, folder, name)), { level: 9 }).length, 0);
}

/** What builds and runs it. */
export const versions = () => ({
  rustc: probe("rustc", "--version"),
  node: process.version,
});
