/** @import {Section} from './types.js' */

/**
 * The latest values of every view. A frame's buffer goes back to the worker as soon as it is drawn, but hovering,
 * resizing and toggling draw again later: so values are copied here, into buffers that are kept.
 */
export class Store {
  /** @type {Map<string, {section: Section, version: number}>} */ #entries = new Map();
  #clock = 0;

  /**
   * @param {string} id
   * @param {Section} section
   */
  put(id, section) {
    const old = this.#entries.get(id);
    const kept = old && old.section.data.length === section.data.length ? old.section.data : null;
    // The data and the noise come again and again unchanged: what shows them need not be painted again.
    if (kept && old && old.section.shape.join() === section.shape.join() && equal(kept, section.data)) {
      old.section = { ...section, data: kept };
      return;
    }
    const data = kept ?? new Float32Array(section.data.length);
    data.set(section.data);
    this.#entries.set(id, { section: { ...section, data }, version: ++this.#clock });
  }

  /**
   * @param {string} id
   * @returns {Section | undefined}
   */
  get(id) {
    return this.#entries.get(id)?.section;
  }

  /** Grows whenever the values of `id` change; 0 when there are none. @param {string} id */
  version(id) {
    return this.#entries.get(id)?.version ?? 0;
  }

  /** @param {string} [id] one view, or all */
  clear(id) {
    if (id === undefined) this.#entries.clear();
    else this.#entries.delete(id);
  }
}

/** Whether two equally long buffers hold the same; NaN is the same as NaN. @param {Float32Array} a @param {Float32Array} b */
function equal(a, b) {
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}
