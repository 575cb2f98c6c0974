/** @import {Context, DatasetEntry, Extent, Info, ModelEntry, Request, Section, Translate} from './types.js' @import {Figure} from './figure.js' */
import { DrawEditor } from './draw-editor.js';
import { el, icon, setText } from './dom.js';
import { LatentPlace } from './latent-place.js';
import { Layers } from './layers.js';
import { Marks } from './marks.js';
import { Palette } from './palette.js';
import { PointsFigure } from './points-figure.js';
import { Store } from './store.js';
import { requestsOf, Studio } from './studio.js';
import { TabList } from './tab-list.js';
import { tabsFor } from './tabs.js';

/** How often the text equivalents follow the pictures, in milliseconds. */
const WORDS_EVERY = 1000;
const ENLARGE = 'M12 3h5v5M17 3l-6 6M8 17H3v-5M3 17l6-6';
const SHRINK = 'M11.5 3.5v5h5M17 3l-5.5 5.5M8.5 16.5v-5h-5M3 17l5.5-5.5';
const PENCIL = 'M3.5 16.5l.9-3.6L13.6 3.7a1.6 1.6 0 0 1 2.3 0l.4.4a1.6 1.6 0 0 1 0 2.3l-9.2 9.2zM12 5.3L14.7 8';

let stages = 0;

/** Everything in the middle of the page: tabs, pictures, legends, captions, the drawing sheet. */
export class Stage {
  element;
  drawEditor;
  /** @type {Translate} */ #t;
  /** @type {Palette} */ #palette;
  /** @type {Marks} */ #marks;
  #store = new Store();
  #place = new LatentPlace();
  #layers = new Layers();
  /** @type {TabList} */ #tabs;
  /** @type {Context | null} */ #context = null;
  /** @type {Figure[]} */ #figures = [];
  /** Wanted by the visitor or a link; what is shown is the first tab where a model lacks it. */
  #view = 'samples';
  #key = '';
  #panel;
  #main = el('div', { class: 'main' });
  #side = el('div', { class: 'side' });
  #drawButton = el('button', { type: 'button', class: 'pill', 'aria-pressed': 'false', hidden: true });
  #drawText = el('span');
  #enlargeButton = el('button', { type: 'button', class: 'pill icon-only' });
  #dialog = el('dialog', { class: 'enlarged' });
  #wordsAt = 0;
  #words = 0;
  #drawable = true;

  /**
   * @param {HTMLElement} root
   * @param {{t: Translate, onLatentMove?: (u: number, v: number) => void, onLayerChange?: (layers: string[]) => void,
   *   onViewChange?: (view: string) => void, onDraw?: (text: string) => void, foot?: HTMLElement}} options
   *   `foot` stands below the main picture.
   */
  constructor(root, { t, onLatentMove, onLayerChange, onViewChange, onDraw, foot }) {
    this.#t = t;
    const id = `stage-${++stages}`;
    this.#tabs = new TabList(id, (view) => {
      this.view = view;
      onViewChange?.(view);
    });
    this.#panel = el('div', { class: 'views', role: 'tabpanel', id }, [this.#main, this.#side, ...(foot ? [foot] : [])]);
    this.#drawButton.append(icon(PENCIL), this.#drawText);
    const bar = el('div', { class: 'stage-bar' }, [this.#tabs.element, el('span', { class: 'spacer' }), this.#drawButton, this.#enlargeButton]);
    this.element = el('div', { class: 'stage-views' }, [bar, this.#panel, this.#dialog]);
    root.append(this.element);
    this.#palette = new Palette(this.element);
    this.#marks = new Marks(this.#palette);
    this.drawEditor = new DrawEditor(this.element, { t, onCommit: (text) => onDraw?.(text) });
    this.drawEditor.attach(null);
    this.#place.listen(() => onLatentMove?.(this.#place.u, this.#place.v));
    this.#layers.listen((byVisitor) => byVisitor && onLayerChange?.(this.layers));
    this.#drawButton.addEventListener('click', () => this.editing = !this.editing);
    this.#enlargeButton.addEventListener('click', () => (this.#dialog.open ? this.#dialog.close() : this.#enlarge()));
    this.#dialog.addEventListener('close', () => this.#restore());
    this.#dialog.addEventListener('click', (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
    this.setTexts(t);
  }

  /**
   * Shows another session. Pictures stay when the model and the kind of data do, so that nothing flashes.
   * @param {{model: ModelEntry, dataset: DatasetEntry, info: Info}} what
   */
  setModel({ model, dataset, info }) {
    const key = [model.id, dataset.id, info.shape.channels, info.shape.height, info.shape.width, info.classes, info.capabilities].join();
    this.#place.flat = info.latentDim === 1;
    if (this.#place.flat) this.#place.move(this.#place.u, 0.5);
    const extent = /** @type {Extent} */ ([...info.extent]);
    const can = new Set(info.capabilities);
    if (key === this.#key && this.#context) {
      Object.assign(this.#context, { model, dataset, info, extent });
      for (const figure of this.#figures) figure.invalidate();
    } else {
      this.#key = key;
      this.#store.clear();
      this.#layers.setModel(can, dataset.domain, info.dear);
      this.#context = { t: this.#t, palette: this.#palette, marks: this.#marks, store: this.#store, place: this.#place, layers: this.#layers, model, dataset, info, extent, can };
      this.#tabs.setTabs(tabsFor(dataset.domain, can).map((tab) => tab.id));
      this.#tabs.setTexts(this.#t);
      this.#build();
    }
    const spec = dataset.drawable ? dataset.params?.find((param) => param.kind === 'text') : undefined;
    this.#drawButton.hidden = !spec || !this.#drawable;
    if (spec) this.drawEditor.load(String(info.config[spec.key] ?? ''));
    this.drawEditor.setExtent(extent);
    if (!spec) this.editing = false;
  }

  /** What is visible now, every view once. @returns {Request[]} */
  requests() {
    return requestsOf(this.#figures);
  }

  /**
   * @param {Map<string, Section>} sections the views that were computed anew
   * @param {{step: number}} _where
   */
  frame(sections, _where) {
    for (const [id, section] of sections) this.#store.put(id, section);
    for (const figure of this.#figures) figure.update();
    this.#scheduleWords();
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    if (this.#context) this.#context.t = t;
    this.#tabs.setTexts(t);
    this.drawEditor.setTexts(t);
    setText(this.#drawText, t('stage.draw'));
    this.#labelEnlarge();
    for (const figure of this.#figures) figure.setTexts();
  }

  /** Reads the colours again. */
  setTheme() {
    this.#palette.refresh();
    this.drawEditor.setTheme();
    for (const figure of this.#figures) figure.update();
  }

  /** The tab that is shown. */
  get view() {
    return this.#tab()?.id ?? this.#view;
  }

  /** A model without this tab shows its first. */
  set view(id) {
    if (id === this.#view && this.#figures.length) return;
    this.#view = id;
    this.#build();
  }

  /** The layers that are on, from the ground up. @returns {string[]} */
  get layers() {
    return this.#layers.on;
  }

  /** @param {readonly string[]} ids */
  set layers(ids) {
    this.#layers.on = ids;
  }

  /** Whether the layers differ from what the model shows by itself. */
  get layersChanged() {
    return this.#layers.changed;
  }

  /** Whether the drawing sheet lies over the main picture. */
  get editing() {
    return this.drawEditor.enabled;
  }

  set editing(wanted) {
    const on = wanted && this.#drawable;
    this.drawEditor.enable(on);
    this.#drawButton.setAttribute('aria-pressed', String(on));
    this.#lay();
  }

  /** All that is shown, in words. */
  describe() {
    return this.#figures.map((figure) => `${figure.words().name}: ${figure.describe()}`).join('\n');
  }

  /** Whether a data set that can be drawn may be. @param {boolean} may */
  set drawable(may) {
    this.#drawable = may;
    const dataset = this.#context?.dataset;
    this.#drawButton.hidden = !may || !dataset?.params?.some((param) => dataset.drawable && param.kind === 'text');
    if (!may) this.editing = false;
  }

  /**
   * The pictures as they are shown, at another resolution; the main one first.
   * @param {number} ratio device pixels per CSS pixel
   * @returns {import('./studio.js').Picture[]}
   */
  pictures(ratio) {
    const shown = this.#figures.filter(({ surface }) => surface.width > 0);
    return shown.map((figure) => ({ ...figure.words(), canvas: figure.surface.at(ratio) }));
  }

  /** The tab once more, for a recording; null before there is a model. @returns {Studio | null} */
  studio() {
    const [context, tab] = [this.#context, this.#tab()];
    return context && tab ? new Studio(this.element, context, tab, this.#figures.map(({ surface }) => surface)) : null;
  }

  /** The colours that are shown. */
  get palette() {
    return this.#palette;
  }

  destroy() {
    clearTimeout(this.#words);
    for (const figure of this.#figures) figure.destroy();
    this.#figures = [];
    this.drawEditor.destroy();
    this.#marks.clear();
    this.#store.clear();
    this.element.remove();
  }

  #tab() {
    const context = this.#context;
    if (!context) return undefined;
    const tabs = tabsFor(context.dataset.domain, context.can);
    return tabs.find((tab) => tab.id === this.#view) ?? tabs[0];
  }

  /** Builds the pictures of the tab. */
  #build() {
    const context = this.#context;
    const tab = this.#tab();
    if (!context || !tab) return;
    this.drawEditor.attach(null);
    for (const figure of this.#figures) figure.destroy();
    this.#figures = tab.build(context);
    const [main, ...side] = this.#figures;
    if (this.#dialog.open) this.#dialog.prepend(main.element);
    else this.#main.replaceChildren(main.element);
    this.#side.replaceChildren(...side.map((figure) => figure.element));
    this.#panel.dataset.side = String(side.length);
    this.#panel.setAttribute('aria-labelledby', `${this.#panel.id}-${tab.id}`);
    this.#tabs.select(tab.id);
    this.#lay();
    for (const figure of this.#figures) figure.surface.invalidate();
    this.#scheduleWords();
  }

  /** Puts the drawing sheet over the main picture, where that shows the data's square. */
  #lay() {
    const main = this.#figures[0];
    if (!(main instanceof PointsFigure)) {
      this.drawEditor.attach(null);
      return;
    }
    this.drawEditor.attach(main.frame);
    main.hideReal = this.editing;
    main.invalidate();
  }

  /** Shows the main picture as large as the window allows. A modal dialog works in sandboxed frames too. */
  #enlarge() {
    // Its place is kept open: nothing else moves.
    this.#main.style.minHeight = `${this.#main.offsetHeight}px`;
    this.#dialog.append(this.#figures[0].element, this.#enlargeButton);
    this.#dialog.showModal();
    // Not the first control in it, which is a layer of the picture.
    this.#enlargeButton.focus();
    this.#labelEnlarge();
  }

  #restore() {
    this.#main.style.minHeight = '';
    this.#main.replaceChildren(this.#figures[0].element);
    this.element.querySelector('.stage-bar')?.append(this.#enlargeButton);
    this.#labelEnlarge();
    this.#enlargeButton.focus();
  }

  #labelEnlarge() {
    const text = this.#t(this.#dialog.open ? 'stage.shrink' : 'stage.enlarge');
    this.#enlargeButton.setAttribute('aria-label', text);
    this.#enlargeButton.title = text;
    this.#enlargeButton.replaceChildren(icon(this.#dialog.open ? SHRINK : ENLARGE));
  }

  #scheduleWords() {
    if (this.#words) return;
    this.#words = window.setTimeout(() => {
      this.#words = 0;
      this.#wordsAt = performance.now();
      for (const figure of this.#figures) figure.updateLabel();
    }, Math.max(0, this.#wordsAt + WORDS_EVERY - performance.now()));
  }
}
