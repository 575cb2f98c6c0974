/** @file What is known of a session that has no data yet. */

/** @import {Config, Info} from "../protocol.js" */

/** The square that a drawing can fill, before there are data whose extent could be asked for. */
const SHEET = /** @type {[number, number, number, number]} */ ([-3.3, 3.3, -3.3, 3.3]);

/**
 * What a session would say of itself if there were data to learn.
 * @param {import("../protocol.js").ModelEntry} model
 * @param {import("../protocol.js").DatasetEntry} dataset
 * @param {Config} config
 * @returns {Info}
 */
export function emptyInfo(model, dataset, config) {
  return {
    step: 0,
    config,
    // What can be drawn are points in the plane.
    shape: { domain: dataset.domain, channels: 1, height: 1, width: 2, vocabulary: 0 },
    extent: SHEET,
    parameters: 0,
    capabilities: model.capabilities,
    dear: [],
    latentDim: null,
    losses: model.losses.map((loss) => ({ ...loss, last: null })),
    references: [],
    classes: 0,
    alphabet: "",
    trainRows: 0,
  };
}
