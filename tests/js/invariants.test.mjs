/** @file What ARCHITECTURE.md says is absent, checked by looking. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";
import { catalog } from "./wasm.mjs";

const root = new URL("../../", import.meta.url);

function files(folder, ending) {
  return readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: "utf8" })
    .filter((name) => ending.test(name))
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .sort();
}

const read = (name) => readFileSync(new URL(name, root), "utf8");

/** Comments may say what code may not. Strings keep their `//`, as in addresses. */
const withoutComments = (source) =>
  source.replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\*[^]*?\*\/|\/\/[^\n]*/g, (piece) => (/^\/[/*]/.test(piece) ? " " : piece));

/** Rust without comments and without the tests at a file's end. */
const rustCode = (source) =>
  source.split(/^#\[cfg\(test\)\]\s*\nmod tests/m)[0].replace(/\/\*[^]*?\*\//g, " ").replace(/\/\/[^\n]*/g, " ");

/** The places where `pattern` is found, as `file:line: text`. */
function places(names, pattern, strip = (source) => source) {
  return names.flatMap((name) =>
    strip(read(name)).split("\n").flatMap((line, i) => (pattern.test(line) ? [`${name}:${i + 1}: ${line.trim().slice(0, 120)}`] : [])));
}

const scripts = files("www", /\.js$/);
const allRust = files("src", /\.rs$/);
/** Modules that exist in tests only are no part of what is shipped. */
const testModules = new Set(allRust.flatMap((name) =>
  [...read(name).matchAll(/#\[cfg\(test\)\]\s*(?:pub(?:\([a-z]+\))? )?mod (\w+);/g)].map(([, module]) => name.replace(/[^/]+$/, `${module}.rs`))));
const rust = allRust.filter((name) => !testModules.has(name));

test("the page names no model, data set or setting", () => {
  // Words that are also a domain, the name of a view or an option of one (see frame.rs) mean that here; so do classes.
  const domains = new Set(catalog.datasets.map(({ domain }) => domain));
  const views = new Set(["real", "realLabels", "samples", "sampleDensity", "density", "discriminator", "manifold", "latentMap", "latentPoints",
    "decode", "reconstruct", "paths", "energy", "classes", "components", "filters", "conditionals", "losses", "grid", "frames", "n", "u", "v"]);
  const ids = new Set([...catalog.datasets, ...catalog.models].flatMap(({ id, params }) => [id, ...params.map(({ key }) => key)]));
  const words = [...ids].filter((id) => !views.has(id) && !domains.has(id));
  assert.ok(words.length > 20);
  const literal = new RegExp(`["'\`](?:${words.join("|")})["'\`]`);
  const code = (source) => withoutComments(source).replace(/\bclass: ?(["'`])[^"'`]*\1/g, "");
  assert.deepEqual(places(scripts, literal, code), []);
});

test("no code comes from text, and no markup from data", () => {
  const banned = /\beval\s*\(|new Function\b|\.innerHTML\b|\.outerHTML\b|insertAdjacentHTML|document\.write|createContextualFragment|setHTMLUnsafe|setAttribute\(\s*["']style["']/;
  assert.deepEqual(places(scripts, banned, withoutComments), []);
  assert.deepEqual(places(files("www", /\.html$/), /\son[a-z]+\s*=|javascript:|<style|\sstyle\s*=/i), []);
});

test("the page asks no other server for anything", () => {
  // The names of XML languages look like addresses and are none.
  const address = /https?:\/\/(?!www\.w3\.org\/(?:2000\/svg|1998\/Math\/MathML))/;
  assert.deepEqual(places(scripts, address, withoutComments), []);
  assert.deepEqual(places(files("www", /\.(html|css)$/), /(?:src|href|url\(|@import)[^>]*https?:\/\//), []);
});

test("colours are in style sheets and in the palette, nowhere else", () => {
  const colour = /["'`\s:(]#(?:[0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})\b["'`;\s)]|\b(?:rgb|rgba|hsl|hsla|oklch|oklab)\(\s*\d/i;
  assert.deepEqual(places(scripts.filter((name) => name !== "www/views/palette.js"), colour, withoutComments), []);
});

test("only wasm.rs knows wasm-bindgen, only the boundary's files know JSON", () => {
  assert.deepEqual(places(rust.filter((name) => name !== "src/wasm.rs"), /\b(?:wasm_bindgen|js_sys|web_sys|JsValue|JsError)\b/, rustCode), []);
  // The header of a safetensors file is JSON, so its writer knows it too.
  const json = ["src/catalog.rs", "src/catalog/evaluation.rs", "src/catalog/experiment.rs", "src/catalog/head.rs", "src/catalog/supplies.rs", "src/nn/tensor_file.rs"];
  assert.deepEqual(places(rust.filter((name) => !json.includes(name)), /\bserde_json\b/, rustCode), []);
});

test("data, networks, models and metrics know neither session nor page", () => {
  const lower = rust.filter((name) => /^src\/(?:data|nn|models|metrics)\//.test(name));
  assert.ok(lower.length > 10);
  assert.deepEqual(places(lower, /crate::(?:session|frame|snapshot|catalog|wasm)\b/, rustCode), []);
  assert.deepEqual(places(rust.filter((name) => name.startsWith("src/nn/")), /crate::(?:models|data|metrics)\b/, rustCode), []);
});

test("nothing panics on purpose outside tests", () => {
  assert.deepEqual(places(rust, /\.unwrap\(\)|\.expect\(|\bpanic!|\btodo!|\bunimplemented!|\bunreachable!/, rustCode), []);
});

test("a step has no clock, no thread, and no randomness but the session's own", () => {
  const inner = rust.filter((name) => !name.startsWith("src/cli/") && name !== "src/main.rs");
  assert.deepEqual(places(inner, /\bstd::time\b|\bInstant::|\bSystemTime\b|\bthread::spawn\b|\brayon::/, rustCode), []);
  assert.deepEqual(places(inner, /Tensor::(?:rand|randn)\b|\.(?:rand|randn)_like\(|candle_nn::(?:Dropout|ops::dropout|init|Init)\b|\bVarMap\b/, rustCode), []);
  assert.deepEqual(places(inner.filter((name) => name !== "src/wasm.rs"), /\bgetrandom::/, rustCode), []);
});

test("no operation of candle is used whose result or gradient is wrong", () => {
  // Each was measured against finite differences; ARCHITECTURE.md tells more.
  const wrong = [
    /\.(?:max_pool2d|avg_pool2d|upsample_nearest1d|upsample_nearest2d|upsample_bilinear2d|scatter|scatter_add|scatter_set|conv1d|conv_transpose1d)(?:_with_[a-z]+)?\(/,
    /candle_nn::(?:ops::)?(?:layer_norm|rms_norm|LayerNorm|RmsNorm|softmax_last_dim|sdpa|rotary_emb)\b/,
    /binary_cross_entropy_with_logit\b/,
    /\b(?:AdamW|ParamsAdamW)\b/,
  ];
  for (const pattern of wrong) assert.deepEqual(places(rust, pattern, rustCode), [], String(pattern));
});

test("a file is one concept: none is longer than 450 lines", () => {
  const names = [...allRust, ...files("tests", /\.(rs|mjs)$/), ...files("www", /\.(js|css|html)$/), ...files("tools", /\.mjs$/)];
  const long = names.map((name) => [name, read(name).split("\n").length - 1]).filter(([, lines]) => lines > 450);
  assert.deepEqual(long, []);
});

test("the lockfiles name packages, not where one machine got them", () => {
  assert.doesNotMatch(read("package-lock.json"), /"resolved"/);
  const sources = new Set([...read("Cargo.lock").matchAll(/^source = "([^"]+)"/gm)].map((match) => match[1]));
  assert.deepEqual([...sources], ["registry+https://github.com/rust-lang/crates.io-index"]);
});

test("what the package leaves out of candle is used by plain twins only", () => {
  const shipped = rust.filter((name) => !/\/plain(?:_\w+)?\.rs$/.test(name));
  // tools/slim.mjs takes the code of these away. Operations of the project's own have the same names, as functions.
  const absent = /\.(?:matmul|broadcast_matmul|conv2d|conv_transpose2d|gather|index_add|where_cond|argmax|argmin|argmax_keepdim|argmin_keepdim|max_keepdim|min_keepdim|log_sum_exp|cumsum|relu|ge|gt|le|lt|maximum|minimum|to_dtype)\(|\.(?:max|min)\(D::/;
  assert.deepEqual(places(shipped, absent, rustCode), []);
  assert.deepEqual(places(shipped, /\bDType::(?!F32|U32)\w+/, rustCode), []);
});
