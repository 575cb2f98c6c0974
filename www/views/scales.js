/** Pure arithmetic between data and pixels. @import {Extent} from './types.js' */

/** Maps a rectangle of data (y up) onto a rectangle of pixels (y down). */
export class Plane {
  /** @type {Extent} */ extent;
  width;
  height;

  /**
   * @param {Extent} extent
   * @param {number} width in pixels
   * @param {number} height in pixels
   */
  constructor(extent, width, height) {
    this.extent = extent;
    this.width = width;
    this.height = height;
  }

  /** @param {number} x */
  toCanvasX(x) {
    const [x0, x1] = this.extent;
    return ((x - x0) / (x1 - x0)) * this.width;
  }

  /** @param {number} y */
  toCanvasY(y) {
    const [, , y0, y1] = this.extent;
    return (1 - (y - y0) / (y1 - y0)) * this.height;
  }

  /** @param {number} px */
  toDataX(px) {
    const [x0, x1] = this.extent;
    return x0 + (px / this.width) * (x1 - x0);
  }

  /** @param {number} py */
  toDataY(py) {
    const [, , y0, y1] = this.extent;
    return y0 + (1 - py / this.height) * (y1 - y0);
  }
}

/**
 * Round numbers (1, 2 or 5 times a power of ten apart) inside [low, high], about `target` of them.
 * @param {number} low
 * @param {number} high
 * @param {number} [target]
 * @returns {number[]}
 */
export function ticks(low, high, target = 5) {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [];
  const rough = span / Math.max(1, target);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (rough / power >= 7.07 ? 10 : rough / power >= 3.16 ? 5 : rough / power >= 1.41 ? 2 : 1);
  const out = [];
  // Counting in whole steps keeps 0.1 + 0.2 out of the labels.
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) {
    out.push(Number((k * step).toPrecision(12)));
  }
  return out;
}

/**
 * The value of a g×g field (cell centres, row 0 at the bottom) at a place, bilinearly; NaN outside.
 * @param {ArrayLike<number>} values
 * @param {number} g
 * @param {Extent} extent
 * @param {number} x
 * @param {number} y
 */
export function fieldAt(values, g, [x0, x1, y0, y1], x, y) {
  const fx = ((x - x0) / (x1 - x0)) * g - 0.5;
  const fy = ((y - y0) / (y1 - y0)) * g - 0.5;
  if (!(fx >= -0.5 && fx <= g - 0.5 && fy >= -0.5 && fy <= g - 0.5)) return NaN;
  const cx = Math.min(g - 1, Math.max(0, fx));
  const cy = Math.min(g - 1, Math.max(0, fy));
  const ix = Math.min(g - 2, Math.floor(cx));
  const iy = Math.min(g - 2, Math.floor(cy));
  const [tx, ty] = [cx - ix, cy - iy];
  const at = iy * g + ix;
  return (values[at] * (1 - tx) + values[at + 1] * tx) * (1 - ty) + (values[at + g] * (1 - tx) + values[at + g + 1] * tx) * ty;
}

/** Kept between calls: a quantile per frame must not allocate. */
let scratch = new Float32Array(0);

/**
 * The q-quantile of the finite values that are greater than `above`; NaN when there are none.
 * @param {ArrayLike<number>} values
 * @param {number} q 0..1
 * @param {number} [above]
 */
export function quantile(values, q, above = -Infinity) {
  if (scratch.length < values.length) scratch = new Float32Array(values.length);
  let n = 0;
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (v > above && Number.isFinite(v)) scratch[n++] = v;
  }
  if (n === 0) return NaN;
  const sorted = scratch.subarray(0, n).sort();
  return sorted[Math.min(n - 1, Math.max(0, Math.round(q * (n - 1))))];
}

/**
 * How many columns make `count` tiles as near to `aspect` (width / height) as whole numbers allow.
 * @param {number} count
 * @param {number} [aspect] of the whole, in tiles
 */
export function tileColumns(count, aspect = 1) {
  return Math.max(1, Math.ceil(Math.sqrt(count * aspect) - 1e-9));
}
