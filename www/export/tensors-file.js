/** @file The header of a safetensors file, as far as the page must know it: whether it is a snapshot or weights, and of what. */

import { quote, Refused } from "./experiment-file.js";

/** @import {Config} from "../protocol.js" */

/** The metadata entry that holds ours. */
const META = "tealight";
/** The format's own limit is 100 MB; a header of ours has some kilobytes. */
const LONGEST_HEADER = 4 << 20;
/** The longest name of a field that a sentence quotes. */
const LONGEST_FIELD = 80;

/**
 * `config` is null where the file does not say of what its weights are; only a snapshot has a phase.
 * @typedef {{kind: "snapshot" | "weights", config: Config | null, phase?: string}} Tensors
 */

/** Whether bytes may be a safetensors file: a length, then the JSON of the header. @param {Uint8Array} bytes The first nine or more. */
export function looksLikeTensors(bytes) {
  if (bytes.length < 9 || bytes[8] !== 0x7b) return false;
  return bytes.subarray(4, 8).every((byte) => byte === 0);
}

/** @param {Uint8Array} bytes @returns {Tensors} */
export function readTensors(bytes) {
  if (!looksLikeTensors(bytes)) throw new Refused("noTensors");
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (length > LONGEST_HEADER || 8 + length > bytes.length) throw new Refused("cut", { promised: 8 + length, got: bytes.length });
  /** @type {unknown} */
  let header;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length)));
  } catch {
    throw new Refused("header");
  }
  const metadata = /** @type {{__metadata__?: Record<string, unknown>}} */ (header)?.__metadata__;
  const text = metadata && Object.hasOwn(metadata, META) ? metadata[META] : null;
  // Weights of another program: their names decide whether they fit.
  if (typeof text !== "string") return { kind: "weights", config: null };
  /** @type {any} */
  let own;
  try {
    own = JSON.parse(text);
  } catch {
    throw new Refused("metadata", { field: `__metadata__.${META}` });
  }
  if (typeof own !== "object" || own === null || Array.isArray(own)) throw new Refused("metadata", { field: `__metadata__.${META}` });
  // A configuration has no setting of these names; a snapshot's head has both.
  if (Object.hasOwn(own, "format") && Object.hasOwn(own, "config")) return { kind: "snapshot", config: own.config, phase: String(own.phase) };
  // Whether each value is allowed is for the engine to say; here it must be one at all.
  for (const [key, value] of Object.entries(own)) {
    const plain = ["string", "number", "boolean"].includes(typeof value) || (Array.isArray(value) && value.every((x) => typeof x === "number"));
    if (!plain) throw new Refused("value", { field: `__metadata__.${META}.${key}`.slice(0, LONGEST_FIELD), got: quote(value), allowed: "1, true, \"…\", [1, 2]" });
  }
  return { kind: "weights", config: own };
}
