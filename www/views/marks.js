/** @import {Palette} from './palette.js' @import {Plane} from './scales.js' */

/** In how many places within a pixel a mark is rendered, each way. On dense screens pixels are small enough. */
const phasesAt = (/** @type {number} */ ratio) => (ratio < 1.5 ? 4 : ratio < 2.5 ? 2 : 1);

/**
 * A small mark, rendered once for every place it can have within a pixel, so that stamping it copies whole pixels:
 * points stay crisp and move smoothly, at half the price of an interpolated stamp where no graphics processor helps.
 */
export class Sprite {
  /** @type {ImageBitmap[]} */ #phases = [];
  #steps;
  #half;

  /**
   * @param {number} size side in device pixels
   * @param {number} ratio
   * @param {(g: OffscreenCanvasRenderingContext2D, x: number, y: number) => void} draw draws the mark around a centre
   */
  constructor(size, ratio, draw) {
    this.#steps = phasesAt(ratio);
    this.#half = Math.ceil(size / 2);
    const canvas = new OffscreenCanvas(2 * this.#half + 1, 2 * this.#half + 1);
    const g = canvas.getContext('2d');
    for (let i = 0; g && i < this.#steps ** 2; i++) {
      draw(g, this.#half + (i % this.#steps) / this.#steps, this.#half + Math.floor(i / this.#steps) / this.#steps);
      this.#phases.push(canvas.transferToImageBitmap());
    }
  }

  /** How far a mark reaches from its centre. */
  get reach() {
    return this.#half + 1;
  }

  /**
   * The context's units must be device pixels, without smoothing.
   * @param {CanvasRenderingContext2D} g
   * @param {number} x
   * @param {number} y
   */
  stamp(g, x, y) {
    const n = this.#steps;
    const [fx, fy] = [Math.round(x * n), Math.round(y * n)];
    const [ix, iy] = [Math.floor(fx / n), Math.floor(fy / n)];
    g.drawImage(this.#phases[fx - ix * n + (fy - iy * n) * n], ix - this.#half, iy - this.#half);
  }

  close() {
    for (const phase of this.#phases) phase.close();
  }
}

/** Sprites in the colours of the moment. Overlapping translucent stamps show density. */
export class Marks {
  /** @type {Palette} */ #palette;
  /** @type {Map<string, Sprite>} */ #sprites = new Map();
  #version = -1;

  /** @param {Palette} palette */
  constructor(palette) {
    this.#palette = palette;
  }

  /**
   * @param {string} key
   * @param {number} size
   * @param {number} ratio
   * @param {(g: OffscreenCanvasRenderingContext2D, x: number, y: number) => void} draw
   */
  #sprite(key, size, ratio, draw) {
    if (this.#version !== this.#palette.version) {
      this.clear();
      this.#version = this.#palette.version;
    }
    let sprite = this.#sprites.get(key);
    if (!sprite) {
      sprite = new Sprite(size, ratio, draw);
      this.#sprites.set(key, sprite);
    }
    return sprite;
  }

  /** Gives the sprites' memory back. */
  clear() {
    for (const sprite of this.#sprites.values()) sprite.close();
    this.#sprites.clear();
  }

  /**
   * A blue circle (`real`) or an orange triangle (`gen`), with a thin halo of the panel's colour.
   * @param {'real' | 'gen'} kind
   * @param {number} radius in CSS pixels
   * @param {number} alpha
   * @param {number} ratio
   */
  dot(kind, radius, alpha, ratio) {
    return this.#sprite(`${kind} ${radius} ${alpha} ${ratio}`, 2 * (radius * 1.3 + 1.5) * ratio, ratio, (g, x, y) => {
      const r = radius * ratio;
      g.beginPath();
      if (kind === 'real') g.arc(x, y, r, 0, 2 * Math.PI);
      else trianglePath(g, x, y, r);
      g.lineJoin = 'round';
      g.lineWidth = 1.2 * ratio;
      g.strokeStyle = this.#palette.css('panel', 0.75 * alpha);
      g.stroke();
      g.fillStyle = this.#palette.css(kind, alpha);
      g.fill();
    });
  }

  /**
   * A class's own letter in its own colour.
   * @param {number} label
   * @param {number} classes
   * @param {number} size in CSS pixels
   * @param {number} ratio
   */
  glyph(label, classes, size, ratio) {
    return this.#sprite(`glyph ${label} ${classes} ${size} ${ratio}`, size * 1.5 * ratio, ratio, (g, x, y) => {
      g.font = `600 ${size * ratio}px system-ui, sans-serif`;
      g.textAlign = 'center';
      g.textBaseline = 'middle';
      g.lineWidth = 1.5 * ratio;
      g.strokeStyle = this.#palette.css('panel', 0.8);
      g.strokeText(label.toString(36), x, y);
      g.fillStyle = this.#palette.classColour(label, classes);
      g.fillText(label.toString(36), x, y);
    });
  }
}

/**
 * @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} g
 * @param {number} x
 * @param {number} y
 * @param {number} r about the radius of the circle of the same area
 */
export function trianglePath(g, x, y, r) {
  const s = r * 1.25;
  g.moveTo(x, y - s);
  g.lineTo(x + s * 0.95, y + s * 0.7);
  g.lineTo(x - s * 0.95, y + s * 0.7);
  g.closePath();
}

/** The radius of points in a picture of this width, in steps, so that resizing does not render marks without end. @param {number} width */
export function pointRadius(width) {
  return Math.round(5 * Math.min(3.4, Math.max(1.6, width / 210))) / 5;
}

/**
 * Stamps a sprite at every point; the canvas's units must be CSS pixels.
 * @param {CanvasRenderingContext2D} g
 * @param {Sprite} sprite
 * @param {Plane} plane in CSS pixels
 * @param {ArrayLike<number>} points x, y in data
 * @param {number} count
 * @param {{ratio: number, stride?: number, from?: number}} options
 */
export function stampPoints(g, sprite, plane, points, count, { ratio, stride = 2, from = 0 }) {
  const [x0, x1, y0, y1] = plane.extent;
  const { reach } = sprite;
  const sx = (plane.width * ratio) / (x1 - x0);
  const sy = (plane.height * ratio) / (y1 - y0);
  const [right, bottom] = [plane.width * ratio, plane.height * ratio];
  g.save();
  g.setTransform(1, 0, 0, 1, 0, 0);
  g.imageSmoothingEnabled = false;
  for (let i = 0, at = from; i < count; i++, at += stride) {
    const x = (points[at] - x0) * sx;
    const y = (y1 - points[at + 1]) * sy;
    // Also false for NaN.
    if (x > -reach && x < right + reach && y > -reach && y < bottom + reach) sprite.stamp(g, x, y);
  }
  g.restore();
}

/**
 * The ring that marks a chosen place.
 * @param {CanvasRenderingContext2D} g
 * @param {Palette} palette
 * @param {number} x
 * @param {number} y
 */
export function drawMarker(g, palette, x, y) {
  if (!Number.isFinite(x) || !Number.isFinite(y)) return;
  g.lineWidth = 4;
  g.strokeStyle = palette.css('panel', 0.9);
  g.beginPath();
  g.arc(x, y, 9, 0, 2 * Math.PI);
  g.stroke();
  g.lineWidth = 2;
  g.strokeStyle = palette.css('ink');
  g.stroke();
  g.beginPath();
  trianglePath(g, x, y, 4);
  g.fillStyle = palette.css('gen');
  g.fill();
}
