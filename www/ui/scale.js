/** @file Numbers on sliders: pure functions from a setting's declaration. */

/** @import {Spec} from "../protocol.js" */

/** About how many places a slider has. */
const PLACES = 100;
/** Places per tenfold on a logarithmic slider. */
const PER_DECADE = 20;

/**
 * The values that a slider can take, in order: round numbers, and both ends.
 * @param {Spec} spec
 * @returns {number[]}
 */
export function placesOf(spec) {
  const { low = 0, high = 1 } = spec;
  if (spec.kind === "log") return logarithmic(low, high);
  if (spec.kind === "integer" && spec.log) return wholeLogarithmic(low, high);
  const nice = roundStep((high - low) / PLACES);
  const step = spec.kind === "integer" ? Math.max(1, Math.round(nice)) : nice;
  const values = [];
  for (let i = 0; low + i * step < high - step * 1e-6; i += 1) values.push(tidy(low + i * step));
  return [...values, high];
}

/** The smallest of 1, 2 and 5 times a power of ten that is at least `x`. @param {number} x */
function roundStep(x) {
  const power = 10 ** Math.floor(Math.log10(x));
  return tidy((/** @type {number} */ ([1, 2, 5, 10].find((m) => m * power >= x * (1 - 1e-9)))) * power);
}

/** @param {number} low @param {number} high */
function logarithmic(low, high) {
  const count = Math.max(1, Math.round(Math.log10(high / low) * PER_DECADE));
  const values = new Set([low]);
  for (let i = 1; i < count; i += 1) values.add(Number((low * (high / low) ** (i / count)).toPrecision(2)));
  return [...values.add(high)];
}

/** Powers of two with their halves between where the range is one of powers of two; else 1, 1.5, 2, 3, 5, 7. */
function wholeLogarithmic(/** @type {number} */ low, /** @type {number} */ high) {
  const binary = Number.isInteger(Math.log2(low)) && Number.isInteger(Math.log2(high));
  const base = binary ? 2 : 10;
  const factors = binary ? [1, 1.5] : [1, 1.5, 2, 3, 5, 7];
  const values = new Set([low]);
  for (let power = 1; power < high; power *= base) {
    for (const factor of factors) {
      const value = Math.round(power * factor);
      if (value > low && value < high) values.add(value);
    }
  }
  return [...values.add(high)];
}

/** Without the noise of binary fractions: 0.30000000000000004 is 0.3. @param {number} x */
function tidy(x) {
  return Number(x.toPrecision(10));
}

/**
 * The place nearest to a value, as the slider's scale measures distance.
 * @param {Spec} spec
 * @param {number[]} places
 * @param {number} value
 */
export function placeOf(spec, places, value) {
  const scale = spec.kind === "log" || spec.log ? Math.log : (/** @type {number} */ x) => x;
  let best = 0;
  places.forEach((place, i) => {
    if (Math.abs(scale(place) - scale(value)) < Math.abs(scale(places[best]) - scale(value))) best = i;
  });
  return best;
}

/** A number as a setting shows it. @param {number} x */
export function numberText(x) {
  const short = Number(x.toPrecision(6));
  const size = Math.abs(short);
  return size > 0 && size < 1e-3 ? short.toExponential() : String(short);
}

/** The next width up or down when an arrow key is pressed: powers of two. @param {number} width @param {1 | -1} direction */
export function nextWidth(width, direction) {
  const exponent = Math.log2(width);
  return 2 ** (direction > 0 ? Math.floor(exponent) + 1 : Math.max(0, Math.ceil(exponent) - 1));
}
