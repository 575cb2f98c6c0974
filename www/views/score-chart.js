/** @import {Palette} from './palette.js' */
import uPlot from 'uplot';
import { el, setText } from './dom.js';
import { formatCount, formatTick } from './format.js';
import { chartFont, drawReference } from './reference-line.js';
import { robustRange } from './series.js';

const HEIGHT = 132;

/**
 * @typedef {object} Shown
 * @property {number[]} steps
 * @property {(number | null)[]} values
 * @property {{value: number, text: string}[]} lines Floor and optimum, in words.
 * @property {(value: number) => string} format
 * @property {string} label What the chart shows, for those who do not see it.
 */

/** One score against steps, with lines for its floor and its optimum. */
export class ScoreChart {
  element;
  #host = el('div', { class: 'chart-host', tabindex: '0', role: 'img' });
  #readout = el('div', { class: 'chart-unit' });
  /** @type {Palette} */ #palette;
  /** @type {uPlot | null} */ #plot = null;
  /** @type {Shown | null} */ #shown = null;
  /** @type {number | null} */ #hovered = null;
  /** @type {(step: string, value: string) => string} */ #words;
  /** @type {ResizeObserver} */ #observer;

  /**
   * @param {Palette} palette
   * @param {(step: string, value: string) => string} words A step and the score there, as a phrase.
   */
  constructor(palette, words) {
    this.#palette = palette;
    this.#words = words;
    this.#host.style.height = `${HEIGHT}px`;
    this.element = el('div', { class: 'score-chart' }, [this.#readout, this.#host]);
    this.#host.addEventListener('keydown', (event) => this.#key(event));
    this.#host.addEventListener('blur', () => this.#hover(null));
    this.#observer = new ResizeObserver(() => {
      const width = this.#host.clientWidth;
      if (width && this.#plot) this.#plot.setSize({ width, height: HEIGHT });
      else if (width) this.#build(width);
    });
    this.#observer.observe(this.#host);
  }

  /** @param {Shown} shown */
  show(shown) {
    this.#shown = shown;
    this.#host.setAttribute('aria-label', shown.label);
    if (this.#hovered !== null && this.#hovered >= shown.steps.length) this.#hovered = null;
    this.#plot?.setData([shown.steps, shown.values], true);
    this.#read();
  }

  redraw() {
    this.#plot?.redraw(false);
    this.#read();
  }

  destroy() {
    this.#observer.disconnect();
    this.#plot?.destroy();
    this.#plot = null;
    this.element.remove();
  }

  /** @param {number} width */
  #build(width) {
    const palette = this.#palette;
    const axis = { stroke: () => palette.css('soft'), font: chartFont(), ticks: { show: false }, grid: { stroke: () => palette.css('line'), width: 1 } };
    const labels = (/** @type {uPlot} */ _u, /** @type {number[]} */ splits) => splits.map((v) => (v === null ? '' : formatTick(v)));
    const { steps = [], values = [] } = this.#shown ?? {};
    this.#plot = new uPlot({
      width, height: HEIGHT, padding: [6, 16, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, y: false, points: { size: 6 } },
      scales: {
        x: { time: false, range: (_u, low, high) => (Number.isFinite(low) ? [low, Math.max(high, low + 1)] : [0, 100]) },
        y: { range: () => this.#range() },
      },
      axes: [
        { ...axis, size: 24, gap: 4, grid: { show: false }, values: labels },
        { ...axis, size: (_u, texts) => Math.max(40, 14 + 6.5 * Math.max(0, ...(texts ?? []).map((text) => text.length))), gap: 4, values: labels },
      ],
      series: [{}, { stroke: () => palette.css('ink'), width: 1.6, points: { show: (u) => u.data[0].length < 2, size: 5 }, spanGaps: false }],
      hooks: {
        draw: [(u) => this.#drawLines(u)],
        setCursor: [(u) => this.#hover(u.cursor.idx ?? null)],
      },
    }, [steps, values], this.#host);
  }

  /** @returns {[number, number]} */
  #range() {
    const { values = [], lines = [] } = this.#shown ?? {};
    return robustRange([values], { references: lines.map(({ value }) => value) }) ?? [0, 1];
  }

  /** @param {uPlot} u */
  #drawLines(u) {
    // Scores begin far from their floor and come to it: at the left there is room for its name.
    for (const line of this.#shown?.lines ?? []) drawReference(u, this.#palette, { ...line, end: 'left' });
  }

  /** @param {number | null} index */
  #hover(index) {
    if (index === this.#hovered) return;
    this.#hovered = index;
    this.#read();
  }

  /** The step under the cursor, or the last one, and the score there. */
  #read() {
    const { steps = [], values = [], format = String } = this.#shown ?? {};
    const i = this.#hovered ?? steps.length - 1;
    const value = values[i];
    setText(this.#readout, i < 0 ? '' : this.#words(formatCount(steps[i]), value === null || value === undefined ? '–' : format(value)));
  }

  /** ← and → walk along the curve. @param {KeyboardEvent} event */
  #key(event) {
    const { steps = [] } = this.#shown ?? {};
    const last = steps.length - 1;
    if (!this.#plot || last < 0) return;
    const now = this.#hovered ?? last;
    const next = /** @type {Record<string, number>} */ ({ ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last })[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // → is also the page's key for one step
    const index = Math.min(last, Math.max(0, next));
    this.#plot.setCursor({ left: this.#plot.valToPos(steps[index], 'x'), top: 0 });
    this.#host.setAttribute('aria-label', this.#readout.textContent ?? '');
  }
}
