/** @file Messages to a frame: what is understood, and how everything else is refused. */
import assert from "node:assert/strict";
import test from "node:test";
import { CALLS, readCall, VERSION } from "../../www/messages.js";
import { random } from "./wasm.mjs";

const message = (more) => ({ tealight: VERSION, id: 1, call: "play", args: [], ...more });

test("every call of the protocol is read as it was sent", () => {
  const samples = { n: 5, key: "seed", value: [64, 64], link: "seed=7", bytes: new Uint8Array(8) };
  for (const [call, wanted] of Object.entries(CALLS)) {
    const args = wanted.map(({ name }) => samples[name]);
    assert.deepEqual(readCall(message({ call, args })), { id: 1, call, args });
    const needed = args.slice(0, wanted.filter(({ optional }) => !optional).length);
    assert.deepEqual(readCall(message({ call, id: "a", args: needed })), { id: "a", call, args: needed });
  }
  assert.deepEqual(readCall({ tealight: VERSION, id: 0, call: "pause" }), { id: 0, call: "pause", args: [] });
});

test("what is not addressed to a playground is not answered", () => {
  const answers = [message({ ok: 1 }), message({ error: "x" }), { tealight: VERSION, event: "step", detail: {} }];
  for (const data of [null, undefined, 1, "slide:start", [], {}, { id: 1, call: "play" }, new Map([["tealight", 1]]), new Date(), Object.create({ tealight: 1 }), ...answers]) {
    assert.equal(readCall(data), null);
  }
});

test("a refusal names the field, what it was, and what is allowed", () => {
  const cases = [
    [{ tealight: 2 }, /^tealight = 2 .* 1$/],
    [{ tealight: "1" }, /^tealight = "1"/],
    [{ id: {} }, /^id = \(object\)/],
    [{ id: 1.5 }, /^id = 1\.5/],
    [{ id: "x".repeat(65) }, /^id = "x{40}…"/],
    [{ extra: 1 }, /^"extra" is no field/],
    [{ call: "destroy" }, /^call = "destroy" .*play, pause/],
    [{ call: "constructor" }, /^call = "constructor"/],
    [{ call: "__proto__" }, /^call = "__proto__"/],
    [{ call: ["play"] }, /^call = \(object\)/],
    [{ args: {} }, /^args/],
    [{ args: [1] }, /^args .* at most 0/],
    [{ call: "step", args: [-1] }, /^args\[0\] \(n\) = -1 .* 0 to/],
    [{ call: "step", args: [NaN] }, /^args\[0\] \(n\) = NaN/],
    [{ call: "step", args: [1e300] }, /^args\[0\] \(n\)/],
    [{ call: "sample", args: [1e9] }, /^args\[0\] \(n\) = 1000000000 .* 10000/],
    [{ call: "set", args: [7, 1] }, /^args\[0\] \(key\) = 7/],
    [{ call: "set", args: ["k"] }, /^args\[1\] \(value\)/],
    [{ call: "set", args: ["k", { toString: 1 }] }, /^args\[1\] \(value\) = \(object\)/],
    [{ call: "set", args: ["k", [[1]]] }, /^args\[1\] \(value\)/],
    [{ call: "set", args: ["k", Array(65).fill(1)] }, /at most 64 numbers/],
    [{ call: "set", args: ["k", "x".repeat((1 << 16) + 1)] }, /^args\[1\] \(value\) = "x{40}…"/],
    [{ call: "restore", args: ["bytes"] }, /^args\[0\] \(bytes\) = "bytes" .* Uint8Array/],
    [{ call: "restore", args: [{ length: 3 }] }, /^args\[0\] \(bytes\)/],
    [{ call: "open", args: ["x".repeat((1 << 16) + 1)] }, /^args\[0\] \(link\)/],
  ];
  for (const [more, sentence] of cases) assert.match(readCall(message(more))?.error ?? "", sentence);
});

/** Anything that a hostile page could send: nested, huge, oddly typed. */
function hostile(draw, depth = 0) {
  const pick = (list) => list[Math.floor(draw() * list.length)];
  if (depth < 4 && draw() < 0.4) {
    const size = Math.floor(draw() * 5);
    if (draw() < 0.5) return Array.from({ length: size }, () => hostile(draw, depth + 1));
    const keys = ["tealight", "id", "call", "args", "ok", "__proto__", "constructor", "toString", "length", "then", "x".repeat(99)];
    return Object.fromEntries(Array.from({ length: size }, () => [pick(keys), hostile(draw, depth + 1)]));
  }
  return pick(ODD);
}

const ODD = [null, undefined, 0, -1, 1.5, NaN, Infinity, 1e308, 2 ** 53, "", "play", "set", "<img src=x onerror=alert(1)>", "9".repeat(1000), true, 10n, Symbol.iterator,
    new Uint8Array(3), new ArrayBuffer(3), new Map(), new Set([1]), new Date(0), /x/, new Error("e"), Object.create(null), new Array(1e6)];

test("whatever is sent, the reader neither throws nor lets through what a call does not take", () => {
  const draw = random(20);
  let [read, refused] = [0, 0];
  const names = Object.keys(CALLS);
  for (let i = 0; i < 20_000; i++) {
    const data = { tealight: draw() < 0.9 ? VERSION : hostile(draw), id: draw() < 0.8 ? i : hostile(draw), call: draw() < 0.8 ? names[Math.floor(draw() * names.length)] : hostile(draw), args: draw() < 0.7 ? Array.from({ length: Math.floor(draw() * 4) }, () => hostile(draw)) : hostile(draw) };
    const result = readCall(draw() < 0.1 ? hostile(draw) : data);
    if (result === null) continue;
    if ("error" in result) {
      refused++;
      assert.ok(typeof result.error === "string" && result.error.length < 1000 && !result.error.includes("9".repeat(50)));
      continue;
    }
    read++;
    const wanted = CALLS[result.call];
    assert.ok(Object.hasOwn(CALLS, result.call) && result.args.length <= wanted.length);
    for (const [k, { optional, check }] of wanted.entries()) assert.ok((optional && result.args[k] === undefined) || check(result.args[k]) === null);
  }
  assert.ok(read > 500 && refused > 500, `${read} read, ${refused} refused`);
});
