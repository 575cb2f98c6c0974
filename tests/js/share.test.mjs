/** @file Links and embed code: their length, and that nothing in them breaks out. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { embedCode, HOSTS, safeAddress } from "../../www/share.js";
import { defaultsOf, problemOf, readLink, specsByKey, writeLink } from "../../www/state.js";
import { anyValue, catalog, pairs, random } from "./wasm.mjs";

/** About as long as a site's address is. */
const ADDRESS = "https://someone.github.io/tealight/";

test("a default experiment's link is under 100 characters, a typical one under 200", () => {
  assert.ok(ADDRESS.length >= 35);
  const draw = random(9);
  const [plain, typical] = [[], []];
  for (const { model, dataset } of pairs) {
    const config = defaultsOf(catalog, { dataset: dataset.id, model: model.id });
    plain.push(`${ADDRESS}#${writeLink(catalog, { config })}`.length);
    // Typical: a seed, three settings that are not at their defaults, two changes on the way, a step, a language.
    const usual = [...specsByKey(catalog, config).values()].filter(({ kind, advanced }) => !advanced && kind !== "text" && kind !== "widths");
    const live = usual.filter(({ effect }) => effect === "live");
    const settings = Object.fromEntries(usual.slice(0, 3).map((spec) => [spec.key, fewDigits(spec, draw)]));
    const events = live.slice(0, 2).map((spec, i) => ({ step: 400 * (i + 1), key: spec.key, value: fewDigits(spec, draw) }));
    typical.push(`${ADDRESS}#${writeLink(catalog, { config: { ...config, seed: 4711, ...settings }, events, step: 3000, lang: "zh" })}`.length);
  }
  assert.ok(Math.max(...plain) < 100, `the longest has ${Math.max(...plain)}`);
  assert.ok(Math.max(...typical) < 200, `the longest has ${Math.max(...typical)}`);
});

/** A value as a slider gives it: with few digits. */
function fewDigits(spec, draw) {
  const value = anyValue(spec, draw);
  return typeof value === "number" ? Number(value.toPrecision(2)) : value;
}

const embedding = { address: ADDRESS, link: "dataset=ring&model=vae&embed=true", title: "A \"title\" & <more>", height: 640 };

test("the code for every host holds the link once and quotes what needs it", () => {
  for (const host of HOSTS) {
    const code = embedCode(host, embedding);
    if (host === "element") assert.match(code, /^<script type="module" src="https:\/\/someone\.github\.io\/tealight\/tealight\.js"><\/script>\n<tealight-playground dataset="ring" model="vae" embed><\/tealight-playground>$/);
    else assert.equal(code.replaceAll("&amp;", "&").split(`${ADDRESS}#${embedding.link}`).length, 2, host);
    assert.doesNotMatch(code, /"A "|<more>/);
  }
});

test("no address gets out of its quotation", () => {
  for (const address of ['https://x/"><script>alert(1)</script>', "https://x/'+alert(1)+'", "https://x/`\n```", "https://x/${1}{2}\\", "https://x/ \t\u2028", "https://x/\ud800"]) {
    const safe = safeAddress(address);
    assert.doesNotMatch(safe, /["'`<>\\{}\s]/, safe);
    for (const host of HOSTS) assert.equal((embedCode(host, { ...embedding, address }).match(/<script/g) ?? []).length, ["html", "mkdocs", "quarto", "element"].includes(host) ? 1 : 0, host);
  }
  for (const address of ["javascript:alert(1)", "data:text/html,x", " JavaScript:x", "vbscript:x"]) assert.equal(safeAddress(address), "");
  assert.equal(safeAddress("tealight/tealight.html#old"), "tealight/tealight.html");
  assert.equal(safeAddress("https://x/%E4%B8%AD/中"), "https://x/%E4%B8%AD/%E4%B8%AD");
});

test("an address of a file gets its scripts from beside it", () => {
  assert.match(embedCode("html", { ...embedding, address: "../tealight/tealight.html" }), /src="\.\.\/tealight\/tealight-host\.js"/);
});

test("what is shown, locked, hidden, and whether it plays, survives the way into a link and back", () => {
  const config = defaultsOf(catalog, { dataset: pairs[0].dataset.id, model: pairs[0].model.id });
  for (const given of [{ lock: ["data", "model"], hide: ["losses"], embed: true, play: true, step: 12 }, { lock: [], hide: [], embed: false, play: false, step: null }]) {
    const { lock, hide, embed, play, step } = readLink(catalog, writeLink(catalog, { config, ...given }));
    assert.deepEqual({ lock, hide, embed, play, step }, given);
  }
  for (const [text, embed] of [["embed", true], ["embed=1", true], ["embed=false", false], ["embed=0", false], ["embed=yes", false], ["", false]]) assert.equal(readLink(catalog, text).embed, embed, text);
  assert.deepEqual(readLink(catalog, "lock=,data,,%20model%20,<b>").lock, ["data", "model", "<b>"]);
});

test("a setting takes what its control could give it, and a sentence says why it takes nothing else", () => {
  const draw = random(4);
  for (const { model, dataset } of pairs) {
    for (const spec of specsByKey(catalog, { dataset: dataset.id, model: model.id }).values()) {
      for (let i = 0; i < 5; i++) assert.equal(problemOf(spec, anyValue(spec, draw)), null, spec.key);
      const values = [null, undefined, NaN, 1e300, -1e300, 0.5e-300, {}, [{}], [[1]], [1e9], { toString: 1, valueOf: 1 }, "<b>", "x".repeat(1e5), 10n, Symbol("x"), [null]];
      for (const value of values) {
        const problem = problemOf(spec, value);
        if (problem !== null) assert.ok(problem.startsWith(spec.key) && /it takes .+/.test(problem) && problem.length < 600, problem);
        else assert.ok(["number", "string"].includes(typeof value), `${spec.key} took ${typeof value}`);
      }
    }
  }
});

test("the examples in docs/ are what the panel gives", () => {
  const examples = { html: "plain.html", element: "element.html", quarto: "quarto.qmd", mkdocs: "mkdocs.md", myst: "myst.md", jupyter: "notebook.ipynb", reveal: "reveal.html", docusaurus: "docusaurus.mdx", moodle: "moodle.html" };
  for (const host of HOSTS) {
    const name = examples[host];
    const text = readFileSync(new URL(`../../docs/examples/${name}`, import.meta.url), "utf8");
    const shown = name.endsWith(".ipynb") ? JSON.parse(text).cells.map(({ source }) => source.join("")).join("\n") : text;
    const squeezed = (code) => code.replace(/\s+/g, " ").trim();
    const [link] = /dataset=[\w-]+&(?:amp;)?model=[\w&;=,-]+/.exec(shown) ?? [];
    // The element has its link as attributes.
    const attributes = [.../<tealight-playground ([^>]*)>/.exec(shown)?.[1].matchAll(/([\w-]+)(?:="([^"]*)")?/g) ?? []].map(([, key, value = "true"]) => `${key}=${value}`).join("&");
    const [, title = ""] = /title="([^"]*)"/.exec(shown) ?? [];
    const [, height = "760"] = /height="?=?(\d+)/.exec(shown) ?? [];
    const code = embedCode(host, { address: "tealight/", link: (link ?? attributes).replaceAll("&amp;", "&"), title, height: Number(height) });
    for (const line of code.split("\n")) assert.ok(squeezed(shown).includes(squeezed(line)), `${name} should hold\n${line}`);
  }
});
