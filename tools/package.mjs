/**
 * @file The wasm package in `pkg/`: built from the Rust sources, and only when they changed.
 */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Sentence, heading, probe, root, run, say, task } from "./console.mjs";
import { joinLocations } from "./locations.mjs";
import { order } from "./order.mjs";
import { slim } from "./slim.mjs";

const target = "wasm32-unknown-unknown";
const folder = path.join(root, "pkg");
/** What lies beside the module, for those who come to need it (src/supply.rs): its name in the package, and its source. @type {[string, string][]} */
export const supplies = filesUnder("src").filter((name) => name.endsWith(".bin")).sort().map((name) => [path.posix.basename(name), name]);
const products = ["tealight.js", "tealight.d.ts", "tealight_bg.wasm", "tealight_bg.wasm.d.ts", ...supplies.map(([name]) => name), "package.json"];
/** What a release adds: the element in one module, its types, the page in one file, and the record of it all. */
const released = ["tealight-playground.js", "types", "tealight.html", "BUILD.json"];
const bindgenArgs = ["--target", "web", "--out-name", "tealight", "--remove-name-section", "--remove-producers-section"];

/** What the package is made from. The native command line is not part of it. */
const inputs = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "src", "tools/slim.mjs", "tools/locations.mjs", "tools/order.mjs", "tools/wasm-module.mjs"];
const isInput = (name) => name !== "src/main.rs" && !name.startsWith("src/cli/");

function filesUnder(name) {
  const full = path.join(root, name);
  if (!existsSync(full)) return [];
  const entries = readdirSync(full, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)).replaceAll(path.sep, "/"));
}

/** One digest over names and contents. @param {string[]} names */
export function digestOf(names) {
  const hash = createHash("sha256");
  for (const name of [...names].sort()) {
    const bytes = readFileSync(path.join(root, name));
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

const inputDigest = () => {
  const names = inputs.flatMap((name) => (name === "src" ? filesUnder(name) : [name]));
  return createHash("sha256")
    .update(bindgenArgs.join(" "))
    .update(digestOf(names.filter(isInput)))
    .digest("hex");
};

/** The digest of one file of the package. @param {string} name */
const fileDigest = (name) => createHash("sha256").update(readFileSync(path.join(folder, name))).digest("hex");

/**
 * What `pkg/` was built from and with. `package` is about the wasm package, which every build renews where the sources
 * changed; `page` about the page and the element, which a release renews.
 * @typedef {object} BuildRecord
 * @property {string} version
 * @property {{sources: string, toolchain: Record<string, string>}} package
 * @property {{sources: string, toolchain: Record<string, string>}} [page]
 * @property {Record<string, string>} files SHA-256 of each.
 */

const recordFile = path.join(folder, "BUILD.json");

/** @returns {BuildRecord | null} */
export function readRecord() {
  try {
    return JSON.parse(readFileSync(recordFile, "utf8"));
  } catch {
    return null;
  }
}

/** Writes down what was built: other parts of the record stay. @param {Partial<BuildRecord>} parts @param {string[]} names The files that were written. */
export function writeRecord(parts, names) {
  const before = readRecord();
  const digests = { ...before?.files, ...Object.fromEntries(names.map((name) => [name, fileDigest(name)])) };
  const files = Object.fromEntries(Object.entries(digests).filter(([name]) => existsSync(path.join(folder, name))).sort());
  const record = { version: manifestField("version"), package: before?.package, page: before?.page, ...parts, files };
  writeFileSync(recordFile, `${JSON.stringify(record, null, 2)}\n`);
}

/** Whether `pkg/` was built from the sources as they are, and is as it was built. */
export function packageIsFresh() {
  const record = readRecord();
  if (!record?.package || record.package.sources !== inputDigest()) return false;
  return products.every((name) => existsSync(path.join(folder, name)) && record.files[name] === fileDigest(name));
}

/** What compiles: with the same, the same sources give the same bytes. */
export function toolchain() {
  const about = probe("rustc", "-vV") ?? "";
  const field = (name) => new RegExp(`^${name}: (.*)$`, "m").exec(about)?.[1] ?? "";
  return {
    rustc: `${field("release")} (${field("commit-hash").slice(0, 9)})`,
    host: field("host"),
    "wasm-bindgen": /\d+(?:\.\d+)+/.exec(probe("wasm-bindgen", "--version") ?? "")?.[0] ?? "",
  };
}

/** Whether the package was built with what is here. */
export function sameToolchain() {
  return JSON.stringify(readRecord()?.package?.toolchain) === JSON.stringify(toolchain());
}

/** A field of Cargo.toml's package. @param {string} name */
export function manifestField(name) {
  const manifest = readFileSync(path.join(root, "Cargo.toml"), "utf8");
  return new RegExp(`^${name}\\s*=\\s*"([^"]*)"`, "m").exec(manifest)?.[1];
}

/**
 * Rust writes the paths of dependencies into panic messages. They are of no use to a visitor and tell where the
 * builder keeps files, so each registry folder is renamed to `deps`.
 */
function compilerArgs() {
  const home = process.env.CARGO_HOME ?? path.join(os.homedir(), ".cargo");
  const sources = path.join(home, "registry", "src");
  const prefixes = existsSync(sources) ? readdirSync(sources).map((name) => path.join(sources, name)) : [];
  const flags = prefixes.map((prefix) => `--remap-path-prefix=${prefix}=deps`);
  // Only this mangling says which types a function is for, which tools/slim.mjs goes by.
  flags.push("-Csymbol-mangling-version=v0");
  return ["--config", `target.${target}.rustflags=${JSON.stringify(flags)}`];
}

/** The environment for the wasm build: RUSTFLAGS would replace the project's own, and simd128 with them. */
export function buildEnvironment() {
  const env = { ...process.env };
  delete env.RUSTFLAGS;
  delete env.CARGO_ENCODED_RUSTFLAGS;
  return env;
}

async function compile() {
  const env = buildEnvironment();
  // Downloads and unpacks, so that the folders to rename exist.
  if ((await run("cargo", ["fetch", "--locked", "--target", target], { env })).code !== 0) {
    throw new Sentence("the crates in Cargo.lock could not be downloaded: is the crate registry reachable?");
  }
  const { code, output } = await run(
    "cargo",
    ["build", "--locked", "--profile", "wasm", "--lib", "--no-default-features", "--target", target, "--message-format=json-render-diagnostics", ...compilerArgs()],
    { env, capture: "stdout", quiet: true },
  );
  if (code !== 0) throw new Sentence("the Rust sources do not compile to wasm: see cargo's words above");
  const files = output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line))
    .filter((message) => message.reason === "compiler-artifact" && message.target.name === "tealight")
    .flatMap((message) => message.filenames)
    .filter((name) => name.endsWith(".wasm"));
  if (files.length !== 1) throw new Sentence(`cargo named ${files.length} wasm files of ours instead of one`);
  return files[0];
}

/** The package's own package.json, from what Cargo.toml says. */
export function describe() {
  const text = {
    name: "tealight-wasm",
    type: "module",
    description: manifestField("description"),
    version: manifestField("version"),
    license: manifestField("license"),
    files: [...products, ...released].filter((name) => name !== "package.json"),
    exports: {
      ".": { types: "./tealight.d.ts", default: "./tealight.js" },
      "./playground": { types: "./types/tealight-playground.d.ts", default: "./tealight-playground.js" },
      "./tealight_bg.wasm": "./tealight_bg.wasm",
      ...Object.fromEntries(supplies.map(([name]) => [`./${name}`, `./${name}`])),
      "./tealight.html": "./tealight.html",
      "./package.json": "./package.json",
    },
    main: "tealight.js",
    types: "tealight.d.ts",
    sideEffects: ["./tealight-playground.js"],
  };
  writeFileSync(path.join(folder, "package.json"), `${JSON.stringify(text, null, 2)}\n`);
}

/** No path of the builder's machine may stand in what is shipped. */
function checkPaths() {
  const bytes = readFileSync(path.join(folder, "tealight_bg.wasm"));
  for (const place of new Set([os.homedir(), root, process.env.CARGO_HOME].filter(Boolean))) {
    if (place.length > 1 && bytes.includes(`${place}${path.sep}`)) {
      throw new Sentence(`pkg/tealight_bg.wasm holds paths under ${place}: their prefix must be renamed in tools/package.mjs`);
    }
  }
}

/**
 * Builds `pkg/` where the sources changed since it was built.
 * @param {{force?: boolean}} [options]
 */
export async function buildPackage({ force = false } = {}) {
  if (!force && packageIsFresh()) {
    heading("The wasm package fits the Rust sources: not built again");
    return;
  }
  await task("Compile Rust to wasm", async () => {
    say("The first time this compiles candle as well, which takes some minutes.");
    const sources = inputDigest();
    const wasm = path.join(path.dirname(await compile()), "tealight_slim.wasm");
    const { bytes, removed, functions } = slim(readFileSync(wasm.replace("_slim", "")));
    writeFileSync(wasm, bytes);
    say(`Left out ${functions} functions that never run, ${Math.round(removed / 1000)} KB.`);
    if (probe("wasm-bindgen", "--version") === null) {
      throw new Sentence('wasm-bindgen is not on the search path: run "npm run setup" or "npm start"');
    }
    mkdirSync(folder, { recursive: true });
    for (const name of products) rmSync(path.join(folder, name), { force: true });
    const { code } = await run("wasm-bindgen", [wasm, "--out-dir", folder, ...bindgenArgs]);
    if (code !== 0) throw new Sentence("wasm-bindgen could not make the web package: see its words above");
    const shipped = path.join(folder, "tealight_bg.wasm");
    const { bytes: plain, joined } = joinLocations(readFileSync(shipped));
    writeFileSync(shipped, order(plain));
    say(`Joined ${joined} places in other people's code that can panic.`);
    for (const [name, source] of supplies) copyFileSync(path.join(root, source), path.join(folder, name));
    describe();
    checkPaths();
    writeRecord({ package: { sources, toolchain: toolchain() } }, products);
  });
}
