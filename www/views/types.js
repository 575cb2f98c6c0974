/**
 * The shapes of what the views are given. Types only: nothing here runs.
 *
 * @typedef {(key: string, vars?: Record<string, string | number>) => string} Translate
 * Looks a text up and fills its `{placeholders}`.
 *
 * @typedef {{data: Float32Array, shape: number[], [meta: string]: unknown}} Section
 * One computed view: row-major values, their shape, and what else the session says about them.
 *
 * @typedef {{id: string, [option: string]: string | number}} Request
 * A view asked for, e.g. `{id: "samples", n: 1000}`.
 *
 * @typedef {[number, number, number, number]} Extent
 * x0, x1, y0, y1 in data coordinates.
 *
 * @typedef {import('../protocol.js').Shape} Shape
 * @typedef {import('../protocol.js').DatasetEntry} DatasetEntry
 * @typedef {import('../protocol.js').ModelEntry} ModelEntry
 * @typedef {import('../protocol.js').Info} Info
 *
 * @typedef {object} Context
 * What every figure draws from.
 * @property {Translate} t
 * @property {import('./palette.js').Palette} palette
 * @property {import('./marks.js').Marks} marks
 * @property {import('./store.js').Store} store
 * @property {import('./latent-place.js').LatentPlace} place
 * @property {import('./layers.js').Layers} layers
 * @property {ModelEntry} model
 * @property {DatasetEntry} dataset
 * @property {Info} info
 * @property {Extent} extent
 * @property {Set<string>} can Capabilities of the model.
 */

export {};
