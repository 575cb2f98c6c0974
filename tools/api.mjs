/**
 * @file Writes `docs/api.md` from what the code says of itself: the comments of the element and of the wasm
 * package's types, and the table of messages. `node tools/api.mjs [--check]`
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { CALLS, VERSION } from "../www/messages.js";
import { Sentence, isMain, main, root, say } from "./console.mjs";

const file = path.join(root, "docs", "api.md");
const read = (name) => readFileSync(path.join(root, name), "utf8");

/** The words of a comment and its tags. @param {string} comment */
function parse(comment) {
  const text = comment.replace(/^\/\*\*|\*\/$/g, "").replace(/^\s*\* ?/gm, "").replace(/\s+/g, " ").trim();
  const [words, ...tags] = text.split(/\s?@(?=(?:param|returns|type|fires)\b)/);
  return { words: words.trim(), tags: tags.map((tag) => /^(\w+) (?:\{((?:[^{}]|\{[^{}]*\})*)\} ?)?([^]*)$/.exec(tag)?.slice(1) ?? []) };
}

const cell = (text) => text.replaceAll("|", "\\|");

/** The public members of the element, in the order of the source. */
function members() {
  const source = read("www/tealight-playground.js");
  const body = source.slice(source.indexOf("export class TealightPlayground"));
  const found = [];
  const seen = new Set();
  for (const [, comment = "", waits, kind, name, args] of body.matchAll(/(?:(\/\*\*(?:[^*]|\*(?!\/))*\*\/)\n)?  (async )?(?:(get|set) )?(\w+)\(([^)]*)\) \{$/gm)) {
    if (kind === "set" || ["constructor", "connectedCallback", "disconnectedCallback", "if", "for", "while"].includes(name) || seen.has(name)) continue;
    const { words, tags } = parse(comment);
    if (!words) throw new Sentence(`${name} of the element has no comment: docs/api.md is made from it`);
    seen.add(name);
    const params = tags.filter(([tag]) => tag === "param");
    const type = tags.find(([tag]) => tag === "type" || tag === "returns")?.[1] ?? (waits ? "Promise<void>" : "");
    if (kind === "get") found.push({ property: true, name, type, words, writable: new RegExp(`^  set ${name}\\(`, "m").test(body) });
    else found.push({ property: false, name: `${name}(${params.map(([, , text]) => text.split(" ")[0].trim()).join(", ") || args.trim()})`, type, words });
  }
  return found;
}

function events() {
  const [, comment] = /(\/\*\*(?:[^*]|\*(?!\/))*@fires(?:[^*]|\*(?!\/))*\*\/)\nexport class TealightPlayground/.exec(read("www/tealight-playground.js")) ?? [];
  if (!comment) throw new Sentence("the element's comment lists no events");
  return parse(comment).tags.map(([, , text]) => /^(\w+) ([^]*)$/.exec(text)?.slice(1) ?? []);
}

/** The classes and functions of the wasm package, as its types have them. */
function packageTypes() {
  const source = read("pkg/tealight.d.ts").split("export type InitInput")[0];
  const lines = [];
  for (const [, comment, name, body] of source.matchAll(/(\/\*\*(?:[^*]|\*(?!\/))*\*\/)\nexport class (\w+) \{([^]*?)\n\}/g)) {
    lines.push("", `### ${name}`, "", parse(comment).words, "", "| member | |", "|---|---|");
    for (const [, words, signature] of body.matchAll(/(\/\*\*(?:[^*]|\*(?!\/))*\*\/)\n\s+([^\n]+);/g)) lines.push(`| \`${cell(signature)}\` | ${cell(parse(words).words)} |`);
  }
  lines.push("", "### Functions", "", "| function | |", "|---|---|");
  for (const [, comment, signature] of source.matchAll(/(\/\*\*(?:[^*]|\*(?!\/))*\*\/)\nexport function ([^\n]+);/g)) lines.push(`| \`${cell(signature)}\` | ${cell(parse(comment).words)} |`);
  return lines;
}

/** The whole page. */
export function apiText() {
  const all = members();
  const calls = Object.entries(CALLS).map(([name, args]) => {
    const list = args.map(({ name: arg, optional }) => `${arg}${optional ? "?" : ""}`).join(", ");
    const takes = args.map(({ name: arg, check }) => `\`${arg}\`: ${check(undefined)}`).join("; ");
    return `| \`${name}\` | \`[${list}]\` | ${cell(takes)} |`;
  });
  return `${[
    "# API reference",
    "",
    "This page is made from the sources by `node tools/api.mjs`; a test compares the two.",
    "",
    "## `<tealight-playground>`",
    "",
    "Its attributes are the keys of a link: `dataset`, `model`, `seed`, every setting, `play`, `step`, `events`, `view`, `layers`, `lang`, `theme`, `hide`, `lock`, `embed`.",
    "They say what runs, and follow what is chosen in it.",
    "",
    "### Properties",
    "",
    "| property | | |",
    "|---|---|---|",
    ...all.filter(({ property }) => property).map(({ name, type, words, writable }) => `| \`${name}\` | ${[type && `\`${cell(type)}\``, writable ? "" : "read only"].filter(Boolean).join(", ")} | ${cell(words)} |`),
    "",
    "### Methods",
    "",
    "| method | returns | |",
    "|---|---|---|",
    ...all.filter(({ property }) => !property).map(({ name, type, words }) => `| \`${name}\` | ${type && `\`${cell(type)}\``} | ${cell(words)} |`),
    "",
    "### Events",
    "",
    "They do not bubble.",
    "",
    "| event | |",
    "|---|---|",
    ...events().map(([name, words]) => `| \`${name}\` | ${cell(words)} |`),
    "",
    "## Messages to a frame",
    "",
    `A call is \`{tealight: ${VERSION}, id, call, args}\`, posted to the frame's window; the answer is \`{tealight: ${VERSION}, id, ok}\` or \`{tealight: ${VERSION}, id, error}\`, with a sentence that names the field.`,
    `What the frame tells by itself is \`{tealight: ${VERSION}, event, detail}\`: the events above, and \`setHeight\` with \`detail.height\` in pixels.`,
    "Only the page that holds the frame is heard.",
    "",
    "| call | args | what they take |",
    "|---|---|---|",
    ...calls,
    "",
    "`state` answers with `{step, playing, link, config, height}`; `open` follows a link; the others are the methods above.",
    "",
    "## The wasm package",
    "",
    "`pkg/tealight.js` is an ES module with types; call its default export once before anything else.",
    "",
    "Files that only some need are not in the module but beside it: `supplies` in the catalogue lists them with what each is `for`, `rows` or `scores`, and a data set that is stored in one has its name as `supply`.",
    "What needs one that is not there throws a `MissingFile` whose `cause` is the name, and changes nothing: provide the file and ask again, or provide them all at the beginning.",
    "",
    "```js",
    "import { readFileSync } from \"node:fs\";",
    "import * as tealight from \"tealight-wasm\";",
    "",
    "const file = (name) => readFileSync(new URL(import.meta.resolve(`tealight-wasm/${name}`)));",
    "tealight.initSync({ module: file(\"tealight_bg.wasm\") });",
    "for (const { name } of JSON.parse(tealight.catalog()).supplies) tealight.provide(name, file(name));",
    "```",
    "",
    "In a page it is `provide(name, new Uint8Array(await (await fetch(new URL(name, base))).arrayBuffer()))`, where `base` is where the files lie.",
    ...packageTypes(),
  ].join("\n")}\n`;
}

if (isMain(import.meta.url)) {
  await main(async () => {
    if (process.argv.includes("--check")) {
      if (read("docs/api.md") !== apiText()) throw new Sentence("docs/api.md is not what the sources say: run node tools/api.mjs");
      return;
    }
    writeFileSync(file, apiText());
    say("docs/api.md is written.");
  });
}
