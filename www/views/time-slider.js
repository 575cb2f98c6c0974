/** @import {Translate} from './types.js' */
import { el, icon } from './dom.js';

const PLAY = 'M6 4l10 6-10 6z';
const PAUSE = 'M6 4v12M14 4v12';
/** One way from end to end, in milliseconds. */
const DURATION = 2600;
/** The end is held a little before it begins again. */
const HOLD = 700;

let sliders = 0;

/** A slider from noise (0) to data (1) that can play by itself. */
export class TimeSlider {
  element;
  /** @type {HTMLInputElement} */ #input;
  #button = el('button', { type: 'button', class: 'pill icon-only' });
  #noise = el('span');
  #data = el('span');
  #onMove;
  #playing = 0;
  #since = 0;
  #texts = { play: '', pause: '' };

  /** @param {() => void} onMove */
  constructor(onMove) {
    this.#onMove = onMove;
    this.#input = el('input', { type: 'range', min: '0', max: '1', step: '0.01', id: `time-${++sliders}` });
    this.#input.value = '1';
    this.#input.addEventListener('input', () => {
      this.stop();
      onMove();
    });
    this.#button.addEventListener('click', () => (this.#playing ? this.stop() : this.#start()));
    this.element = el('div', { class: 'time' }, [this.#button, this.#noise, this.#input, this.#data]);
    this.#label();
  }

  /** 0 is noise, 1 is data. */
  get value() {
    return Number(this.#input.value);
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#texts = { play: t('stage.playTime'), pause: t('stage.stopTime') };
    this.#noise.textContent = t('stage.noise');
    this.#data.textContent = t('stage.dataEnd');
    this.#input.setAttribute('aria-label', t('stage.time'));
    this.#label();
  }

  stop() {
    cancelAnimationFrame(this.#playing);
    this.#playing = 0;
    this.#label();
  }

  #start() {
    // From the end, it begins again.
    this.#since = performance.now() - (this.value >= 1 ? 0 : this.value * DURATION);
    const tick = (/** @type {number} */ now) => {
      const at = (now - this.#since) / DURATION;
      if (at > 1 + HOLD / DURATION) this.#since = now;
      this.#input.value = String(Math.min(1, Math.max(0, at)));
      this.#onMove();
      this.#playing = requestAnimationFrame(tick);
    };
    this.#playing = requestAnimationFrame(tick);
    this.#label();
  }

  #label() {
    const text = this.#playing ? this.#texts.pause : this.#texts.play;
    this.#button.replaceChildren(icon(this.#playing ? PAUSE : PLAY));
    this.#button.setAttribute('aria-label', text);
    this.#button.title = text;
    this.#button.setAttribute('aria-pressed', String(this.#playing !== 0));
  }
}
