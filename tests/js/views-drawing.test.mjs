import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alongSegment, Drawing, scatter } from '../../www/views/drawing.js';
import { LIMIT } from '../../www/views/points-codec.js';

test('a pen leaves points at equal distances, whatever the events it came in', () => {
  const whole = alongSegment(0, 0, 1, 0, 0.1, 0).places.map(([x]) => x);
  const pieces = [];
  let rest = 0;
  for (const [a, b] of [[0, 0.13], [0.13, 0.16], [0.16, 0.72], [0.72, 1]]) {
    const piece = alongSegment(a, 0, b, 0, 0.1, rest);
    pieces.push(...piece.places.map(([x]) => x));
    rest = piece.rest;
  }
  assert.ok(Math.abs(whole.length - pieces.length) <= 1);
  pieces.forEach((x, i) => assert.ok(Math.abs(x - 0.1 * i) < 1e-9, `point ${i} at ${x}`));
});

test('undo and redo walk through committed changes, and a new change ends what could be redone', () => {
  const drawing = new Drawing();
  drawing.load([0, 0]);
  drawing.add(1, 1);
  drawing.add(2, 2);
  assert.equal(drawing.commit(), true);
  assert.equal(drawing.commit(), false, 'nothing changed since');
  drawing.clear();
  drawing.commit();
  assert.equal(drawing.count, 0);
  assert.equal(drawing.undo(), true);
  assert.deepEqual(drawing.points, [0, 0, 1, 1, 2, 2]);
  assert.equal(drawing.undo(), true);
  assert.deepEqual(drawing.points, [0, 0]);
  assert.equal(drawing.undo(), false);
  assert.equal(drawing.redo(), true);
  assert.deepEqual(drawing.points, [0, 0, 1, 1, 2, 2]);
  drawing.add(-1, -1);
  drawing.commit();
  assert.equal(drawing.canRedo, false);
  drawing.undo();
  drawing.points.push(9, 9);
  drawing.redo();
  drawing.undo();
  assert.deepEqual(drawing.points, [0, 0, 1, 1, 2, 2], 'history is not touched by later edits');
});

test('points outside the square and over the limit are not added', () => {
  const drawing = new Drawing();
  assert.equal(drawing.add(3.1, 0), false);
  assert.equal(drawing.add(NaN, 0), false);
  for (let i = 0; i < LIMIT; i++) assert.equal(drawing.add(0, 0), true);
  assert.equal(drawing.full, true);
  assert.equal(drawing.add(0, 0), false);
});

test('the eraser removes exactly what its circle covers', () => {
  const drawing = new Drawing();
  drawing.load([0, 0, 0.49, 0, 0.51, 0, 0, -0.6]);
  assert.equal(drawing.erase(0, 0, 0.5), true);
  assert.deepEqual(drawing.points, [0.51, 0, 0, -0.6]);
  assert.equal(drawing.erase(0, 0, 0.5), false);
});

test('spray has the spread it was asked for', () => {
  let state = 1;
  const random = () => ((state = (state * 48271) % 2147483647) / 2147483647);
  let sum = 0;
  for (let i = 0; i < 4000; i++) {
    const [x, y] = scatter(1, -1, 0.5, random);
    sum += (x - 1) ** 2 + (y + 1) ** 2;
  }
  // The mean squared distance of a normal cloud in the plane is 2σ² = 0.5; its standard error here is about 0.008.
  assert.ok(Math.abs(sum / 4000 - 0.5) < 0.04, String(sum / 4000));
});
