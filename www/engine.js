/**
 * @file The core of the worker: one session, its run loop, and the answers to the page.
 *
 * It knows neither workers nor the DOM: it is given the wasm module, a function that posts to the page and
 * one that calls back later, so that it runs in a module worker, in a classic worker, on the main thread
 * and in a test. A step never depends on the clock: slices only decide how many steps are taken before the
 * next look at the mail, and live changes are applied exactly at their step.
 */

import { Frames, viewsOf } from "./frames.js";
import { Mail } from "./mail.js";
import { ALL_PHASES, isTrap, messageOf, PHASE } from "./protocol.js";
import { Scoring } from "./scoring.js";
import { Sources } from "./sources.js";

/** @import {Info, LiveEvent, Post, Request, Status, WasmModule, WasmSession} from "./protocol.js" */

/** Most steps in one call: the loop looks at the mail between calls. */
const MOST_STEPS = 4096;
/** Milliseconds between two steps in slow motion. */
const SLOW = 400;
/** Milliseconds between two reports of speed and progress. */
const REPORT = 200;
/** Milliseconds between two snapshots while running. */
const SNAPSHOT = 2000;

/**
 * @typedef {object} Options
 * @property {number} slice Milliseconds of training between two looks at the mail.
 * @property {(callback: () => void, delay: number) => void} later Calls back after the pending messages.
 * @property {() => number} [now]
 */

export class Engine {
  #wasm;
  #post;
  #slice;
  #later;
  #now;
  #frames;
  #scoring;
  #sources;
  #mail;
  /** @type {WasmSession | null} */
  #session = null;
  #generation = 0;
  #running = false;
  #held = false;
  #slow = false;
  /** @type {number | null} */
  #target = null;
  /** @type {LiveEvent[]} */
  #events = [];
  #phase = ALL_PHASES;
  #scheduled = false;
  #dead = false;
  #perCall = 1;
  #rate = 0;
  #reported = { at: 0, step: 0 };
  #saved = { at: 0, state: "" };
  #changes = 0;

  /**
   * @param {WasmModule} wasm
   * @param {Post} post
   * @param {Options} options
   */
  constructor(wasm, post, { slice, later, now = () => performance.now() }) {
    this.#wasm = wasm;
    this.#post = post;
    this.#slice = slice;
    this.#later = later;
    this.#now = now;
    this.#frames = new Frames(now);
    this.#mail = new Mail(wasm, post);
    this.#scoring = new Scoring(now, (file) => this.#mail.want(file));
    this.#sources = new Sources(wasm);
  }

  /** Answers one message of the page. @param {Request} message */
  handle(message) {
    if (this.#dead || this.#mail.holds(message)) return;
    try {
      const value = this.#answer(message);
      if ("id" in message) {
        const bytes = value instanceof Uint8Array || value instanceof Float32Array ? value.buffer : value?.buffer;
        this.#post({ type: "reply", id: message.id, value }, bytes instanceof ArrayBuffer ? [bytes] : []);
      }
      if (message.type === "open") this.#applyEvents();
      this.#serve();
      this.#schedule();
    } catch (error) {
      if (isTrap(error)) this.#die(error);
      else if (this.#mail.waits(message, error)) return;
      else if ("id" in message) this.#post({ type: "error", id: message.id, message: messageOf(error) });
      else this.#stop(messageOf(error));
    }
  }

  /** @param {Request} message @returns {any} */
  #answer(message) {
    switch (message.type) {
      case "catalog":
        return JSON.parse(this.#wasm.catalog());
      case "open":
        return this.#open(message);
      case "close":
        return this.#close();
      case "set":
        return this.#set(message.key, message.value);
      case "run":
        return this.#run(message.running);
      case "hold":
        this.#held = message.held;
        // The time that was waited says nothing about speed.
        this.#reported = { at: this.#now(), step: this.#session?.steps() ?? 0 };
        return this.#report();
      case "slow":
        this.#slow = message.slow;
        return undefined;
      case "steps":
        return this.#steps(message.n);
      case "train":
        return this.#train(message.target);
      case "reset":
        return this.#reset();
      case "views":
        if (message.generation === this.#generation) this.#frames.setViews(message.requests, message.fresh);
        return undefined;
      case "scoring":
        this.#scoring.on = message.on;
        return undefined;
      case "credit":
        return this.#frames.give(message.buffer);
      case "once":
        return viewsOf(this.#current(), message.requests);
      case "preview":
        return this.#sources.preview(message.config, message.n);
      case "load":
        return this.#sources.load(message);
      case "freshSeed":
        return this.#wasm.freshSeed();
      case "provide":
        return this.#provided(message);
      case "snapshot":
        return this.#current().snapshot();
      case "restore":
        this.#current().restore(message.bytes);
        this.#phase = ALL_PHASES;
        return this.#replaced();
      case "weights":
        return this.#current().weights();
      case "loadWeights":
        this.#loadWeights(message);
        return this.#replaced();
    }
  }

  /** The session, or an error for whoever asks before there is one. */
  #current() {
    if (!this.#session) throw new Error("there is no session yet");
    return this.#session;
  }

  /** @returns {Info} */
  #info() {
    return JSON.parse(this.#current().info());
  }

  /** Everything shown is out of date; returns what the session now says of itself. */
  #touched() {
    this.#changes += 1;
    this.#frames.touch();
    this.#scoring.touch();
    this.#report();
    return this.#info();
  }

  /** The session is another one: what was planned for the one before is over. */
  #replaced() {
    this.#running = false;
    this.#target = null;
    this.#events = [];
    this.#frames.clear();
    this.#scoring.clear();
    return this.#touched();
  }

  /** Takes weights, in a new session where they come with a configuration. @param {Extract<Request, {type: "loadWeights"}>} message */
  #loadWeights({ bytes, config }) {
    const session = config ? this.#sources.session(config) : this.#current();
    try {
      session.loadWeights(bytes);
    } catch (error) {
      if (config) session.free();
      throw error;
    }
    if (!config) return;
    this.#session?.free();
    this.#session = session;
    this.#phase = ALL_PHASES;
  }

  /** @param {Extract<Request, {type: "open"}>} message */
  #open({ config, events, target, play, generation }) {
    // The new session is made before the old one goes, so that a refused configuration costs nothing.
    const session = this.#sources.session(config);
    this.#session?.free();
    this.#session = session;
    this.#generation = generation;
    this.#events = [...events].sort((a, b) => a.step - b.step);
    this.#phase = ALL_PHASES;
    this.#target = target;
    // With a target, playing goes on from there.
    this.#running = play;
    this.#perCall = 1;
    this.#rate = 0;
    this.#changes += 1;
    this.#reported = { at: this.#now(), step: 0 };
    this.#saved = { at: this.#now(), state: "" };
    this.#frames.clear();
    this.#scoring.clear();
    return this.#info();
  }

  /** What waited for a file is done; by now it may be asked to play or not. @param {Extract<Request, {type: "provide"}>} message */
  #provided(message) {
    const { again, problem } = this.#mail.take(message);
    for (const question of again) this.handle(question);
    if (again.length > 0) this.#report();
    const scored = this.#session && this.#scoring.arrived(message.file, problem, this.#session);
    if (scored) this.#post({ type: "scores", generation: this.#generation, ...scored });
  }

  #close() {
    this.#session?.free();
    this.#session = null;
    this.#running = false;
    this.#target = null;
    this.#events = [];
    this.#frames.clear();
  }

  /** @param {string} key @param {import("./protocol.js").Value} value */
  #set(key, value) {
    const step = this.#current().steps();
    const effect = this.#current().set(key, JSON.stringify(value));
    if (key === PHASE) this.#phase = String(value);
    // Whoever changes something by hand leaves the script of the link.
    this.#events = [];
    return { effect, step, info: this.#touched() };
  }

  /** @param {boolean} running */
  #run(running) {
    if (!this.#session) return;
    const pausing = !running && (this.#running || this.#target !== null);
    this.#running = running;
    this.#target = null;
    this.#reported = { at: this.#now(), step: this.#session.steps() };
    this.#rate = 0;
    if (pausing) this.#save();
    this.#report();
  }

  /** @param {number} n */
  #steps(n) {
    this.#running = false;
    this.#target = null;
    this.#rate = 0;
    try {
      for (let i = 0; i < n; i += 1) {
        this.#applyEvents();
        this.#current().step(1);
      }
      this.#applyEvents();
      this.#report();
    } catch (error) {
      if (isTrap(error) || !this.#session) throw error;
      this.#stop(messageOf(error));
    }
    return this.#current().steps();
  }

  /** @param {number} target */
  #train(target) {
    this.#current();
    this.#running = false;
    this.#target = target;
    this.#report();
  }

  #reset() {
    const session = this.#current();
    session.reset();
    this.#events = [];
    // "Only this network learns" is how the visitor holds the controls, not part of the weights.
    if (this.#phase !== ALL_PHASES) session.set(PHASE, JSON.stringify(this.#phase));
    this.#reported = { at: this.#now(), step: 0 };
    return this.#touched();
  }

  get #active() {
    if (this.#dead || !this.#session) return false;
    return this.#target !== null || (this.#running && !this.#held);
  }

  /** Whether training has come to rest at a step that is to be scored. */
  get #unscored() {
    if (this.#dead || !this.#session || this.#active || this.#held) return false;
    return this.#scoring.wanted(this.#session);
  }

  #schedule() {
    if (this.#scheduled || !(this.#active || this.#unscored)) return;
    this.#scheduled = true;
    this.#later(this.#tick, this.#active && this.#slow && this.#target === null ? SLOW : 0);
  }

  #tick = () => {
    this.#scheduled = false;
    try {
      if (this.#active) {
        this.#advance(this.#current());
        this.#serve();
        this.#routine();
      }
      this.#score();
    } catch (error) {
      if (isTrap(error)) this.#die(error);
      else this.#stop(messageOf(error));
    }
    this.#schedule();
  };

  /** One slice of training. @param {WasmSession} session */
  #advance(session) {
    const slow = this.#slow && this.#target === null;
    const start = this.#now();
    const first = session.steps();
    let elapsed = 0;
    do {
      this.#applyEvents();
      const step = session.steps();
      const event = this.#events[0];
      let n = slow ? 1 : this.#perCall;
      if (event) n = Math.min(n, event.step - step);
      if (this.#target !== null) n = Math.min(n, this.#target - step);
      if (n <= 0) break;
      session.step(n);
      elapsed = this.#now() - start;
    } while (!slow && elapsed < this.#slice / 2);
    const taken = session.steps() - first;
    if (taken > 0 && !slow) {
      // Grows at most twofold at a time: one slice on a quiet machine must not make the next one long.
      const fitting = Math.round((this.#slice * taken) / Math.max(elapsed, 0.1));
      this.#perCall = Math.max(1, Math.min(fitting, 2 * this.#perCall, MOST_STEPS));
    }
    this.#applyEvents();
    if (this.#target !== null && session.steps() >= this.#target) {
      this.#target = null;
      this.#save();
      this.#report();
    }
  }

  /** Makes the live changes whose step has come. */
  #applyEvents() {
    const session = this.#session;
    if (!session) return;
    while (this.#events.length > 0 && this.#events[0].step <= session.steps()) {
      const event = /** @type {LiveEvent} */ (this.#events.shift());
      session.set(event.key, JSON.stringify(event.value));
      if (event.key === PHASE) this.#phase = String(event.value);
      this.#post({ type: "applied", generation: this.#generation, info: this.#touched(), event });
    }
  }

  /** Sends the frame that is due. */
  #serve() {
    if (!this.#session) return;
    const frame = this.#frames.fill(this.#session, this.#active && !this.#slow);
    if (!frame) return;
    const { sections, failed, buffer } = frame;
    const step = this.#session.steps();
    this.#post({ type: "frame", generation: this.#generation, step, sections, failed, buffer }, [buffer]);
  }

  /** Works on the scores, and sends them when they are complete. */
  #score() {
    if (!this.#session || !(this.#active || this.#unscored)) return;
    const scored = this.#scoring.work(this.#session, this.#active, this.#slice);
    if (scored) this.#post({ type: "scores", generation: this.#generation, ...scored });
  }

  /** What happens every so often while running. */
  #routine() {
    const now = this.#now();
    if (now - this.#reported.at >= REPORT && this.#session) {
      const step = this.#session.steps();
      const rate = (1000 * (step - this.#reported.step)) / (now - this.#reported.at);
      this.#rate = this.#rate === 0 ? rate : this.#rate + 0.4 * (rate - this.#rate);
      this.#reported = { at: now, step };
      this.#report();
    }
    if (now - this.#saved.at >= SNAPSHOT) this.#save();
  }

  #report() {
    if (!this.#session) return;
    /** @type {Status} */
    const status = {
      step: this.#session.steps(),
      rate: this.#active ? this.#rate : 0,
      running: this.#running,
      target: this.#target,
    };
    this.#post({ type: "status", generation: this.#generation, status });
  }

  /** Sends the page what it needs to go on without this engine. */
  #save() {
    if (!this.#session) return;
    const step = this.#session.steps();
    const state = `${this.#changes}:${step}`;
    this.#saved.at = this.#now();
    if (state === this.#saved.state) return;
    this.#saved.state = state;
    const bytes = this.#session.checkpoint();
    const rescue = { config: this.#info().config, phase: this.#phase, step, bytes };
    this.#post({ type: "snapshot", generation: this.#generation, rescue }, [bytes.buffer]);
  }

  /** Training cannot go on as it is (it diverged, and went back to where it was well): pause and say why. @param {string} message */
  #stop(message) {
    this.#running = false;
    this.#target = null;
    this.#events = [];
    if (this.#session && this.#phase !== ALL_PHASES) this.#session.set(PHASE, JSON.stringify(this.#phase));
    const info = this.#session ? this.#touched() : null;
    this.#post({ type: "stopped", generation: this.#generation, info, message });
  }

  /** The wasm instance is lost. @param {unknown} error */
  #die(error) {
    this.#dead = true;
    this.#session = null;
    this.#post({ type: "trap", message: messageOf(error) });
  }
}
