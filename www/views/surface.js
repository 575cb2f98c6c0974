/**
 * A canvas that knows its size in device pixels and repaints when that changes.
 * Painting is asked for (`invalidate`) and happens once per animation frame, or at once with `flush`.
 */
export class Surface {
  canvas;
  /** Device pixels per CSS pixel. */
  ratio = 1;
  /** Size in CSS pixels. */
  width = 0;
  height = 0;

  /** @type {(g: CanvasRenderingContext2D, surface: Surface) => void} */ #paint;
  /** @type {CanvasRenderingContext2D | null} */ #g;
  /** @type {ResizeObserver} */ #observer;
  #dirty = false;
  #scheduled = 0;

  /** @param {(g: CanvasRenderingContext2D, surface: Surface) => void} paint draws everything; the canvas is clear, units are CSS pixels */
  constructor(paint) {
    this.#paint = paint;
    this.canvas = document.createElement('canvas');
    this.#g = this.canvas.getContext('2d');
    this.#observer = new ResizeObserver((entries) => this.#resize(entries[entries.length - 1]));
    try {
      this.#observer.observe(this.canvas, { box: 'device-pixel-content-box' });
    } catch {
      this.#observer.observe(this.canvas); // Safari has no device-pixel-content-box: webkit.org/b/219005
    }
  }

  /** @param {ResizeObserverEntry} entry */
  #resize(entry) {
    const { width, height } = entry.contentRect;
    const exact = entry.devicePixelContentBoxSize?.[0];
    const ratio = window.devicePixelRatio || 1;
    const pixelWidth = exact ? exact.inlineSize : Math.round(width * ratio);
    const pixelHeight = exact ? exact.blockSize : Math.round(height * ratio);
    this.width = width;
    this.height = height;
    if (width === 0 || height === 0) return;
    this.ratio = pixelWidth / width;
    if (this.canvas.width !== pixelWidth || this.canvas.height !== pixelHeight) {
      // Resizing clears, so paint before the browser does.
      this.canvas.width = pixelWidth;
      this.canvas.height = pixelHeight;
      this.#dirty = true;
    }
    this.flush();
  }

  /** Asks for one repaint in the next animation frame. */
  invalidate() {
    this.#dirty = true;
    if (this.#scheduled) return;
    this.#scheduled = requestAnimationFrame(() => {
      this.#scheduled = 0;
      this.flush();
    });
  }

  /** Paints now, whatever happened before. */
  repaint() {
    this.#dirty = true;
    this.flush();
  }

  /** Paints now, if anything changed and there is room. */
  flush() {
    const g = this.#g;
    if (!this.#dirty || !g || this.width === 0 || !this.canvas.isConnected) return;
    this.#dirty = false;
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.clearRect(0, 0, this.canvas.width, this.canvas.height);
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.#paint(g, this);
  }

  /**
   * The same picture on a canvas of its own, at another resolution; it need not be on the page.
   * @param {number} ratio
   * @param {{width: number, height: number}} [size] in CSS pixels; as it is shown unless told
   */
  at(ratio, size = this) {
    const { canvas: shown, ratio: before, width, height } = this;
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(size.width * ratio);
    canvas.height = Math.round(size.height * ratio);
    const g = canvas.getContext('2d');
    if (!g) return canvas;
    // What paints asks this surface for its size.
    Object.assign(this, { canvas, ratio, width: size.width, height: size.height });
    try {
      g.setTransform(ratio, 0, 0, ratio, 0, 0);
      this.#paint(g, this);
    } finally {
      Object.assign(this, { canvas: shown, ratio: before, width, height });
      if (shown.isConnected) this.invalidate();
    }
    return canvas;
  }

  destroy() {
    this.#observer.disconnect();
    cancelAnimationFrame(this.#scheduled);
    this.#dirty = false;
    // Gives the pixels back at once: canvases are otherwise collected late.
    this.canvas.width = this.canvas.height = 0;
    this.canvas.remove();
  }
}
