/** @import {Palette} from './palette.js' @import {Shape} from './types.js' */

/**
 * Many small images in one offscreen canvas, one below the other, to be stamped with crisp pixels.
 * Values are 0..1 (clamped); one channel goes from the panel's colour to the ink's, three are red, green and blue.
 */
export class Tiles {
  /** @type {HTMLCanvasElement} */ #canvas = document.createElement('canvas');
  /** @type {ImageData | null} */ #image = null;
  /** @type {Uint32Array} */ #pixels = new Uint32Array(0);
  #count = 0;
  #width = 1;
  #height = 1;

  /**
   * @param {Float32Array} data (n, channels · height · width)
   * @param {number} count
   * @param {Shape} shape
   * @param {Palette} palette
   * @param {'ink' | 'weights'} [kind] of the ramp for one channel
   */
  update(data, count, { channels, height, width }, palette, kind = 'ink') {
    const g = this.#canvas.getContext('2d');
    if (!g || count === 0) return;
    if (!this.#image || this.#image.width !== width || this.#image.height !== height * count) {
      this.#canvas.width = width;
      this.#canvas.height = height * count;
      this.#image = new ImageData(width, height * count);
      this.#pixels = new Uint32Array(this.#image.data.buffer);
    }
    this.#count = count;
    this.#width = width;
    this.#height = height;
    const area = height * width;
    const pixels = this.#pixels;
    if (channels === 3) {
      for (let i = 0; i < count; i++) {
        const at = 3 * i * area;
        for (let p = 0; p < area; p++) {
          pixels[i * area + p] = (255 << 24) | (toByte(data[at + 2 * area + p]) << 16) | (toByte(data[at + area + p]) << 8) | toByte(data[at + p]);
        }
      }
    } else {
      const ramp = palette.ramp(kind);
      for (let i = 0; i < count; i++) {
        for (let p = 0; p < area; p++) pixels[i * area + p] = ramp[toByte(data[i * channels * area + p])];
      }
    }
    g.putImageData(this.#image, 0, 0);
  }

  get count() {
    return this.#count;
  }

  /**
   * Stamps image `index` on whole device pixels; the context's transform must be the identity.
   * @param {CanvasRenderingContext2D} g
   * @param {number} index
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  draw(g, index, x, y, width, height) {
    if (index >= this.#count) return;
    g.imageSmoothingEnabled = false;
    g.drawImage(this.#canvas, 0, index * this.#height, this.#width, this.#height, x, y, width, height);
  }
}

/**
 * Stamps tiles over a whole canvas.
 * @param {CanvasRenderingContext2D} g
 * @param {Tiles} tiles
 * @param {{width: number, height: number, columns: number, rows: number, gap: number}} grid in device pixels
 * @param {(column: number, row: number) => number} indexOf which image stands in a column and row from the top
 */
export function paintWall(g, tiles, grid, indexOf) {
  g.setTransform(1, 0, 0, 1, 0, 0);
  for (let row = 0; row < grid.rows; row++) {
    for (let column = 0; column < grid.columns; column++) {
      const r = tileRect(grid, column, row);
      tiles.draw(g, indexOf(column, row), r.x, r.y, r.width, r.height);
    }
  }
}

/**
 * The grid of a wall on a surface, with gaps of so many CSS pixels.
 * @param {import('./surface.js').Surface} surface
 * @param {number} columns
 * @param {number} rows
 * @param {number} [gap]
 */
export function wallOf({ canvas, ratio }, columns, rows, gap = 2) {
  return { width: canvas.width, height: canvas.height, columns, rows, gap: Math.max(1, Math.round(gap * ratio)) };
}

/** @param {number} value */
export function toByte(value) {
  return value >= 1 ? 255 : value > 0 ? (value * 255 + 0.5) | 0 : 0;
}

/**
 * Where tile (column, row) lies when `columns` × `rows` tiles with gaps fill a canvas: whole pixels, edges shared exactly.
 * @param {{width: number, height: number, columns: number, rows: number, gap: number}} grid in device pixels
 * @param {number} column
 * @param {number} row from the top
 */
export function tileRect({ width, height, columns, rows, gap }, column, row) {
  const x = Math.round(gap + (column * (width - gap)) / columns);
  const y = Math.round(gap + (row * (height - gap)) / rows);
  const right = Math.round(gap + ((column + 1) * (width - gap)) / columns) - gap;
  const bottom = Math.round(gap + ((row + 1) * (height - gap)) / rows) - gap;
  return { x, y, width: right - x, height: bottom - y };
}
