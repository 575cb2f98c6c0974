/** The visitor's points and what pens do to them. Pure: no pointer, no canvas. */
import { HIGH, LIMIT, LOW } from './points-codec.js';

/** How many changes can be taken back. */
const HISTORY = 100;

/** Points with undo and redo. A change is what happens between two calls of `commit`. */
export class Drawing {
  /** @type {number[]} x0, y0, x1, y1, … */ points = [];
  /** @type {number[][]} */ #past = [];
  /** @type {number[][]} */ #future = [];
  /** @type {number[]} */ #committed = [];

  get count() {
    return this.points.length / 2;
  }

  get full() {
    return this.count >= LIMIT;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  /** Starts over with other points, without history. @param {number[]} points */
  load(points) {
    this.points = points.slice(0, 2 * LIMIT);
    this.#committed = this.points.slice();
    this.#past = [];
    this.#future = [];
  }

  /**
   * Adds a point, if it lies in the drawable square and there is room.
   * @param {number} x
   * @param {number} y
   * @returns {boolean} whether it was added
   */
  add(x, y) {
    if (this.full || !(x >= LOW && x <= HIGH && y >= LOW && y <= HIGH)) return false;
    this.points.push(x, y);
    return true;
  }

  /**
   * Removes the points within `radius`.
   * @param {number} x
   * @param {number} y
   * @param {number} radius
   */
  erase(x, y, radius) {
    let kept = 0;
    for (let i = 0; i < this.points.length; i += 2) {
      if ((this.points[i] - x) ** 2 + (this.points[i + 1] - y) ** 2 <= radius * radius) continue;
      this.points[kept++] = this.points[i];
      this.points[kept++] = this.points[i + 1];
    }
    const changed = kept !== this.points.length;
    this.points.length = kept;
    return changed;
  }

  clear() {
    this.points = [];
  }

  /** Ends a change. @returns {boolean} whether there was one */
  commit() {
    const before = this.#committed;
    if (before.length === this.points.length && before.every((v, i) => v === this.points[i])) return false;
    this.#past.push(before);
    if (this.#past.length > HISTORY) this.#past.shift();
    this.#future = [];
    this.#committed = this.points.slice();
    return true;
  }

  undo() {
    return this.#travel(this.#past, this.#future);
  }

  redo() {
    return this.#travel(this.#future, this.#past);
  }

  /**
   * @param {number[][]} from
   * @param {number[][]} to
   */
  #travel(from, to) {
    const points = from.pop();
    if (!points) return false;
    to.push(this.#committed);
    this.#committed = points;
    this.points = points.slice();
    return true;
  }
}

/**
 * Places `spacing` apart along a segment. A stroke hands `rest` on from segment to segment, so that slow and fast
 * strokes are equally dense.
 * @param {number} x0
 * @param {number} y0
 * @param {number} x1
 * @param {number} y1
 * @param {number} spacing
 * @param {number} rest how far the next point is from the segment's start
 * @returns {{places: [number, number][], rest: number}}
 */
export function alongSegment(x0, y0, x1, y1, spacing, rest) {
  const length = Math.hypot(x1 - x0, y1 - y0);
  /** @type {[number, number][]} */
  const places = [];
  let at = rest;
  for (; at <= length; at += spacing) {
    const t = length === 0 ? 0 : at / length;
    places.push([x0 + (x1 - x0) * t, y0 + (y1 - y0) * t]);
  }
  return { places, rest: at - length };
}

/**
 * A place around a centre, normally distributed.
 * @param {number} x
 * @param {number} y
 * @param {number} sigma
 * @param {() => number} random uniform on [0, 1)
 * @returns {[number, number]}
 */
export function scatter(x, y, sigma, random) {
  const r = sigma * Math.sqrt(-2 * Math.log(1 - random()));
  const angle = 2 * Math.PI * random();
  return [x + r * Math.cos(angle), y + r * Math.sin(angle)];
}
