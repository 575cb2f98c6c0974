/** @file The views in a frame's buffer. */

/** @import {Section, SectionMeta} from "../protocol.js" */

/**
 * Views over the buffer, valid until it goes back to the engine.
 * @param {SectionMeta[]} sections
 * @param {ArrayBuffer} buffer
 * @returns {Map<string, Section>}
 */
export function arrived(sections, buffer) {
  return new Map(sections.map(({ id, offset, length, ...meta }) => [id, { ...meta, data: new Float32Array(buffer, 4 * offset, length) }]));
}
