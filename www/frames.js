/**
 * @file Decides which views are computed for the page and when, and packs them into its buffer.
 *
 * The page asks for views and gives a credit (a recycled buffer); a frame answers each credit.
 * While training, a view comes back as often as its measured cost allows: all views together may take
 * {@link BUDGET} of the time. While paused, a view is computed once per change.
 */

import { isTrap, messageOf } from "./protocol.js";

/** @import {SectionMeta, ViewRequest, WasmSession} from "./protocol.js" */

/** The share of the training time that views may take. */
const BUDGET = 0.1;
/** No view needs to be drawn more often than this, in milliseconds. */
const SOONEST = 30;

/** How much a new measurement of a view's cost weighs against the older ones. */
const SMOOTHING = 0.3;
/**
 * A view's first measurements count this part of their cost: the browser has not yet compiled its code for speed, and
 * a view that seems five times as dear as it is would not be measured again for many seconds.
 */
const COLD = 0.2;
/** How many measurements are such first ones. */
const COLD_TIMES = 2;

/** Views of the data itself: training does not change them. */
const CONSTANT = new Set(["real", "realLabels"]);

/**
 * What is known of one requested view.
 * @typedef {object} View
 * @property {ViewRequest} request
 * @property {number} cost Milliseconds, smoothed.
 * @property {number} times How often it was computed.
 * @property {number} at When it was last computed.
 * @property {string} stamp The session's state when it was last computed; "" if never.
 * @property {boolean} broken Whether it failed, and is not tried again until something else is set.
 */

/**
 * @typedef {object} Frame
 * @property {SectionMeta[]} sections
 * @property {Record<string, string>} failed
 * @property {ArrayBuffer} buffer
 */

export class Frames {
  /** @type {Map<string, View>} */
  #views = new Map();
  /** @type {ArrayBuffer | null} */
  #buffer = null;
  #credit = false;
  #changes = 0;
  #now;

  /** @param {() => number} now */
  constructor(now) {
    this.#now = now;
  }

  /** Whether the page waits for a frame. */
  get wanted() {
    return this.#credit && this.#views.size > 0;
  }

  /**
   * Forgets every view, and the credit with them: another session begins, and the page has yet to say what it shows of
   * it. A credit of the session before would be answered besides the new one's.
   */
  clear() {
    this.#views.clear();
    this.#credit = false;
    this.#changes = 0;
  }

  /** Something other than a step changed the session, so that every view is out of date. */
  touch() {
    this.#changes += 1;
    for (const view of this.#views.values()) view.broken = false;
  }

  /**
   * The views that the page shows now.
   * @param {ViewRequest[]} requests
   * @param {boolean} fresh Whether the page has nothing of what it was sent before.
   */
  setViews(requests, fresh) {
    const before = this.#views;
    this.#views = new Map();
    for (const request of requests) {
      const key = JSON.stringify(request);
      const known = before.get(key);
      this.#views.set(key, known ?? { request, cost: 0, times: 0, at: -Infinity, stamp: "", broken: false });
    }
    if (fresh) for (const view of this.#views.values()) Object.assign(view, { at: -Infinity, stamp: "", broken: false });
  }

  /** The page can take one more frame. @param {ArrayBuffer | null} buffer */
  give(buffer) {
    this.#credit = true;
    if (buffer && buffer.byteLength > (this.#buffer?.byteLength ?? 0)) this.#buffer = buffer;
  }

  /**
   * The frame that is due, or null if there is nothing new to show.
   * @param {WasmSession} session
   * @param {boolean} running
   * @returns {Frame | null}
   */
  fill(session, running) {
    if (!this.wanted) return null;
    const state = `${this.#changes}:${session.steps()}`;
    const intervals = this.#intervals();
    const due = [...this.#views.values()].filter((view) => this.#due(view, state, running ? intervals.get(view) ?? 0 : 0));
    if (due.length === 0) return null;

    /** @type {SectionMeta[]} */
    const sections = [];
    /** @type {Record<string, string>} */
    const failed = {};
    let out = new Float32Array(this.#buffer ?? new ArrayBuffer(1 << 16));
    let used = 0;
    for (const view of due) {
      const start = this.#now();
      try {
        const prepared = prepare(session, view.request);
        const need = used + prepared.length;
        if (need > out.length) {
          const larger = new Float32Array(Math.ceil(need * 1.25));
          larger.set(out.subarray(0, used));
          out = larger;
        }
        session.read(out.subarray(used, need));
        sections.push(...prepared.sections.map((section) => ({ ...section, offset: used + section.offset })));
        used = need;
      } catch (error) {
        if (isTrap(error)) throw error;
        failed[view.request.id] = messageOf(error);
        view.broken = true;
      }
      const end = this.#now();
      view.times += 1;
      if (view.times <= COLD_TIMES) view.cost = COLD * (end - start);
      else if (view.times === COLD_TIMES + 1) view.cost = end - start;
      else view.cost += SMOOTHING * (end - start - view.cost);
      view.at = end;
      view.stamp = state;
    }
    this.#credit = false;
    this.#buffer = null;
    return { sections, failed, buffer: /** @type {ArrayBuffer} */ (out.buffer) };
  }

  /** How long each view waits until it is computed again: the cheap ones take what they need, and leave the rest to the others. */
  #intervals() {
    /** @type {Map<View, number>} */
    const intervals = new Map();
    const views = [...this.#views.values()].sort((a, b) => a.cost - b.cost);
    let left = BUDGET;
    views.forEach((view, i) => {
      const share = Math.min(left / (views.length - i), view.cost / SOONEST);
      left -= share;
      intervals.set(view, share > 0 ? view.cost / share : 0);
    });
    return intervals;
  }

  /** @param {View} view @param {string} state @param {number} interval */
  #due(view, state, interval) {
    if (view.broken) return false;
    if (view.stamp === "") return true;
    const changed = CONSTANT.has(view.request.id) ? !view.stamp.startsWith(`${this.#changes}:`) : view.stamp !== state;
    return changed && this.#now() - view.at >= interval;
  }
}

/**
 * Computes one view.
 * @param {WasmSession} session
 * @param {ViewRequest} request
 * @returns {{sections: SectionMeta[], length: number}} `length` counts floats.
 */
function prepare(session, request) {
  const { sections, length } = JSON.parse(session.prepare(JSON.stringify([request])));
  for (const section of sections) section.length = section.shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1);
  return { sections, length };
}

/**
 * Views out of turn, as one buffer of exactly their length.
 * @param {WasmSession} session
 * @param {ViewRequest[]} requests
 */
export function viewsOf(session, requests) {
  /** @type {SectionMeta[]} */
  const sections = [];
  /** @type {Float32Array<ArrayBuffer>[]} */
  const parts = [];
  let used = 0;
  for (const request of requests) {
    const prepared = prepare(session, request);
    const part = new Float32Array(prepared.length);
    session.read(part);
    sections.push(...prepared.sections.map((section) => ({ ...section, offset: used + section.offset })));
    parts.push(part);
    used += part.length;
  }
  const out = new Float32Array(used);
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return { sections, buffer: out.buffer };
}
