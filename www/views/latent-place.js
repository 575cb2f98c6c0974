/**
 * The chosen place of the latent plane, in unit coordinates: shared by every figure that shows it.
 */
export class LatentPlace {
  u = 0.62;
  v = 0.66;
  /** Whether only `u` means something (one latent). */
  flat = false;
  /** @type {Set<() => void>} */ #listeners = new Set();

  /**
   * @param {number} u
   * @param {number} v
   */
  move(u, v) {
    const clamp = (/** @type {number} */ x) => Math.min(1, Math.max(0, Number.isFinite(x) ? x : 0.5));
    const [nextU, nextV] = [clamp(u), this.flat ? 0.5 : clamp(v)];
    if (nextU === this.u && nextV === this.v) return;
    this.u = nextU;
    this.v = nextV;
    for (const listener of this.#listeners) listener();
  }

  /**
   * @param {() => void} listener
   * @returns {() => void} stops listening
   */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
