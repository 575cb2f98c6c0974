/** @import {Palette} from './palette.js' @import {Plane} from './scales.js' */
import { ticks } from './scales.js';
import { formatTick } from './format.js';

/**
 * Light ticks inside the picture's edge, so that the picture keeps its whole square.
 * @param {CanvasRenderingContext2D} g
 * @param {Plane} plane in CSS pixels
 * @param {Palette} palette
 */
export function drawAxes(g, plane, palette) {
  const { extent, width, height } = plane;
  if (width < 150) return;
  const target = Math.max(3, Math.round(width / 110));
  // A picture this small may be left with a single tick; then it takes twice as many.
  const marks = (/** @type {number} */ low, /** @type {number} */ high) => {
    const few = ticks(low, high, target);
    return few.length < 3 ? ticks(low, high, 2 * target) : few;
  };
  g.save();
  g.font = '10.5px system-ui, "Noto Sans", sans-serif';
  g.lineWidth = 1;
  g.lineJoin = 'round';
  const label = (/** @type {string} */ text, /** @type {number} */ x, /** @type {number} */ y) => {
    g.strokeStyle = palette.css('panel', 0.7);
    g.lineWidth = 3;
    g.strokeText(text, x, y);
    g.fillStyle = palette.css('soft');
    g.fillText(text, x, y);
  };
  const tick = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ dx, /** @type {number} */ dy) => {
    g.lineWidth = 1;
    g.strokeStyle = palette.css('soft', 0.6);
    g.beginPath();
    g.moveTo(x, y);
    g.lineTo(x + dx, y + dy);
    g.stroke();
  };
  g.textAlign = 'center';
  g.textBaseline = 'alphabetic';
  for (const value of marks(extent[0], extent[1])) {
    const x = Math.round(plane.toCanvasX(value)) + 0.5;
    if (x < 26 || x > width - 14) continue;
    tick(x, height, 0, -4);
    label(formatTick(value), x, height - 7);
  }
  g.textAlign = 'left';
  g.textBaseline = 'middle';
  for (const value of marks(extent[2], extent[3])) {
    const y = Math.round(plane.toCanvasY(value)) + 0.5;
    if (y < 12 || y > height - 22) continue;
    tick(0, y, 4, 0);
    label(formatTick(value), 8, y);
  }
  g.restore();
}
