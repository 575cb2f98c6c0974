/** @file What is committed in `pkg/`: that it is what its record says, and of this version. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { gunzipSync } from "node:zlib";
import { root } from "../../tools/console.mjs";
import { manifestField, readRecord, sameToolchain, toolchain } from "../../tools/package.mjs";
import { pageSources } from "../../tools/release.mjs";
import { reproducePage } from "../../tools/reproduce.mjs";
import { catalog } from "./wasm.mjs";

const folder = path.join(root, "pkg");
const read = (name) => readFileSync(path.join(folder, name));
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const version = manifestField("version");
const record = readRecord();
const renew = 'run "npm run release"';

test("every part of the release is of the version in Cargo.toml", () => {
  assert.equal(record?.version, version, renew);
  assert.equal(JSON.parse(read("package.json").toString()).version, version, renew);
  assert.equal(JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")).version, version);
  assert.equal(catalog.version, version);
  assert.match(read("tealight.html").toString("utf8", 0, 4000), new RegExp(`<meta name="generator" content="Tealight ${version?.replaceAll(".", "\\.")}">`), renew);
});

test("the release is what its record says, and nothing else", () => {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)).replaceAll(path.sep, "/"));
  const digests = Object.fromEntries(names.filter((name) => name !== "BUILD.json").sort().map((name) => [name, sha256(read(name))]));
  assert.deepEqual(digests, record.files, renew);
  for (const name of ["tealight.js", "tealight_bg.wasm", "tealight-playground.js", "tealight.html"]) assert.ok(name in digests, `${name} is missing: ${renew}`);
  for (const part of [record.package, record.page]) {
    assert.match(part.sources, /^[0-9a-f]{64}$/);
    for (const [tool, text] of Object.entries(part.toolchain)) assert.match(text, /\w/, tool);
  }
});

test("the package's own table names files that are there", () => {
  const { exports, files, main, types } = JSON.parse(read("package.json").toString());
  const named = [main, types, ...Object.values(exports).flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)))];
  for (const name of named) {
    read(name);
    const plain = name.replace(/^\.\//, "");
    assert.ok(plain === "package.json" || files.some((file) => plain === file || plain.startsWith(`${file}/`)), plain);
  }
});

test("the page and the element carry one and the same engine", () => {
  const carriedBy = (name) => {
    const inline = /globalThis\.__tealightInline=(\{.*\});\n/.exec(read(name).toString("utf8"));
    return sha256(gunzipSync(Buffer.from(JSON.parse(inline[1]).wasm, "base64")));
  };
  assert.equal(carriedBy("tealight.html"), carriedBy("tealight-playground.js"));
});

test("no file of the release knows where it was built", () => {
  const places = [root, os.homedir(), os.tmpdir(), process.env.CARGO_HOME, process.env.CARGO_TARGET_DIR].filter((place) => place && place.length > 1);
  const patterns = /\/(?:home|Users)\/[a-z]|[A-Z]:\\Users\\|\.cargo\/registry|\/rustc-\d|\.rustup\/toolchains/i;
  for (const name of Object.keys(record.files)) {
    // Every byte as one letter: the wasm's texts are found like those of scripts.
    const text = read(name).toString("latin1");
    for (const place of places) assert.ok(!text.includes(`${place}/`), `${name} names ${place}`);
    const found = patterns.exec(text);
    assert.equal(found && text.slice(found.index - 20, found.index + 60), null, name);
  }
});

test("bundled again in another folder, the page is the same to the byte", async () => {
  assert.deepEqual(await reproducePage(), []);
});

test("a release from these sources with these tools is the one that is here", { skip: record?.page?.sources !== pageSources() && "the sources went on since the release" }, () => {
  if (record.page.toolchain.node !== process.versions.node || !sameToolchain()) return;
  assert.ok(read("tealight.html").equals(readFileSync(path.join(root, "dist", "tealight.html"))), `${renew} (${JSON.stringify(toolchain())})`);
});
