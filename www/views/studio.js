/** @import {Context, Request, Section} from './types.js' @import {Figure} from './figure.js' @import {Tab} from './tabs.js' */
import { LatentPlace } from './latent-place.js';
import { Layers } from './layers.js';
import { Marks } from './marks.js';
import { Palette } from './palette.js';
import { Store } from './store.js';

/**
 * A picture with its words.
 * @typedef {{canvas: HTMLCanvasElement, name: string, caption: string}} Picture
 */

/** The side of a picture that is not shown now, in CSS pixels. */
const SIDE = 420;

/** What figures need, every view once. @param {readonly Figure[]} figures @returns {Request[]} */
export function requestsOf(figures) {
  /** @type {Map<string, Request>} */
  const out = new Map();
  for (const request of figures.flatMap((figure) => figure.requests())) {
    const other = out.get(request.id);
    // Two pictures of one view share the larger request.
    for (const size of ['n', 'grid']) {
      if (other && Number(other[size]) > Number(request[size])) request[size] = other[size];
    }
    out.set(request.id, request);
  }
  return [...out.values()];
}

/**
 * The main picture of a tab once more, off the page: with values, layers, place and colours of its own, so that what a
 * visitor does meanwhile does not show in a recording.
 */
export class Studio {
  #store = new Store();
  /** @type {Marks} */ #marks;
  /** @type {Figure} */ #figure;
  /** @type {{width: number, height: number}} */ #size;
  palette;

  /**
   * @param {HTMLElement} root whose colours count
   * @param {Context} context
   * @param {Tab} tab
   * @param {readonly {width: number, height: number}[]} sizes of the pictures that are shown
   */
  constructor(root, context, tab, sizes) {
    const place = new LatentPlace();
    Object.assign(place, { u: context.place.u, v: context.place.v, flat: context.place.flat });
    const layers = new Layers();
    layers.setModel(context.can, context.dataset.domain, context.info.dear);
    layers.on = context.layers.on;
    this.palette = new Palette(root);
    this.#marks = new Marks(this.palette);
    const [main, ...others] = tab.build({ ...context, store: this.#store, palette: this.palette, marks: this.#marks, place, layers });
    for (const figure of others) figure.destroy();
    this.#figure = main;
    const { width, height } = sizes[0] ?? {};
    this.#size = width && height ? { width, height } : { width: SIDE, height: SIDE };
  }

  /** The views that it needs. @returns {Request[]} */
  requests() {
    return requestsOf([this.#figure]);
  }

  /**
   * The picture of these values.
   * @param {Map<string, Section>} sections
   * @param {number} width in pixels
   * @returns {Picture}
   */
  shoot(sections, width) {
    for (const [id, section] of sections) this.#store.put(id, section);
    return { ...this.#figure.words(), canvas: this.#figure.surface.at(width / this.#size.width, this.#size) };
  }

  destroy() {
    this.#figure.destroy();
    this.#marks.clear();
  }
}
