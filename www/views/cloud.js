/** @import {Plane} from './scales.js' @import {Sprite} from './marks.js' */
import { stampPoints } from './marks.js';

/**
 * Points that seldom change, stamped once on a transparent sheet that is laid down whole from then on:
 * half of a frame's work is the data, and the data stay where they are.
 */
export class Cloud {
  /** @type {HTMLCanvasElement | null} */ #sheet = null;
  #drawn = '';

  /**
   * @param {CanvasRenderingContext2D} g in CSS pixels
   * @param {string} key changes exactly when the points or their mark do
   * @param {() => Sprite} mark
   * @param {Plane} plane in CSS pixels, as large as the canvas
   * @param {{data: Float32Array, shape: number[]}} points
   * @param {number} ratio
   */
  draw(g, key, mark, plane, points, ratio) {
    const { width, height } = g.canvas;
    const sheet = (this.#sheet ??= document.createElement('canvas'));
    const state = `${key} ${width} ${height} ${plane.extent}`;
    if (state !== this.#drawn) {
      this.#drawn = state;
      sheet.width = width;
      sheet.height = height;
      const to = sheet.getContext('2d');
      if (to) stampPoints(to, mark(), plane, points.data, points.shape[0], { ratio });
    }
    g.save();
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.drawImage(sheet, 0, 0);
    g.restore();
  }

  destroy() {
    if (this.#sheet) this.#sheet.width = this.#sheet.height = 0;
  }
}
