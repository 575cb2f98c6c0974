/** @file Pages that hold playgrounds: the examples of docs/, and what a site's generator would make of them. */
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { root } from "../../tools/console.mjs";
import { dist } from "./harness.mjs";

const examples = path.join(root, "docs", "examples");
const page = (body) => `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>A page</title></head><body>${body}</body></html>\n`;
const one = (text, pattern) => {
  const [, found] = pattern.exec(text) ?? [];
  if (!found) throw new Error(`${pattern} is not in the example`);
  return found;
};

/** What each generator makes of its example. @type {Record<string, (text: string) => string>} */
const generators = {
  "quarto.qmd": (text) => one(text, /```\{=html\}\n([^]*?)```/),
  "mkdocs.md": (text) => one(text, /(<iframe[^]*?<\/script>)/),
  "myst.md": (text) => `<iframe src="${one(text, /```\{iframe\} (\S+)/)}" width="100%" height="700"></iframe>`,
  "notebook.ipynb": (text) => {
    const code = JSON.parse(text).cells.find(({ cell_type: type }) => type === "code").source.join("");
    const [, url, width, height] = /IFrame\("([^"]+)", width="([^"]+)", height=(\d+)\)/.exec(code) ?? [];
    // As IPython writes it.
    return `<iframe width="${width}" height="${height}" src="${url}" frameborder="0" allowfullscreen></iframe>`;
  },
  "docusaurus.mdx": (text) => one(text, /(<iframe[^]*?\/>)/).replace("style={{ border: 0 }}", 'style="border: 0"').replace(/ ?\/>$/, "></iframe>"),
  "moodle.html": (text) => text,
};

/** The examples as pages, by name, each with how a frame in it is found. */
export const frames = ["plain.html", "quarto.qmd", "mkdocs.md", "myst.md", "notebook.ipynb", "docusaurus.mdx", "moodle.html"];

/** The address of an example's page. */
export const pageOf = (name) => name.replace(/\.\w+$/, ".html");

/** A folder with the site in `tealight/`, the examples around it, and pages of a test's own. @param {Record<string, string>} [more] Bodies, by name. */
export function hostSite(more = {}) {
  const folder = mkdtempSync(path.join(os.tmpdir(), "tealight-hosts-"));
  cpSync(dist, path.join(folder, "tealight"), { recursive: true });
  cpSync(path.join(root, "node_modules", "reveal.js", "dist"), path.join(folder, "reveal"), { recursive: true });
  for (const name of readdirSync(examples)) {
    const text = readFileSync(path.join(examples, name), "utf8");
    const whole = generators[name] ? page(generators[name](text)) : text;
    writeFileSync(path.join(folder, pageOf(name)), whole);
  }
  for (const [name, body] of Object.entries(more)) writeFileSync(path.join(folder, name), page(body));
  // A browser asks for it by itself.
  writeFileSync(path.join(folder, "favicon.ico"), "");
  return { folder, end: () => rmSync(folder, { recursive: true, force: true }) };
}
