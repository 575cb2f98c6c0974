/** @import {Context, Request, Section} from './types.js' */
import { el, setText } from './dom.js';
import { Surface } from './surface.js';
import { formatNumber } from './format.js';

/**
 * One picture: a canvas in a frame, a caption, and the same in words. Subclasses say what they need (`requests`),
 * draw it (`paint`) and describe it (`describe`).
 */
export class Figure {
  element;
  frame;
  caption;
  surface;
  /** @type {Context} */ context;
  /** @type {string} */ id;
  /** @type {HTMLOutputElement} */ #readout;
  /** @type {{x: number, y: number} | null} where the pointer is, in CSS pixels of the canvas */
  pointer = null;
  #abort = new AbortController();
  /** @type {string} */ #drawn = '';

  /**
   * @param {Context} context
   * @param {string} id of the view whose name and caption this carries
   */
  constructor(context, id) {
    this.context = context;
    this.id = id;
    this.surface = new Surface((g, surface) => {
      this.#drawn = this.#state();
      this.paint(g, surface);
      this.#updateReadout();
    });
    this.surface.canvas.setAttribute('role', 'img');
    this.#readout = el('output', { class: 'readout', 'aria-hidden': 'true', hidden: true });
    this.frame = el('div', { class: 'frame' }, [this.surface.canvas, this.#readout]);
    this.caption = el('figcaption');
    this.element = el('figure', { class: 'view', 'data-view': id }, [this.frame, this.caption]);
    this.#followPointer();
  }

  /** Ends with the figure. */
  get signal() {
    return this.#abort.signal;
  }

  /** Views this figure draws now. @returns {Request[]} */
  requests() {
    return [];
  }

  /**
   * @param {CanvasRenderingContext2D} _g in CSS pixels
   * @param {Surface} _surface
   */
  paint(_g, _surface) {}

  /** What the picture shows, in numbers. @returns {string} */
  describe() {
    return '';
  }

  /** The words under the pointer. @param {number} _x @param {number} _y CSS pixels @returns {string} */
  readoutAt(_x, _y) {
    return '';
  }

  /** What else than values decides the picture (choices, positions). @returns {string} */
  extraState() {
    return '';
  }

  /** @returns {{name: string, caption: string}} */
  words() {
    const { t } = this.context;
    return { name: t(`views.${this.id}.name`), caption: t(`views.${this.id}.caption`) };
  }

  /** Repaints now if anything it draws has changed. */
  update() {
    if (this.#state() === this.#drawn) return;
    this.surface.repaint();
  }

  /** Repaints in the next animation frame. */
  invalidate() {
    this.#drawn = '';
    this.surface.invalidate();
  }

  setTexts() {
    const { name, caption } = this.words();
    const strong = el('b', {}, [name]);
    this.caption.replaceChildren(...(name ? [strong, ' ', caption] : [caption]));
    this.updateLabel();
  }

  updateLabel() {
    const { name } = this.words();
    const label = [name, this.describe()].filter(Boolean).join(': ');
    if (this.surface.canvas.getAttribute('aria-label') !== label) this.surface.canvas.setAttribute('aria-label', label);
  }

  /** @param {string} id @returns {Section | undefined} */
  section(id) {
    return this.context.store.get(id);
  }

  destroy() {
    this.#abort.abort();
    this.surface.destroy();
    this.element.remove();
  }

  /** A key that changes exactly when the picture should. */
  #state() {
    const { store, palette } = this.context;
    return `${this.requests().map((r) => `${r.id}:${store.version(r.id)}`)} ${palette.version} ${this.extraState()}`;
  }

  #followPointer() {
    const { signal } = this;
    const canvas = this.surface.canvas;
    const move = (/** @type {PointerEvent} */ event) => {
      const box = canvas.getBoundingClientRect();
      this.pointer = { x: event.clientX - box.left, y: event.clientY - box.top };
      this.#updateReadout();
    };
    canvas.addEventListener('pointermove', move, { signal });
    canvas.addEventListener('pointerdown', move, { signal });
    canvas.addEventListener('pointerleave', () => {
      this.pointer = null;
      this.#updateReadout();
    }, { signal });
  }

  #updateReadout() {
    const text = this.pointer ? this.readoutAt(this.pointer.x, this.pointer.y) : '';
    this.#readout.hidden = text === '';
    setText(this.#readout, text);
  }
}

/** "x 1.02 · y −0.33" @param {number} x @param {number} y @param {[string, string]} [names] */
export function coordinates(x, y, names = ['x', 'y']) {
  return `${names[0]} ${formatNumber(x)} · ${names[1]} ${formatNumber(y)}`;
}
