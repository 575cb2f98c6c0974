/** @import {Palette} from './palette.js' */
import uPlot from 'uplot';

/** The type of everything written in a chart. @param {number} [scale] */
export const chartFont = (scale = 1) => `${10.5 * scale}px system-ui, "Noto Sans", sans-serif`;

/**
 * A dashed line across a chart, with its name at one end.
 * @param {uPlot} u
 * @param {Palette} palette
 * @param {{value: number, text: string, crowdedAbove?: boolean, end?: 'left' | 'right', ratio?: number}} line
 *   `crowdedAbove`: a curve runs where the name would stand.
 */
export function drawReference(u, palette, { value, text, crowdedAbove = false, end = 'right', ratio = uPlot.pxRatio }) {
  const g = u.ctx;
  const { left, top, width, height } = u.bbox;
  const y = Math.round(u.valToPos(value, 'y', true));
  if (!(y >= top && y <= top + height)) return;
  g.save();
  g.strokeStyle = palette.css('soft');
  g.lineWidth = ratio;
  g.setLineDash([4 * ratio, 4 * ratio]);
  g.beginPath();
  g.moveTo(left, y);
  g.lineTo(left + width, y);
  g.stroke();
  g.setLineDash([]);
  g.font = chartFont(ratio);
  g.textAlign = end;
  const below = y - top < 16 * ratio || (top + height - y > 16 * ratio && crowdedAbove);
  g.textBaseline = below ? 'top' : 'bottom';
  g.lineWidth = 3 * ratio;
  g.lineJoin = 'round';
  g.strokeStyle = palette.css('panel', 0.85);
  g.fillStyle = palette.css('soft');
  const at = y + (below ? 3 : -3) * ratio;
  const x = end === 'left' ? left + 2 * ratio : left + width - 2 * ratio;
  g.strokeText(text, x, at);
  g.fillText(text, x, at);
  g.restore();
}

/** Whether the end of a curve runs above a value more than below it. @param {readonly (number | null)[]} curve @param {number} value */
export function endsAbove(curve, value) {
  let above = 0;
  for (const v of curve.slice(-Math.ceil(curve.length / 3))) if (v !== null) above += Math.sign(v - value);
  return above > 0;
}
