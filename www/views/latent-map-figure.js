/** @import {Context, Request} from './types.js' @import {Surface} from './surface.js' */
import { Figure, coordinates } from './figure.js';
import { formatCount, formatNumber } from './format.js';
import { paintGround } from './images-figure.js';
import { PlaneHandle } from './plane-handle.js';
import { mean } from './summary.js';
import { paintWall, Tiles, wallOf } from './tiles.js';

const GRID = 12;

/** A grid over the latent plane, each place decoded to its image; the point on it can be dragged. */
export class LatentMapFigure extends Figure {
  #tiles = new Tiles();
  /** @type {PlaneHandle} */ #handle;

  /** @param {Context} context */
  constructor(context) {
    super(context, 'latentMap');
    this.#handle = new PlaneHandle(this.frame, this.surface.canvas, context.place);
    this.signal.addEventListener('abort', context.place.listen(() => this.updateLabel()));
    this.setTexts();
  }

  /** @override @returns {Request[]} */
  requests() {
    return [{ id: 'latentMap', grid: GRID }];
  }

  /** @override */
  setTexts() {
    super.setTexts();
    this.#handle?.setTexts(this.context.t);
  }

  /** @override @param {CanvasRenderingContext2D} g @param {Surface} surface */
  paint(g, surface) {
    const { palette, info } = this.context;
    paintGround(g, surface, palette);
    const section = this.section('latentMap');
    if (!section) return;
    const [k] = section.shape;
    this.#tiles.update(section.data, k * k, info.shape, palette);
    paintWall(g, this.#tiles, wallOf(surface, k, k, 1), (iu, row) => (k - 1 - row) * k + iu);
  }

  /** @override @param {number} px @param {number} py */
  readoutAt(px, py) {
    return coordinates(px / this.surface.width, 1 - py / this.surface.height, ['u', 'v']);
  }

  /** @override */
  describe() {
    const { t, place } = this.context;
    const section = this.section('latentMap');
    const parts = section ? [t('describe.latentMap', { count: formatCount(section.shape[0] * section.shape[1]) })] : [];
    parts.push(t('describe.place', { u: formatNumber(place.u), v: formatNumber(place.v) }));
    return parts.join(' ');
  }

  /** @override */
  destroy() {
    this.#handle.destroy();
    super.destroy();
  }
}

/** The image at the chosen place, large. */
export class DecodedFigure extends Figure {
  #tiles = new Tiles();

  /** @param {Context} context */
  constructor(context) {
    super(context, 'decode');
    this.element.classList.add('of-generated');
    this.setTexts();
  }

  /** @override @returns {Request[]} */
  requests() {
    const { u, v } = this.context.place;
    return [{ id: 'decode', u, v }];
  }

  /** @override @param {CanvasRenderingContext2D} g @param {Surface} surface */
  paint(g, surface) {
    const { palette, info } = this.context;
    g.fillStyle = palette.css('panel');
    g.fillRect(0, 0, surface.width, surface.height);
    const section = this.section('decode');
    if (!section) return;
    this.#tiles.update(section.data, 1, info.shape, palette);
    const { canvas } = surface;
    const { width, height } = info.shape;
    const scale = Math.min(canvas.width / width, canvas.height / height);
    const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
    g.setTransform(1, 0, 0, 1, 0, 0);
    this.#tiles.draw(g, 0, Math.round((canvas.width - w) / 2), Math.round((canvas.height - h) / 2), w, h);
  }

  /** @override */
  describe() {
    const { t } = this.context;
    const section = this.section('decode');
    return section ? t('describe.images', { count: '1', mean: formatNumber(mean(section.data)) }) : t('describe.empty');
  }
}
