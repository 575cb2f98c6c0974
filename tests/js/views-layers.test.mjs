import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatentPlace } from '../../www/views/latent-place.js';
import { Layers } from '../../www/views/layers.js';
import { unitScale } from '../../www/views/points-figure.js';
import { Store } from '../../www/views/store.js';
import { tabsFor } from '../../www/views/tabs.js';
import { wordsOf } from '../../www/views/text-figure.js';

const layersOf = (/** @type {string[]} */ capabilities, domain = 'points', /** @type {string[]} */ dear = []) => {
  const layers = new Layers();
  layers.setModel(new Set(capabilities), domain, dear);
  return layers;
};

test('tabs follow capabilities', () => {
  const ids = (/** @type {string} */ domain, /** @type {string[]} */ can) => tabsFor(domain, new Set(can)).map((tab) => tab.id);
  assert.deepEqual(ids('points', ['latent', 'discriminator']), ['samples', 'latent', 'data']);
  assert.deepEqual(ids('images', ['latent', 'density', 'reconstruct']), ['samples', 'latent', 'reconstructions', 'data']);
  assert.deepEqual(ids('points', []), ['samples', 'data']);
  assert.deepEqual(ids('points', ['paths', 'classes', 'energy']), ['samples', 'paths', 'classes', 'data']);
  assert.deepEqual(ids('images', ['filters', 'conditionals', 'paths']), ['samples', 'paths', 'filters', 'conditionals', 'data']);
  assert.deepEqual(ids('sequences', ['density']), ['samples', 'data']);
});

test('layers follow capabilities, with both kinds of points and the best ground on', () => {
  assert.deepEqual(layersOf([]).on, ['sampleDensity', 'real', 'samples']);
  assert.deepEqual(layersOf(['density', 'reconstruct']).on, ['density', 'real', 'samples']);
  assert.deepEqual(layersOf(['discriminator']).on, ['discriminator', 'real', 'samples']);
  assert.deepEqual(layersOf(['density', 'paths'], 'points', ['density']).on, ['sampleDensity', 'real', 'samples'], 'what takes long is there to be asked for');
  assert.deepEqual(layersOf(['density', 'paths', 'latent']).on, ['density', 'real', 'samples']);
  assert.deepEqual(layersOf(['density', 'energy', 'components']).on, ['density', 'real', 'samples', 'components']);
  assert.deepEqual(layersOf(['density'], 'images').available, []);
});

test('one ground shows at a time; a change is told as the visitor’s or not', () => {
  const layers = layersOf(['density']);
  const told = [];
  layers.listen((byVisitor) => told.push(byVisitor));
  assert.equal(layers.changed, false);
  layers.toggle('sampleDensity');
  assert.deepEqual(layers.on, ['sampleDensity', 'real', 'samples']);
  assert.equal(layers.changed, true);
  layers.on = ['nonsense', 'density', 'sampleDensity'];
  assert.deepEqual(layers.on, ['density']);
  layers.toggle('nonsense');
  assert.deepEqual(told, [true, false]);
});

test('the layers of one model are not forgotten for another with the same ones', () => {
  const layers = layersOf(['density']);
  layers.toggle('real');
  layers.setModel(new Set(['density']), 'points', []);
  assert.equal(layers.has('real'), false);
  layers.setModel(new Set(['discriminator']), 'points', []);
  assert.equal(layers.has('real'), true);
});

test('the store copies, because a frame’s buffer goes back', () => {
  const store = new Store();
  const buffer = Float32Array.from([1, 2]);
  store.put('samples', { data: buffer, shape: [1, 2] });
  const first = store.version('samples');
  const kept = store.get('samples')?.data;
  buffer[0] = 9;
  assert.deepEqual([...(store.get('samples')?.data ?? [])], [1, 2]);
  store.put('samples', { data: buffer, shape: [1, 2] });
  assert.equal(store.get('samples')?.data, kept, 'memory is used again');
  const second = store.version('samples');
  assert.ok(second > first);
  store.put('samples', { data: Float32Array.from([9, 2]), shape: [1, 2] });
  assert.equal(store.version('samples'), second, 'the same values are no news');
  store.put('samples', { data: Float32Array.from([9, 2]), shape: [2, 1] });
  assert.ok(store.version('samples') > second, 'another shape is');
  assert.equal(store.version('real'), 0);
});

test('the chosen place stays on the plane, and on its line where there is one latent', () => {
  const place = new LatentPlace();
  let moves = 0;
  const stop = place.listen(() => moves++);
  place.move(2, -1);
  assert.deepEqual([place.u, place.v], [1, 0]);
  place.move(1, 0);
  assert.equal(moves, 1, 'no news is not told');
  place.move(NaN, NaN);
  assert.deepEqual([place.u, place.v], [0.5, 0.5]);
  place.flat = true;
  place.move(0.2, 0.9);
  assert.deepEqual([place.u, place.v], [0.2, 0.5]);
  stop();
  place.move(0.3, 0.5);
  assert.equal(moves, 3);
});

test('grounds map to 0…1: signs around the middle, densities relative to their own height', () => {
  const sign = unitScale('discriminator', { data: new Float32Array(4), shape: [2, 2] });
  assert.deepEqual([-1, 0, 1].map(sign), [0, 0.5, 1]);
  const logs = Float32Array.from({ length: 100 }, (_, i) => (i === 0 ? 50 : i / 50 - 900));
  const density = unitScale('density', { data: logs, shape: [10, 10] });
  assert.ok(density(-898) > 0.9, 'one bright cell does not darken the rest, and e^−898 does not underflow');
  assert.equal(density(-Infinity), 0);
  const counts = unitScale('sampleDensity', { data: Float32Array.from([0, 0, 2, 4]), shape: [2, 2] });
  assert.deepEqual([counts(0), counts(4)], [0, 1]);
});

test('low energy is likely', () => {
  const scale = unitScale('energy', { data: Float32Array.from({ length: 100 }, (_, i) => i), shape: [10, 10] });
  assert.ok(scale(0) >= 1 && scale(100) <= 0 && scale(45) > 0.4 && scale(45) < 0.6);
});

test('tokens become words, which end at 0', () => {
  assert.deepEqual(wordsOf([1, 2, 0, 2, 0, 0, 0, 3, 3, 2, 1, 9], 4, 'a字c'), ['a字', '', 'c字a?']);
});
