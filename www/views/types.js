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
 * @typedef {{domain?: string, channels: number, height: number, width: number}} Shape
 *
 * @typedef {{key: string, kind: string}} ParamSpec
 *
 * @typedef {object} DatasetEntry
 * @property {string} id
 * @property {string} domain
 * @property {boolean} [drawable]
 * @property {Shape} shape
 * @property {ParamSpec[]} [params]
 *
 * @typedef {object} ModelEntry
 * @property {string} id
 * @property {string[]} capabilities
 * @property {{id: string, unit: string}[]} [losses]
 * @property {string[]} [phases]
 *
 * @typedef {object} Info
 * @property {number} step
 * @property {Record<string, unknown>} config
 * @property {Shape} shape
 * @property {Extent | number[]} extent
 * @property {number} [latentDim]
 * @property {{id: string, unit: string, last: number | null}[]} losses
 * @property {{id: string, value: number, loss: string}[]} references
 * @property {number} classes
 *
 * @typedef {object} Context
 * What every figure draws from.
 * @property {Translate} t
 * @property {import('./palette.js').Palette} palette
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
