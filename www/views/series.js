/** Curves as numbers: smoothing and ranges. Pure, so that they can be tested. */

/**
 * Copies a row, with `null` for what is not a finite number (uPlot's gaps). Reuses `out`.
 * @param {ArrayLike<number>} values
 * @param {number} from
 * @param {number} count
 * @param {(number | null)[]} out
 */
export function withGaps(values, from, count, out) {
  out.length = count;
  for (let i = 0; i < count; i++) {
    const v = values[from + i];
    out[i] = Number.isFinite(v) ? v : null;
  }
  return out;
}

/**
 * Exponential moving average, corrected for its start; gaps stay gaps and do not disturb it. Reuses `out`.
 * @param {readonly (number | null)[]} values
 * @param {number} window about how many values one result remembers
 * @param {(number | null)[]} out
 */
export function smooth(values, window, out) {
  out.length = values.length;
  const keep = 1 - 1 / Math.max(1, window);
  let [sum, weight] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (v === null) {
      out[i] = null;
      continue;
    }
    sum = keep * sum + v;
    weight = keep * weight + 1;
    out[i] = sum / weight;
  }
  return out;
}

/**
 * A range that shows where the curves live: the first tenth (where training jumps) and the outermost hundredth
 * do not decide it; references nearby and the latest values do.
 * @param {readonly (readonly (number | null)[])[]} curves
 * @param {{references?: readonly number[], log?: boolean}} [options]
 * @returns {[number, number] | null}
 */
export function robustRange(curves, { references = [], log = false } = {}) {
  const usable = (/** @type {number | null} */ v) => v !== null && (!log || v > 0);
  /** @type {number[]} */
  const values = [];
  /** @type {number[]} */
  const latest = [];
  for (const curve of curves) {
    const skip = curve.length > 40 ? Math.floor(curve.length / 10) : 0;
    let last = NaN;
    for (let i = skip; i < curve.length; i++) {
      const v = curve[i];
      if (v === null || !usable(v)) continue;
      values.push(v);
      last = v;
    }
    if (Number.isFinite(last)) latest.push(last);
  }
  if (values.length === 0) return null;
  values.sort((a, b) => a - b);
  const at = (/** @type {number} */ q) => values[Math.round(q * (values.length - 1))];
  const forward = log ? Math.log10 : (/** @type {number} */ v) => v;
  const back = log ? (/** @type {number} */ v) => 10 ** v : (/** @type {number} */ v) => v;
  let low = forward(Math.min(at(0.01), ...latest));
  let high = forward(Math.max(at(0.99), ...latest));
  const span = high - low || Math.max(Math.abs(high) * 0.2, 1e-3);
  for (const reference of references) {
    if (!usable(reference)) continue;
    const r = forward(reference);
    if (r < low && low - r <= 1.5 * span) low = r;
    if (r > high && r - high <= 1.5 * span) high = r;
  }
  const margin = 0.08 * (high - low || span);
  // A reference has its label above its line.
  return [back(low - margin), back(high + (references.length ? 2 : 1) * margin)];
}

/** Whether a logarithmic scale can show most of every curve. @param {readonly (readonly (number | null)[])[]} curves */
export function allPositive(curves) {
  return curves.some((c) => c.some((v) => v !== null)) && curves.every((curve) => curve.every((v) => v === null || v > 0));
}
