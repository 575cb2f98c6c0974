/**
 * @file Takes out of the module where in other people's code a panic happened.
 *
 * Rust keeps a record of file, line and column for every place that can panic. Those of our own sources help to find a
 * mistake; those of libraries all become the same, and the paths that only they name become zeros, which pack to nothing.
 */

import { assemble, leb, sectionsOf } from "./wasm-module.mjs";

/** A record: where its path is, how long that is, the line and the column, each of four bytes. */
const RECORD = 16;
/** The longest path. */
const LONGEST = 300;
/** What is compiled from our own sources has paths that begin like this. */
const OURS = "src/";

/** A signed number in LEB128, as an address. @param {Uint8Array} bytes @param {number} at @returns {[number, number]} */
function address(bytes, at) {
  let [value, shift, byte] = [0, 0, 0];
  do {
    byte = bytes[at++];
    value |= (byte & 127) << shift;
    shift += 7;
  } while (byte > 127);
  if (shift < 32 && byte & 64) value |= -1 << shift;
  return [value >>> 0, at];
}

/** The pieces of memory that the module brings. @param {Uint8Array} bytes @param {number} from of the data section */
function segmentsOf(bytes, from) {
  const segments = [];
  let [count, at] = leb(bytes, from);
  for (; count > 0; count--) {
    if (bytes[at] !== 0 || bytes[at + 1] !== 0x41) throw new Error("a data segment of another form than tools/locations.mjs knows");
    const [base, end] = address(bytes, at + 2);
    const [length, start] = leb(bytes, end + 1);
    segments.push({ base, start, length });
    at = start + length;
  }
  return segments;
}

/**
 * The module with one location for all of other people's code.
 * @param {Uint8Array} bytes
 * @returns {{bytes: Uint8Array, joined: number}} how many records became one
 */
export function joinLocations(bytes) {
  const sections = sectionsOf(bytes);
  const data = sections.find(({ id }) => id === 11);
  if (!data) return { bytes, joined: 0 };
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  const segments = segmentsOf(bytes, data.from);
  /** Where a piece of memory stands in the file; below 0 if nowhere. @param {number} base @param {number} length */
  const place = (base, length) => {
    const found = segments.find((it) => base >= it.base && base + length <= it.base + it.length);
    return found ? found.start + base - found.base : -1;
  };
  const decoder = new TextDecoder("latin1");
  /** The path of the record that stands at a place, if one does. @param {number} at */
  const pathAt = (at) => {
    const [pointer, length, line, column] = [0, 4, 8, 12].map((offset) => view.getUint32(at + offset, true));
    const inside = length > 3 && length <= LONGEST && line > 0 && line < 1 << 16 && column > 0 && column < 1 << 10;
    const start = inside ? place(pointer, length) : -1;
    if (start < 0) return null;
    const path = decoder.decode(bytes.subarray(start, start + length));
    return /^[\x21-\x7e]+\.rs$/.test(path) ? { at, start, path } : null;
  };
  const [ours, theirs] = [[], []];
  for (const { base, start, length } of segments) {
    for (let at = start + (-base & 3); at + RECORD <= start + length; at += 4) {
      const record = pathAt(at);
      if (!record) continue;
      (record.path.startsWith(OURS) ? ours : theirs).push(record);
      at += RECORD - 4;
    }
  }
  const [first, ...others] = theirs;
  for (const { at, start, path } of others) {
    out.copyWithin(at, first.at, first.at + RECORD);
    out.fill(0, start, start + path.length);
  }
  // What still has a name may have shared its text.
  for (const { start, path } of [first, ...ours].filter(Boolean)) out.set(bytes.subarray(start, start + path.length), start);
  return { bytes: assemble(out, sections, new Map()), joined: theirs.length };
}
