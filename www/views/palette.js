/**
 * The only place in JavaScript that knows colours. Everything starts from the CSS custom properties
 * of the page, so a theme is a change of style sheet and nothing else.
 */

/** @typedef {readonly [number, number, number]} Rgb */

const NAMES = /** @type {const} */ (['bg', 'panel', 'ink', 'soft', 'line', 'accent', 'real', 'gen', 'bad', 'good']);
/** @typedef {(typeof NAMES)[number]} Name */

/** How far a full field goes from the panel towards its colour, in light and in dark: points must stay readable on top. */
const FIELD_STRENGTH = { light: 0.5, dark: 0.42 };
/** Small densities deserve to be seen: values are raised to this power before they become colour. */
const DENSITY_GAMMA = 0.6;

/**
 * @param {Rgb} a
 * @param {Rgb} b
 * @param {number} t 0 gives a, 1 gives b.
 * @returns {Rgb}
 */
export function mix(a, b, t) {
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
}

/**
 * @param {Rgb} rgb
 * @param {number} [alpha]
 */
export function cssColour([r, g, b], alpha = 1) {
  return `rgb(${Math.round(r)} ${Math.round(g)} ${Math.round(b)} / ${alpha})`;
}

/**
 * One pixel as canvases store it: R, G, B, A in memory, which on little-endian machines (all that run browsers) is ABGR.
 * @param {Rgb} rgb
 */
export function pack([r, g, b]) {
  return ((255 << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r)) >>> 0;
}

/**
 * 256 pixels from `from` towards `to`.
 * @param {Rgb} from
 * @param {Rgb} to
 * @param {{strength?: number, gamma?: number}} [options]
 */
export function sequentialRamp(from, to, { strength = 1, gamma = 1 } = {}) {
  const ramp = new Uint32Array(256);
  for (let i = 0; i < 256; i++) ramp[i] = pack(mix(from, to, strength * (i / 255) ** gamma));
  return ramp;
}

/**
 * 256 pixels from `low` through `middle` (at 127.5) to `high`.
 * @param {Rgb} low
 * @param {Rgb} middle
 * @param {Rgb} high
 * @param {{strength?: number}} [options]
 */
export function divergingRamp(low, middle, high, { strength = 1 } = {}) {
  const ramp = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const t = (i / 255) * 2 - 1;
    ramp[i] = pack(mix(middle, t < 0 ? low : high, strength * Math.abs(t)));
  }
  return ramp;
}

/**
 * @param {number} hue degrees
 * @param {number} saturation 0..1
 * @param {number} lightness 0..1
 * @returns {Rgb}
 */
export function hsl(hue, saturation, lightness) {
  const a = saturation * Math.min(lightness, 1 - lightness);
  const channel = (/** @type {number} */ n) => {
    const k = (n + hue / 30) % 12;
    return 255 * (lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [channel(0), channel(8), channel(4)];
}

/** Relative luminance (0 black, 1 white) of an sRGB colour, as WCAG defines it. @param {Rgb} rgb */
export function luminance(rgb) {
  const [r, g, b] = rgb.map((v) => {
    const s = v / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** How far apart two colours are in brightness, 1 to 21, as WCAG defines it. @param {Rgb} a @param {Rgb} b */
export function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/**
 * A colour for letters: with as much ink in it as small text needs on its ground (4.5 : 1), and no more.
 * @param {Rgb} colour
 * @param {Rgb} ground
 * @param {Rgb} ink
 */
export function legible(colour, ground, ink) {
  let share = 0;
  while (share < 1 && contrast(mix(colour, ink, share), ground) < 4.5) share += 0.05;
  return mix(colour, ink, Math.min(share, 1));
}

/** The colours of the moment, read from an element's custom properties. */
export class Palette {
  /** @type {HTMLElement} */ #root;
  /** @type {Record<Name, Rgb>} */ #rgb;
  /** @type {Map<string, Uint32Array>} */ #ramps = new Map();
  /** Counts refreshes, so that anything derived from colours knows when it is old. */
  version = 0;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    this.#rgb = this.#read();
  }

  /** Reads the custom properties again, after the theme changed. */
  refresh() {
    this.#rgb = this.#read();
    this.#ramps.clear();
    this.version += 1;
  }

  /** @param {Name} name */
  rgb(name) {
    return this.#rgb[name];
  }

  /**
   * @param {Name} name
   * @param {number} [alpha]
   */
  css(name, alpha = 1) {
    return cssColour(this.#rgb[name], alpha);
  }

  /** The colour for letters. @param {Name} name */
  letters(name) {
    return cssColour(legible(this.#rgb[name], this.#rgb.panel, this.#rgb.ink), 1);
  }

  get dark() {
    return luminance(this.#rgb.panel) < 0.2;
  }

  /**
   * The ramp of a field: `density` for what the model generates, `sign` for generated … real, `weights` the same at
   * full strength, `ink` for grey images.
   * @param {'density' | 'sign' | 'weights' | 'ink'} kind
   */
  ramp(kind) {
    let ramp = this.#ramps.get(kind);
    if (!ramp) {
      const { panel, gen, real, ink } = this.#rgb;
      const strength = this.dark ? FIELD_STRENGTH.dark : FIELD_STRENGTH.light;
      if (kind === 'density') ramp = sequentialRamp(panel, gen, { strength, gamma: DENSITY_GAMMA });
      else if (kind === 'sign') ramp = divergingRamp(gen, panel, real, { strength });
      else if (kind === 'weights') ramp = divergingRamp(gen, panel, real);
      else ramp = sequentialRamp(panel, ink);
      this.#ramps.set(kind, ramp);
    }
    return ramp;
  }

  /**
   * The colour of class `index` of `count`: hues all round, lightness alternating so that neighbours differ in both.
   * Classes are always drawn with their own glyph too.
   * @param {number} index
   * @param {number} count
   */
  classColour(index, count) {
    const lightness = this.dark ? (index % 2 ? 0.72 : 0.62) : index % 2 ? 0.32 : 0.42;
    return cssColour(hsl((200 + (360 * index) / Math.max(1, count)) % 360, 0.62, lightness));
  }

  /**
   * The colour of curve `index`. Where two networks play against each other, the one that judges has the colour of real
   * and the one that generates its own; elsewhere the whole comes in ink, then its parts.
   * @param {number} index
   * @param {boolean} players
   */
  seriesColour(index, players) {
    const order = /** @type {readonly Name[]} */ (players ? ['real', 'gen', 'good', 'soft'] : ['ink', 'real', 'gen', 'good']);
    return this.css(order[index % order.length]);
  }

  /**
   * Resolves `var(--name)` through a probe element and a canvas, so that any CSS notation works
   * (`light-dark()`, `color-mix()`, `oklch()`).
   * @returns {Record<Name, Rgb>}
   */
  #read() {
    const probe = document.createElement('span');
    probe.hidden = true;
    this.#root.append(probe);
    const canvas = document.createElement('canvas');
    canvas.width = NAMES.length;
    canvas.height = 1;
    const g = canvas.getContext('2d', { willReadFrequently: true });
    /** @type {Partial<Record<Name, Rgb>>} */
    const out = {};
    NAMES.forEach((name, i) => {
      probe.style.color = `var(--${name})`;
      if (!g) return;
      g.fillStyle = getComputedStyle(probe).color;
      g.fillRect(i, 0, 1, 1);
    });
    const bytes = g?.getImageData(0, 0, NAMES.length, 1).data ?? new Uint8ClampedArray(4 * NAMES.length);
    NAMES.forEach((name, i) => {
      out[name] = [bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2]];
    });
    probe.remove();
    return /** @type {Record<Name, Rgb>} */ (out);
  }
}
