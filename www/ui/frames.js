/** @file Pulls frames from the engine: one per picture of the screen at most, one in flight, only what is visible. */

import { arrived } from "./sections.js";

/**
 * @import {Info, Message} from "../protocol.js"
 * @import {Experiment} from "../experiment.js"
 * @import {Stage} from "../views/stage.js"
 * @import {LossChart} from "../views/losses.js"
 */

/** The view that the chart shows. */
const LOSSES = "losses";

/** @typedef {Extract<Message, {type: "frame"}>} Frame */

export class Frames {
  #experiment;
  #stage;
  #chart;
  #listener;
  /** Those that came since the last picture of the screen, in turn: what does not change comes only once. @type {Frame[]} */
  #waiting = [];
  /** @type {ArrayBuffer | null} */
  #buffer = null;
  #free = true;
  #fresh = false;
  #asked = "";
  #request = 0;
  #ended = false;
  /** The last value of each loss, in the catalogue's order. @type {number[]} */
  #last = [];

  /**
   * @param {Experiment} experiment
   * @param {Stage} stage
   * @param {LossChart} chart
   * @param {{step: (step: number) => void, failed: (message: string) => void}} listener
   */
  constructor(experiment, stage, chart, listener) {
    this.#experiment = experiment;
    this.#stage = stage;
    this.#chart = chart;
    this.#listener = listener;
  }

  /** Another session: every view is needed anew. */
  begin() {
    this.#waiting = [];
    this.#free = true;
    this.#fresh = true;
    this.#asked = "";
    this.#last = [];
    this.kick();
  }

  /** Looks, before the next picture of the screen, at what is needed. */
  kick() {
    if (this.#request === 0 && !this.#ended) this.#request = requestAnimationFrame(() => this.#paint());
  }

  /** @param {Frame} frame */
  arrive(frame) {
    this.#waiting.push(frame);
    this.kick();
  }

  end() {
    this.#ended = true;
    cancelAnimationFrame(this.#request);
  }

  /** The losses of the last frame, by id. @param {Info | null} info */
  losses(info) {
    return Object.fromEntries((info?.losses ?? []).map(({ id }, i) => [id, this.#last[i] ?? NaN]));
  }

  #paint() {
    this.#request = 0;
    const frames = this.#waiting;
    this.#waiting = [];
    for (const frame of frames) {
      this.#show(frame);
      this.#buffer = frame.buffer;
      this.#free = true;
    }
    // While another session is being opened, the stage still shows the one before: its views are not the new one's.
    if (this.#experiment.state !== "ready" || !this.#experiment.info) return;
    const requests = [...this.#stage.requests().filter(({ id }) => id !== LOSSES), { id: LOSSES }];
    const asked = JSON.stringify(requests);
    if (asked !== this.#asked || this.#fresh) {
      this.#experiment.client.tell({ type: "views", generation: this.#experiment.generation, requests, fresh: this.#fresh });
      this.#asked = asked;
      this.#fresh = false;
    }
    if (this.#free) {
      this.#free = false;
      this.#experiment.client.credit(this.#buffer);
      this.#buffer = null;
    }
  }

  /** @param {Frame} frame */
  #show({ step, sections, failed, buffer }) {
    const views = arrived(sections, buffer);
    const losses = views.get(LOSSES);
    if (losses) {
      const [rows, columns] = losses.shape;
      this.#last = Array.from({ length: rows - 1 }, (_, k) => losses.data[(k + 2) * columns - 1]);
      this.#chart.frame(losses, { step });
      views.delete(LOSSES);
    }
    this.#stage.frame(views, { step });
    this.#listener.step(step);
    for (const message of Object.values(failed)) this.#listener.failed(message);
  }
}
