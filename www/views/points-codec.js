/**
 * Drawn points as text for links: base64url, four characters a point, 24 bits: 12 of x, then 12 of y, big-endian,
 * each on the grid −3 + 6·k/4095.
 */

export const LIMIT = 4000;
/** The drawable square. */
export const LOW = -3;
export const HIGH = 3;

const STEPS = 4095;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUES = new Map([...ALPHABET].map((character, value) => [character, value]));

/** @param {number} value @returns {number} 0..4095 */
function toGrid(value) {
  return Math.min(STEPS, Math.max(0, Math.round(((value - LOW) / (HIGH - LOW)) * STEPS)));
}

/** @param {number} k */
function fromGrid(k) {
  return LOW + ((HIGH - LOW) * k) / STEPS;
}

/**
 * @param {ArrayLike<number>} points x0, y0, x1, y1, …; places outside the square land on its edge
 * @returns {string}
 */
export function encodePoints(points) {
  const count = Math.min(LIMIT, Math.floor(points.length / 2));
  let text = '';
  for (let i = 0; i < count; i++) {
    const bits = (toGrid(points[2 * i]) << 12) | toGrid(points[2 * i + 1]);
    for (let shift = 18; shift >= 0; shift -= 6) text += ALPHABET[(bits >> shift) & 63];
  }
  return text;
}

/**
 * Reads as many whole points as the text holds. Links are typed and cut by people, so what follows the first
 * character that does not belong is left out rather than refused.
 * @param {string} text
 * @returns {number[]} x0, y0, x1, y1, …
 */
export function decodePoints(text) {
  const points = [];
  for (let i = 0; i + 4 <= text.length && points.length < 2 * LIMIT; i += 4) {
    let bits = 0;
    for (let j = 0; j < 4; j++) {
      const value = VALUES.get(text[i + j]);
      if (value === undefined) return points;
      bits = (bits << 6) | value;
    }
    points.push(fromGrid(bits >> 12), fromGrid(bits & STEPS));
  }
  return points;
}
