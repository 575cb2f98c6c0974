/**
 * A layer of the main picture of points: its id is the id of the view it draws.
 * @typedef {object} Layer
 * @property {string} id
 * @property {string} [needs] the capability it depends on
 * @property {boolean} [field] whether it fills the ground; one such layer shows at a time
 * @property {boolean} [usual] whether it is on unless the visitor turns it off
 * @property {'circle' | 'triangle' | 'lines' | 'ellipse' | 'density' | 'sign'} swatch
 * @property {Record<string, number>} options of its request
 */

/** From the ground up. @type {readonly Layer[]} */
export const LAYERS = [
  { id: 'sampleDensity', field: true, swatch: 'density', options: { grid: 64 } },
  { id: 'energy', needs: 'energy', field: true, swatch: 'density', options: { grid: 64 } },
  { id: 'density', needs: 'density', field: true, swatch: 'density', options: { grid: 48 } },
  { id: 'discriminator', needs: 'discriminator', field: true, swatch: 'sign', options: { grid: 64 } },
  { id: 'real', usual: true, swatch: 'circle', options: { n: 1000 } },
  { id: 'samples', usual: true, swatch: 'triangle', options: { n: 1000 } },
  { id: 'components', needs: 'components', usual: true, swatch: 'ellipse', options: {} },
  { id: 'reconstruct', needs: 'reconstruct', swatch: 'lines', options: { n: 200 } },
];

/**
 * Which layers a model offers, and which of them are on.
 */
export class Layers {
  /** @type {readonly Layer[]} */ available = [];
  /** @type {readonly string[]} */ #dear = [];
  /** @type {Set<string>} */ #on = new Set();
  /** @type {Set<(byVisitor: boolean) => void>} */ #listeners = new Set();

  /**
   * @param {Set<string>} can what the model can show
   * @param {string} domain
   * @param {readonly string[]} dear fields that take long: they are there to be asked for
   */
  setModel(can, domain, dear) {
    const next = domain === 'points' ? LAYERS.filter((l) => !l.needs || can.has(l.needs)) : [];
    const same = next.length === this.available.length && next.every((layer, i) => layer === this.available[i]) && dear.join() === this.#dear.join();
    this.#dear = dear;
    if (same) return;
    this.available = next;
    this.#on = new Set(this.defaults());
  }

  /** Both kinds of points, the parts of a mixture, and the most telling ground: the model's own word over an estimate from samples. */
  defaults() {
    const ground = this.available.filter((layer) => layer.field && !this.#dear.includes(layer.id)).at(-1);
    return [...(ground ? [ground.id] : []), ...this.available.filter((l) => l.usual).map((l) => l.id)];
  }

  /** @param {string} id */
  has(id) {
    return this.#on.has(id);
  }

  /** The ids that are on, from the ground up. @returns {string[]} */
  get on() {
    return this.available.filter((layer) => this.#on.has(layer.id)).map((layer) => layer.id);
  }

  /** Unknown ids are left out; of several grounds the last one wins. @param {readonly string[]} ids */
  set on(ids) {
    const known = this.available.filter((layer) => ids.includes(layer.id));
    const ground = known.filter((layer) => layer.field).at(-1);
    this.#on = new Set(known.filter((layer) => !layer.field || layer === ground).map((layer) => layer.id));
    this.#tell(false);
  }

  /** Whether the visitor changed anything. */
  get changed() {
    return this.on.join() !== this.available.filter((l) => this.defaults().includes(l.id)).map((l) => l.id).join();
  }

  /** @param {string} id */
  toggle(id) {
    const layer = this.available.find((l) => l.id === id);
    if (!layer) return;
    const turnOn = !this.#on.has(id);
    if (turnOn && layer.field) for (const other of this.available) if (other.field) this.#on.delete(other.id);
    if (turnOn) this.#on.add(id);
    else this.#on.delete(id);
    this.#tell(true);
  }

  /**
   * @param {(byVisitor: boolean) => void} listener
   * @returns {() => void} stops listening
   */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {boolean} byVisitor */
  #tell(byVisitor) {
    for (const listener of this.#listeners) listener(byVisitor);
  }
}
