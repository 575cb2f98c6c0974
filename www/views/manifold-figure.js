/** @import {Context, Request} from './types.js' @import {Surface} from './surface.js' */
import { drawAxes } from './axes.js';
import { Cloud } from './cloud.js';
import { Figure, coordinates } from './figure.js';
import { formatNumber } from './format.js';
import { drawMarker } from './marks.js';
import { Plane } from './scales.js';
import { range } from './summary.js';

const GRID = 25;
/** Cells are filled in this many strengths, one fill each. */
const SHADES = 6;

/**
 * Where the model sends a lattice of the latent plane. Every cell holds the same share of the noise,
 * so a small cell is a dense place: it is shaded by share per area.
 */
export class ManifoldFigure extends Figure {
  #cloud = new Cloud();
  #shadeOf = new Uint8Array(0);

  /** @param {Context} context */
  constructor(context) {
    super(context, 'manifold');
    this.setTexts();
  }

  /** @override @returns {Request[]} */
  requests() {
    const { u, v } = this.context.place;
    return [{ id: 'manifold', grid: GRID }, { id: 'real', n: 1000 }, { id: 'decode', u, v }];
  }

  /** @override */
  extraState() {
    return String(this.context.extent);
  }

  /** @override @param {CanvasRenderingContext2D} g @param {Surface} surface */
  paint(g, surface) {
    const { width, height, ratio } = surface;
    const { palette, extent } = this.context;
    const plane = new Plane(extent, width, height);
    g.fillStyle = palette.css('panel');
    g.fillRect(0, 0, width, height);
    const real = this.section('real');
    const key = `${this.context.store.version('real')} ${palette.version}`;
    if (real) this.#cloud.draw(g, key, () => this.context.marks.dot('real', 1.4, 0.28, ratio), plane, real, ratio);
    const section = this.section('manifold');
    if (section) {
      this.#paintCells(g, plane, section.data, section.shape[0]);
      this.#paintLines(g, plane, section.data, section.shape[0]);
    }
    drawAxes(g, plane, palette);
    const decoded = this.section('decode');
    if (decoded) drawMarker(g, palette, plane.toCanvasX(decoded.data[0]), plane.toCanvasY(decoded.data[1]));
  }

  /**
   * @param {CanvasRenderingContext2D} g
   * @param {Plane} plane
   * @param {Float32Array} data
   * @param {number} k lattice points per side
   */
  #paintCells(g, plane, data, k) {
    const cells = (k - 1) ** 2;
    if (this.#shadeOf.length !== cells) this.#shadeOf = new Uint8Array(cells);
    const [x0, x1, y0, y1] = plane.extent;
    const whole = (x1 - x0) * (y1 - y0);
    const corner = (/** @type {number} */ c) => Math.floor(c / (k - 1)) * k + (c % (k - 1));
    for (let c = 0; c < cells; c++) {
      const a = 2 * corner(c);
      const b = a + 2 * k;
      // Half the cross product of the diagonals.
      const area = 0.5 * Math.abs((data[b + 2] - data[a]) * (data[b + 1] - data[a + 3]) - (data[b] - data[a + 2]) * (data[b + 3] - data[a + 1]));
      const density = whole / (cells * Math.max(area, 1e-9));
      this.#shadeOf[c] = Math.ceil((SHADES * density) / (density + 4));
    }
    for (let shade = 1; shade <= SHADES; shade++) {
      g.beginPath();
      for (let c = 0; c < cells; c++) {
        if (this.#shadeOf[c] !== shade) continue;
        const a = 2 * corner(c);
        const b = a + 2 * k;
        g.moveTo(plane.toCanvasX(data[a]), plane.toCanvasY(data[a + 1]));
        for (const at of [a + 2, b + 2, b]) g.lineTo(plane.toCanvasX(data[at]), plane.toCanvasY(data[at + 1]));
        g.closePath();
      }
      g.fillStyle = this.context.palette.css('gen', (0.5 * shade) / SHADES);
      g.fill();
    }
  }

  /**
   * @param {CanvasRenderingContext2D} g
   * @param {Plane} plane
   * @param {Float32Array} data
   * @param {number} k
   */
  #paintLines(g, plane, data, k) {
    g.beginPath();
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < k; j++) {
        const at = 2 * (i * k + j);
        const [x, y] = [plane.toCanvasX(data[at]), plane.toCanvasY(data[at + 1])];
        if (j === 0) g.moveTo(x, y);
        else g.lineTo(x, y);
      }
    }
    for (let j = 0; j < k; j++) {
      for (let i = 0; i < k; i++) {
        const at = 2 * (i * k + j);
        const [x, y] = [plane.toCanvasX(data[at]), plane.toCanvasY(data[at + 1])];
        if (i === 0) g.moveTo(x, y);
        else g.lineTo(x, y);
      }
    }
    g.lineWidth = 0.8;
    g.strokeStyle = this.context.palette.css('gen', 0.8);
    g.stroke();
  }

  /** @override @param {number} px @param {number} py */
  readoutAt(px, py) {
    const plane = new Plane(this.context.extent, this.surface.width, this.surface.height);
    return coordinates(plane.toDataX(px), plane.toDataY(py));
  }

  /** @override */
  describe() {
    const { t } = this.context;
    const section = this.section('manifold');
    const [xs, ys] = section ? [range(section.data, 2, 0), range(section.data, 2, 1)] : [null, null];
    if (!xs || !ys) return t('describe.empty');
    return t('describe.manifold', { x0: formatNumber(xs.low), x1: formatNumber(xs.high), y0: formatNumber(ys.low), y1: formatNumber(ys.high) });
  }

  /** @override */
  destroy() {
    this.#cloud.destroy();
    super.destroy();
  }
}
