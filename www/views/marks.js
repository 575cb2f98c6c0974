/** @import {Palette} from './palette.js' @import {Plane} from './scales.js' */

/**
 * Small marks drawn many times. Each is rendered once as a sprite and then stamped: a stamp costs about a tenth of a path,
 * and overlapping translucent stamps show density.
 */
export class Marks {
  /** @type {Palette} */ #palette;
  /** @type {Map<string, HTMLCanvasElement>} */ #sprites = new Map();
  #version = -1;

  /** @param {Palette} palette */
  constructor(palette) {
    this.#palette = palette;
  }

  /**
   * @param {string} key
   * @param {number} size side in device pixels
   * @param {(g: CanvasRenderingContext2D, centre: number) => void} draw
   */
  #sprite(key, size, draw) {
    if (this.#version !== this.#palette.version) {
      this.#sprites.clear();
      this.#version = this.#palette.version;
    }
    let sprite = this.#sprites.get(key);
    if (!sprite) {
      sprite = document.createElement('canvas');
      sprite.width = sprite.height = Math.ceil(size);
      const g = sprite.getContext('2d');
      if (g) draw(g, sprite.width / 2);
      this.#sprites.set(key, sprite);
    }
    return sprite;
  }

  /**
   * A blue circle (`real`) or an orange triangle (`gen`), with a thin halo of the panel's colour.
   * @param {'real' | 'gen'} kind
   * @param {number} radius in CSS pixels
   * @param {number} alpha
   * @param {number} ratio
   */
  dot(kind, radius, alpha, ratio) {
    return this.#sprite(`${kind} ${radius} ${alpha} ${ratio}`, 2 * (radius * 1.3 + 1.5) * ratio, (g, c) => {
      const r = radius * ratio;
      g.beginPath();
      if (kind === 'real') g.arc(c, c, r, 0, 2 * Math.PI);
      else trianglePath(g, c, c, r);
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
    return this.#sprite(`glyph ${label} ${classes} ${size} ${ratio}`, size * 1.5 * ratio, (g, c) => {
      g.font = `600 ${size * ratio}px system-ui, sans-serif`;
      g.textAlign = 'center';
      g.textBaseline = 'middle';
      g.lineWidth = 1.5 * ratio;
      g.strokeStyle = this.#palette.css('panel', 0.8);
      g.strokeText(label.toString(36), c, c);
      g.fillStyle = this.#palette.classColour(label, classes);
      g.fillText(label.toString(36), c, c);
    });
  }
}

/**
 * @param {CanvasRenderingContext2D} g
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

/**
 * Stamps a sprite at every point; the canvas's units must be CSS pixels.
 * @param {CanvasRenderingContext2D} g
 * @param {HTMLCanvasElement} sprite
 * @param {Plane} plane in CSS pixels
 * @param {ArrayLike<number>} points x, y in data
 * @param {number} count
 * @param {{ratio: number, stride?: number, from?: number}} options
 */
export function stampPoints(g, sprite, plane, points, count, { ratio, stride = 2, from = 0 }) {
  const [x0, x1, y0, y1] = plane.extent;
  const half = sprite.width / 2;
  const sx = (plane.width * ratio) / (x1 - x0);
  const sy = (plane.height * ratio) / (y1 - y0);
  const [right, bottom] = [plane.width * ratio, plane.height * ratio];
  g.save();
  g.setTransform(1, 0, 0, 1, 0, 0);
  for (let i = 0, at = from; i < count; i++, at += stride) {
    const x = (points[at] - x0) * sx;
    const y = (y1 - points[at + 1]) * sy;
    // Also false for NaN.
    if (x > -half && x < right + half && y > -half && y < bottom + half) g.drawImage(sprite, x - half, y - half);
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
