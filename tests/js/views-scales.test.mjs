import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCount, formatNumber, formatTick } from '../../www/views/format.js';
import { fieldAt, Plane, quantile, ticks, tileColumns } from '../../www/views/scales.js';
import { tileRect, toByte } from '../../www/views/tiles.js';

test('data goes up where pixels go down, and back', () => {
  const plane = new Plane([-3, 3, -1, 2], 600, 300);
  assert.deepEqual([plane.toCanvasX(-3), plane.toCanvasY(-1)], [0, 300]);
  assert.deepEqual([plane.toCanvasX(3), plane.toCanvasY(2)], [600, 0]);
  for (const [x, y] of [[0.5, 1.25], [-2.1, -0.7]]) {
    assert.ok(Math.abs(plane.toDataX(plane.toCanvasX(x)) - x) < 1e-12);
    assert.ok(Math.abs(plane.toDataY(plane.toCanvasY(y)) - y) < 1e-12);
  }
});

test('ticks are round, inside, and about as many as asked for', () => {
  assert.deepEqual(ticks(-3, 3, 6), [-3, -2, -1, 0, 1, 2, 3]);
  assert.deepEqual(ticks(0, 0.3, 3), [0, 0.1, 0.2, 0.3]);
  assert.deepEqual(ticks(-2.9, 2.9, 3), [-2, 0, 2]);
  assert.deepEqual(ticks(1, 1), []);
  assert.deepEqual(ticks(0, Infinity), []);
  for (const [low, high] of [[0, 7], [-1e-4, 3e-4], [120, 98000], [-5.5, -5.1]]) {
    for (const target of [3, 5, 8]) {
      const out = ticks(low, high, target);
      assert.ok(out.length >= target / 2 - 1 && out.length <= 2 * target + 1, `${out.length} ticks on [${low}, ${high}] for ${target}`);
      assert.ok(out.every((v) => v >= low - 1e-9 * Math.abs(low) && v <= high + 1e-9 * Math.abs(high)));
    }
  }
});

test('a field is read bilinearly between cell centres, row 0 at the bottom', () => {
  const plane = [0, 10, 20, 30];
  // Two by two cells on [0, 4]²: centres at 1 and 3.
  assert.equal(fieldAt(plane, 2, [0, 4, 0, 4], 1, 1), 0);
  assert.equal(fieldAt(plane, 2, [0, 4, 0, 4], 3, 3), 30);
  assert.equal(fieldAt(plane, 2, [0, 4, 0, 4], 2, 2), 15);
  assert.equal(fieldAt(plane, 2, [0, 4, 0, 4], 2, 1), 5);
  assert.equal(fieldAt(plane, 2, [0, 4, 0, 4], 0, 4), 20, 'the border keeps the nearest centre');
  assert.ok(Number.isNaN(fieldAt(plane, 2, [0, 4, 0, 4], -0.1, 2)));
});

test('a quantile leaves out what is not finite', () => {
  const values = Float32Array.from([NaN, 5, 1, Infinity, 3, -Infinity, 2, 4]);
  assert.equal(quantile(values, 0), 1);
  assert.equal(quantile(values, 0.5), 3);
  assert.equal(quantile(values, 1), 5);
  assert.equal(quantile(values, 0, 2.5), 3);
  assert.ok(Number.isNaN(quantile([NaN], 0.5)));
});

test('tiles fill a canvas on whole pixels, without overlap', () => {
  assert.equal(tileColumns(64), 8);
  assert.equal(tileColumns(9), 3);
  assert.equal(tileColumns(32, 2), 8);
  const grid = { width: 507, height: 311, columns: 8, rows: 5, gap: 2 };
  for (let row = 0; row < 5; row++) {
    for (let column = 0; column < 8; column++) {
      const r = tileRect(grid, column, row);
      assert.ok([r.x, r.y, r.width, r.height].every(Number.isInteger) && r.width > 0 && r.height > 0);
      if (column === 7) assert.equal(r.x + r.width + grid.gap, grid.width);
      else assert.equal(r.x + r.width + grid.gap, tileRect(grid, column + 1, row).x);
      if (row === 4) assert.equal(r.y + r.height + grid.gap, grid.height);
    }
  }
});

test('values become bytes, clamped', () => {
  assert.deepEqual([-1, 0, 0.5, 1, 2, NaN].map(toByte), [0, 0, 128, 255, 255, 0]);
});

test('numbers read well', () => {
  assert.equal(formatCount(1234567), '1,234,567');
  assert.equal(formatNumber(-0.333), '−0.33');
  assert.equal(formatNumber(-0.00001, 3), '−1.0e−5');
  assert.equal(formatNumber(0), '0.00');
  assert.equal(formatNumber(-0.004), '0.00');
  assert.equal(formatNumber(NaN), '–');
  assert.equal(formatNumber(1234.5), '1,235');
  assert.equal(formatTick(-2), '−2');
  assert.equal(formatTick(0.1), '0.1');
  assert.equal(formatTick(2500), '2.5k');
});
