/**
 * @file What a visitor downloads, against the budgets: `node tools/size.mjs`. Exits with 1 when one is exceeded.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { Sentence, isMain, main, root } from "./console.mjs";

/** In bytes; a kilobyte is 1,000. `of` says which column the limit is for. */
const budgets = {
  wasm: { limit: 450_000, of: "gzip" },
  page: { limit: 600_000, of: "gzip" },
  file: { limit: 1_300_000, of: "raw" },
};

/** @param {Buffer} bytes */
const sizesOf = (bytes) => ({
  raw: bytes.length,
  gzip: gzipSync(bytes, { level: 9 }).length,
  brotli: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length,
});

const sum = (rows) => rows.reduce((a, b) => ({ raw: a.raw + b.raw, gzip: a.gzip + b.gzip, brotli: a.brotli + b.brotli }));

/** The files that a visit loads: what the page names, what its scripts import, and the engine. @param {string} dist */
export function loadedAtOnce(dist) {
  const html = readFileSync(path.join(dist, "index.html"), "utf8");
  const links = [...html.matchAll(/<link\b[^>]*>|<script\b[^>]*>/g)].map(([tag]) => tag).filter((tag) => !/rel="(?:manifest|apple-touch-icon)"/.test(tag));
  const found = new Set(["index.html", "worker.js", "tealight_bg.wasm"]);
  const waiting = links.flatMap((tag) => [...tag.matchAll(/(?:href|src)="([^":#]+)"/g)].map(([, name]) => name));
  for (const name of waiting) {
    if (found.has(name)) continue;
    found.add(name);
    if (!name.endsWith(".js")) continue;
    const script = readFileSync(path.join(dist, name), "utf8");
    waiting.push(...[...script.matchAll(/(?:\bfrom|\bimport)\s*"\.\/([^"]+)"/g)].map(([, part]) => part));
  }
  return [...found];
}

/** The sizes of the built page, by what is budgeted. */
export function measure() {
  const dist = path.join(root, "dist");
  if (!existsSync(path.join(dist, "tealight.html"))) throw new Sentence('there is no dist/: run "npm run build" first');
  const read = (name) => sizesOf(readFileSync(path.join(dist, name)));
  // Each file is compressed by itself, as hosts do. The rest comes when it is asked for, or when nothing else is to do.
  const loaded = loadedAtOnce(dist);
  return { wasm: read("tealight_bg.wasm"), page: sum(loaded.map(read)), file: read("tealight.html") };
}

/** Prints the table and says what exceeds its budget. @returns {string[]} */
export function report() {
  const titles = { wasm: "wasm", page: "everything the page loads", file: "offline single file" };
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} KB`.padStart(11);
  console.log(`${"".padEnd(28)}${["raw", "gzip -9", "brotli 11", "budget"].map((it) => it.padStart(11)).join("")}`);
  const over = [];
  for (const [key, sizes] of Object.entries(measure())) {
    const { limit, of } = budgets[key];
    const budget = `${kilobytes(limit)} ${of}`;
    console.log(`${titles[key].padEnd(28)}${kilobytes(sizes.raw)}${kilobytes(sizes.gzip)}${kilobytes(sizes.brotli)}${budget}`);
    if (sizes[of] > limit) over.push(`${titles[key]}: ${sizes[of]} bytes (${of}) exceed the budget of ${limit}`);
  }
  return over;
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const over = report();
    if (over.length > 0) throw new Sentence(over.join("\n  "));
  });
}
