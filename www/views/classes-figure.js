/** @import {Context, Request} from './types.js' @import {Surface} from './surface.js' */
import { drawAxes } from './axes.js';
import { Figure, coordinates } from './figure.js';
import { formatCount } from './format.js';
import { paintGround } from './images-figure.js';
import { Plane } from './scales.js';
import { paintWall, Tiles, wallOf } from './tiles.js';

/** What the model draws when it is told a class: points carry their class's mark, images stand in a row of their own. */
export class ClassesFigure extends Figure {
  #tiles = new Tiles();

  /** @param {Context} context */
  constructor(context) {
    super(context, 'classes');
    this.setTexts();
  }

  get #plane() {
    return this.context.info.shape.domain === 'points';
  }

  /** @override @returns {Request[]} */
  requests() {
    const { classes } = this.context.info;
    return [{ id: 'classes', n: this.#plane ? Math.max(20, Math.round(600 / Math.max(1, classes))) : 10 }];
  }

  /** @override */
  words() {
    const { t } = this.context;
    return { name: t('views.classes.name'), caption: t(this.#plane ? 'views.classes.caption' : 'views.classes.images') };
  }

  /** @override @param {CanvasRenderingContext2D} g @param {Surface} surface */
  paint(g, surface) {
    if (this.#plane) this.#paintPoints(g, surface);
    else this.#paintImages(g, surface);
  }

  /** @param {CanvasRenderingContext2D} g @param {Surface} surface */
  #paintPoints(g, { width, height, ratio }) {
    const { palette, extent, marks } = this.context;
    const plane = new Plane(extent, width, height);
    g.fillStyle = palette.css('panel');
    g.fillRect(0, 0, width, height);
    const section = this.section('classes');
    if (section) {
      const [classes, n] = section.shape;
      g.save();
      g.setTransform(1, 0, 0, 1, 0, 0);
      for (let c = 0; c < classes; c++) {
        const sprite = marks.glyph(c, classes, width > 400 ? 11 : 8.5, ratio);
        for (let i = 0; i < n; i++) {
          const at = 2 * (c * n + i);
          const [x, y] = [plane.toCanvasX(section.data[at]), plane.toCanvasY(section.data[at + 1])];
          // Also false for NaN.
          if (x > 0 && x < width && y > 0 && y < height) sprite.stamp(g, x * ratio, y * ratio);
        }
      }
      g.restore();
    }
    drawAxes(g, plane, palette);
  }

  /** @param {CanvasRenderingContext2D} g @param {Surface} surface */
  #paintImages(g, surface) {
    paintGround(g, surface, this.context.palette);
    const section = this.section('classes');
    if (!section) return;
    const [classes, n] = section.shape;
    this.#tiles.update(section.data, classes * n, this.context.info.shape, this.context.palette);
    paintWall(g, this.#tiles, wallOf(surface, n, classes), (i, c) => c * n + i);
  }

  /** @override @param {number} px @param {number} py */
  readoutAt(px, py) {
    const { extent, t } = this.context;
    const { width, height } = this.surface;
    if (this.#plane) {
      const plane = new Plane(extent, width, height);
      return coordinates(plane.toDataX(px), plane.toDataY(py));
    }
    const rows = this.section('classes')?.shape[0] ?? 0;
    return rows ? t('stage.label', { label: Math.min(rows - 1, Math.floor((py / height) * rows)) }) : '';
  }

  /** @override */
  describe() {
    const { t } = this.context;
    const section = this.section('classes');
    if (!section) return t('describe.empty');
    return t('describe.classes', { classes: formatCount(section.shape[0]), count: formatCount(section.shape[1]) });
  }
}
