/** @import {Context, Request} from './types.js' @import {Surface} from './surface.js' */
import { Figure } from './figure.js';
import { formatCount, formatNumber } from './format.js';
import { tileColumns } from './scales.js';
import { mean, rowErrors } from './summary.js';
import { paintWall, tileRect, Tiles, wallOf } from './tiles.js';

const COUNT = 64;

/** A wall of images: what the model generates from fixed noise (`samples`), or the data (`real`). */
export class ImagesFigure extends Figure {
  #tiles = new Tiles();

  /**
   * @param {Context} context
   * @param {'samples' | 'real'} id
   */
  constructor(context, id) {
    super(context, id);
    this.element.classList.add(id === 'real' ? 'of-real' : 'of-generated');
    this.setTexts();
  }

  /** @override @returns {Request[]} */
  requests() {
    /** @type {Request[]} */
    const out = [{ id: this.id, n: COUNT }];
    if (this.#labelled) out.push({ id: 'realLabels', n: COUNT });
    return out;
  }

  get #labelled() {
    return this.id === 'real' && this.context.info.classes > 0;
  }

  /** @override */
  words() {
    const { t } = this.context;
    return { name: t(`views.${this.id}.name`), caption: t(`views.${this.id}.images`) };
  }

  #grid() {
    const { shape } = this.context.info;
    const count = Math.min(COUNT, this.section(this.id)?.shape[0] ?? COUNT);
    const columns = tileColumns(count, shape.height / shape.width);
    return { ...wallOf(this.surface, columns, Math.ceil(count / columns)), count };
  }

  /** @override @param {CanvasRenderingContext2D} g @param {Surface} surface */
  paint(g, surface) {
    paintGround(g, surface, this.context.palette);
    const section = this.section(this.id);
    if (!section) return;
    const grid = this.#grid();
    this.#tiles.update(section.data, grid.count, this.context.info.shape, this.context.palette);
    paintWall(g, this.#tiles, grid, (column, row) => row * grid.columns + column);
  }

  /** @override @param {number} px @param {number} py */
  readoutAt(px, py) {
    if (!this.#labelled) return '';
    const labels = this.section('realLabels');
    const { columns, rows, count } = this.#grid();
    const index = Math.floor((px / this.surface.width) * columns) + columns * Math.floor((py / this.surface.height) * rows);
    return labels && index >= 0 && index < Math.min(count, labels.data.length) ? this.context.t('stage.label', { label: String(labels.data[index]) }) : '';
  }

  /** @override */
  describe() {
    const { t } = this.context;
    const section = this.section(this.id);
    if (!section) return t('describe.empty');
    return t('describe.images', { count: formatCount(Math.min(COUNT, section.shape[0])), mean: formatNumber(mean(section.data)) });
  }
}

/** Each original over its reconstruction. */
export class ReconstructionsFigure extends Figure {
  #tiles = new Tiles();

  /** @param {Context} context */
  constructor(context) {
    super(context, 'reconstruct');
    this.setTexts();
  }

  /** @override @returns {Request[]} */
  requests() {
    return [{ id: 'reconstruct', n: 32 }];
  }

  /** @override */
  words() {
    const { t } = this.context;
    return { name: t('views.reconstruct.name'), caption: t('views.reconstruct.images') };
  }

  #grid() {
    return gridOfPairs(this.section('reconstruct')?.shape[1] ?? 32, this.context.info.shape);
  }

  /** @override @param {CanvasRenderingContext2D} g @param {Surface} surface */
  paint(g, surface) {
    const { palette, info } = this.context;
    paintGround(g, surface, palette);
    const section = this.section('reconstruct');
    if (!section) return;
    const grid = this.#grid();
    this.#tiles.update(section.data, 2 * grid.n, info.shape, palette);
    paintPairs(g, this.#tiles, surface, grid, palette);
  }

  /** @override @param {number} px @param {number} py */
  readoutAt(px, py) {
    const section = this.section('reconstruct');
    if (!section) return '';
    const grid = this.#grid();
    const index = pairAt(this.surface, grid, px, py);
    if (index < 0) return '';
    return this.context.t('stage.error', { error: formatNumber(rowErrors(section.data, grid.n, section.shape[2])[index], 3) });
  }

  /** @override */
  describe() {
    const { t } = this.context;
    const section = this.section('reconstruct');
    if (!section) return t('describe.empty');
    const [, n, size] = section.shape;
    return t('describe.reconstruct', { count: formatCount(n), error: formatNumber(mean(rowErrors(section.data, n, size)), 3) });
  }
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {Surface} surface
 * @param {import('./palette.js').Palette} palette
 */
export function paintGround(g, surface, palette) {
  g.fillStyle = palette.css('line');
  g.fillRect(0, 0, surface.width, surface.height);
}

/**
 * `n` pairs in columns and rows that make the whole about square.
 * @typedef {{n: number, columns: number, rows: number}} PairGrid
 */

/** @param {number} n @param {import('./types.js').Shape} shape @returns {PairGrid} */
export function gridOfPairs(n, { height, width }) {
  const columns = tileColumns(n, (2 * height) / width);
  return { n, columns, rows: Math.ceil(n / columns) };
}

/**
 * Images in pairs, the second `n` below the first: blue edges are real, orange ones the model's.
 * @param {CanvasRenderingContext2D} g
 * @param {Tiles} tiles
 * @param {Surface} surface
 * @param {PairGrid} grid
 * @param {import('./palette.js').Palette} palette
 */
export function paintPairs(g, tiles, { canvas, ratio }, { n, columns, rows }, palette) {
  g.setTransform(1, 0, 0, 1, 0, 0);
  const cells = { width: canvas.width, height: canvas.height, columns, rows, gap: Math.round(4 * ratio) };
  const bar = Math.max(1, Math.round(2 * ratio));
  for (let i = 0; i < n; i++) {
    const cell = tileRect(cells, i % columns, Math.floor(i / columns));
    const half = Math.floor((cell.height - 3 * bar) / 2);
    tiles.draw(g, i, cell.x, cell.y + bar, cell.width, half);
    tiles.draw(g, n + i, cell.x, cell.y + cell.height - bar - half, cell.width, half);
    g.fillStyle = palette.css('real');
    g.fillRect(cell.x, cell.y, cell.width, bar);
    g.fillStyle = palette.css('gen');
    g.fillRect(cell.x, cell.y + cell.height - bar, cell.width, bar);
  }
}

/** Which pair is under the pointer; −1 for none. @param {Surface} surface @param {PairGrid} grid @param {number} px @param {number} py */
export function pairAt({ width, height }, { n, columns, rows }, px, py) {
  const index = Math.floor((px / width) * columns) + columns * Math.floor((py / height) * rows);
  return index >= 0 && index < n ? index : -1;
}
