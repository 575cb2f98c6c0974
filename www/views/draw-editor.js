/** @import {Extent, Translate} from './types.js' */
import { alongSegment, Drawing, scatter } from './drawing.js';
import { DrawTools } from './draw-tools.js';
import { el } from './dom.js';
import { Marks, pointRadius, stampPoints } from './marks.js';
import { Palette } from './palette.js';
import { decodePoints, encodePoints, HIGH, LOW } from './points-codec.js';
import { Plane } from './scales.js';
import { Surface } from './surface.js';

/** Distance of a pen's points, in data units. */
const PEN_SPACING = 0.06;
/** Sprayed points per frame at full pressure. */
const SPRAY_RATE = 6;
/** One press of an arrow key moves the cursor by this much. */
const KEY_STEP = 0.1;

/** Draws points with mouse, pen, finger or keys, on a sheet over the main picture. */
export class DrawEditor {
  element;
  /** @type {(text: string) => void} told the points' text after every change */ onCommit;
  #drawing = new Drawing();
  /** @type {DrawTools} */ #tools;
  /** @type {Surface} */ #surface;
  /** @type {Palette} */ #palette;
  /** @type {Marks} */ #marks;
  /** @type {Translate} */ #t;
  /** @type {Extent} */ #extent = [-3.3, 3.3, -3.3, 3.3];
  /** The text that `load` or a commit last made current. */
  #text = '';
  /** @type {{id: number, x: number, y: number, pressure: number, rest: number, stop: () => void} | null} */ #stroke = null;
  /** @type {{x: number, y: number} | null} where the tool is, in data */ #cursor = null;
  #keyed = false;

  /**
   * @param {HTMLElement} host as for `attach`; position: relative
   * @param {{t: Translate, onCommit?: (text: string) => void}} options
   */
  constructor(host, { t, onCommit = () => {} }) {
    this.#t = t;
    this.onCommit = onCommit;
    this.#surface = new Surface((g, surface) => this.#paint(g, surface));
    this.#surface.canvas.tabIndex = 0;
    this.#surface.canvas.setAttribute('role', 'application');
    this.#tools = new DrawTools(t, (action) => this[action]());
    this.element = el('div', { class: 'draw-sheet', hidden: true }, [this.#surface.canvas]);
    this.tools.hidden = true;
    this.attach(host);
    this.#palette = new Palette(host);
    this.#marks = new Marks(this.#palette);
    this.#listen(this.#surface.canvas);
    this.setTexts(t);
  }

  /** The row of tools. */
  get tools() {
    return this.#tools.element;
  }

  /** Covers a host with the sheet and puts the tools after it; without a host, takes both away. @param {HTMLElement | null} host */
  attach(host) {
    if (!host) {
      this.element.remove();
      this.tools.remove();
    } else if (this.element.parentElement !== host) {
      host.append(this.element);
      host.after(this.tools);
    }
  }

  get enabled() {
    return !this.element.hidden;
  }

  /** Where points can be drawn: the picture's extent. @param {Extent} extent */
  setExtent(extent) {
    this.#extent = extent;
    this.#surface.invalidate();
  }

  /** Shows the points of a link. Keeps the history when they are the current ones. @param {string} text */
  load(text) {
    if (text === this.#text) return;
    this.#text = text;
    this.#drawing.load(decodePoints(text));
    this.#changed();
  }

  /** @param {boolean} on */
  enable(on) {
    this.element.hidden = this.tools.hidden = !on;
    this.#endStroke();
    this.#surface.invalidate();
  }

  undo() {
    if (this.#drawing.undo()) this.#publish();
  }

  redo() {
    if (this.#drawing.redo()) this.#publish();
  }

  clear() {
    this.#drawing.clear();
    this.#commit();
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    this.#tools.setTexts(t);
    this.#changed();
  }

  setTheme() {
    this.#palette.refresh();
    this.#surface.invalidate();
  }

  destroy() {
    this.#endStroke();
    this.#surface.destroy();
    this.#marks.clear();
    this.attach(null);
  }

  #plane() {
    return new Plane(this.#extent, this.#surface.width, this.#surface.height);
  }

  /** Ends a change, and tells when there was one. */
  #commit() {
    if (this.#drawing.commit()) this.#publish();
    else this.#changed();
  }

  #publish() {
    this.#text = encodePoints(this.#drawing.points);
    this.#changed();
    this.onCommit(this.#text);
  }

  #changed() {
    this.#tools.update(this.#drawing);
    this.#surface.canvas.setAttribute('aria-label', this.#t('draw.sheet', { count: this.#drawing.count }));
    this.#surface.invalidate();
  }

  /**
   * Uses the tool from the stroke's last place to (x, y).
   * @param {number} x
   * @param {number} y
   * @param {number} pressure 0..1
   */
  #use(x, y, pressure) {
    const stroke = this.#stroke;
    const { tool, size } = this.#tools;
    const from = stroke ?? { x, y, rest: 0 };
    if (tool === 'pen') {
      const { places, rest } = alongSegment(from.x, from.y, x, y, PEN_SPACING, from.rest);
      for (const [px, py] of places) this.#drawing.add(...scatter(px, py, 0.12 * size, Math.random));
      if (stroke) stroke.rest = rest;
    } else if (tool === 'eraser') {
      // Steps of half a radius leave nothing between two events of a fast stroke.
      const { places } = alongSegment(from.x, from.y, x, y, size / 2, 0);
      for (const [px, py] of [...places, [x, y]]) this.#drawing.erase(px, py, size);
    }
    if (stroke) Object.assign(stroke, { x, y, pressure });
    this.#changed();
  }

  /** One frame's worth of spray where the pointer is. */
  #spray() {
    const stroke = this.#stroke;
    if (!stroke || this.#tools.tool !== 'spray') return;
    const count = Math.max(1, Math.round(SPRAY_RATE * stroke.pressure));
    for (let i = 0; i < count; i++) this.#drawing.add(...scatter(stroke.x, stroke.y, this.#tools.size / 2, Math.random));
    this.#changed();
  }

  /** @param {HTMLCanvasElement} canvas */
  #listen(canvas) {
    const place = (/** @type {PointerEvent} */ event) => {
      const box = canvas.getBoundingClientRect();
      const plane = this.#plane();
      return { x: plane.toDataX(event.clientX - box.left), y: plane.toDataY(event.clientY - box.top) };
    };
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0 || this.#stroke) return;
      canvas.setPointerCapture(event.pointerId);
      this.#keyed = false;
      const { x, y } = place(event);
      let frame = 0;
      const tick = () => {
        this.#spray();
        frame = requestAnimationFrame(tick);
      };
      this.#stroke = { id: event.pointerId, x, y, pressure: event.pressure || 0.5, rest: 0, stop: () => cancelAnimationFrame(frame) };
      this.#use(x, y, event.pressure || 0.5);
      tick();
    });
    canvas.addEventListener('pointermove', (event) => {
      this.#cursor = place(event);
      this.#keyed = false;
      if (this.#stroke?.id === event.pointerId) {
        const all = event.getCoalescedEvents?.() ?? [];
        for (const each of all.length ? all : [event]) {
          const { x, y } = place(each);
          this.#use(x, y, each.pressure || 0.5);
        }
      }
      this.#surface.invalidate();
    });
    const end = (/** @type {PointerEvent} */ event) => {
      if (this.#stroke?.id === event.pointerId) this.#endStroke();
    };
    canvas.addEventListener('pointerup', end);
    canvas.addEventListener('pointercancel', end);
    canvas.addEventListener('lostpointercapture', end);
    canvas.addEventListener('pointerleave', () => {
      if (!this.#stroke && !this.#keyed) this.#cursor = null;
      this.#surface.invalidate();
    });
    canvas.addEventListener('blur', () => {
      if (this.#keyed) this.#cursor = null;
      this.#keyed = false;
      this.#surface.invalidate();
    });
    canvas.addEventListener('keydown', (event) => this.#key(event));
  }

  #endStroke() {
    if (!this.#stroke) return;
    this.#stroke.stop();
    this.#stroke = null;
    this.#commit();
  }

  /** Arrows move a cursor, space uses the tool there; undo and redo as everywhere. @param {KeyboardEvent} event */
  #key(event) {
    const command = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (command && (key === 'z' || key === 'y')) {
      if (key === 'y' || event.shiftKey) this.redo();
      else this.undo();
    } else if (command || event.altKey) {
      return;
    } else if (key === ' ') {
      const at = (this.#cursor ??= { x: 0, y: 0 });
      this.#keyed = true;
      if (this.#tools.tool === 'pen') this.#drawing.add(at.x, at.y);
      else if (this.#tools.tool === 'eraser') this.#drawing.erase(at.x, at.y, this.#tools.size);
      else for (let i = 0; i < SPRAY_RATE; i++) this.#drawing.add(...scatter(at.x, at.y, this.#tools.size / 2, Math.random));
      this.#commit();
    } else {
      const step = event.shiftKey ? 5 * KEY_STEP : KEY_STEP;
      const move = /** @type {Record<string, [number, number]>} */ ({ arrowleft: [-step, 0], arrowright: [step, 0], arrowup: [0, step], arrowdown: [0, -step] })[key];
      if (!move) return;
      const at = this.#cursor ?? { x: 0, y: 0 };
      const clamp = (/** @type {number} */ v) => Math.min(HIGH, Math.max(LOW, v));
      this.#cursor = { x: clamp(at.x + move[0]), y: clamp(at.y + move[1]) };
      this.#keyed = true;
      this.#surface.invalidate();
    }
    event.preventDefault();
    event.stopPropagation(); // these keys are also the page's
  }

  /**
   * @param {CanvasRenderingContext2D} g
   * @param {Surface} surface
   */
  #paint(g, { width, ratio }) {
    const plane = this.#plane();
    const palette = this.#palette;
    stampPoints(g, this.#marks.dot('real', pointRadius(width), 0.8, ratio), plane, this.#drawing.points, this.#drawing.count, { ratio });
    // The square that can be drawn on.
    const [left, top] = [plane.toCanvasX(LOW), plane.toCanvasY(HIGH)];
    g.setLineDash([4, 5]);
    g.lineWidth = 1;
    g.strokeStyle = palette.css('soft', 0.5);
    g.strokeRect(left, top, plane.toCanvasX(HIGH) - left, plane.toCanvasY(LOW) - top);
    g.setLineDash([]);
    if (!this.#cursor) return;
    const [x, y] = [plane.toCanvasX(this.#cursor.x), plane.toCanvasY(this.#cursor.y)];
    const reach = this.#tools.tool === 'pen' ? 5 : plane.toCanvasX(this.#tools.size) - plane.toCanvasX(0);
    g.lineWidth = 1.5;
    g.strokeStyle = palette.css(this.#tools.tool === 'eraser' ? 'bad' : 'real');
    g.beginPath();
    g.arc(x, y, reach, 0, 2 * Math.PI);
    if (this.#keyed) {
      g.moveTo(x - 10, y);
      g.lineTo(x + 10, y);
      g.moveTo(x, y - 10);
      g.lineTo(x, y + 10);
    }
    g.stroke();
  }
}
