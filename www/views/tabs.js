/** @import {Context} from './types.js' @import {Figure} from './figure.js' */
import { ClassesFigure } from './classes-figure.js';
import { ConditionalsFigure } from './conditionals-figure.js';
import { FiltersFigure } from './filters-figure.js';
import { ImagesFigure, ReconstructionsFigure } from './images-figure.js';
import { DecodedFigure, LatentMapFigure } from './latent-map-figure.js';
import { LatentFigure } from './latent-figure.js';
import { ManifoldFigure } from './manifold-figure.js';
import { ImagePathsFigure, PathsFigure } from './paths-figure.js';
import { PointsFigure } from './points-figure.js';
import { TextFigure } from './text-figure.js';

/**
 * What a tab shows. The first figure is the main one.
 * @typedef {object} Tab
 * @property {string} id
 * @property {string} domain
 * @property {string} [needs] the capability without which there is no such tab
 * @property {(context: Context) => Figure[]} build
 */

/** Every picture there is, by domain and capability: the only place that decides what is shown where. @type {readonly Tab[]} */
export const TABS = [
  {
    id: 'samples', domain: 'points',
    build: (c) => [new PointsFigure(c), ...beside(c)],
  },
  {
    id: 'latent', domain: 'points', needs: 'latent',
    build: (c) => [new LatentFigure(c), new PointsFigure(c, { fixed: ['real', 'samples'] }), new ManifoldFigure(c)],
  },
  {
    id: 'reconstructions', domain: 'points', needs: 'reconstruct',
    build: (c) => [new PointsFigure(c, { id: 'reconstruct', fixed: ['reconstruct'], marker: false }), ...(c.can.has('latent') ? [new ManifoldFigure(c), new LatentFigure(c)] : [])],
  },
  {
    id: 'paths', domain: 'points', needs: 'paths',
    build: (c) => [new PathsFigure(c), new PointsFigure(c, { fixed: ['real', 'samples'], marker: false })],
  },
  {
    id: 'classes', domain: 'points', needs: 'classes',
    build: (c) => [new ClassesFigure(c), new PointsFigure(c, { fixed: ['real', 'samples'], marker: false })],
  },
  {
    id: 'data', domain: 'points',
    build: (c) => [new PointsFigure(c, { id: 'real', fixed: ['real'], marker: false }), new PointsFigure(c, { fixed: ['samples'], marker: false }),
      new PointsFigure(c, { id: 'sampleDensity', fixed: ['sampleDensity'], marker: false })],
  },
  {
    id: 'samples', domain: 'images',
    build: (c) => [new ImagesFigure(c, 'samples'), new ImagesFigure(c, 'real'), ...telling(c)],
  },
  {
    id: 'latent', domain: 'images', needs: 'latent',
    build: (c) => [new LatentMapFigure(c), new DecodedFigure(c), new LatentFigure(c)],
  },
  {
    id: 'reconstructions', domain: 'images', needs: 'reconstruct',
    build: (c) => [new ReconstructionsFigure(c), ...(c.can.has('latent') ? [new LatentFigure(c), new DecodedFigure(c)] : [])],
  },
  {
    id: 'paths', domain: 'images', needs: 'paths',
    build: (c) => [new ImagePathsFigure(c), new ImagesFigure(c, 'samples')],
  },
  {
    id: 'classes', domain: 'images', needs: 'classes',
    build: (c) => [new ClassesFigure(c), new ImagesFigure(c, 'samples')],
  },
  {
    id: 'filters', domain: 'images', needs: 'filters',
    build: (c) => [new FiltersFigure(c), new ImagesFigure(c, 'samples'), new ImagesFigure(c, 'real')],
  },
  {
    id: 'conditionals', domain: 'images', needs: 'conditionals',
    build: (c) => [new ConditionalsFigure(c), new ImagesFigure(c, 'samples'), ...(c.can.has('filters') ? [new FiltersFigure(c)] : [])],
  },
  {
    id: 'data', domain: 'images',
    build: (c) => [new ImagesFigure(c, 'real'), new ImagesFigure(c, 'samples')],
  },
  {
    id: 'samples', domain: 'sequences',
    build: (c) => [new TextFigure(c, 'samples'), new TextFigure(c, 'real')],
  },
  {
    id: 'data', domain: 'sequences',
    build: (c) => [new TextFigure(c, 'real'), new TextFigure(c, 'samples')],
  },
];

/** What stands beside the samples: where they come from, or else where they gather. @param {Context} c */
function beside(c) {
  if (c.can.has('latent')) return [new ManifoldFigure(c), new LatentFigure(c)];
  const cheap = ['sampleDensity', 'real'].filter((id) => !c.info.dear.includes(id)).map((id) => new PointsFigure(c, { id, fixed: [id], marker: false }));
  return c.can.has('paths') ? [new PathsFigure(c), cheap[0]] : cheap;
}

/** What stands below the real images: what a model knows, where that can be seen and costs little. @param {Context} c */
function telling(c) {
  if (c.can.has('latent')) return [new LatentMapFigure(c)];
  if (c.can.has('filters')) return [new FiltersFigure(c)];
  return c.can.has('conditionals') ? [new ConditionalsFigure(c)] : [];
}

/**
 * The tabs of a model on a domain.
 * @param {string} domain
 * @param {Set<string>} can
 */
export function tabsFor(domain, can) {
  return TABS.filter((tab) => tab.domain === domain && (!tab.needs || can.has(tab.needs)));
}
