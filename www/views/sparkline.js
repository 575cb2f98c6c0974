/** @import {Palette} from './palette.js' */
import { el } from './dom.js';
import { robustRange } from './series.js';

/** In CSS pixels; the style sheet gives the same. */
const [WIDTH, HEIGHT] = [52, 18];
/** Room for the point at the end and for half a line. */
const INSET = 2.5;

/** A curve the size of a word: a score against steps, with its floor as a dashed line. */
export class Sparkline {
  element = el('canvas', { class: 'spark', 'aria-hidden': 'true' });

  /**
   * @param {Palette} palette
   * @param {readonly number[]} steps
   * @param {readonly (number | null)[]} values
   * @param {number | null} floor
   */
  draw(palette, steps, values, floor) {
    const ratio = window.devicePixelRatio || 1;
    const canvas = this.element;
    [canvas.width, canvas.height] = [Math.round(WIDTH * ratio), Math.round(HEIGHT * ratio)];
    const g = canvas.getContext('2d');
    const range = robustRange([values], { references: floor === null ? [] : [floor] });
    if (!g || !range) return;
    g.scale(ratio, ratio);
    const [low, high] = range;
    const [first, last] = [steps[0], Math.max(steps[steps.length - 1], steps[0] + 1)];
    const x = (/** @type {number} */ step) => INSET + ((WIDTH - 2 * INSET) * (step - first)) / (last - first);
    const y = (/** @type {number} */ value) => HEIGHT - INSET - (HEIGHT - 2 * INSET) * Math.min(1, Math.max(0, (value - low) / (high - low)));
    if (floor !== null && floor >= low && floor <= high) {
      g.strokeStyle = palette.css('soft', 0.7);
      g.setLineDash([2, 2]);
      line(g, [[0, y(floor)], [WIDTH, y(floor)]]);
      g.setLineDash([]);
    }
    g.strokeStyle = g.fillStyle = palette.css('ink');
    g.lineWidth = 1.3;
    g.lineJoin = 'round';
    const points = values.flatMap((value, i) => (value === null ? [] : [/** @type {[number, number]} */ ([x(steps[i]), y(value)])]));
    if (points.length > 1) line(g, points);
    const end = points[points.length - 1];
    g.beginPath();
    if (end) g.arc(points.length > 1 ? end[0] : WIDTH / 2, end[1], 1.8, 0, 7);
    g.fill();
  }
}

/** @param {CanvasRenderingContext2D} g @param {[number, number][]} points */
function line(g, points) {
  g.beginPath();
  for (const [x, y] of points) g.lineTo(x, y);
  g.stroke();
}
