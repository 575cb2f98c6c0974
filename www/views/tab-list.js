/** @import {Translate} from './types.js' */
import { el, setText } from './dom.js';

/** Tabs with one in the focus order and arrow keys between them (WAI-ARIA's tabs pattern, automatic activation). */
export class TabList {
  element = el('div', { class: 'tabs', role: 'tablist' });
  /** @type {{id: string, button: HTMLButtonElement}[]} */ #tabs = [];
  /** @type {(id: string) => void} */ #onSelect;
  /** @type {string} */ #panelId;

  /**
   * @param {string} panelId
   * @param {(id: string) => void} onSelect
   */
  constructor(panelId, onSelect) {
    this.#panelId = panelId;
    this.#onSelect = onSelect;
    this.element.addEventListener('keydown', (event) => this.#key(event));
  }

  /** @param {readonly string[]} ids */
  setTabs(ids) {
    if (ids.join() === this.#tabs.map((tab) => tab.id).join()) return;
    this.#tabs = ids.map((id) => {
      const button = el('button', { type: 'button', role: 'tab', id: `${this.#panelId}-${id}`, 'aria-controls': this.#panelId, 'data-tab': id });
      button.addEventListener('click', () => this.#onSelect(id));
      return { id, button };
    });
    this.element.replaceChildren(...this.#tabs.map((tab) => tab.button));
  }

  /** @param {string} id */
  select(id) {
    for (const tab of this.#tabs) {
      const on = tab.id === id;
      tab.button.setAttribute('aria-selected', String(on));
      tab.button.tabIndex = on ? 0 : -1;
    }
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.element.setAttribute('aria-label', t('stage.tabs'));
    for (const { id, button } of this.#tabs) {
      setText(button, t(`tabs.${id}`));
      button.dataset.text = t(`tabs.${id}`);
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const now = this.#tabs.findIndex((tab) => tab.button === event.target);
    const last = this.#tabs.length - 1;
    const next = /** @type {Record<string, number>} */ ({
      ArrowLeft: now === 0 ? last : now - 1, ArrowRight: now === last ? 0 : now + 1, Home: 0, End: last,
    })[event.key];
    if (now < 0 || next === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // → is also the page's key for one step
    this.#tabs[next].button.focus();
    this.#onSelect(this.#tabs[next].id);
  }
}
