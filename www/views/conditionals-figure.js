/** @import {Context, Request} from './types.js' @import {Surface} from './surface.js' */
import { Figure } from './figure.js';
import { formatCount, formatNumber } from './format.js';
import { gridOfPairs, paintGround, paintPairs, pairAt } from './images-figure.js';
import { mean } from './summary.js';
import { Tiles } from './tiles.js';

/** Held-out images over how much each of their values surprises the model that knows all others: 1 − p, in ink. */
export class ConditionalsFigure extends Figure {
  #tiles = new Tiles();
  #unit = new Float32Array(0);

  /** @param {Context} context */
  constructor(context) {
    super(context, 'conditionals');
    this.setTexts();
  }

  /** @override @returns {Request[]} */
  requests() {
    return [{ id: 'conditionals', n: 32 }];
  }

  #grid() {
    return gridOfPairs(this.section('conditionals')?.shape[1] ?? 32, this.context.info.shape);
  }

  /** @override @param {CanvasRenderingContext2D} g @param {Surface} surface */
  paint(g, surface) {
    const { palette, info } = this.context;
    paintGround(g, surface, palette);
    const section = this.section('conditionals');
    if (!section) return;
    const half = section.data.length / 2;
    if (this.#unit.length !== section.data.length) this.#unit = new Float32Array(section.data.length);
    for (let i = 0; i < half; i++) {
      this.#unit[i] = section.data[i];
      this.#unit[half + i] = 1 - Math.exp(section.data[half + i]);
    }
    const grid = this.#grid();
    this.#tiles.update(this.#unit, 2 * grid.n, info.shape, palette);
    paintPairs(g, this.#tiles, surface, grid, palette);
  }

  /** @override @param {number} px @param {number} py */
  readoutAt(px, py) {
    const scores = this.#scores();
    const index = pairAt(this.surface, this.#grid(), px, py);
    return index in scores ? this.context.t('stage.pseudo', { value: formatNumber(scores[index], 3) }) : '';
  }

  /** −Σ log p of each image, in nats. */
  #scores() {
    const section = this.section('conditionals');
    if (!section) return [];
    const [, n, size] = section.shape;
    const logs = section.data.subarray(n * size);
    return Array.from({ length: n }, (_, i) => -logs.subarray(i * size, (i + 1) * size).reduce((sum, log) => sum + log, 0));
  }

  /** @override */
  describe() {
    const { t } = this.context;
    const scores = this.#scores();
    if (scores.length === 0) return t('describe.empty');
    return t('describe.conditionals', { count: formatCount(scores.length), value: formatNumber(mean(Float32Array.from(scores)), 3) });
  }
}
