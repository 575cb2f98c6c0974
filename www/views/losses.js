/** @import {Info, ModelEntry, Section, Translate} from './types.js' */
import uPlot from 'uplot';
import { el, setText } from './dom.js';
import { formatCount, formatNumber, formatTick } from './format.js';
import { Palette } from './palette.js';
import { chartFont, drawReference, endsAbove } from './reference-line.js';
import { allPositive, robustRange, smooth, withGaps } from './series.js';
import { Store } from './store.js';

const HEIGHT = 168;
/** The least width of a picture to take away. */
const PICTURE = 560;
/** The least height of the chart, as a share of its values. */
const LEAST_SPAN = 0.02;
/** Smoothing remembers this share of the columns shown. */
const SMOOTHING = 1 / 40;
/** How often the words follow the curves, in milliseconds. */
const WORDS_EVERY = 1000;
/** The least time between two drawings, in milliseconds. */
const DRAW_EVERY = 80;
const LOSSES = 'losses';

/**
 * @typedef {object} Curve
 * @property {string} id
 * @property {string} unit
 * @property {boolean} shown
 * @property {boolean} used whether it has any value
 * @property {(number | null)[]} raw
 * @property {(number | null)[]} smooth
 * @property {HTMLButtonElement} button
 * @property {HTMLElement} name
 * @property {HTMLElement} value
 */

/** Loss curves over steps, with reference lines, values and units. */
export class LossChart {
  element;
  /** @type {Translate} */ #t;
  /** @type {Palette} */ #palette;
  /** @type {ModelEntry | null} */ #model = null;
  /** @type {Info['references']} */ #references = [];
  /** @type {Curve[]} */ #curves = [];
  /** @type {number[]} */ #steps = [];
  /** @type {uPlot | null} */ #plot = null;
  #log = false;
  #smooth = true;
  /** @type {number | null} */ #hovered = null;
  #store = new Store();
  #drawnAt = -Infinity;
  #later = 0;
  #wordsAt = 0;
  #words = 0;
  #host = el('div', { class: 'chart-host', tabindex: '0', role: 'img' });
  #legend = el('div', { class: 'chart-legend' });
  #logButton = el('button', { type: 'button', class: 'chip', 'aria-pressed': 'false' });
  #smoothButton = el('button', { type: 'button', class: 'chip', 'aria-pressed': 'true' });
  #unit = el('span', { class: 'chart-unit' });
  /** @type {ResizeObserver} */ #observer;

  /**
   * @param {HTMLElement} root
   * @param {{t: Translate}} options
   */
  constructor(root, { t }) {
    this.#t = t;
    this.element = el('div', { class: 'losses' }, [
      el('div', { class: 'chart-bar' }, [this.#unit, this.#smoothButton, this.#logButton]), this.#host, this.#legend,
    ]);
    root.append(this.element);
    this.#palette = new Palette(this.element);
    this.#host.style.height = `${HEIGHT}px`;
    this.#logButton.addEventListener('click', () => {
      this.#log = !this.#log;
      this.#rebuild();
    });
    this.#smoothButton.addEventListener('click', () => {
      this.#smooth = !this.#smooth;
      this.#rebuild();
    });
    this.#host.addEventListener('keydown', (event) => this.#key(event));
    this.#host.addEventListener('blur', () => this.#hover(null));
    this.#observer = new ResizeObserver(() => {
      const width = this.#host.clientWidth;
      if (!width) return;
      if (this.#plot) this.#plot.setSize({ width, height: HEIGHT });
      else this.#rebuild();
    });
    this.#observer.observe(this.#host);
    this.setTexts(t);
  }

  /** @param {{model: ModelEntry, info: Info}} what */
  setModel({ model, info }) {
    const same = this.#model?.id === model.id && info.losses.map((l) => l.id).join() === this.#curves.map((c) => c.id).join();
    this.#model = model;
    this.#references = info.references;
    if (!same) {
      this.#steps = [];
      this.#store.clear();
      this.#curves = info.losses.map(({ id, unit }, i) => this.#curve(id, unit, i > 1));
      this.#legend.replaceChildren(...this.#curves.map((curve) => curve.button));
    }
    this.setTexts(this.#t);
    this.#rebuild();
  }

  /**
   * Curves change slowly and cost more than points to draw: they follow at their own pace.
   * @param {Section} section [1 + losses, columns]: steps, then one row per loss
   * @param {{step: number}} _where
   */
  frame(section, _where) {
    const before = this.#store.version(LOSSES);
    this.#store.put(LOSSES, section);
    if (this.#later || this.#store.version(LOSSES) === before) return;
    const wait = this.#drawnAt + DRAW_EVERY - performance.now();
    if (wait <= 0) this.#draw();
    else this.#later = window.setTimeout(() => this.#draw(), wait);
  }

  #draw() {
    clearTimeout(this.#later);
    this.#later = 0;
    this.#drawnAt = performance.now();
    const section = this.#store.get(LOSSES);
    if (!section) return;
    const [rows, columns] = section.shape;
    this.#steps.length = columns;
    for (let i = 0; i < columns; i++) this.#steps[i] = section.data[i];
    this.#curves.forEach((curve, k) => {
      withGaps(section.data, (k + 1) * columns, k + 1 < rows ? columns : 0, curve.raw);
      smooth(curve.raw, columns * SMOOTHING, curve.smooth);
      curve.used = curve.raw.some((v) => v !== null);
      // Not every setting has every loss. Its room is kept: nothing moves when training begins.
      curve.button.style.visibility = curve.used || columns === 0 ? '' : 'hidden';
    });
    this.#showUnit();
    this.#logButton.disabled = !allPositive(this.#curves.map((curve) => curve.raw));
    if (this.#log && this.#logButton.disabled) {
      this.#log = false;
      this.#rebuild();
    } else if (this.#plot) {
      this.#plot.setData(this.#data(), true);
    }
    this.#showValues();
    this.#scheduleWords();
  }

  /**
   * The curves as they are shown, at another resolution, and what they are.
   * @param {number} ratio device pixels per CSS pixel
   * @returns {Promise<{canvas: HTMLCanvasElement, curves: {name: string, value: string, colour: string}[]} | null>} null where there is no chart
   */
  async picture(ratio) {
    if (!this.#plot) return null;
    const width = Math.max(this.#host.clientWidth, PICTURE);
    const scale = ratio / uPlot.pxRatio;
    const plot = new uPlot(this.#options(width, scale), this.#data(), el('div'));
    // It draws in a microtask of its own.
    await new Promise((resolve) => setTimeout(resolve));
    const canvas = el('canvas', { width: String(plot.ctx.canvas.width), height: String(plot.ctx.canvas.height) });
    canvas.getContext('2d')?.drawImage(plot.ctx.canvas, 0, 0);
    plot.destroy();
    const shown = this.#curves.flatMap((curve, i) => (curve.shown && curve.used ? [{ name: curve.name.textContent ?? '', value: curve.value.textContent ?? '', colour: this.#colour(i) }] : []));
    return { canvas, curves: shown };
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    setText(this.#logButton, t('chart.log'));
    setText(this.#smoothButton, t('chart.smooth'));
    for (const curve of this.#curves) setText(curve.name, t(`losses.${this.#model?.id}.${curve.id}`));
    this.#plot?.redraw(false);
    this.#showUnit();
    this.#showValues();
    this.#describeNow();
  }

  setTheme() {
    this.#palette.refresh();
    this.#curves.forEach((curve, i) => curve.button.style.setProperty('--curve', this.#colour(i)));
    this.#plot?.redraw(false);
  }

  /** The curves in words. */
  describe() {
    const t = this.#t;
    if (this.#steps.length === 0) return t('chart.empty');
    const values = this.#curves.filter((curve) => curve.used).map((curve) => `${t(`losses.${this.#model?.id}.${curve.id}`)} ${this.#last(curve)}`);
    const references = this.#references.map((r) => `${t(`references.${r.id}`)} ${formatNumber(r.value, 3)}`);
    return t('chart.summary', { step: formatCount(this.#steps[this.#steps.length - 1]), values: [...values, ...references].join('; ') });
  }

  destroy() {
    clearTimeout(this.#words);
    clearTimeout(this.#later);
    this.#observer.disconnect();
    this.#plot?.destroy();
    this.#plot = null;
    this.element.remove();
  }

  /**
   * @param {string} id
   * @param {string} unit
   * @param {boolean} dashed
   * @returns {Curve}
   */
  #curve(id, unit, dashed) {
    const name = el('span', { class: 'curve-name' });
    const value = el('span', { class: 'curve-value' });
    const button = el('button', { type: 'button', 'aria-pressed': 'true', 'data-loss': id }, [el('span', { class: dashed ? 'swatch line dashed' : 'swatch line', 'aria-hidden': 'true' }), name, value]);
    const curve = { id, unit, shown: true, used: false, raw: [], smooth: [], button, name, value };
    button.addEventListener('click', () => {
      curve.shown = !curve.shown;
      button.setAttribute('aria-pressed', String(curve.shown));
      this.#rebuild();
    });
    return curve;
  }

  /** @param {number} i */
  #colour(i) {
    return this.#palette.seriesColour(i, (this.#model?.phases?.length ?? 0) > 1);
  }

  /** @returns {uPlot.AlignedData} */
  #data() {
    const rows = this.#curves.flatMap((curve) => (this.#smooth ? [curve.raw, curve.smooth] : [curve.raw]));
    return /** @type {uPlot.AlignedData} */ ([this.#steps, ...rows]);
  }

  /** Builds the chart anew: uPlot's scales and series are fixed at construction. */
  #rebuild() {
    this.#plot?.destroy();
    this.#plot = null;
    this.#hovered = null;
    this.#logButton.setAttribute('aria-pressed', String(this.#log));
    this.#smoothButton.setAttribute('aria-pressed', String(this.#smooth));
    this.#curves.forEach((curve, i) => curve.button.style.setProperty('--curve', this.#colour(i)));
    const width = this.#host.clientWidth;
    if (!width || this.#curves.length === 0) return;
    this.#plot = new uPlot(this.#options(width), this.#data(), this.#host);
  }

  /**
   * @param {number} width
   * @param {number} [scale] of everything
   * @returns {uPlot.Options}
   */
  #options(width, scale = 1) {
    const palette = this.#palette;
    const axis = { stroke: () => palette.css('soft'), font: chartFont(scale), ticks: { show: false }, grid: { stroke: () => palette.css('line'), width: scale } };
    const series = this.#curves.flatMap((curve, i) => {
      const shared = { show: curve.shown, scale: 'y', stroke: () => this.#colour(i), points: { show: false }, dash: i > 1 ? [6 * scale, 3 * scale] : undefined };
      return this.#smooth ? [{ ...shared, alpha: 0.2, width: scale, dash: undefined }, { ...shared, width: 1.8 * scale }] : [{ ...shared, width: 1.4 * scale }];
    });
    return {
      width: width * scale, height: HEIGHT * scale, padding: [6 * scale, 16 * scale, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, y: false, points: { size: 6 } },
      scales: {
        x: { time: false, range: (_u, low, high) => (Number.isFinite(low) ? [low, Math.max(high, low + 1)] : [0, 100]) },
        y: { distr: this.#log ? 3 : 1, range: () => this.#range() },
      },
      axes: [
        { ...axis, size: 24 * scale, gap: 4 * scale, space: 50 * scale, grid: { show: false }, values: (_u, splits) => splits.map((v) => (v === null ? '' : formatTick(v))) },
        { ...axis, size: (_u, labels) => scale * Math.max(40, 14 + 6.5 * Math.max(0, ...(labels ?? []).map((label) => label.length))), gap: 4 * scale, space: 30 * scale, values: (_u, splits) => splits.map((v) => (v === null ? '' : formatTick(v))) },
      ],
      series: [{}, ...series],
      hooks: {
        draw: [(u) => this.#drawReferences(u, uPlot.pxRatio * scale)],
        setCursor: [(u) => this.#hover(u.cursor.idx ?? null)],
      },
    };
  }

  /** @returns {[number, number]} */
  #range() {
    const shown = this.#curves.filter((curve) => curve.shown);
    const references = this.#references.filter((r) => shown.some((curve) => curve.id === r.loss)).map((r) => r.value);
    const range = robustRange(shown.map((curve) => curve.raw), { references, log: this.#log });
    if (!range) return this.#log ? [0.1, 10] : [0, 1];
    if (this.#log) return range;
    // What has converged is flat: its last digits are not blown up to a slope.
    const [low, high] = range;
    const missing = Math.max(0, LEAST_SPAN * Math.max(Math.abs(low), Math.abs(high)) - (high - low));
    return [low - missing / 2, high + missing / 2];
  }

  /** @param {uPlot} u @param {number} ratio */
  #drawReferences(u, ratio) {
    for (const { id, value, loss } of this.#references) {
      const curve = this.#curves.find((it) => it.shown && it.id === loss);
      if (!curve || (this.#log && !(value > 0))) continue;
      const name = this.#t(`references.${id}`);
      // "log 4 = 1.386", but not "2 = 2.000".
      const text = /\p{L}/u.test(name) ? `${name} = ${formatNumber(value, 3)}` : name;
      drawReference(u, this.#palette, { value, text, crowdedAbove: endsAbove(curve.smooth, value), ratio });
    }
  }

  /** @param {number | null} index */
  #hover(index) {
    if (index === this.#hovered) return;
    this.#hovered = index;
    this.#showValues();
  }

  /** The units of the curves that have values; of all of them before there are any. */
  #units() {
    const used = this.#curves.filter((curve) => curve.used);
    return new Set((used.length ? used : this.#curves).map((curve) => curve.unit));
  }

  /** One unit for all curves stands over the chart; several stand beside their values. */
  #showUnit() {
    const [unit, other] = this.#units();
    setText(this.#unit, unit && other === undefined ? this.#t(`units.${unit}`) : '');
  }

  /** The last value that is not a gap. @param {Curve} curve */
  #last(curve) {
    for (let i = curve.raw.length - 1; i >= 0; i--) {
      const v = curve.raw[i];
      if (v !== null) return formatNumber(v, 3);
    }
    return '–';
  }

  #showValues() {
    const i = this.#hovered;
    const own = this.#units().size > 1;
    for (const curve of this.#curves) {
      const at = i === null ? undefined : (this.#smooth ? curve.smooth : curve.raw)[i];
      const number = at === undefined || at === null ? this.#last(curve) : formatNumber(at, 3);
      setText(curve.value, own && curve.unit ? `${number} ${this.#t(`units.${curve.unit}`)}` : number);
    }
  }

  #scheduleWords() {
    if (this.#words) return;
    this.#words = window.setTimeout(() => this.#describeNow(), Math.max(0, this.#wordsAt + WORDS_EVERY - performance.now()));
  }

  #describeNow() {
    clearTimeout(this.#words);
    this.#words = 0;
    this.#wordsAt = performance.now();
    this.#host.setAttribute('aria-label', this.describe());
  }

  /** ← and → walk along the curves; the legend shows the values there. @param {KeyboardEvent} event */
  #key(event) {
    const u = this.#plot;
    const last = this.#steps.length - 1;
    if (!u || last < 0) return;
    const stride = Math.max(1, Math.round(last / 50));
    const now = this.#hovered ?? last;
    const next = /** @type {Record<string, number>} */ ({ ArrowLeft: now - stride, ArrowRight: now + stride, Home: 0, End: last })[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // → is also the page's key for one step
    const index = Math.min(last, Math.max(0, next));
    u.setCursor({ left: u.valToPos(this.#steps[index], 'x'), top: 0 });
    this.#host.setAttribute('aria-label', this.#curves.map((c) => `${c.name.textContent} ${c.value.textContent}`).join('; '));
  }
}
