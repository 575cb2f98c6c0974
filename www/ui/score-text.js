/** @file How a score is written, and how it stands to its floor. Pure functions of numbers. */

import { formatCount, formatNumber } from "../views/format.js";

/** @import {Score, ScoreEntry} from "../protocol.js" */

/**
 * How a score stands to what a fresh sample of the data itself gets.
 * @typedef {"floor" | "near" | "far" | "beyond" | "none"} Mark `floor`: as good. `beyond`: better than the data can be.
 */

/** Differences smaller than these say nothing, by unit: the evaluation draws samples, and so does the floor. */
const LEAST = /** @type {Record<string, number>} */ ({ nats: 0.05, bits: 0.02, share: 0.02, data: 0.005, "": 0.001 });
/** The same as a share of the score's own size. */
const RELATIVE = 0.02;
/** How many of these differences still count as near. */
const NEAR = 5;

/** Whether a score counts something of which there is a known number, as modes. @param {Score} score */
function counts({ value, optimum }) {
  return optimum !== null && optimum > 1 && Number.isInteger(optimum) && Number.isInteger(value);
}

/**
 * How much worse than another value of the same score; negative if better.
 * @param {ScoreEntry} entry
 * @param {number} value
 * @param {number} other
 */
function worse({ better, target }, value, other) {
  if (better === "target" && target !== null) return Math.abs(value - target) - Math.abs(other - target);
  return better === "higher" ? other - value : value - other;
}

/**
 * @param {ScoreEntry} entry
 * @param {Score | undefined} score
 * @returns {Mark}
 */
export function markOf(entry, score) {
  if (!score || !Number.isFinite(score.value)) return "none";
  const { value, optimum } = score;
  const floor = score.floor ?? optimum ?? entry.target;
  if (floor === null) return "none";
  const best = entry.target ?? optimum;
  // Half of how far a real sample itself is from the optimum is chance, too.
  const chance = best === null ? 0 : Math.abs(floor - best) / 2;
  const least = counts(score) ? 0 : LEAST[entry.unit] ?? LEAST[""];
  const step = Math.max(least, chance, RELATIVE * Math.max(Math.abs(floor), Math.abs(best ?? 0)));
  const gap = worse(entry, value, floor);
  // The optimum is an expectation, and chance is on both sides of it.
  if (entry.better !== "target" && optimum !== null && Math.max(gap, worse(entry, value, optimum)) < -2 * step) return "beyond";
  return gap <= step ? "floor" : gap <= NEAR * step ? "near" : "far";
}

/** A value as text, without its unit but for shares. @param {number} value @param {string} unit */
export function valueText(value, unit) {
  if (!Number.isFinite(value)) return "–";
  if (unit === "share") return `${(100 * value).toFixed(1)} %`.replace("-", "−");
  if (value !== 0 && Math.abs(value) < 0.01) {
    const text = Math.abs(value) < 1e-5 ? value.toExponential(1) : value.toPrecision(2);
    return text.replaceAll("-", "−");
  }
  return formatNumber(value, 3);
}

/** A score as it stands in its row: `6 / 8`, `91.4 %`, `0.212`. @param {ScoreEntry} entry @param {Score | undefined} score */
export function scoreText({ unit }, score) {
  if (!score || !Number.isFinite(score.value)) return "–";
  if (counts(score)) return `${formatCount(score.value)} / ${formatCount(Number(score.optimum))}`;
  return valueText(score.value, unit);
}

/** A floor or an optimum beside the score: counts stay counts. @param {ScoreEntry} entry @param {Score} score @param {number} value */
export function besideText({ unit }, score, value) {
  return counts(score) && Number.isInteger(value) ? formatCount(value) : valueText(value, unit);
}

/** The numbers of a finding's sentence: counts stay counts, the rest is short. @param {Record<string, number | string>} values */
export function sentenceValues(values) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typeof value === "number" ? plain(value) : value]));
}

/** @param {number} value */
function plain(value) {
  if (Number.isInteger(value)) return value < 0 ? `−${formatCount(-value)}` : formatCount(value);
  const size = Math.abs(value);
  if (!(size >= 1e-4 && size < 1e5)) return formatNumber(value, 2);
  return String(Number(value.toPrecision(3))).replace("-", "−");
}
