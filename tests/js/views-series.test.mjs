import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allPositive, robustRange, smooth, withGaps } from '../../www/views/series.js';
import { range, rowErrors, spread } from '../../www/views/summary.js';

test('what is not a number becomes a gap, in the buffer that was given', () => {
  const out = [1, 2, 3, 4, 5];
  assert.equal(withGaps(Float32Array.from([9, 1, NaN, 3, Infinity]), 1, 4, out), out);
  assert.deepEqual(out, [1, null, 3, null]);
});

test('smoothing keeps constants, jumps over gaps, and starts without bias', () => {
  assert.deepEqual(smooth([2, 2, null, 2], 10, []).map((v) => v && Number(v.toFixed(12))), [2, 2, null, 2]);
  assert.equal(smooth([5, 1, 1], 10, [])[0], 5);
  assert.deepEqual(smooth([3, 7, 1], 1, []), [3, 7, 1]);
  const noisy = Array.from({ length: 400 }, (_, i) => (i % 2 ? 1 : -1));
  assert.ok(Math.abs(smooth(noisy, 40, [])[399]) < 0.05);
});

test('early jumps and rare spikes do not flatten a curve', () => {
  const curve = Array.from({ length: 1000 }, (_, i) => (i < 50 ? 1000 : i === 700 ? 500 : 1 + 0.1 * Math.sin(i)));
  const [low, high] = robustRange([curve]);
  assert.ok(low > 0.8 && low < 0.9, String(low));
  assert.ok(high > 1.1 && high < 1.3, String(high));
});

test('a reference near the curves is inside the range, a far one is not, the latest value always is', () => {
  const flat = Array.from({ length: 100 }, (_, i) => (i === 99 ? 4 : 1 + i / 1000));
  const [low, high] = robustRange([flat], { references: [1.9, 1000] });
  assert.ok(low < 1 && high > 4 && high < 5);
  const [, top] = robustRange([[1, 1.5, 2]], { references: [2.6] });
  assert.ok(top > 2.6);
});

test('a logarithmic range stays positive, and needs positive curves', () => {
  const [low, high] = robustRange([[0.01, 0.1, 10, -3]], { log: true });
  assert.ok(low > 0 && low < 0.01 && high > 10);
  assert.equal(allPositive([[1, null, 2]]), true);
  assert.equal(allPositive([[1, 0]]), false);
  assert.equal(allPositive([[null]]), false);
  assert.equal(robustRange([[null], []]), null);
});

test('a constant curve still has a range around it', () => {
  const [low, high] = robustRange([[2, 2, 2]]);
  assert.ok(low < 2 && high > 2);
});

test('summaries are those of the finite points', () => {
  const s = spread([0, 1, 2, 1, 4, 1, NaN, 3], 4);
  assert.deepEqual([s.n, s.x, s.y, s.sy], [3, 2, 1, 0]);
  assert.ok(Math.abs(s.sx - Math.sqrt(8 / 3)) < 1e-12);
  assert.deepEqual(range([3, -Infinity, NaN, -1]), { low: -1, high: 3 });
  assert.equal(range([NaN]), null);
  assert.deepEqual([...rowErrors([0, 0, 1, 1, 3, 4, 1, 1], 2, 2)].map((e) => Number(e.toFixed(6))), [3.535534, 0]);
});
