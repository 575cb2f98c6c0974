/** @import {Layers, Layer} from './layers.js' @import {Translate} from './types.js' */
import { el, setText } from './dom.js';

/** The legend of the main picture: each word switches its layer. */
export class Legend {
  element = el('div', { class: 'legend', role: 'group' });
  /** @type {Layers} */ #layers;
  /** @type {{layer: Layer, button: HTMLButtonElement, text: HTMLSpanElement}[]} */ #items;
  /** @type {() => void} */ #stop;

  /** @param {Layers} layers */
  constructor(layers) {
    this.#layers = layers;
    // Points first: they are what the picture is about.
    const ordered = [...layers.available].sort((a, b) => Number(a.field ?? false) - Number(b.field ?? false));
    this.#items = ordered.map((layer) => {
      const text = el('span');
      const button = el('button', { type: 'button', 'data-layer': layer.id }, [el('span', { class: `swatch ${layer.swatch}`, 'aria-hidden': 'true' }), text]);
      button.addEventListener('click', () => layers.toggle(layer.id));
      return { layer, button, text };
    });
    this.element.append(...this.#items.map((item) => item.button));
    this.#stop = layers.listen(() => this.#update());
    this.#update();
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.element.setAttribute('aria-label', t('stage.layers'));
    for (const { layer, text } of this.#items) setText(text, t(`layers.${layer.id}`));
  }

  destroy() {
    this.#stop();
    this.element.remove();
  }

  #update() {
    for (const { layer, button } of this.#items) button.setAttribute('aria-pressed', String(this.#layers.has(layer.id)));
  }
}
