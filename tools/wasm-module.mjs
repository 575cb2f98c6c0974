/** @file The binary format of WebAssembly modules, as far as the tools need it. */

/**
 * A section: where it starts, where its contents do, and where it ends.
 * @typedef {{id: number, start: number, from: number, end: number}} Section
 */

/** @param {Uint8Array} bytes @returns {Section[]} */
export function sectionsOf(bytes) {
  const sections = [];
  for (let at = 8; at < bytes.length;) {
    const [length, from] = leb(bytes, at + 1);
    sections.push({ id: bytes[at], start: at, from, end: from + length });
    at = from + length;
  }
  return sections;
}

/**
 * The module with other contents in some sections.
 * @param {Uint8Array} bytes
 * @param {Section[]} sections
 * @param {Map<number, Uint8Array[]>} contents by the section's id
 */
export function assemble(bytes, sections, contents) {
  const parts = [bytes.subarray(0, 8)];
  for (const { id, start, end } of sections) {
    const other = contents.get(id);
    if (!other) {
      parts.push(bytes.subarray(start, end));
      continue;
    }
    const size = other.reduce((sum, part) => sum + part.length, 0);
    parts.push(Uint8Array.from([id, ...toLeb(size)]), ...other);
  }
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let to = 0;
  for (const part of parts) {
    out.set(part, to);
    to += part.length;
  }
  return out;
}

/** A number in LEB128. @param {Uint8Array} bytes @param {number} at @returns {[number, number]} the number and where it ends */
export function leb(bytes, at) {
  let [value, shift] = [0, 0];
  for (;;) {
    const byte = bytes[at++];
    value += (byte & 127) * 2 ** shift;
    shift += 7;
    if (byte < 128) return [value, at];
  }
}

/** A number as LEB128. @param {number} value */
export function toLeb(value) {
  const out = [];
  do {
    out.push((value & 127) | (value > 127 ? 128 : 0));
    value = Math.floor(value / 128);
  } while (value > 0);
  return out;
}

/** How many functions a module imports. @param {Uint8Array} bytes @param {Section[]} sections */
export function functionImports(bytes, sections) {
  const imports = sections.find(({ id }) => id === 2);
  if (!imports) return 0;
  let [count, position] = leb(bytes, imports.from);
  let functions = 0;
  const skip = () => ([, position] = leb(bytes, position));
  for (; count > 0; count--) {
    for (let i = 0; i < 2; i++) {
      const [length, next] = leb(bytes, position);
      position = next + length;
    }
    const kind = bytes[position++];
    if (kind === 0) {
      functions++;
      skip();
      continue;
    }
    if (kind === 3) {
      position += 2;
      continue;
    }
    if (kind === 1) position++;
    const [flags, next] = leb(bytes, position);
    position = next;
    skip();
    if (flags & 1) skip();
  }
  return functions;
}
