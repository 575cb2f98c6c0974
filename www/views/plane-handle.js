/** @import {LatentPlace} from './latent-place.js' @import {Translate} from './types.js' */
import { el } from './dom.js';
import { formatNumber } from './format.js';

const STEP = 0.02;

/**
 * The draggable point on a latent plane: an element over the canvas, so that moving it repaints nothing,
 * and so that it takes focus, keys and touches like any control.
 */
export class PlaneHandle {
  element;
  /** @type {LatentPlace} */ #place;
  /** @type {() => void} */ #stop;
  #abort = new AbortController();

  /**
   * @param {HTMLElement} frame what it lies in: position: relative, exactly as large as the canvas
   * @param {HTMLCanvasElement} canvas pressing anywhere on it takes the point there
   * @param {LatentPlace} place
   */
  constructor(frame, canvas, place) {
    this.#place = place;
    this.element = el('button', { type: 'button', class: 'handle', role: 'slider', 'aria-valuemin': '0', 'aria-valuemax': '1' });
    frame.append(this.element);
    this.#stop = place.listen(() => this.#show());
    this.#listen(canvas);
    this.#show();
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.element.setAttribute('aria-label', t('stage.handle'));
    this.element.title = t('stage.handle');
  }

  destroy() {
    this.#abort.abort();
    this.#stop();
    this.element.remove();
  }

  #show() {
    const { u, v, flat } = this.#place;
    this.element.style.left = `${100 * u}%`;
    this.element.style.top = `${100 * (1 - v)}%`;
    this.element.setAttribute('aria-valuenow', u.toFixed(2));
    this.element.setAttribute('aria-valuetext', flat ? `u ${formatNumber(u)}` : `u ${formatNumber(u)}, v ${formatNumber(v)}`);
  }

  /** @param {HTMLCanvasElement} canvas */
  #listen(canvas) {
    const { signal } = this.#abort;
    const place = this.#place;
    const moveTo = (/** @type {PointerEvent} */ event) => {
      const box = canvas.getBoundingClientRect();
      place.move((event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height);
    };
    // A finger on the canvas scrolls the page, and places the point by tapping; a finger on the point drags it.
    for (const target of /** @type {HTMLElement[]} */ ([canvas, this.element])) {
      let dragging = false;
      target.addEventListener('pointerdown', (event) => {
        if (event.button !== 0 || (target === canvas && event.pointerType === 'touch')) return;
        dragging = true;
        target.setPointerCapture(event.pointerId);
        moveTo(event);
        this.element.focus({ preventScroll: true });
        event.preventDefault();
      }, { signal });
      target.addEventListener('pointermove', (event) => {
        if (dragging) moveTo(event);
      }, { signal });
      const stop = () => (dragging = false);
      target.addEventListener('pointerup', stop, { signal });
      target.addEventListener('pointercancel', stop, { signal });
    }
    canvas.addEventListener('click', (event) => moveTo(/** @type {PointerEvent} */ (event)), { signal });
    this.element.addEventListener('keydown', (event) => {
      const step = event.shiftKey ? 5 * STEP : STEP;
      const moves = /** @type {Record<string, [number, number]>} */ ({
        ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step],
        PageUp: [0, 5 * STEP], PageDown: [0, -5 * STEP], Home: [0.5 - place.u, 0.5 - place.v],
      });
      const move = moves[event.key];
      if (!move || event.altKey || event.ctrlKey || event.metaKey) return;
      place.move(place.u + move[0], place.v + move[1]);
      event.preventDefault();
      event.stopPropagation(); // → is also the page's key for one step
    }, { signal });
  }
}
