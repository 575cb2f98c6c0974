/**
 * @file Contenders outside the browser: programs that take commands on their standard input, a line each, and answer
 * each with a line (see `tealight/src/main.rs`).
 */
import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { probe, root } from "../../tools/console.mjs";
import { nativeProgram, rowsFile } from "./build.mjs";

/** PyTorch's version, or null where there is none. */
export const torchVersion = () => probe("python3", "-c", "import torch; print(torch.__version__)");

const commands = {
  native: () => [nativeProgram],
  torch: () => ["python3", path.join(root, "tests", "bench", "torch", "bench.py")],
};

/**
 * A program with one workload open.
 * @param {"native" | "torch"} kind @param {{id: string, size: number}} workload
 * @returns {Promise<import("./compare.mjs").Runner>}
 */
export async function openNative(kind, { id, size }) {
  const [program, ...args] = commands[kind]();
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, OMP_NUM_THREADS: "1", RAYON_NUM_THREADS: "1" } });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failed = new Promise((_, reject) => child.on("error", reject));
  const ask = async (command) => {
    child.stdin.write(`${command}\n`);
    const { value = "error: it ended", done } = await Promise.race([lines.next(), failed]);
    if (done || value.startsWith("error")) throw new Error(value);
    return value;
  };
  await ask(`open ${id} ${rowsFile(size)}`);
  const run = async (steps) => {
    const [ms, loss] = (await ask(`run ${steps}`)).split(" ").map(Number);
    return { ms, loss };
  };
  const losses = async (steps) => {
    const all = [];
    for (let i = 0; i < steps; i++) all.push((await run(1)).loss);
    return all;
  };
  return { run, losses, memory: async () => null, close: async () => void child.kill() };
}
