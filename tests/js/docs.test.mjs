/** @file The documentation says what is so: its links are links, its reference is the sources', its languages agree. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import test from "node:test";
import { apiText } from "../../tools/api.mjs";
import { defaultsOf, readLink, textsOf } from "../../www/state.js";
import { catalog } from "./wasm.mjs";

const docs = new URL("../../docs/", import.meta.url);
const names = readdirSync(docs, { recursive: true, encoding: "utf8" }).filter((name) => /\.\w+$/.test(name)).map((name) => name.replaceAll("\\", "/"));
const read = (name) => readFileSync(new URL(name, docs), "utf8");

/** The links of a page: what follows a `#` and names a data set. */
const linksOf = (text) => [...text.matchAll(/#(dataset=[\w&;=.,:-]+)/g)].map(([, link]) => link);

const settings = ["seed", "events", "step", "play", "view", "layers", "lang", "theme", "hide", "lock", "embed"];

test("the reference is what the sources say", () => {
  assert.equal(read("api.md"), apiText(), "run node tools/api.mjs");
});

for (const name of names.filter((name) => linksOf(read(name)).length > 0)) {
  test(`every link in docs/${name} is allowed as it stands`, () => {
    for (const link of linksOf(read(name))) {
      const { config, clamped } = readLink(catalog, link);
      assert.deepEqual(clamped, [], link);
      const known = new Set([...Object.keys(defaultsOf(catalog, config)), ...settings]);
      assert.deepEqual([...textsOf(link).keys()].filter((key) => !known.has(key)), [], link);
      assert.ok(link.length < 165, `${link} is short`);
    }
  });
}

test("the two languages have the same exercises", () => {
  assert.deepEqual(linksOf(read("teach.zh.md")), linksOf(read("teach.md")));
  assert.ok(linksOf(read("teach.md")).length >= 10);
  const headings = (text) => text.split("\n").filter((line) => /^#+ /.test(line)).map((line) => line.split(" ")[0]);
  assert.deepEqual(headings(read("teach.zh.md")), headings(read("teach.md")));
});

test("what the pages refer to is there", () => {
  for (const name of names.filter((it) => it.endsWith(".md") && !it.startsWith("examples/"))) {
    for (const [, target] of read(name).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (!/^https?:/.test(target)) assert.ok(existsSync(new URL(target, new URL(name, docs))), `${name}: ${target}`);
    }
  }
});
