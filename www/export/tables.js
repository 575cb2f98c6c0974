/** @file Losses, scores and samples as text: the same files that the command line writes. */

import { wordsOf } from "../views/text-figure.js";

/** @import {Section, Shape} from "../protocol.js" */

/** A 32-bit float in as few digits as give it back. @param {number} x */
export function floatText(x) {
  if (!Number.isFinite(x)) return "";
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(x.toPrecision(digits));
    if (Math.fround(short) === x) return String(short);
  }
  return String(Number(x.toPrecision(9)));
}

/** A cell of a table; a text that a spreadsheet would take for a formula is none. @param {string | number | null} cell */
function cellText(cell) {
  if (cell === null) return "";
  if (typeof cell === "number") return Number.isFinite(cell) ? String(cell) : "";
  const text = /^[=+@\t\r-]/.test(cell) ? `'${cell}` : cell;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {readonly string[]} head @param {Iterable<readonly (string | number | null)[]>} rows */
export function csv(head, rows) {
  return [head, ...rows].map((row) => `${row.map(cellText).join(",")}\n`).join("");
}

/**
 * The loss curves: a row for each step that is kept. A loss that a step did not compute is an empty cell.
 * @param {readonly string[]} ids of the losses
 * @param {Section} section [1 + losses, columns]
 */
export function lossesCsv(ids, { data, shape: [rows, columns] }) {
  const lines = [["step", ...ids].join(",")];
  for (let i = 0; i < columns; i++) {
    lines.push(Array.from({ length: rows }, (_, k) => floatText(data[k * columns + i])).join(","));
  }
  return `${lines.join("\n")}\n`;
}

/**
 * The scores so far: a row for each evaluation.
 * @param {readonly string[]} ids
 * @param {{steps: readonly number[], values: (id: string) => readonly (number | null)[]}} history
 */
export function scoresCsv(ids, history) {
  const used = ids.map((id) => ({ id, values: history.values(id) })).filter(({ values }) => values.some((value) => value !== null));
  return csv(["step", ...used.map(({ id }) => id)], history.steps.map((step, i) => [step, ...used.map(({ values }) => values[i] ?? null)]));
}

/** Points of the plane, one a line. @param {Section} section [n, 2] */
export function pointsCsv({ data, shape: [n, size] }) {
  const lines = ["x,y"];
  for (let i = 0; i < n; i++) lines.push(Array.from(data.subarray(i * size, (i + 1) * size), floatText).join(","));
  return `${lines.join("\n")}\n`;
}

/** Words, one a line. @param {Section} section [n, length] @param {string} alphabet */
export function wordsText({ data, shape }, alphabet) {
  return `${wordsOf(data, shape[1], alphabet).join("\n")}\n`;
}

/** What a sheet of images is made of. @typedef {{width: number, height: number, pixels: Uint8ClampedArray<ArrayBuffer>}} Sheet */

/** Columns of a sheet, the longer side of an image on it and the gap between two, in pixels. */
const [COLUMNS, SIDE, GAP] = [10, 64, 4];
/** What lies between the images. */
const PAPER = [251, 250, 247];

/**
 * Images in ten columns, each pixel enlarged by a whole number.
 * @param {Section} section [n, channels · height · width], values 0..1
 * @param {Shape} shape of one
 * @returns {Sheet}
 */
export function imageSheet({ data, shape: [n] }, { channels, height, width }) {
  const scale = Math.max(1, Math.floor(SIDE / Math.max(width, height)));
  const cell = { width: width * scale + GAP, height: height * scale + GAP };
  const sheet = { width: COLUMNS * cell.width, height: Math.ceil(n / COLUMNS) * cell.height };
  const pixels = new Uint8ClampedArray(4 * sheet.width * sheet.height);
  for (let p = 0; p < pixels.length; p += 4) pixels.set([...PAPER, 255], p);
  for (let i = 0; i < n; i++) {
    const [left, top] = [(i % COLUMNS) * cell.width + GAP / 2, Math.floor(i / COLUMNS) * cell.height + GAP / 2];
    for (let y = 0; y < height * scale; y++) {
      for (let x = 0; x < width * scale; x++) {
        const at = 4 * ((top + y) * sheet.width + left + x);
        for (let c = 0; c < 3; c++) {
          // Grey images show their one channel three times.
          const plane = (i * channels + Math.min(c, channels - 1)) * height * width;
          pixels[at + c] = 255 * data[plane + Math.floor(y / scale) * width + Math.floor(x / scale)];
        }
      }
    }
  }
  return { ...sheet, pixels };
}
