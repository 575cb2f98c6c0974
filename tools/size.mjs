/**
 * @file What a visitor downloads, against the budgets: `node tools/size.mjs`. Exits with 1 when one is exceeded.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { Sentence, isMain, main, root } from "./console.mjs";

/** In bytes; a kilobyte is 1,000. `of` says which column the limit is for; a `goal` is where we mean to get. */
const budgets = {
  wasm: { limit: 530_000, goal: 450_000, of: "gzip" },
  page: { limit: 650_000, goal: 600_000, of: "gzip" },
  file: { limit: 1_300_000, of: "raw" },
};

/** @param {Buffer} bytes */
const sizesOf = (bytes) => ({
  raw: bytes.length,
  gzip: gzipSync(bytes, { level: 9 }).length,
  brotli: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length,
});

const sum = (rows) => rows.reduce((a, b) => ({ raw: a.raw + b.raw, gzip: a.gzip + b.gzip, brotli: a.brotli + b.brotli }));

/** The sizes of the built page, by what is budgeted. */
export function measure() {
  const dist = path.join(root, "dist");
  if (!existsSync(path.join(dist, "tealight.html"))) throw new Sentence('there is no dist/: run "npm run build" first');
  const read = (name) => sizesOf(readFileSync(path.join(dist, name)));
  // Each file is compressed by itself, as hosts do. Two scripts are for pages that embed; our own page does not load them.
  const loaded = readdirSync(dist).filter((name) => !["tealight.html", "tealight.js", "tealight-host.js"].includes(name));
  return { wasm: read("tealight_bg.wasm"), page: sum(loaded.map(read)), file: read("tealight.html") };
}

/** Prints the table and says what exceeds its budget. @returns {string[]} */
export function report() {
  const titles = { wasm: "wasm", page: "everything the page loads", file: "offline single file" };
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} KB`.padStart(11);
  console.log(`${"".padEnd(28)}${["raw", "gzip -9", "brotli 11", "budget"].map((it) => it.padStart(11)).join("")}`);
  const over = [];
  for (const [key, sizes] of Object.entries(measure())) {
    const { limit, goal, of } = budgets[key];
    const budget = `${kilobytes(limit)} ${of}${goal && sizes[of] > goal ? `; the goal is ${kilobytes(goal).trim()}` : ""}`;
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
