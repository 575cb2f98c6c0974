/** @import {Context, Request} from './types.js' @import {Surface} from './surface.js' */
import { drawAxes } from './axes.js';
import { Cloud } from './cloud.js';
import { Figure, coordinates } from './figure.js';
import { formatCount, formatNumber } from './format.js';
import { paintGround } from './images-figure.js';
import { pointRadius, stampPoints } from './marks.js';
import { Plane } from './scales.js';
import { spread } from './summary.js';
import { paintWall, Tiles, wallOf } from './tiles.js';
import { TimeSlider } from './time-slider.js';

const POINTS = { id: 'paths', n: 400, frames: 25 };
const IMAGES = { id: 'paths', n: 8, frames: 9 };

/** The way of samples from noise to data: points at the time that the slider chooses, with the way they came. */
export class PathsFigure extends Figure {
  #cloud = new Cloud();
  #now = new Float32Array(0);
  /** @type {TimeSlider} */ #time;

  /** @param {Context} context */
  constructor(context) {
    super(context, 'paths');
    this.#time = new TimeSlider(() => this.invalidate());
    this.frame.after(this.#time.element);
    this.setTexts();
  }

  /** @override @returns {Request[]} */
  requests() {
    return [{ ...POINTS }, { id: 'real', n: 1000 }];
  }

  /** @override */
  extraState() {
    return `${this.context.extent} ${this.#time?.value}`;
  }

  /** @override */
  setTexts() {
    super.setTexts();
    this.#time?.setTexts(this.context.t);
  }

  /** @override @param {CanvasRenderingContext2D} g @param {Surface} surface */
  paint(g, surface) {
    const { width, height, ratio } = surface;
    const { palette, extent, marks, store } = this.context;
    const plane = new Plane(extent, width, height);
    g.fillStyle = palette.css('panel');
    g.fillRect(0, 0, width, height);
    const real = this.section('real');
    const key = `${store.version('real')} ${palette.version}`;
    if (real) this.#cloud.draw(g, key, () => marks.dot('real', 1.6, 0.35, ratio), plane, real, ratio);
    const section = this.section('paths');
    if (section) {
      this.#paintWays(g, plane, section.data, section.shape);
      const n = section.shape[1];
      stampPoints(g, marks.dot('gen', pointRadius(width) * 1.15, 0.95, ratio), plane, this.#now, n, { ratio });
    }
    drawAxes(g, plane, palette);
  }

  /**
   * Fills the places of now, and draws how they were reached.
   * @param {CanvasRenderingContext2D} g
   * @param {Plane} plane
   * @param {Float32Array} data
   * @param {number[]} shape
   */
  #paintWays(g, plane, data, [frames, n]) {
    const at = this.#time.value * (frames - 1);
    const whole = Math.min(frames - 2, Math.floor(at));
    const part = at - whole;
    if (this.#now.length !== 2 * n) this.#now = new Float32Array(2 * n);
    for (let i = 0; i < 2 * n; i++) {
      const from = data[whole * 2 * n + i];
      this.#now[i] = from + part * (data[(whole + 1) * 2 * n + i] - from);
    }
    g.beginPath();
    for (let i = 0; i < n; i++) {
      g.moveTo(plane.toCanvasX(data[2 * i]), plane.toCanvasY(data[2 * i + 1]));
      for (let frame = 1; frame <= whole; frame++) {
        const k = 2 * (frame * n + i);
        g.lineTo(plane.toCanvasX(data[k]), plane.toCanvasY(data[k + 1]));
      }
      g.lineTo(plane.toCanvasX(this.#now[2 * i]), plane.toCanvasY(this.#now[2 * i + 1]));
    }
    g.lineWidth = 0.7;
    g.strokeStyle = this.context.palette.css('gen', 0.28);
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
    if (this.#now.length === 0) return t('describe.empty');
    const s = spread(this.#now, this.#now.length / 2);
    return t('describe.paths', {
      time: formatNumber(this.#time.value), count: formatCount(s.n), x: formatNumber(s.x), y: formatNumber(s.y), sx: formatNumber(s.sx), sy: formatNumber(s.sy),
    });
  }

  /** @override */
  destroy() {
    this.#time.stop();
    this.#cloud.destroy();
    super.destroy();
  }
}

/** The same as a film strip: every row is one sample, from noise on the left to data on the right. */
export class ImagePathsFigure extends Figure {
  #tiles = new Tiles();

  /** @param {Context} context */
  constructor(context) {
    super(context, 'paths');
    this.setTexts();
  }

  /** @override @returns {Request[]} */
  requests() {
    return [{ ...IMAGES }];
  }

  /** @override */
  words() {
    const { t } = this.context;
    return { name: t('views.paths.name'), caption: t('views.paths.images') };
  }

  /** @override @param {CanvasRenderingContext2D} g @param {Surface} surface */
  paint(g, surface) {
    paintGround(g, surface, this.context.palette);
    const section = this.section('paths');
    if (!section) return;
    const [frames, n] = section.shape;
    this.#tiles.update(section.data, frames * n, this.context.info.shape, this.context.palette);
    paintWall(g, this.#tiles, wallOf(surface, frames, n), (frame, i) => frame * n + i);
  }

  /** @override */
  describe() {
    const { t } = this.context;
    const section = this.section('paths');
    if (!section) return t('describe.empty');
    return t('describe.strips', { count: formatCount(section.shape[1]), frames: formatCount(section.shape[0]) });
  }
}
