import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { contrast, cssColour, divergingRamp, hsl, legible, luminance, mix, pack, sequentialRamp } from '../../www/views/palette.js';

const WHITE = [255, 255, 255];
const BLUE = [31, 122, 153];
const ORANGE = [224, 118, 27];
const channels = (/** @type {number} */ packed) => [packed & 255, (packed >> 8) & 255, (packed >> 16) & 255, packed >>> 24];

test('a pixel is opaque, with red first in memory', () => {
  assert.deepEqual(channels(pack([1, 2, 3])), [1, 2, 3, 255]);
  const bytes = new Uint8Array(Uint32Array.of(pack([1, 2, 3])).buffer);
  assert.deepEqual([...bytes], [1, 2, 3, 255]);
});

test('a sequential ramp begins at its ground, ends at its strength, and never turns back', () => {
  const ramp = sequentialRamp(WHITE, BLUE, { strength: 0.5, gamma: 0.6 });
  assert.deepEqual(channels(ramp[0]).slice(0, 3), WHITE);
  assert.deepEqual(channels(ramp[255]).slice(0, 3), mix(WHITE, BLUE, 0.5).map(Math.round));
  for (let i = 1; i < 256; i++) assert.ok(luminance(channels(ramp[i]).slice(0, 3)) <= luminance(channels(ramp[i - 1]).slice(0, 3)));
});

test('a diverging ramp is its ground in the middle and its two colours at the ends', () => {
  const ramp = divergingRamp(ORANGE, WHITE, BLUE, { strength: 1 });
  assert.deepEqual(channels(ramp[0]).slice(0, 3), ORANGE);
  assert.deepEqual(channels(ramp[255]).slice(0, 3), BLUE);
  for (const i of [127, 128]) assert.ok(channels(ramp[i]).slice(0, 3).every((v) => v >= 253));
});

test('black on white is 21 apart, and letters are as far from their ground as small text needs', () => {
  assert.ok(Math.abs(contrast([0, 0, 0], WHITE) - 21) < 1e-9);
  assert.equal(contrast(BLUE, BLUE), 1);
  const letters = legible(ORANGE, WHITE, [33, 29, 25]);
  assert.ok(contrast(ORANGE, WHITE) < 4.5 && contrast(letters, WHITE) >= 4.5);
  assert.ok(contrast(letters, WHITE) < 5.5, 'it is still orange');
  assert.deepEqual(legible([0, 0, 120], WHITE, [0, 0, 0]), [0, 0, 120]);
});

test('what is written can be read, in the light and in the dark', () => {
  const sheet = readFileSync(new URL('../../www/playground.css', import.meta.url), 'utf8');
  const themes = [...sheet.matchAll(/\{\s*(--bg:[^}]*)\}/g)].map(([, body]) => new Map([...body.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})\b/g)].map(([, name, hex]) => [name, /** @type {[number, number, number]} */ ([1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)))])));
  assert.ok(themes.length >= 3);
  const pairs = [['ink', 'bg'], ['ink', 'panel'], ['soft', 'bg'], ['soft', 'panel'], ['accent-ink', 'accent-soft'], ['ink', 'accent-soft'], ['on-accent', 'accent-fill'], ['bad', 'panel'], ['good', 'panel']];
  for (const theme of themes) {
    for (const [text, ground] of pairs) {
      const apart = contrast(theme.get(text) ?? [0, 0, 0], theme.get(ground) ?? [0, 0, 0]);
      assert.ok(apart >= 4.5, `${text} on ${ground}: ${apart.toFixed(2)}`);
    }
    // A picture needs less.
    for (const mark of ['real', 'gen', 'accent']) assert.ok(contrast(theme.get(mark) ?? [0, 0, 0], theme.get('panel') ?? [0, 0, 0]) >= 3, mark);
  }
});

test('colours convert as CSS defines them', () => {
  assert.deepEqual(hsl(0, 1, 0.5).map(Math.round), [255, 0, 0]);
  assert.deepEqual(hsl(120, 1, 0.25).map(Math.round), [0, 128, 0]);
  assert.deepEqual(hsl(210, 0.5, 0.5).map(Math.round), [64, 128, 191]);
  assert.equal(cssColour([1.4, 2.6, 3], 0.5), 'rgb(1 3 3 / 0.5)');
  assert.ok(Math.abs(luminance([119, 119, 119]) - 0.1845) < 1e-3);
});
