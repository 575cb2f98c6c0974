/** @import {Context} from './types.js' @import {Figure} from './figure.js' */
import { ImagesFigure, ReconstructionsFigure } from './images-figure.js';
import { DecodedFigure, LatentMapFigure } from './latent-map-figure.js';
import { LatentFigure } from './latent-figure.js';
import { ManifoldFigure } from './manifold-figure.js';
import { PointsFigure } from './points-figure.js';

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
    build: (c) => [new PointsFigure(c), ...(c.can.has('latent') ? [new ManifoldFigure(c), new LatentFigure(c)] : [])],
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
    id: 'data', domain: 'points',
    build: (c) => [new PointsFigure(c, { id: 'real', fixed: ['real'], marker: false }), new PointsFigure(c, { fixed: ['samples'], marker: false }),
      new PointsFigure(c, { id: 'sampleDensity', fixed: ['sampleDensity'], marker: false })],
  },
  {
    id: 'samples', domain: 'images',
    build: (c) => [new ImagesFigure(c, 'samples'), new ImagesFigure(c, 'real'), ...(c.can.has('latent') ? [new LatentMapFigure(c)] : [])],
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
    id: 'data', domain: 'images',
    build: (c) => [new ImagesFigure(c, 'real'), new ImagesFigure(c, 'samples')],
  },
];

/**
 * The tabs of a model on a domain.
 * @param {string} domain
 * @param {Set<string>} can
 */
export function tabsFor(domain, can) {
  return TABS.filter((tab) => tab.domain === domain && (!tab.needs || can.has(tab.needs)));
}
