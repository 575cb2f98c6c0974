/** @file Brings back what was taken away: experiments, snapshots, weights, links. Data files are another matter (files.js). */

import { readExperiment, Refused } from "./experiment-file.js";
import { looksLikeTensors, readTensors } from "./tensors-file.js";

/**
 * @import {Catalog} from "../protocol.js"
 * @import {ExperimentFile} from "./experiment-file.js"
 * @import {Tensors} from "./tensors-file.js"
 */

/** Most bytes of an experiment: a drawing and some thousand live changes take a tenth of it. */
export const LONGEST_EXPERIMENT = 2 << 20;
/** Most bytes of a snapshot or of weights, as in the engine. */
export const LARGEST_TENSORS = 256 << 20;
/** Bytes that tell what a file is. */
const BEGINNING = 64;

/**
 * What a file turned out to be.
 * @typedef {({kind: "experiment", experiment: ExperimentFile} | {kind: "tensors", tensors: Tensors, bytes: Uint8Array<ArrayBuffer>})} Brought
 */

/** What kind of ours a file may be; null where it is left to the readers of data. @param {File} file @returns {Promise<"experiment" | "tensors" | null>} */
export async function kindOf(file) {
  if (/\.safetensors$/i.test(file.name)) return "tensors";
  if (/\.json$/i.test(file.name) || file.type === "application/json") return "experiment";
  const start = new Uint8Array(await file.slice(0, BEGINNING).arrayBuffer());
  return looksLikeTensors(start) ? "tensors" : null;
}

/**
 * Reads a file of ours; its size is looked at first.
 * @param {Catalog} catalog
 * @param {File} file
 * @param {"experiment" | "tensors"} kind
 * @returns {Promise<Brought>}
 */
export async function readFile(catalog, file, kind) {
  const most = kind === "experiment" ? LONGEST_EXPERIMENT : LARGEST_TENSORS;
  if (file.size > most) throw new Refused("tooLarge", { most: most >> 20 });
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (kind === "tensors") return { kind, tensors: readTensors(bytes), bytes };
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Refused("json");
  }
  return { kind, experiment: readExperiment(catalog, text) };
}

/**
 * The hash of a link, or null where a text is none of ours.
 * @param {string} text An address, or what stands after its `#`.
 */
export function linkIn(text) {
  const line = text.trim().split(/\s/, 1)[0] ?? "";
  const hash = line.includes("#") ? line.slice(line.indexOf("#") + 1) : line;
  return /(?:^|&|&amp;)(?:dataset|model)=/.test(hash) ? hash : null;
}
