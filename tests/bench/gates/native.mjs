/** @file A run of a gate natively, by the command line; and a gate that only a test in Rust holds. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Sentence, root, run } from "../../../tools/console.mjs";
import { digestOf } from "./kept.mjs";
import { unpacked } from "./readings.mjs";

/** As cargo runs programs here (.cargo/config.toml). */
const env = { ...process.env, RAYON_NUM_THREADS: "1" };

/** What a program prints. @param {string} program @param {string[]} args */
async function printed(program, args, capture = /** @type {"stdout" | "both"} */ ("stdout")) {
  const { code, output } = await run(program, args, { env, capture, quiet: true });
  return { failed: code !== 0, output };
}

/** Compiles something, and says where it is. @param {string[]} args @param {string} name */
async function compiled(args, name) {
  const { failed, output } = await printed("cargo", [...args, "--locked", "--message-format", "json-render-diagnostics"]);
  const lines = output.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  const program = lines.filter(({ executable, target }) => executable && target.name === name).at(-1)?.executable;
  if (failed || !program) throw new Sentence(`${name} does not compile: see cargo's words above`);
  return program;
}

/** Compiles the command line. Its `train` gives what there is to know of a run. */
export async function openNative() {
  const program = await compiled(["build", "--release", "--features", "cli", "--bin", "tealight"], "tealight");
  const ask = async (/** @type {string[]} */ args) => {
    const { failed, output } = await printed(program, args);
    if (failed) throw new Error(`tealight ${args[0]} failed: see its words above`);
    return output;
  };

  /** @param {string} link @param {number} steps @param {any} needs @returns {Promise<import("./readings.mjs").Found>} */
  async function train(link, steps, needs) {
    const out = mkdtempSync(path.join(os.tmpdir(), "tealight-gates-"));
    try {
      const told = await ask(["train", "--link", link, "--out", out]);
      const seconds = Number(/^at step \d+ after (\S+) s$/m.exec(told)?.[1]);
      const snapshot = ["--snapshot", path.join(out, "snapshot.safetensors"), "--steps", String(steps)];
      const { info, layout, values } = JSON.parse(await ask(["view", ...snapshot, JSON.stringify(needs.views)]));
      const { scores } = needs.scores ? JSON.parse(await ask(["score", "--json", ...snapshot])) : { scores: [] };
      const weights = needs.weights ? readFileSync(path.join(out, "weights.safetensors")) : new Uint8Array();
      return unpacked({ seconds, info, scores, sections: layout.sections, buffer: values, weights });
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  }
  return { train, program: digestOf(program) };
}

/** Compiles the tests in Rust. Its `hold` runs one of them, alone. */
export async function openTests() {
  const program = await compiled(["test", "--no-run", "--test", "rust"], "rust");

  /** @param {{test: string, prints?: string}} gate */
  async function hold({ test, prints }) {
    const { failed, output } = await printed(program, ["--exact", test, "--nocapture"], "both");
    if (!/\b1 passed; 0 failed|\b0 passed; 1 failed/.test(output)) throw new Sentence(`there is no test ${test}`);
    const seconds = Number(/finished in (\S+?)s$/m.exec(output)?.[1]);
    const value = prints ? new RegExp(prints).exec(output)?.[1] ?? null : null;
    if (prints && value === null && !failed) throw new Sentence(`${test} prints nothing like ${prints}`);
    return { holds: !failed, seconds, value };
  }
  return { hold, program: digestOf(program) };
}
