/**
 * @file Builds the page: the wasm package where the Rust sources changed, then `dist/` for any static host, and
 * `dist/tealight.html`, which carries everything in one file. `node tools/build.mjs [--force]`
 */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { Sentence, duration, isMain, main, root, say, task } from "./console.mjs";
import { writeServiceWorker } from "./offline.mjs";
import { buildPackage, manifestField } from "./package.mjs";
import { programTexts, programs, writePrograms } from "./programs.mjs";

const www = path.join(root, "www");
const dist = path.join(root, "dist");

/** The oldest browsers with all that the page needs (`:has()`, constructed style sheets, wasm SIMD, module workers). */
const browsers = ["chrome111", "firefox121", "safari16.4"];

/** What the page may do. Both builds are tested under their policy. */
const policy = (scripts, styles) =>
  [
    "default-src 'none'",
    `script-src ${scripts} 'wasm-unsafe-eval'`,
    `style-src ${styles}`,
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");

/** Style sheets that a script imports arrive as text, for `CSSStyleSheet.replaceSync` in a shadow root. */
const cssAsText = (esbuild) => ({
  name: "css-as-text",
  setup(builder) {
    builder.onLoad({ filter: /\.css$/ }, async ({ path: file }) => {
      const { code } = await esbuild.transform(readFileSync(file, "utf8"), { loader: "css", minify: true, target: browsers });
      return { contents: code.trim(), loader: "text" };
    });
  },
});

/** What is bundled asks that its licence goes along with every copy; the bundler keeps comments that begin like this. */
const licences = {
  name: "licences",
  setup(builder) {
    for (const [name, licence] of [["uPlot", "LICENSE"], ["gifenc", "LICENSE.md"]]) {
      builder.onLoad({ filter: new RegExp(`${name}\\.esm\\.js$`) }, ({ path: file }) => {
        const text = readFileSync(path.join(path.dirname(file), "..", licence), "utf8").trim();
        return { contents: `/*! ${name}\n${text}\n*/\n${readFileSync(file, "utf8")}`, loader: "js" };
      });
    }
  },
};

/** Bundles, with what every bundle shares. */
export async function bundle(options) {
  const esbuild = await import("esbuild");
  const result = await esbuild.build({
    bundle: true,
    minify: true,
    write: false,
    charset: "utf8",
    target: browsers,
    legalComments: "eof",
    logLevel: "warning",
    mainFields: ["module", "browser", "main"],
    // Short names are given in the order of the files' places: those of packages must not depend on where they really lie.
    preserveSymlinks: true,
    plugins: [cssAsText(esbuild), licences],
    absWorkingDir: root,
    outdir: dist,
    metafile: true,
    ...options,
    define: { TEALIGHT_CODE: JSON.stringify(programs()), TEALIGHT_SUPPLIES: JSON.stringify(await stored()), ...options.define },
  });
  return result;
}

/** The package's files that are not in the module (src/supply.rs). */
const supplies = () => readdirSync(path.join(root, "pkg")).filter((name) => name.endsWith(".bin")).sort();

/** The file that a data set is stored in, for those that are, as the catalogue says. */
async function stored() {
  const { catalog, initSync } = await import(pathToFileURL(path.join(root, "pkg", "tealight.js")).href);
  initSync({ module: readFileSync(path.join(root, "pkg", "tealight_bg.wasm")) });
  const { datasets } = JSON.parse(catalog());
  return Object.fromEntries(datasets.filter(({ supply }) => supply).map(({ id, supply }) => [id, supply]));
}

/** What a self-contained build carries. */
async function carried() {
  const pack = (bytes) => gzipSync(bytes, { level: 9 }).toString("base64");
  const inline = {
    worker: await classic("worker.js"),
    wasm: pack(readFileSync(path.join(root, "pkg", "tealight_bg.wasm"))),
    supplies: Object.fromEntries(supplies().map((name) => [name, pack(readFileSync(path.join(root, "pkg", name)))])),
    code: pack(JSON.stringify(programTexts())),
  };
  // JSON is JavaScript; escaping `<` keeps the worker's source from closing the script that carries it.
  return `globalThis.__tealightInline=${JSON.stringify(inline).replaceAll("<", "\\u003c")};\n`;
}

/** The element, its engine and the wasm in one module, which runs wherever a page imports it from. */
export async function elementBundle() {
  const { outputFiles: [{ text }] } = await bundle({
    entryPoints: [path.join(www, "tealight-playground.js")],
    format: "esm",
    // What it would ask for beside itself, it carries.
    define: { TEALIGHT_INLINE: "true", "import.meta.url": '"about:blank"' },
  });
  return `${await carried()}${text}`;
}

/** A classic script of one entry, for places without addresses. */
async function classic(entry) {
  const { outputFiles: [{ text }] } = await bundle({
    entryPoints: [path.join(www, entry)],
    format: "iife",
    // A classic script has no address of its own; nothing asks for it, since the wasm is handed over as bytes.
    define: { TEALIGHT_INLINE: "true", "import.meta.url": '"about:blank"' },
  });
  return text;
}

async function site(html, css) {
  const modules = { format: "esm", define: { TEALIGHT_INLINE: "false" } };
  const page = await bundle({
    ...modules,
    entryPoints: { main: path.join(www, "main.js"), tealight: path.join(www, "tealight-playground.js") },
    splitting: true,
    chunkNames: "part-[hash]",
  });
  // Classic: browsers start a module worker from no Blob in a sandbox, and that is where a Blob is needed.
  const worker = await bundle({ format: "iife", define: { "import.meta.url": "self.location.href" }, entryPoints: { worker: path.join(www, "worker.js") } });
  for (const { path: file, contents } of [...page.outputFiles, ...worker.outputFiles]) writeFileSync(file, contents);
  for (const name of ["tealight_bg.wasm", ...supplies()]) copyFileSync(path.join(root, "pkg", name), path.join(dist, name));
  for (const name of readdirSync(www)) {
    if (/\.(svg|png|ico|txt|webmanifest)$/.test(name)) copyFileSync(path.join(www, name), path.join(dist, name));
  }
  // For pages that hold frames: a classic script, which needs nobody's permission to cross origins.
  const host = await bundle({ entryPoints: { "tealight-host": path.join(www, "tealight-host.js") }, format: "iife", globalName: "tealight" });
  writeFileSync(path.join(dist, "tealight-host.js"), host.outputFiles[0].contents);
  writePrograms(path.join(dist, "code"));
  writeFileSync(path.join(dist, "style.css"), css);
  const hinted = replaceOnce(html, /(?=<script\b[^>]*type="module")/i, hints(page.metafile), "module script");
  writeFileSync(path.join(dist, "index.html"), withPolicy(hinted, policy("'self'", "'self'")));
  await writeServiceWorker(dist, bundle);
}

/** What the page's script imports, and what that imports: named in the page, it all arrives one round trip later. */
function hints({ outputs }) {
  const [main] = Object.keys(outputs).filter((name) => outputs[name].entryPoint === "www/main.js");
  const found = new Set([main]);
  for (const name of found) {
    for (const { path: file, kind } of outputs[name].imports) if (kind === "import-statement") found.add(file);
  }
  found.delete(main);
  return [...found].map((name) => `<link rel="modulepreload" href="${path.basename(name)}">\n`).join("");
}

/** @param {string} html @param {string} content */
function withPolicy(html, content) {
  const charset = /<meta charset="[^"]*"\s*\/?>/i;
  if (!charset.test(html)) throw new Sentence("www/index.html has no <meta charset>: the content policy goes right after it");
  // As a function: `$` in a replacement text has a meaning.
  return html.replace(charset, (tag) => `${tag}\n<meta http-equiv="Content-Security-Policy" content="${content}">`);
}

/** Says which version a page is, in itself. @param {string} html */
function withVersion(html) {
  return replaceOnce(html, /(?=<title>)/i, `<meta name="generator" content="Tealight ${manifestField("version")}">\n`, "title");
}

const hashOf = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Text that may stand inside `<script>`: nothing in it ends the element or opens a comment. */
function scriptSafe(text, name) {
  if (/<\/script|<!--/i.test(text)) throw new Sentence(`the bundle of ${name} holds "</script" or "<!--": it cannot be inlined`);
  return text;
}

async function singleFile(html, css) {
  const script = (await carried()) + scriptSafe(await classic("main.js"), "www/main.js");

  let text = replaceOnce(html, /<link\b[^>]*rel="stylesheet"[^>]*>/i, `<style>${css}</style>`, "style sheet link");
  text = replaceOnce(text, /<script\b[^>]*type="module"[^>]*><\/script>\n?/i, "", "module script");
  // Loading hints and what makes a site installable name files that a single file does not have.
  text = text.replace(/<link\b[^>]*rel="(?:modulepreload|preload|manifest|apple-touch-icon)"[^>]*>\n?/gi, "");
  text = inlineIcons(text);
  text = replaceOnce(text, /<\/body>/i, `<script>${script}</script>\n</body>`, "</body>");
  const left = /\b(?:src|href)="(?!#|data:|https?:|mailto:)[^"]*"/i.exec(text.replace(script, ""));
  if (left) throw new Sentence(`the single file would still ask for another one: ${left[0]} in www/index.html`);
  const hashes = (tag) => [...text.matchAll(new RegExp(`<${tag}>([^]*?)</${tag}>`, "g"))].map((match) => hashOf(match[1])).join(" ");
  writeFileSync(path.join(dist, "tealight.html"), withPolicy(text, policy(hashes("script"), hashes("style"))));
}

/** @param {string} text @param {RegExp} pattern @param {string} by @param {string} what */
function replaceOnce(text, pattern, by, what) {
  const count = [...text.matchAll(new RegExp(pattern.source, `g${pattern.flags}`))].length;
  if (count !== 1) throw new Sentence(`www/index.html should have one ${what}, it has ${count}`);
  return text.replace(pattern, () => by);
}

/** Icons become data addresses. @param {string} html */
function inlineIcons(html) {
  return html.replace(/(<link\b[^>]*rel="icon"[^>]*href=")(?!data:)([^"]+\.svg)(")/gi, (_, before, name, after) => {
    const svg = readFileSync(path.join(www, name));
    return `${before}data:image/svg+xml;base64,${svg.toString("base64")}${after}`;
  });
}

/** Bundles the page around the package as it is. */
export async function bundlePage() {
  await task("Bundle the page", async () => {
    const esbuild = await import("esbuild");
    rmSync(dist, { recursive: true, force: true });
    mkdirSync(dist, { recursive: true });
    const html = withVersion(readFileSync(path.join(www, "index.html"), "utf8"));
    const style = readFileSync(path.join(www, "style.css"), "utf8");
    const { code: css } = await esbuild.transform(style, { loader: "css", minify: true, target: browsers });
    await site(html, css.trim());
    await singleFile(html, css.trim());
    say("dist/ is the site for any static host; dist/tealight.html is the same in one file.");
  });
}

/**
 * Builds everything.
 * @param {{force?: boolean}} [options] `force` builds the wasm package even where its sources did not change.
 */
export async function build({ force = false } = {}) {
  await buildPackage({ force });
  await bundlePage();
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const since = performance.now();
    await build({ force: process.argv.includes("--force") });
    say(`Built in ${duration(performance.now() - since)}.`);
  });
}
