/** @file What was measured before, by the same program: a run that was broken off goes on where it was. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { root } from "../../../tools/console.mjs";

const folder = path.join(root, "target", "gates");

/** Names what is measured by a file: another file, another name. @param {string} file */
export const digestOf = (file) => createHash("sha256").update(readFileSync(file)).digest("hex");

/**
 * What this question was answered before, or the answer now.
 * @template T
 * @param {unknown} question Everything that the answer depends on. @param {boolean} afresh @param {() => Promise<T>} answer
 * @returns {Promise<T>}
 */
export async function kept(question, afresh, answer) {
  const file = path.join(folder, `${createHash("sha256").update(JSON.stringify(question)).digest("hex").slice(0, 32)}.json`);
  if (!afresh) {
    try {
      return JSON.parse(readFileSync(file, "utf8"));
    } catch {
      // It was not asked before.
    }
  }
  const value = await answer();
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, JSON.stringify(value));
  return value;
}
