/** @import {Context, Request} from './types.js' @import {Surface} from './surface.js' */
import { Figure, coordinates } from './figure.js';
import { formatCount, formatNumber } from './format.js';
import { stampPoints } from './marks.js';
import { PlaneHandle } from './plane-handle.js';
import { Plane } from './scales.js';

const COUNT = 800;

/** The plane of latents, with where the data (or the prior's noise) lies, and a point to drag. */
export class LatentFigure extends Figure {
  /** @type {PlaneHandle} */ #handle;
  #lanes = new Float32Array(0);

  /** @param {Context} context */
  constructor(context) {
    super(context, 'latentPoints');
    this.element.classList.add('plane');
    this.#handle = new PlaneHandle(this.frame, this.surface.canvas, context.place);
    this.signal.addEventListener('abort', context.place.listen(() => this.updateLabel()));
    this.setTexts();
  }

  /** @override @returns {Request[]} */
  requests() {
    const { u, v } = this.context.place;
    return [{ id: 'latentPoints', n: COUNT }, { id: 'decode', u, v }];
  }

  /** @override */
  words() {
    const { t } = this.context;
    return { name: t('views.latentPoints.name'), caption: t(this.#encodes() ? 'views.latentPoints.encoded' : 'views.latentPoints.caption') };
  }

  /** Whether the points are data seen by an encoder, rather than noise of the prior. */
  #encodes() {
    return this.context.can.has('reconstruct');
  }

  /** @override */
  setTexts() {
    super.setTexts();
    this.#handle?.setTexts(this.context.t);
  }

  /** @override @param {CanvasRenderingContext2D} g @param {Surface} surface */
  paint(g, surface) {
    const { width, height, ratio } = surface;
    const { palette, info } = this.context;
    g.fillStyle = palette.css('panel');
    g.fillRect(0, 0, width, height);
    g.strokeStyle = palette.css('line');
    g.lineWidth = 1;
    g.beginPath();
    for (const part of [0.25, 0.5, 0.75]) {
      g.moveTo(Math.round(width * part) + 0.5, 0);
      g.lineTo(Math.round(width * part) + 0.5, height);
      g.moveTo(0, Math.round(height * part) + 0.5);
      g.lineTo(width, Math.round(height * part) + 0.5);
    }
    g.stroke();
    const section = this.section('latentPoints');
    if (!section) return;
    const plane = new Plane([0, 1, 0, 1], width, height);
    const [n, stride] = section.shape;
    const data = this.context.place.flat ? this.#inLanes(section.data, n, stride) : section.data;
    if (info.classes > 0 && this.#encodes()) {
      const size = width > 400 ? 11 : 8.5;
      g.save();
      g.setTransform(1, 0, 0, 1, 0, 0);
      g.imageSmoothingEnabled = false;
      for (let i = 0; i < n; i++) {
        const label = data[i * stride + 2];
        const sprite = label >= 0 ? this.context.marks.glyph(label, info.classes, size, ratio) : this.context.marks.dot('real', 2, 0.6, ratio);
        sprite.stamp(g, plane.toCanvasX(data[i * stride]) * ratio, plane.toCanvasY(data[i * stride + 1]) * ratio);
      }
      g.restore();
      return;
    }
    // Noise belongs to what is generated; encoded data is real.
    const sprite = this.context.marks.dot(this.#encodes() ? 'real' : 'gen', width > 400 ? 2.6 : 1.9, this.#encodes() ? 0.6 : 0.45, ratio);
    stampPoints(g, sprite, plane, data, n, { ratio, stride });
  }

  /**
   * One latent is a line, on which points hide each other: so each class gets a lane of its own, and points without
   * classes are strewn over the height by their place in the row (golden section: even, and the same each time).
   * @param {Float32Array} data
   * @param {number} n
   * @param {number} stride
   */
  #inLanes(data, n, stride) {
    const { classes } = this.context.info;
    const out = (this.#lanes = this.#lanes.length === data.length ? this.#lanes : new Float32Array(data.length));
    out.set(data);
    for (let i = 0; i < n; i++) {
      const label = data[i * stride + 2];
      const strewn = (i * 0.618034) % 1;
      out[i * stride + 1] = label >= 0 && classes > 0 ? 1 - (label + 0.25 + 0.5 * strewn) / classes : 0.1 + 0.8 * strewn;
    }
    return out;
  }

  /** @override @param {number} px @param {number} py */
  readoutAt(px, py) {
    const u = px / this.surface.width;
    return this.context.place.flat ? `u ${formatNumber(u)}` : coordinates(u, 1 - py / this.surface.height, ['u', 'v']);
  }

  /** @override */
  describe() {
    const { t, place } = this.context;
    const section = this.section('latentPoints');
    const parts = [];
    if (section) parts.push(t('describe.latentPoints', { count: formatCount(section.shape[0]) }));
    parts.push(t('describe.place', { u: formatNumber(place.u), v: formatNumber(place.v) }));
    const decoded = this.section('decode');
    if (decoded && decoded.data.length === 2) parts.push(t('describe.decode', { x: formatNumber(decoded.data[0]), y: formatNumber(decoded.data[1]) }));
    return parts.join(' ');
  }

  /** @override */
  destroy() {
    this.#handle.destroy();
    super.destroy();
  }
}
