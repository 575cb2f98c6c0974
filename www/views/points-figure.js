/** @import {Context, Extent, Request, Section} from './types.js' @import {Surface} from './surface.js' */
import { drawAxes } from './axes.js';
import { Cloud } from './cloud.js';
import { Field } from './field.js';
import { Figure, coordinates } from './figure.js';
import { formatCount, formatNumber } from './format.js';
import { LAYERS } from './layers.js';
import { Legend } from './legend.js';
import { drawMarker, pointRadius, stampPoints } from './marks.js';
import { fieldAt, Plane, quantile } from './scales.js';
import { mean, range, rowErrors, spread } from './summary.js';

/**
 * The square of the data: grounds, points, lines. With `fixed` layers it is a plain picture;
 * without, it follows the visitor's layers and carries the legend that switches them.
 */
export class PointsFigure extends Figure {
  /** @type {readonly string[] | null} */ #fixed;
  /** @type {boolean} */ #marker;
  /** @type {Legend | null} */ #legend = null;
  #field = new Field();
  #fieldState = '';
  #cloud = new Cloud();
  /** The `real` layer gives way to the drawing while it is being edited. */
  hideReal = false;

  /**
   * @param {Context} context
   * @param {{id?: string, fixed?: readonly string[], marker?: boolean}} [options] `marker`: whether the decoded place is marked
   */
  constructor(context, { id = 'samples', fixed, marker = true } = {}) {
    super(context, id);
    this.#fixed = fixed ?? null;
    this.#marker = marker && context.can.has('latent');
    if (!fixed) {
      this.#legend = new Legend(context.layers);
      this.frame.after(this.#legend.element);
      const stop = context.layers.listen(() => {
        this.setTexts();
        this.invalidate();
      });
      this.signal.addEventListener('abort', stop);
    }
    this.setTexts();
  }

  /** @param {string} id */
  #shows(id) {
    if (id === 'real' && this.hideReal) return false;
    return this.#fixed ? this.#fixed.includes(id) : this.context.layers.has(id);
  }

  #layers() {
    return LAYERS.filter((layer) => this.#shows(layer.id));
  }

  #ground() {
    return this.#layers().find((layer) => layer.field);
  }

  /** @override @returns {Request[]} */
  requests() {
    const { place } = this.context;
    /** @type {Request[]} */
    const out = this.#layers().map(({ id, options }) => ({ id, ...options }));
    if (this.#marker) out.push({ id: 'decode', u: place.u, v: place.v });
    return out;
  }

  /** @override */
  extraState() {
    return `${this.hideReal} ${this.context.extent}`;
  }

  /** @override */
  words() {
    const words = super.words();
    const ground = this.#ground();
    const { t } = this.context;
    if (this.id === 'samples' && !this.#shows('real')) words.caption = t('views.samples.alone');
    if (this.#fixed || !ground) return words;
    // How a density was had is the session's to say.
    const bound = this.section(ground.id)?.bound;
    if (bound) return { name: t(`views.${ground.id}.name`), caption: t(`views.${ground.id}.${bound}`) };
    return { name: t(`views.${ground.id}.name`), caption: t(`views.${ground.id}.caption`) };
  }

  /** @override */
  setTexts() {
    super.setTexts();
    this.#legend?.setTexts(this.context.t);
  }

  /** @override @param {CanvasRenderingContext2D} g @param {Surface} surface */
  paint(g, surface) {
    const { width, height, ratio } = surface;
    const { palette, extent } = this.context;
    const plane = new Plane(extent, width, height);
    g.fillStyle = palette.css('panel');
    g.fillRect(0, 0, width, height);
    this.#paintGround(g, width, height);
    const radius = pointRadius(width);
    const real = this.#shows('real') ? this.section('real') : undefined;
    const key = `${this.context.store.version('real')} ${palette.version}`;
    if (real) this.#cloud.draw(g, key, () => this.context.marks.dot('real', radius, 0.72, ratio), plane, real, ratio);
    const samples = this.#shows('samples') ? this.section('samples') : undefined;
    if (samples) stampPoints(g, this.context.marks.dot('gen', radius, 0.85, ratio), plane, samples.data, samples.shape[0], { ratio });
    if (this.#shows('components')) this.#paintComponents(g, plane);
    if (this.#shows('reconstruct')) this.#paintReconstructions(g, plane, ratio, radius);
    drawAxes(g, plane, palette);
    const decoded = this.#marker ? this.section('decode') : undefined;
    if (decoded) drawMarker(g, palette, plane.toCanvasX(decoded.data[0]), plane.toCanvasY(decoded.data[1]));
  }

  /**
   * @param {CanvasRenderingContext2D} g
   * @param {number} width
   * @param {number} height
   */
  #paintGround(g, width, height) {
    const ground = this.#ground();
    const section = ground && this.section(ground.id);
    if (!ground || !section) return;
    const { palette, store } = this.context;
    const state = `${ground.id} ${store.version(ground.id)} ${palette.version}`;
    if (state !== this.#fieldState) {
      this.#fieldState = state;
      const grid = section.shape[0];
      const ramp = palette.ramp(ground.swatch === 'sign' ? 'sign' : 'density');
      this.#field.update(section.data, grid, ramp, unitScale(ground.id, section));
    }
    this.#field.draw(g, width, height);
  }

  /**
   * Each Gaussian of a mixture as the ellipses of one and two standard deviations; the heavier, the stronger.
   * @param {CanvasRenderingContext2D} g
   * @param {Plane} plane
   */
  #paintComponents(g, plane) {
    const section = this.section('components');
    if (!section) return;
    const [k] = section.shape;
    const { palette } = this.context;
    const scale = Math.abs(plane.toCanvasX(1) - plane.toCanvasX(0));
    for (let i = 0; i < k; i++) {
      const [weight, x, y, xx, xy, yy] = section.data.subarray(6 * i, 6 * i + 6);
      // The axes are the eigenvectors of the covariance.
      const [half, gap] = [(xx + yy) / 2, Math.hypot((xx - yy) / 2, xy)];
      const [major, minor] = [Math.sqrt(Math.max(half + gap, 0)), Math.sqrt(Math.max(half - gap, 0))];
      const angle = -0.5 * Math.atan2(2 * xy, xx - yy);
      if (![x, y, major, minor, angle].every(Number.isFinite)) continue;
      g.lineWidth = 1 + 2 * Math.min(1, weight * k * 0.5);
      for (const deviations of [1, 2]) {
        g.beginPath();
        g.ellipse(plane.toCanvasX(x), plane.toCanvasY(y), deviations * major * scale, deviations * minor * scale, angle, 0, 2 * Math.PI);
        g.strokeStyle = palette.css('ink', deviations === 1 ? 0.85 : 0.4);
        g.stroke();
      }
    }
  }

  /**
   * Originals as circles, reconstructions as triangles, a line from each to its own.
   * @param {CanvasRenderingContext2D} g
   * @param {Plane} plane
   * @param {number} ratio
   * @param {number} radius
   */
  #paintReconstructions(g, plane, ratio, radius) {
    const section = this.section('reconstruct');
    if (!section) return;
    const { data, shape } = section;
    const n = shape[1];
    g.beginPath();
    for (let i = 0; i < n; i++) {
      g.moveTo(plane.toCanvasX(data[2 * i]), plane.toCanvasY(data[2 * i + 1]));
      g.lineTo(plane.toCanvasX(data[2 * (n + i)]), plane.toCanvasY(data[2 * (n + i) + 1]));
    }
    g.lineWidth = 1.2;
    g.strokeStyle = this.context.palette.css('ink', 0.55);
    g.stroke();
    stampPoints(g, this.context.marks.dot('real', radius, 0.9, ratio), plane, data, n, { ratio });
    stampPoints(g, this.context.marks.dot('gen', radius, 0.95, ratio), plane, data, n, { ratio, from: 2 * n });
  }

  /** @override @param {number} px @param {number} py */
  readoutAt(px, py) {
    const { extent, t } = this.context;
    const plane = new Plane(extent, this.surface.width, this.surface.height);
    const [x, y] = [plane.toDataX(px), plane.toDataY(py)];
    const ground = this.#ground();
    const section = ground && this.section(ground.id);
    const place = coordinates(x, y);
    if (!ground || !section) return place;
    const value = fieldAt(section.data, section.shape[0], extent, x, y);
    return Number.isNaN(value) ? place : `${place} · ${t(`layers.${ground.id}`)} ${formatNumber(value)}`;
  }

  /** @override */
  describe() {
    const { t } = this.context;
    const parts = [];
    for (const id of ['samples', 'real']) {
      const section = this.#shows(id) ? this.section(id) : undefined;
      if (!section) continue;
      const s = spread(section.data, section.shape[0]);
      parts.push(t(`describe.${id}`, {
        count: formatCount(s.n), x: formatNumber(s.x), y: formatNumber(s.y), sx: formatNumber(s.sx), sy: formatNumber(s.sy),
      }));
    }
    const ground = this.#ground();
    const field = ground && this.section(ground.id);
    const limits = field && range(field.data);
    if (ground && limits) {
      parts.push(t('describe.field', { name: t(`layers.${ground.id}`), low: formatNumber(limits.low), high: formatNumber(limits.high) }));
    }
    const pairs = this.#shows('reconstruct') ? this.section('reconstruct') : undefined;
    if (pairs) {
      parts.push(t('describe.reconstruct', { count: formatCount(pairs.shape[1]), error: formatNumber(mean(rowErrors(pairs.data, pairs.shape[1], 2)), 3) }));
    }
    return parts.length ? parts.join(' ') : t('describe.empty');
  }

  /** @override */
  destroy() {
    this.#legend?.destroy();
    this.#cloud.destroy();
    super.destroy();
  }
}

/**
 * From a ground's values to 0..1. Densities are relative to their 98th percentile: one bright cell must not darken the rest.
 * @param {string} id
 * @param {Section} section
 * @returns {(value: number) => number}
 */
export function unitScale(id, section) {
  if (id === 'discriminator') return (v) => 0.5 + 0.5 * v;
  if (id === 'energy') {
    // Low energy is likely: the deepest places get the strongest colour.
    const [low, high] = [quantile(section.data, 0.02), quantile(section.data, 0.9)];
    return (v) => (high - v) / Math.max(high - low, 1e-9);
  }
  if (id === 'density') {
    const top = quantile(section.data, 0.98);
    return (v) => Math.exp(v - top);
  }
  const top = quantile(section.data, 0.96, 0);
  return (v) => v / top;
}
