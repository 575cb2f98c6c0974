/** @import {Context, Request} from './types.js' @import {Surface} from './surface.js' */
import { Figure } from './figure.js';
import { formatCount } from './format.js';

const COUNT = 60;
/** Sizes of letters that are tried, the largest first, in CSS pixels. */
const SIZES = [22, 20, 18, 16, 14, 13, 12, 11, 10];

/** Words: what the model writes from fixed noise (`samples`), or the data (`real`). */
export class TextFigure extends Figure {
  /**
   * @param {Context} context
   * @param {'samples' | 'real'} id
   */
  constructor(context, id) {
    super(context, id);
    this.element.classList.add(id === 'real' ? 'of-real' : 'of-generated');
    this.setTexts();
  }

  /** @override @returns {Request[]} */
  requests() {
    return [{ id: this.id, n: COUNT }];
  }

  /** @override */
  words() {
    const { t } = this.context;
    return { name: t(`views.${this.id}.name`), caption: t(`views.${this.id}.words`) };
  }

  /** The rows as words. @returns {string[]} */
  #texts() {
    const section = this.section(this.id);
    return section ? wordsOf(section.data, section.shape[1], this.context.info.alphabet) : [];
  }

  /** @override @param {CanvasRenderingContext2D} g @param {Surface} surface */
  paint(g, { width, height }) {
    const { palette } = this.context;
    g.fillStyle = palette.css('panel');
    g.fillRect(0, 0, width, height);
    const texts = this.#texts();
    if (texts.length === 0) return;
    const longest = Math.max(4, ...texts.map((text) => [...text].length));
    const font = (/** @type {number} */ size) => `${size}px ui-monospace, "SF Mono", Menlo, Consolas, "Noto Sans Mono CJK SC", monospace`;
    // The size that shows most words, the larger of equals.
    const pad = 14;
    const layouts = SIZES.map((size) => {
      g.font = font(size);
      const advance = g.measureText('m').width * (longest + 2);
      const columns = Math.max(1, Math.floor((width - 2 * pad) / advance));
      const rows = Math.max(1, Math.floor((height - 2 * pad) / (size * 1.6)));
      return { size, columns, rows, advance: (width - 2 * pad) / columns, shown: Math.min(texts.length, columns * rows) };
    });
    const best = layouts.reduce((a, b) => (b.shown > a.shown ? b : a));
    g.font = font(best.size);
    g.textBaseline = 'middle';
    const rows = Math.ceil(best.shown / best.columns);
    const leading = (height - 2 * pad) / Math.max(rows, 1);
    g.fillStyle = palette.letters(this.id === 'real' ? 'real' : 'gen');
    for (let i = 0; i < best.shown; i++) {
      const [column, row] = [i % best.columns, Math.floor(i / best.columns)];
      g.fillText(texts[i] || '∅', pad + column * best.advance, pad + (row + 0.5) * leading);
    }
  }

  /** @override */
  describe() {
    const { t } = this.context;
    const texts = this.#texts();
    if (texts.length === 0) return t('describe.empty');
    return t('describe.words', { count: formatCount(texts.length), list: texts.slice(0, 5).join(', ') });
  }
}

/**
 * Rows of tokens as text; 0 ends a word.
 * @param {ArrayLike<number>} tokens
 * @param {number} length of a row
 * @param {string} alphabet what tokens 1, 2, … stand for
 * @returns {string[]}
 */
export function wordsOf(tokens, length, alphabet) {
  const letters = [...alphabet];
  /** @type {string[]} */
  const words = [];
  for (let start = 0; start + length <= tokens.length; start += length) {
    let word = '';
    for (let i = start; i < start + length && tokens[i] > 0; i++) word += letters[tokens[i] - 1] ?? '?';
    words.push(word);
  }
  return words;
}
