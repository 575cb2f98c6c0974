/** @import {Context, Request} from './types.js' @import {Surface} from './surface.js' */
import { Figure } from './figure.js';
import { formatCount, formatNumber } from './format.js';
import { paintGround } from './images-figure.js';
import { tileColumns } from './scales.js';
import { range } from './summary.js';
import { paintWall, Tiles, wallOf } from './tiles.js';

/** What single units respond to, one tile each: weights by sign, means in ink. */
export class FiltersFigure extends Figure {
  #tiles = new Tiles();
  #unit = new Float32Array(0);

  /** @param {Context} context */
  constructor(context) {
    super(context, 'filters');
    this.setTexts();
  }

  /** @override @returns {Request[]} */
  requests() {
    return [{ id: 'filters' }];
  }

  /** @override @param {CanvasRenderingContext2D} g @param {Surface} surface */
  paint(g, surface) {
    const { palette, info } = this.context;
    paintGround(g, surface, palette);
    const section = this.section('filters');
    const limits = section && range(section.data);
    if (!section || !limits) return;
    const [units] = section.shape;
    const signed = limits.low < 0;
    const top = Math.max(Math.abs(limits.low), Math.abs(limits.high), 1e-9);
    if (this.#unit.length !== section.data.length) this.#unit = new Float32Array(section.data.length);
    for (let i = 0; i < this.#unit.length; i++) this.#unit[i] = signed ? 0.5 + (0.5 * section.data[i]) / top : section.data[i];
    this.#tiles.update(this.#unit, units, info.shape, palette, signed ? 'weights' : 'ink');
    const columns = tileColumns(units, info.shape.height / info.shape.width);
    paintWall(g, this.#tiles, wallOf(surface, columns, Math.ceil(units / columns)), (column, row) => row * columns + column);
  }

  /** @override */
  describe() {
    const { t } = this.context;
    const section = this.section('filters');
    const limits = section && range(section.data);
    if (!section || !limits) return t('describe.empty');
    return t('describe.filters', { count: formatCount(section.shape[0]), low: formatNumber(limits.low), high: formatNumber(limits.high) });
  }
}
