/**
 * @file Reads dropped or chosen files as far as only a browser can: unpacks gzip, decodes images. What the bytes
 * mean is for the engine to say.
 */

/** @import {Part} from "./protocol.js" */

/** Most bytes of one file, packed or not. */
export const MOST_BYTES = 64 << 20;
/** Most files at once. */
export const MOST_FILES = 20_000;
/** The longer side of a picture that becomes a density, in pixels. */
const PICTURE = 96;
/** Names of images whose kind the system does not tell. */
const IMAGES = /\.(png|jpe?g|gif|webp|bmp|avif|svg)$/i;

/** What is wrong with a file before its contents are looked at; `key` names the sentence. */
export class FileProblem extends Error {
  /** @param {string} key @param {Record<string, string | number>} vars */
  constructor(key, vars) {
    super(key);
    this.name = "FileProblem";
    this.key = key;
    this.vars = vars;
  }
}

/**
 * Reads files one after the other.
 * @param {File[]} files
 * @param {{size: number, progress: (done: number, all: number) => void}} options `size`: the side of the images of a set.
 * @returns {Promise<Part[]>}
 */
export async function readFiles(files, { size, progress }) {
  if (files.length > MOST_FILES) throw new FileProblem("tooMany", { count: files.length, most: MOST_FILES });
  const pictures = files.filter(isImage).length;
  /** @type {Part[]} */
  const parts = [];
  for (const [done, file] of files.entries()) {
    progress(done, files.length);
    if (file.size > MOST_BYTES) throw tooLarge(file.name);
    parts.push(isImage(file) ? await decode(file, pictures > 1 ? size : null) : { name: file.name, bytes: await unpack(file) });
  }
  progress(files.length, files.length);
  return parts;
}

/** @param {File} file */
function isImage({ type, name }) {
  return type.startsWith("image/") || (type === "" && IMAGES.test(name));
}

/** @param {string} name */
function tooLarge(name) {
  return new FileProblem("tooLarge", { name, most: MOST_BYTES >> 20 });
}

/** The bytes of a file; those of gzip unpacked, as far as the limit goes. @param {File} file */
async function unpack(file) {
  const magic = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (magic[0] !== 0x1f || magic[1] !== 0x8b) return new Uint8Array(await file.arrayBuffer());
  const reader = file.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  /** @type {Uint8Array[]} */
  const chunks = [];
  let length = 0;
  for (;;) {
    const { value, done } = await reader.read().catch(() => {
      throw new FileProblem("notGzip", { name: file.name, at: length });
    });
    if (done) break;
    length += value.length;
    if (length > MOST_BYTES) {
      await reader.cancel();
      throw tooLarge(file.name);
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/**
 * The pixels of an image: its middle square at `side` pixels, or all of it, small.
 * @param {File} file
 * @param {number | null} side
 * @returns {Promise<Part>}
 */
async function decode(file, side) {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new FileProblem("notImage", { name: file.name });
  });
  try {
    const { width: w, height: h } = bitmap;
    const scale = Math.min(1, PICTURE / Math.max(w, h));
    const [width, height] = side ? [side, side] : [w, h].map((length) => Math.max(1, Math.round(length * scale)));
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    const g = canvas.getContext("2d", { willReadFrequently: true });
    if (!g) throw new FileProblem("notImage", { name: file.name });
    const square = Math.min(w, h);
    const [x, y, sw, sh] = side ? [(w - square) / 2, (h - square) / 2, square, square] : [0, 0, w, h];
    g.imageSmoothingEnabled = true;
    g.imageSmoothingQuality = "high";
    g.drawImage(bitmap, x, y, sw, sh, 0, 0, width, height);
    return { name: file.name, rgba: new Uint8Array(g.getImageData(0, 0, width, height).data.buffer), width, height };
  } finally {
    bitmap.close();
  }
}
