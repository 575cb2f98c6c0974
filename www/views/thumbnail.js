/** @import {Extent, Shape} from './types.js' */
import { spell } from './format.js';
import { Palette } from './palette.js';
import { tileColumns } from './scales.js';
import { tileRect, Tiles } from './tiles.js';

/** Images in a thumbnail: four can be told apart, more cannot. */
const IMAGES = 4;
/** Points or words in a thumbnail. */
const ROWS = 320;

/** How many rows a thumbnail shows. @param {string} domain */
export const rowsShown = (domain) => (domain === 'images' ? IMAGES : ROWS);

/**
 * Draws a few rows of a data set small: points as a cloud, images as a wall, words as lines.
 * @param {HTMLCanvasElement} canvas inside the page, so that its colours are known
 * @param {{shape: Shape & {domain: string}, alphabet: string}} what
 * @param {Float32Array} rows
 */
export function drawThumbnail(canvas, { shape, alphabet }, rows) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth || 56, canvas.clientHeight || 56].map((side) => Math.round(side * ratio));
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const g = canvas.getContext('2d');
  if (!g) return;
  const palette = new Palette(canvas.parentElement ?? document.body);
  g.clearRect(0, 0, width, height);
  if (shape.domain === 'images') drawImages(g, shape, rows, palette);
  else if (alphabet) drawWords(g, shape, rows, palette, alphabet);
  else drawPoints(g, shape.width, rows, palette, ratio);
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {Shape} shape
 * @param {Float32Array} rows
 * @param {Palette} palette
 */
function drawImages(g, shape, rows, palette) {
  const { width, height } = g.canvas;
  const count = Math.min(IMAGES, Math.floor(rows.length / (shape.channels * shape.height * shape.width)));
  const tiles = new Tiles();
  g.fillStyle = palette.css('panel');
  g.fillRect(0, 0, width, height);
  tiles.update(rows, count, shape, palette);
  const columns = tileColumns(count);
  const grid = { width, height, columns, rows: Math.ceil(count / columns), gap: Math.max(1, Math.round(width / 28)) };
  for (let i = 0; i < count; i++) {
    const r = tileRect(grid, i % columns, Math.floor(i / columns));
    tiles.draw(g, i, r.x, r.y, r.width, r.height);
  }
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {Float32Array} rows
 * @param {Palette} palette
 * @param {number} dims
 * @param {number} ratio
 */
function drawPoints(g, dims, rows, palette, ratio) {
  const { width, height } = g.canvas;
  const places = dims === 2 ? rows : firstTwo(rows, dims);
  const [x0, x1, y0, y1] = boundingSquare(places);
  const side = Math.max(1, Math.round(1.4 * ratio));
  g.fillStyle = palette.css('real', 0.7);
  for (let i = 0; i + 1 < places.length; i += 2) {
    const x = ((places[i] - x0) / (x1 - x0)) * width;
    const y = (1 - (places[i + 1] - y0) / (y1 - y0)) * height;
    g.fillRect(x - side / 2, y - side / 2, side, side);
  }
}

/** The first two coordinates of points; the second is 0 where there is none. @param {Float32Array} rows @param {number} dims */
function firstTwo(rows, dims) {
  const out = new Float32Array(2 * Math.floor(rows.length / dims));
  for (let i = 0; 2 * i < out.length; i++) {
    out[2 * i] = rows[i * dims];
    if (dims > 1) out[2 * i + 1] = rows[i * dims + 1];
  }
  return out;
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {Shape} shape
 * @param {Float32Array} rows
 * @param {Palette} palette
 * @param {string} alphabet
 */
function drawWords(g, shape, rows, palette, alphabet) {
  const { width, height } = g.canvas;
  // Four lines can be read in a thumbnail.
  const count = Math.min(4, Math.floor(rows.length / shape.width));
  g.fillStyle = palette.css('ink');
  g.textBaseline = 'middle';
  g.font = `${Math.round(height / 5)}px ui-monospace, monospace`;
  const letters = [...alphabet];
  for (let i = 0; i < count; i++) {
    const word = spell(rows.subarray(i * shape.width, (i + 1) * shape.width), letters);
    g.fillText(word, Math.round(width / 14), ((i + 0.5) * height) / count);
  }
  // What does not fit fades out: a letter cut in half looks like a mistake.
  const fade = g.createLinearGradient(0.7 * width, 0, width, 0);
  fade.addColorStop(0, palette.css('panel', 0));
  fade.addColorStop(1, palette.css('panel'));
  g.fillStyle = fade;
  g.fillRect(0, 0, width, height);
}

/**
 * The square around points, with a margin.
 * @param {Float32Array} rows
 * @returns {Extent}
 */
export function boundingSquare(rows) {
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i + 1 < rows.length; i += 2) {
    x0 = Math.min(x0, rows[i]);
    x1 = Math.max(x1, rows[i]);
    y0 = Math.min(y0, rows[i + 1]);
    y1 = Math.max(y1, rows[i + 1]);
  }
  if (!(x1 >= x0)) return [-1, 1, -1, 1];
  const half = 0.58 * Math.max(x1 - x0, y1 - y0, 1e-6);
  const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
  return [cx - half, cx + half, cy - half, cy + half];
}
