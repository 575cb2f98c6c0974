/** @import {Translate} from './types.js' */
import { el, icon, setText } from './dom.js';
import { formatCount } from './format.js';
import { LIMIT } from './points-codec.js';

const TOOLS = /** @type {const} */ (['pen', 'spray', 'eraser']);
const ACTIONS = /** @type {const} */ (['undo', 'redo', 'clear']);
/** @typedef {(typeof TOOLS)[number]} Tool */
/** @typedef {(typeof ACTIONS)[number]} Action */

const ICONS = {
  pen: 'M3.5 16.5l.9-3.6L13.6 3.7a1.6 1.6 0 0 1 2.3 0l.4.4a1.6 1.6 0 0 1 0 2.3l-9.2 9.2zM12 5.3L14.7 8',
  spray: 'M8 9h6v7.5H8zM9.5 9V6.5h3V9M5.5 3.5h.01M5.5 6.5h.01M5.5 9.5h.01M2.8 5h.01M2.8 8h.01',
  eraser: 'M7.5 16.5l-4-4a1.4 1.4 0 0 1 0-2l6.6-6.6a1.4 1.4 0 0 1 2 0l4 4a1.4 1.4 0 0 1 0 2l-6.6 6.6zM6.6 7.4l6 6M7.5 16.5h9',
  undo: 'M7 4L3.5 7.5 7 11M4 7.5h7.5a4.3 4.3 0 0 1 0 8.5H8',
  redo: 'M13 4l3.5 3.5L13 11M16 7.5H8.5a4.3 4.3 0 0 0 0 8.5H12',
  clear: 'M4 5.5h12M8 5.5V3.8h4v1.7M5.5 5.5l.7 11h7.6l.7-11',
};

/** The row of tools over the drawing. */
export class DrawTools {
  element = el('div', { class: 'draw-tools', role: 'toolbar' });
  /** @type {Tool} */ tool = 'pen';
  /** Radius in data units. */
  size = 0.3;
  /** @type {Record<Tool | Action, HTMLButtonElement>} */ #buttons;
  #slider = el('input', { type: 'range', min: '0.1', max: '0.9', step: '0.05', value: '0.3' });
  #count = el('span', { class: 'draw-count', role: 'status' });
  /** @type {Translate} */ #t;

  /**
   * @param {Translate} t
   * @param {(action: Action) => void} onAction
   */
  constructor(t, onAction) {
    this.#t = t;
    const button = (/** @type {Tool | Action} */ id) => el('button', { type: 'button', 'data-draw': id }, [icon(ICONS[id])]);
    this.#buttons = { pen: button('pen'), spray: button('spray'), eraser: button('eraser'), undo: button('undo'), redo: button('redo'), clear: button('clear') };
    for (const id of TOOLS) this.#buttons[id].addEventListener('click', () => this.select(id));
    for (const id of ACTIONS) this.#buttons[id].addEventListener('click', () => onAction(id));
    this.#slider.addEventListener('input', () => (this.size = Number(this.#slider.value)));
    // The keys of a focused control are its own: the page listens to arrows and space too.
    this.element.addEventListener('keydown', (event) => event.stopPropagation());
    this.element.append(...TOOLS.map((id) => this.#buttons[id]), this.#slider, ...ACTIONS.map((id) => this.#buttons[id]), this.#count);
    this.select('pen');
    this.setTexts(t);
  }

  /** @param {Tool} tool */
  select(tool) {
    this.tool = tool;
    for (const id of TOOLS) this.#buttons[id].setAttribute('aria-pressed', String(id === tool));
  }

  /** @param {{count: number, canUndo: boolean, canRedo: boolean}} drawing */
  update({ count, canUndo, canRedo }) {
    this.#buttons.undo.disabled = !canUndo;
    this.#buttons.redo.disabled = !canRedo;
    this.#buttons.clear.disabled = count === 0;
    const full = count >= LIMIT;
    this.#count.classList.toggle('full', full);
    setText(this.#count, this.#t(full ? 'draw.full' : 'draw.count', { count: formatCount(count), limit: formatCount(LIMIT) }));
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    this.element.setAttribute('aria-label', t('draw.tools'));
    for (const id of [...TOOLS, ...ACTIONS]) {
      this.#buttons[id].setAttribute('aria-label', t(`draw.${id}`));
      this.#buttons[id].title = t(`draw.${id}`);
    }
    this.#slider.setAttribute('aria-label', t('draw.size'));
    this.#slider.title = t('draw.size');
  }
}
