/**
 * @file The service worker of a built site: it holds the list of all files and their digests, so it is written last.
 */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { root } from "./console.mjs";

/** The worker itself, and what is a site of its own. */
const NOT_KEPT = new Set(["sw.js", "tealight.html"]);

/** The files of a built site, each with its digest as browsers check it. @param {string} folder @returns {Record<string, string>} */
export function filesOf(folder) {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)).replaceAll(path.sep, "/"))
    .filter((name) => !NOT_KEPT.has(name))
    .sort();
  const digest = (name) => `sha256-${createHash("sha256").update(readFileSync(path.join(folder, name))).digest("base64")}`;
  return Object.fromEntries(names.map((name) => [name === "index.html" ? "./" : name, digest(name)]));
}

/**
 * Writes `sw.js` for the files that are in a folder now.
 * @param {string} folder
 * @param {(options: object) => Promise<{outputFiles: {text: string}[]}>} bundle
 */
export async function writeServiceWorker(folder, bundle) {
  const files = filesOf(folder);
  const version = createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 16);
  const { outputFiles: [{ text }] } = await bundle({
    entryPoints: [path.join(root, "www", "service-worker.js")],
    format: "iife",
    define: { TEALIGHT_OFFLINE: JSON.stringify({ version, files }) },
  });
  writeFileSync(path.join(folder, "sw.js"), text);
}
