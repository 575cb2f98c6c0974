/**
 * A field of g×g values as a picture of g×g pixels, to be scaled smoothly. Values become bytes, bytes become colours
 * through a ramp of 256, so that no colour is computed per pixel.
 */
export class Field {
  /** @type {HTMLCanvasElement} */ #canvas = document.createElement('canvas');
  /** @type {ImageData | null} */ #image = null;
  /** @type {Uint32Array} */ #pixels = new Uint32Array(0);

  /**
   * @param {ArrayLike<number>} values row 0 at the bottom
   * @param {number} grid
   * @param {Uint32Array} ramp 256 packed colours
   * @param {(value: number) => number} toUnit maps a value to 0..1 (clamped here; NaN becomes 0)
   */
  update(values, grid, ramp, toUnit) {
    const g = this.#canvas.getContext('2d');
    if (!g) return;
    if (!this.#image || this.#image.width !== grid) {
      this.#canvas.width = this.#canvas.height = grid;
      this.#image = new ImageData(grid, grid);
      this.#pixels = new Uint32Array(this.#image.data.buffer);
    }
    for (let iy = 0; iy < grid; iy++) {
      const from = (grid - 1 - iy) * grid;
      for (let ix = 0; ix < grid; ix++) {
        const unit = toUnit(values[from + ix]);
        this.#pixels[iy * grid + ix] = ramp[unit >= 1 ? 255 : unit > 0 ? (unit * 255 + 0.5) | 0 : 0];
      }
    }
    g.putImageData(this.#image, 0, 0);
  }

  /**
   * @param {CanvasRenderingContext2D} g
   * @param {number} width
   * @param {number} height
   */
  draw(g, width, height) {
    g.imageSmoothingEnabled = true;
    // Bilinear: 'high' is bicubic, three times the price where canvases are drawn by the processor, and no better to see.
    g.imageSmoothingQuality = 'low';
    g.drawImage(this.#canvas, 0, 0, width, height);
  }
}
