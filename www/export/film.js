/** @file Frames as an animated GIF. */

import { applyPalette, GIFEncoder, quantize } from "gifenc";

/** The time a frame is shown, and the last one before the film begins again, in milliseconds. */
const [FRAME, LAST] = [80, 1600];
/** One of the format's 256 colours stands for "as before". */
const COLOURS = 255;
/** Every so many pixels are looked at when colours are chosen. */
const SAMPLED = 3;

/** Collects frames of one size. */
export class Film {
  #encoder = GIFEncoder();
  #width;
  #height;
  /** The pixels of the frame before. @type {Uint32Array | null} */
  #before = null;

  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.#width = width;
    this.#height = height;
  }

  /** @param {Uint8ClampedArray} rgba @param {boolean} last */
  add(rgba, last) {
    const pixels = new Uint32Array(rgba.slice().buffer);
    const palette = quantize(new Uint8Array(pixels.filter((_, i) => i % SAMPLED === 0).buffer), COLOURS);
    const index = applyPalette(rgba, palette);
    const unchanged = palette.length;
    const before = this.#before;
    // Most of a picture is as it was: runs of one colour take next to no room.
    if (before) for (let i = 0; i < index.length; i++) if (pixels[i] === before[i]) index[i] = unchanged;
    this.#encoder.writeFrame(index, this.#width, this.#height, {
      palette: [...palette, [0, 0, 0]],
      delay: last ? LAST : FRAME,
      // Of the first frame: again and again.
      repeat: 0,
      transparent: before !== null,
      transparentIndex: unchanged,
      // The next frame is drawn over this one.
      dispose: 1,
    });
    this.#before = pixels;
  }

  /** @returns {Uint8Array<ArrayBuffer>} */
  finish() {
    this.#encoder.finish();
    return /** @type {Uint8Array<ArrayBuffer>} */ (this.#encoder.bytes());
  }
}
