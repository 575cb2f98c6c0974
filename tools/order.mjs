/**
 * @file Puts functions that are alike next to each other.
 *
 * gzip finds repetitions no farther back than 32 KB, and the compiler leaves the copies of a generic function
 * wherever their callers are. Ordered by what they share, the same functions take a tenth less to download.
 */

import { assemble, functionImports, leb, sectionsOf, toLeb } from "./wasm-module.mjs";

/** Bytes of a piece by which functions are compared. */
const PIECE = 6;
/** A piece that more functions have than this says little about any. */
const COMMON = 200;
/** How many of the last functions the next one is compared with. */
const NEAR = 20;

/**
 * The pieces of each function that at least one other has, as numbers from 0 on; and who has each.
 * @param {Uint8Array[]} bodies
 */
function sharedPieces(bodies) {
  /** @type {Map<number, number[]>} */
  const owners = new Map();
  bodies.forEach((body, owner) => {
    for (let at = 0; at + PIECE <= body.length; at++) {
      let hash = 0x811c9dc5;
      for (let i = 0; i < PIECE; i++) hash = Math.imul(hash ^ body[at + i], 0x01000193);
      const list = owners.get(hash);
      if (!list) owners.set(hash, [owner]);
      else if (list.at(-1) !== owner) list.push(owner);
    }
  });
  /** @type {number[][]} */
  const pieces = bodies.map(() => []);
  const ownersOf = [...owners.values()].filter(({ length }) => length > 1 && length <= COMMON);
  ownersOf.forEach((list, piece) => list.forEach((owner) => pieces[owner].push(piece)));
  return { pieces, ownersOf };
}

/**
 * Each function followed by the one that shares most with it and those before it: the indices in that order.
 * @param {Uint8Array[]} bodies
 */
export function byLikeness(bodies) {
  const { pieces, ownersOf } = sharedPieces(bodies);
  const bySize = bodies.map((_, i) => i).sort((a, b) => bodies[b].length - bodies[a].length || a - b);
  const placed = new Uint8Array(bodies.length);
  const shared = new Uint32Array(bodies.length);
  const seen = new Int32Array(ownersOf.length).fill(-1);
  /** @type {number[]} */
  const order = [];
  let largest = 0;
  while (order.length < bodies.length) {
    /** @type {number[]} */
    const candidates = [];
    for (const near of order.slice(-NEAR)) {
      for (const piece of pieces[near]) {
        if (seen[piece] === order.length) continue;
        seen[piece] = order.length;
        for (const owner of ownersOf[piece]) {
          if (placed[owner]) continue;
          if (shared[owner]++ === 0) candidates.push(owner);
        }
      }
    }
    let [best, most] = [-1, 0];
    for (const owner of candidates) {
      const score = shared[owner] ** 2 / (pieces[owner].length + 30);
      if (score > most || (score === most && owner < best)) [best, most] = [owner, score];
      shared[owner] = 0;
    }
    if (best < 0) {
      while (placed[bySize[largest]]) largest++;
      best = bySize[largest];
    }
    placed[best] = 1;
    order.push(best);
  }
  return order;
}

/** Where a memory argument ends: alignment and offset. @param {Uint8Array} code @param {number} at */
const afterPlace = (code, at) => leb(code, leb(code, at)[1])[1];

/** @param {Uint8Array} code @param {number} at @param {number} count of numbers */
function afterNumbers(code, at, count) {
  for (; count > 0; count--) while (code[at++] > 127);
  return at;
}

/** How many numbers follow an instruction of the page 0xfc. */
const NUMBERS_OF_FC = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];

/** Where a vector instruction ends, from its number on. @param {Uint8Array} code @param {number} at */
function afterVector(code, at) {
  const [kind, next] = leb(code, at);
  if (kind <= 11 || kind === 92 || kind === 93) return afterPlace(code, next);
  if (kind === 12 || kind === 13) return next + 16;
  if (kind >= 21 && kind <= 34) return next + 1;
  if (kind >= 84 && kind <= 91) return afterPlace(code, next) + 1;
  return next;
}

/**
 * Where an instruction ends that names no function.
 * @param {Uint8Array} code
 * @param {number} at behind its first byte
 * @param {number} kind that byte
 */
function after(code, at, kind) {
  if (kind >= 0x28 && kind <= 0x3e) return afterPlace(code, at);
  if ((kind >= 0x20 && kind <= 0x26) || (kind >= 0x02 && kind <= 0x04)) return afterNumbers(code, at, 1);
  if (kind >= 0x45 && kind <= 0xc4) return at;
  switch (kind) {
    case 0x00: case 0x01: case 0x05: case 0x0b: case 0x0f: case 0x1a: case 0x1b: case 0xd1:
      return at;
    case 0x0c: case 0x0d: case 0x3f: case 0x40: case 0x41: case 0x42: case 0xd0:
      return afterNumbers(code, at, 1);
    case 0x11: case 0x13:
      return afterNumbers(code, at, 2);
    case 0x0e: {
      const [count, next] = leb(code, at);
      return afterNumbers(code, next, count + 1);
    }
    case 0x1c: {
      const [count, next] = leb(code, at);
      return next + count;
    }
    case 0x43:
      return at + 4;
    case 0x44:
      return at + 8;
    case 0xfc: {
      const [sub, next] = leb(code, at);
      if (sub in NUMBERS_OF_FC) return afterNumbers(code, next, NUMBERS_OF_FC[sub]);
      break;
    }
    case 0xfd:
      return afterVector(code, at);
  }
  throw new Error(`the instruction 0x${kind.toString(16)} is not known to tools/order.mjs`);
}

/**
 * A function's body, its length before it, with other indices.
 * @param {Uint8Array} body without its length
 * @param {(index: number) => number} renamed
 */
function rename(body, renamed) {
  let [groups, at] = leb(body, 0);
  for (; groups > 0; groups--) at = leb(body, at)[1] + 1;
  /** @type {number[]} */
  const out = [];
  let copied = 0;
  while (at < body.length) {
    const kind = body[at++];
    // call, return_call, ref.func
    if (kind !== 0x10 && kind !== 0x12 && kind !== 0xd2) {
      at = after(body, at, kind);
      continue;
    }
    for (; copied < at; copied++) out.push(body[copied]);
    const [index, next] = leb(body, at);
    out.push(...toLeb(renamed(index)));
    at = copied = next;
  }
  for (; copied < body.length; copied++) out.push(body[copied]);
  return Uint8Array.from([...toLeb(out.length), ...out]);
}

/** The element section with other indices: lists of functions at constant places, as compilers write them. */
function renameElements(bytes, from, renamed) {
  let [count, at] = leb(bytes, from);
  const out = toLeb(count);
  for (; count > 0; count--) {
    const [flags, offset] = leb(bytes, at);
    if (flags !== 0 || bytes[offset] !== 0x41) throw new Error("an element segment of another form than tools/order.mjs knows");
    const end = afterNumbers(bytes, offset + 1, 1) + 1;
    out.push(...bytes.subarray(at, end));
    let [length, next] = leb(bytes, end);
    out.push(...toLeb(length));
    for (; length > 0; length--) {
      const [index, following] = leb(bytes, next);
      out.push(...toLeb(renamed(index)));
      next = following;
    }
    at = next;
  }
  return Uint8Array.from(out);
}

/** The export section with other indices. */
function renameExports(bytes, from, renamed) {
  let [count, at] = leb(bytes, from);
  const out = toLeb(count);
  for (; count > 0; count--) {
    const [length, name] = leb(bytes, at);
    const kind = bytes[name + length];
    const [index, next] = leb(bytes, name + length + 1);
    out.push(...bytes.subarray(at, name + length + 1), ...toLeb(kind === 0 ? renamed(index) : index));
    at = next;
  }
  return Uint8Array.from(out);
}

/**
 * The same module with its functions in another order. It must have no names: they would be wrong.
 * @param {Uint8Array} bytes
 */
export function order(bytes) {
  const sections = sectionsOf(bytes);
  const section = (id) => sections.find((it) => it.id === id);
  const [types, exports, start, elements, code] = [3, 7, 8, 9, 10].map(section);
  if (!types || !code) throw new Error("this module has no functions");
  const first = functionImports(bytes, sections);
  const typeOf = [];
  let [count, at] = leb(bytes, types.from);
  for (let i = 0; i < count; i++) [typeOf[i], at] = leb(bytes, at);
  /** @type {Uint8Array[]} */
  const bodies = [];
  [count, at] = leb(bytes, code.from);
  for (let i = 0; i < count; i++) {
    const [length, from] = leb(bytes, at);
    bodies.push(bytes.subarray(from, from + length));
    at = from + length;
  }
  const sequence = byLikeness(bodies);
  const place = new Uint32Array(count);
  sequence.forEach((index, to) => (place[index] = to));
  const renamed = (/** @type {number} */ index) => (index < first ? index : first + place[index - first]);
  const head = Uint8Array.from(toLeb(count));
  /** @type {Map<number, Uint8Array[]>} */
  const contents = new Map([
    [3, [head, Uint8Array.from(sequence.flatMap((index) => toLeb(typeOf[index])))]],
    [10, [head, ...sequence.map((index) => rename(bodies[index], renamed))]],
  ]);
  if (exports) contents.set(7, [renameExports(bytes, exports.from, renamed)]);
  if (start) contents.set(8, [Uint8Array.from(toLeb(renamed(leb(bytes, start.from)[0])))]);
  if (elements) contents.set(9, [renameElements(bytes, elements.from, renamed)]);
  return assemble(bytes, sections, contents);
}
