/** @file Pictures to take away: figures with a title, their captions and where they come from, on one sheet. */

/** @import {Palette} from "../views/palette.js" @import {Picture} from "../views/studio.js" @import {Sheet} from "./tables.js" */

/** What the lines of a picture are. @typedef {{name: string, value: string, colour: string}[]} Keys */

/** Device pixels per CSS pixel of what is taken away. */
export const RATIO = 2;
/** In CSS pixels. */
const [MARGIN, GAP, CAPTION, TITLE, SWATCH] = [20, 14, 12, 17, 16];
/** A link longer than this says more to a machine than to a reader. */
const LONGEST_LINK = 240;
const FAMILY = 'system-ui, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';

/** @param {number} size @param {number} [weight] */
const font = (size, weight = 400) => `${weight} ${size}px ${FAMILY}`;

/**
 * Breaks a text into lines that fit: between words, or anywhere in scripts that have no spaces.
 * @param {string} text
 * @param {number} width
 * @param {(text: string) => number} measure
 */
export function linesOf(text, width, measure) {
  /** @type {string[]} */
  const lines = [];
  let line = "";
  for (const piece of text.match(/\p{Script=Han}|[^\s\p{Script=Han}]+|\s+/gu) ?? []) {
    if (measure(line + piece) <= width || line === "") line += piece;
    else {
      lines.push(line.trimEnd());
      line = piece.trimStart();
    }
    // A word that no line holds, such as an address.
    while (measure(line) > width && [...line].length > 1) {
      const letters = [...line];
      let n = letters.length - 1;
      while (n > 1 && measure(letters.slice(0, n).join("")) > width) n--;
      lines.push(letters.slice(0, n).join(""));
      line = letters.slice(n).join("");
    }
  }
  if (line.trim() !== "") lines.push(line.trimEnd());
  return lines;
}

/**
 * What stands around the pictures.
 * @typedef {object} Words
 * @property {string} title
 * @property {string} subtitle
 * @property {string} link
 */

/**
 * One sheet of pictures: the main one large, the others in a column beside it.
 * @param {readonly (Picture & {keys?: Keys})[]} pictures
 * @param {Palette} palette
 * @param {Words | null} words null leaves title, captions and link out
 * @returns {HTMLCanvasElement}
 */
export function composed(pictures, palette, words) {
  const canvas = document.createElement("canvas");
  const g = canvas.getContext("2d");
  const [main, ...side] = pictures;
  if (!g || !main) return canvas;
  const sizeOf = (/** @type {Picture} */ picture) => ({ width: picture.canvas.width / RATIO, height: picture.canvas.height / RATIO });
  const sideWidth = Math.max(0, ...side.map((picture) => sizeOf(picture).width));
  const width = sizeOf(main).width + (side.length > 0 ? GAP + sideWidth : 0);
  const measure = (/** @type {string} */ text) => g.measureText(text).width;
  /** @type {(() => void)[]} */
  const marks = [];

  /** @param {string} text @param {number} x @param {number} y @param {number} room @param {{size: number, weight?: number, colour: "ink" | "soft"}} how @returns {number} where it ends */
  const write = (text, x, y, room, { size, weight = 400, colour }) => {
    g.font = font(size, weight);
    for (const line of linesOf(text, room, measure)) {
      const at = y + size;
      marks.push(() => {
        g.font = font(size, weight);
        g.fillStyle = palette.css(colour);
        g.fillText(line, x, at);
      });
      y += size * 1.4;
    }
    return y;
  };
  /** @param {Picture & {keys?: Keys}} picture @param {number} x @param {number} y @returns {number} where it ends */
  const place = (picture, x, y) => {
    const size = sizeOf(picture);
    marks.push(() => {
      g.drawImage(picture.canvas, x, y, size.width, size.height);
      g.strokeStyle = palette.css("line");
      g.strokeRect(x + 0.5, y + 0.5, size.width - 1, size.height - 1);
    });
    if (!words) return y + size.height;
    const below = write(picture.name, x, y + size.height + 6, size.width, { size: CAPTION, weight: 600, colour: "ink" });
    let end = write(picture.caption, x, below, size.width, { size: CAPTION, colour: "soft" });
    for (const { name, value, colour } of picture.keys ?? []) {
      const at = end + CAPTION * 0.65;
      marks.push(() => {
        g.fillStyle = colour;
        g.fillRect(x, at - 1, SWATCH, 2);
      });
      end = write(`${name}  ${value}`, x + SWATCH + 8, end, size.width - SWATCH - 8, { size: CAPTION, colour: "ink" });
    }
    return end;
  };

  let top = words ? MARGIN : 0;
  const left = words ? MARGIN : 0;
  if (words) {
    top = write(words.title, left, top, width, { size: TITLE, weight: 650, colour: "ink" });
    top = write(words.subtitle, left, top, width, { size: CAPTION, colour: "soft" }) + 8;
  }
  let bottom = place(main, left, top);
  let y = top;
  for (const picture of side) {
    y = place(picture, left + sizeOf(main).width + GAP, y);
    bottom = Math.max(bottom, y);
    y += GAP;
  }
  if (words && words.link.length <= LONGEST_LINK) bottom = write(words.link, left, bottom + 10, width, { size: 10, colour: "soft" });

  canvas.width = Math.ceil((width + 2 * left) * RATIO);
  canvas.height = Math.ceil((bottom + (words ? MARGIN : 0)) * RATIO);
  g.scale(RATIO, RATIO);
  g.fillStyle = palette.css("panel");
  g.fillRect(0, 0, canvas.width, canvas.height);
  for (const mark of marks) mark();
  return canvas;
}

/** @param {HTMLCanvasElement} canvas @returns {Promise<Uint8Array<ArrayBuffer>>} */
export async function pngOf(canvas) {
  const blob = await new Promise((/** @type {(blob: Blob | null) => void} */ resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw new Error("this picture is too large for the browser");
  return new Uint8Array(await blob.arrayBuffer());
}

/** @param {Sheet} sheet */
export function canvasOf({ width, height, pixels }) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  canvas.getContext("2d")?.putImageData(new ImageData(pixels, width, height), 0, 0);
  return canvas;
}
