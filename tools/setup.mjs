/**
 * @file Sets up what is missing: npm packages, the wasm target, wasm-bindgen, and for tests wasm-pack, Chromium,
 * chromedriver, and a Python that has numpy and safetensors. What is there already is left as it is, so a second run does nothing. `node tools/setup.mjs [--tests]`
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Sentence, duration, isMain, main, probe, root, run, say, task, which } from "./console.mjs";
import { packageIsFresh } from "./package.mjs";

const wasmPackVersion = "0.15.1";
const wasmTarget = "wasm32-unknown-unknown";

/** Where a wasm-bindgen of ours goes when the search path has one of another version. */
const ownTools = path.join(root, ".tools");

const cargoHome = process.env.CARGO_HOME ?? path.join(os.homedir(), ".cargo");

/** Makes the programs that setup installed findable for everything that this process starts. */
function extendPath() {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  const wanted = [path.join(ownTools, "bin"), ...folders];
  const cargoBin = path.join(cargoHome, "bin");
  if (!folders.includes(cargoBin)) wanted.push(cargoBin);
  process.env.PATH = [...new Set(wanted)].join(path.delimiter);
}

/** @param {string} version @param {string} least */
function atLeast(version, least) {
  const [a, b] = [version, least].map((text) => text.split(".").map(Number));
  for (let i = 0; i < b.length; i++) if ((a[i] ?? 0) !== b[i]) return (a[i] ?? 0) > b[i];
  return true;
}

const firstVersion = (text) => /\d+\.\d+(\.\d+)*/.exec(text ?? "")?.[0] ?? null;

/** How to run something as root, or null where it is not permitted. */
function asRoot() {
  if (process.getuid?.() === 0) return [];
  return which("sudo") && probe("sudo", "-n", "true") !== null ? ["sudo", "-n"] : null;
}

/** Installs Debian packages; false where there is no apt, no permission, or no such package. */
async function aptInstall(packages) {
  const prefix = asRoot();
  if (!which("apt-get") || !prefix) return false;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...args) => {
    const [program, ...rest] = [...prefix, "apt-get", ...args];
    return run(program, rest, { env });
  };
  // A stale list names versions that are gone; a failing update may still leave a usable list.
  await apt("update", "-q");
  const { code } = await apt("install", "-y", "-q", "--no-install-recommends", ...packages);
  return code === 0;
}

function checkNode() {
  const least = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")).engines.node.replace(">=", "");
  if (!atLeast(process.versions.node, least)) {
    throw new Sentence(`Node ${process.versions.node} is too old: install Node ${least} or newer (https://nodejs.org)`);
  }
}

/** npm's packages, exactly as the lockfile says. */
async function npmPackages() {
  const lock = createHash("sha256").update(readFileSync(path.join(root, "package-lock.json"))).digest("hex");
  const stamp = path.join(root, "node_modules", ".tealight-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  await task("Install the npm packages", async () => {
    const { code } = await run("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=warn"]);
    if (code !== 0) throw new Sentence('"npm ci" failed: see its words above; is the npm registry reachable?');
    writeFileSync(stamp, lock);
  });
}

/** Rust itself is the one thing that setup asks a person to install. */
async function rust(tests) {
  const version = firstVersion(probe("rustc", "--version"));
  if (!version || !which("cargo")) {
    throw new Sentence("Rust is missing: install it with rustup (https://rustup.rs), open a new terminal and try again");
  }
  const manifest = readFileSync(path.join(root, "Cargo.toml"), "utf8");
  const least = /^rust-version\s*=\s*"([^"]+)"/m.exec(manifest)?.[1] ?? "1.0";
  if (!atLeast(version, least)) throw new Sentence(`Rust ${version} is too old: run "rustup update" for ${least} or newer`);
  if (!which("cc")) {
    await task("Install a C linker, which Rust needs", async () => {
      if (await aptInstall(["gcc", "libc6-dev"])) return;
      throw new Sentence('Rust needs a linker called cc: install gcc and libc6-dev ("apt-get install gcc libc6-dev")');
    });
  }
  const sysroot = probe("rustc", "--print", "sysroot") ?? "";
  if (!existsSync(path.join(sysroot, "lib", "rustlib", wasmTarget, "lib"))) {
    await task(`Add Rust's ${wasmTarget} target`, async () => {
      const added = which("rustup") && (await run("rustup", ["target", "add", wasmTarget])).code === 0;
      if (!added) throw new Sentence(`Rust's wasm target is missing: run "rustup target add ${wasmTarget}"`);
    });
  }
  if (!tests) return;
  const bin = path.join(sysroot, "bin");
  const missing = [["cargo-fmt", "rustfmt"], ["cargo-clippy", "clippy"]]
    .filter(([program]) => !which(program, [bin]) && !which(program))
    .map(([, component]) => component);
  if (missing.length > 0) {
    await task(`Add Rust's ${missing.join(" and ")}`, async () => {
      const added = which("rustup") && (await run("rustup", ["component", "add", ...missing])).code === 0;
      if (!added) throw new Sentence(`The tests need ${missing.join(" and ")}: run "rustup component add ${missing.join(" ")}"`);
    });
  }
}

/**
 * `cargo install`, first with the crate's own lockfile. A lockfile may name a version that is gone from the registry;
 * then cargo chooses afresh among the compatible ones.
 */
async function cargoInstall(name, version, args = []) {
  const since = performance.now();
  say(`Compiling ${name} ${version} takes a few minutes, once.`);
  const wanted = ["install", name, "--version", version, ...args];
  if ((await run("cargo", [...wanted, "--locked"])).code !== 0) {
    say(`${name}'s own lockfile could not be used (${duration(performance.now() - since)}): letting cargo choose.`);
    if ((await run("cargo", wanted)).code !== 0) {
      throw new Sentence(`${name} ${version} could not be installed: run "cargo ${wanted.join(" ")}" and see its words`);
    }
  }
}

/** The version of wasm-bindgen that Cargo.lock holds; its command line must be of exactly that version. */
export function wasmBindgenVersion() {
  const lock = readFileSync(path.join(root, "Cargo.lock"), "utf8");
  const version = /^name = "wasm-bindgen"\r?\nversion = "([^"]+)"/m.exec(lock)?.[1];
  if (!version) throw new Sentence("Cargo.lock does not name wasm-bindgen: is the checkout complete?");
  return version;
}

/**
 * wasm-bindgen's command line. It goes where cargo puts programs, so that wasm-pack finds it too when called by hand;
 * but another project's other version is not overwritten: then ours goes into the project's .tools folder.
 */
async function wasmBindgen() {
  const version = wasmBindgenVersion();
  const matches = () => firstVersion(probe("wasm-bindgen", "--version")) === version;
  if (matches()) return;
  await task(`Install wasm-bindgen ${version}, which makes a web package of the compiled Rust`, async () => {
    await cargoInstall("wasm-bindgen-cli", version, which("wasm-bindgen") ? ["--root", ownTools] : []);
    if (!matches()) throw new Sentence(`wasm-bindgen ${version} is installed, but the search path leads to another one`);
  });
}

async function wasmPack() {
  const version = firstVersion(probe("wasm-pack", "--version"));
  if (version && atLeast(version, "0.13")) return;
  await task(`Install wasm-pack ${wasmPackVersion}, which runs the browser tests`, () =>
    cargoInstall("wasm-pack", wasmPackVersion, version ? ["--root", ownTools] : []));
}

const chromiumNames = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/** The browser for the tests, or null. TEALIGHT_CHROMIUM names another one. */
export function findChromium() {
  if (process.env.TEALIGHT_CHROMIUM) return process.env.TEALIGHT_CHROMIUM;
  for (const name of chromiumNames) {
    const file = which(name);
    if (file) return file;
  }
  return null;
}

async function browser() {
  const absent = () => [...(findChromium() ? [] : ["chromium"]), ...(which("chromedriver") ? [] : ["chromium-driver"])];
  if (absent().length > 0) {
    await task("Install Chromium and its driver for the browser tests", async () => {
      // Both at once, so that they are of one version.
      await aptInstall(["chromium", "chromium-driver"]);
      if (absent().length === 0) return;
      throw new Sentence(
        "The browser tests need Chromium and chromedriver of the same version on the search path: install them " +
          '(on Debian: "apt-get install chromium chromium-driver") and try again',
      );
    });
  }
  const [chromium, driver] = [findChromium() ?? "", "chromedriver"].map((it) => firstVersion(probe(it, "--version")));
  if (!chromium || !driver || chromium.split(".")[0] !== driver.split(".")[0]) {
    throw new Sentence(
      `Chromium (${chromium ?? "does not start"}) and chromedriver (${driver ?? "does not start"}) ` +
        "must be of the same version: update both",
    );
  }
}

/** What the Python programs need to be tested with; PyTorch is not among it. */
const pythonPackages = ["numpy", "safetensors"];

/**
 * A Python that has numpy and safetensors, or null: that of the search path, or one in the project's .tools folder.
 * TEALIGHT_PYTHON names another one.
 */
export function findPython() {
  const own = path.join(ownTools, "python");
  const places = [process.env.TEALIGHT_PYTHON, which("python3"), path.join(own, "bin", "python"), path.join(own, "Scripts", "python.exe")];
  return places.find((place) => place && probe(place, "-c", `import ${pythonPackages.join(", ")}`) !== null) ?? null;
}

async function python() {
  if (findPython()) return;
  const wanted = pythonPackages.join(" and ");
  await task(`Install ${wanted} for Python into .tools/python, which the tests of exported weights need`, async () => {
    const program = which("python3");
    const place = path.join(ownTools, "python");
    const made = program && (await run(program, ["-m", "venv", place])).code === 0;
    const own = ["bin/python", "Scripts/python.exe"].map((name) => path.join(place, name)).find((name) => existsSync(name));
    if (made && own) await run(own, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...pythonPackages]);
    if (findPython()) return;
    // Everything else can be tested without: those tests say the same and fail.
    say(
      `Python 3 with ${wanted} could not be had: install them ("pip install ${pythonPackages.join(" ")}"), or name a Python ` +
        "that has them with TEALIGHT_PYTHON; until then the tests of exported weights fail",
    );
  });
}

/**
 * Sets up what is missing.
 * @param {{tests: boolean}} options Whether to set up for the tests as well. Without them, Rust is needed only where
 *   the built package in `pkg/` does not fit the sources.
 */
export async function setup({ tests }) {
  extendPath();
  checkNode();
  await npmPackages();
  if (!tests && packageIsFresh()) return;
  await rust(tests);
  await wasmBindgen();
  if (!tests) return;
  await wasmPack();
  await browser();
  await python();
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const since = performance.now();
    await setup({ tests: process.argv.includes("--tests") });
    say(`Everything is set up (${duration(performance.now() - since)}).`);
  });
}
