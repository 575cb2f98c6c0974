import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePoints, encodePoints, HIGH, LIMIT, LOW } from '../../www/views/points-codec.js';

test('the corners and the middle of the drawable square have the text the format says', () => {
  // 12 bits of x then 12 bits of y: zeros are AAAA, ones ____, and 4095/2 rounds up to 2048 = 100000 000000.
  assert.equal(encodePoints([LOW, LOW]), 'AAAA');
  assert.equal(encodePoints([HIGH, HIGH]), '____');
  assert.equal(encodePoints([HIGH, LOW]), '__AA');
  assert.equal(encodePoints([0, 0]), 'gAgA');
});

test('a point comes back within half a step of the grid, and twice the same', () => {
  const points = [];
  for (let i = 0; i < 500; i++) points.push(LOW + (6 * ((i * 37) % 500)) / 499, LOW + (6 * ((i * 91) % 500)) / 499);
  const text = encodePoints(points);
  assert.equal(text.length, 4 * 500);
  assert.match(text, /^[\w-]+$/);
  const back = decodePoints(text);
  assert.equal(back.length, points.length);
  back.forEach((v, i) => assert.ok(Math.abs(v - points[i]) <= 3 / 4095 + 1e-12, `coordinate ${i}: ${v} for ${points[i]}`));
  assert.equal(encodePoints(back), text);
});

test('places outside the square land on its edge', () => {
  assert.deepEqual(decodePoints(encodePoints([-50, 99])), [LOW, HIGH]);
});

test('no more points than the limit are written or read', () => {
  const many = new Array(2 * (LIMIT + 10)).fill(1);
  assert.equal(encodePoints(many).length, 4 * LIMIT);
  assert.equal(decodePoints('gAgA'.repeat(LIMIT + 10)).length, 2 * LIMIT);
});

test('a cut or spoilt text gives the whole points before the damage', () => {
  assert.deepEqual(decodePoints(''), []);
  assert.equal(decodePoints('AAAA____AA').length, 4);
  assert.equal(decodePoints('AAAA_*__AAAA').length, 2);
});
