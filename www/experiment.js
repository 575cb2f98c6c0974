/**
 * @file One experiment: a configuration, the live changes made during its run, and the engine that runs it.
 * No DOM: the page listens to it and calls its methods.
 */

import { Client, Lost, Unloaded } from "./client.js";
import { ALL_PHASES, messageOf, PHASE } from "./protocol.js";
import { AT_REST, beginning, changed, newRun, played, replaced, resumed, rewound, RunHolder, scored, wentBack } from "./run.js";
import { datasetOf, drawingKey, modelOf, nearest, refit, same, specsByKey, switched } from "./state.js";

/**
 * @import {Run} from "./run.js"
 * @import {Catalog, Config, ExperimentListener, Info, LiveEvent, Loaded, Message, Notice, Part, Rescue, Status, Value, ViewRequest} from "./protocol.js"
 */

/** Two traps closer together than this, in milliseconds, are one that going on would only repeat. */
const TRAP_AGAIN = 10_000;

/** @typedef {"loading" | "empty" | "ready" | "failed"} State `empty`: a drawing is awaited. */

export class Experiment extends RunHolder {
  /** The engine: for questions that change nothing here. @type {Client} */
  client;
  /** @type {State} */
  state = "loading";
  /** Why the state is `failed`. */
  failure = "";
  /** Tries once more to begin what a file could not be loaded for. @type {(() => Promise<void>) | null} */
  unloaded = null;
  /** @type {Catalog | null} */
  catalog = null;
  status = AT_REST;
  slow = false;
  scoring = true;

  #listener;
  #soon;
  #now;
  /** The run whose session the engine holds, while another one is being opened. @type {Run | null} */
  #confirmed = null;
  #generation = 0;
  /** Live changes of this frame, by key: a dragged slider sends its last value only. @type {Map<string, Value>} */
  #pending = new Map();
  /** @type {{generation: number, rescue: Rescue} | null} */
  #rescue = null;
  #trappedAt = -Infinity;
  /** Whether a run begins by playing once there is something to learn from. */
  #eager = false;
  /** @type {Set<() => void>} */
  #arrivals = new Set();
  #reload = async () => {};

  /**
   * @param {ExperimentListener} listener
   * @param {{soon: (callback: () => void) => void, now?: () => number}} clock `soon`: before the next picture.
   */
  constructor(listener, { soon, now = () => performance.now() }) {
    super();
    this.#listener = listener;
    this.#soon = soon;
    this.#now = now;
    this.client = new Client((message) => this.#hear(message));
  }

  /** Whether training goes on, be it without end or to a step. */
  get busy() { return this.status.running || this.status.target !== null; }

  /** Starts the engine and reads the catalogue. @returns {Promise<Catalog>} */
  async start() {
    try {
      await this.client.start();
      this.#instruct();
      this.catalog = /** @type {Catalog} */ (await this.client.ask({ type: "catalog" }));
      return this.catalog;
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** Starts another engine after a failure, unless there was none of its own, and begins the last run again. */
  async retry() {
    this.state = "loading";
    this.#listener.changed();
    try {
      if (this.unloaded) return await this.unloaded();
      await this.client.restart();
      this.#instruct();
      this.run.info = null;
      await this.#withFiles();
      await this.open(this.initial, { events: this.events });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Tells a new engine how it is to work. */
  #instruct() {
    this.client.tell({ type: "slow", slow: this.slow });
    this.client.tell({ type: "scoring", on: this.scoring });
  }

  /**
   * Begins a run.
   * @param {Config} config Complete.
   * @param {{events?: LiveEvent[], step?: number | null, play?: boolean}} [how]
   */
  async open(config, { events = [], step = null, play = false } = {}) {
    const catalog = /** @type {Catalog} */ (this.catalog);
    this.#confirmed ??= this.run.info ? this.run : null;
    this.#pending.clear();
    const generation = ++this.#generation;
    this.unloaded = null;
    this.become(newRun(config, events, generation));
    const drawing = drawingKey(datasetOf(catalog, config));
    if (drawing && config[drawing] === "") {
      this.client.tell({ type: "close" });
      this.#confirmed = null;
      this.state = "empty";
      this.status = { ...AT_REST };
      this.#eager = play;
      this.#listener.opened();
      return;
    }
    this.#listener.changed();
    try {
      const target = step && step > 0 ? step : null;
      const info = await this.client.ask({ type: "open", config, events, target, play, generation });
      if (generation !== this.#generation) return;
      this.run.info = info;
      this.#confirmed = null;
      this.state = "ready";
      this.status = { step: 0, rate: 0, running: play, target };
      this.#listener.opened();
    } catch (error) {
      if (generation !== this.#generation || error instanceof Lost) return;
      this.#refuse(error, () => this.open(config, { events, step, play }));
    }
  }

  /** A configuration was refused, or what it needs is not there: what ran before goes on. @param {unknown} error @param {() => Promise<void>} again */
  #refuse(error, again) {
    const before = this.#confirmed;
    this.#confirmed = null;
    const unloaded = error instanceof Unloaded;
    if (!unloaded || before) this.#notice("error", unloaded ? "unloaded" : "refused", { message: messageOf(error) }, unloaded ? again : undefined);
    if (unloaded && !before) this.unloaded = again;
    if (before) {
      this.become(before);
      this.#listener.changed();
      return;
    }
    const drawing = this.catalog && drawingKey(datasetOf(this.catalog, this.current));
    if (drawing && !unloaded) void this.open({ ...this.run.initial, [drawing]: "" }, { play: this.#eager });
    else this.#fail(error);
  }

  /** @param {unknown} error */
  #fail(error) {
    this.state = "failed";
    this.failure = messageOf(error);
    this.status = { ...AT_REST };
    this.#settle();
    this.#listener.opened();
  }

  /** Chooses another data set or model. @param {{dataset?: string, model?: string}} chosen */
  choose(chosen) {
    if (this.catalog) this.#restart(switched(this.catalog, this.current, chosen));
  }

  /**
   * Changes settings: at once where that is possible, by a new start where not.
   * @param {Config} values
   * @param {{play?: boolean}} [how] `play`: train on with them, also if the run was paused.
   */
  change(values, { play = false } = {}) {
    if (!this.catalog) return;
    const specs = specsByKey(this.catalog, this.current);
    let restart = false;
    const next = { ...this.current };
    for (const [key, given] of Object.entries(values)) {
      const spec = specs.get(key);
      const value = spec ? nearest(spec, given) : given;
      if ((!spec && key !== "seed") || same(next[key], value)) continue;
      next[key] = value;
      if (!spec || spec.effect === "restart" || !this.run.info) restart = true;
      else this.#pending.set(key, value);
    }
    if (restart) {
      this.#restart(next, play);
    } else if (this.#pending.size > 0) {
      this.run.current = next;
      this.#soon(() => this.#flush());
      this.#listener.changed();
    }
    if (play && !restart && !this.busy) this.play();
  }

  /** @param {Config} config @param {boolean} [playing] */
  #restart(config, playing = false) {
    const play = playing || (this.state === "empty" ? this.#eager : this.busy);
    // Another model has other phases.
    const kept = config.model === this.current.model ? this.phase : ALL_PHASES;
    void this.open(config, { events: beginning(kept), play });
  }

  /** Sends the live changes that have gathered. */
  #flush() {
    const changes = [...this.#pending];
    this.#pending.clear();
    for (const [key, value] of changes) void this.#set(key, value);
  }

  /** @param {string} key @param {Value} value */
  async #set(key, value) {
    const run = this.run;
    try {
      const answer = await this.client.ask({ type: "set", key, value });
      if (run !== this.run) return;
      changed(run, key, value, answer);
    } catch (error) {
      if (run !== this.run || error instanceof Lost) return;
      if (run.info && key in run.info.config) run.current = { ...run.current, [key]: run.info.config[key] };
      this.#notice("error", "refused", { message: messageOf(error) });
    }
    this.#listener.changed();
  }

  /** Draws a new seed. */
  async newSeed() {
    const seed = await this.#asking({ type: "freshSeed" });
    if (seed !== undefined) this.change({ seed });
  }

  play = () => this.setRunning(true);
  pause = () => this.setRunning(false);

  /** Trains until it is paused, or pauses. @param {boolean} running */
  setRunning(running) {
    this.#flush();
    if (this.state === "ready") this.status = { ...this.status, running, target: null };
    else this.#eager = running;
    this.client.tell({ type: "run", running });
    this.#listener.changed();
  }

  /** Takes one step, and pauses. @returns {Promise<number>} The step that was reached. */
  async step() {
    this.#flush();
    this.status = { ...this.status, running: false, target: null, rate: 0 };
    this.#listener.changed();
    const step = await this.#asking({ type: "steps", n: 1 });
    return step ?? this.status.step;
  }

  /** Trains to a step, then pauses. @param {number} target @returns {Promise<number>} When it is reached or given up. */
  async trainTo(target) {
    if (this.state !== "ready" || target <= this.status.step) return this.status.step;
    this.#flush();
    this.status = { ...this.status, running: false, target };
    this.#listener.changed();
    await this.#asking({ type: "train", target });
    await new Promise((resolve) => this.#arrivals.add(() => resolve(undefined)));
    return this.status.step;
  }

  /** Back to step 0: the same weights again, with the settings as they now are. */
  async rewind() {
    if (this.state !== "ready") return;
    this.#flush();
    const run = this.run;
    this.setRunning(false);
    const info = await this.#asking({ type: "reset" });
    if (!info || run !== this.run) return;
    rewound(run, info);
    this.status = { ...AT_REST };
    this.#listener.progress();
    this.#listener.changed();
  }

  /** Lets only one network learn, or all. @param {string} phase */
  setPhase(phase) {
    if (!this.catalog || !this.info || !modelOf(this.catalog, this.current).phases.concat(ALL_PHASES).includes(phase)) return;
    this.run.phase = phase;
    void this.#set(PHASE, phase);
    this.#listener.changed();
  }

  /** @param {boolean} slow */
  setSlow(slow) {
    this.slow = slow;
    this.client.tell({ type: "slow", slow });
    this.#listener.changed();
  }

  /** Whether scores are computed beside training. @param {boolean} scoring */
  setScoring(scoring) {
    if (scoring === this.scoring) return;
    this.scoring = scoring;
    this.client.tell({ type: "scoring", on: scoring });
  }

  /**
   * Makes a data set of files and begins a run on it; if the files are refused, nothing changes.
   * @param {() => Promise<{parts: Part[], size: number | null}>} read Reads them; again after the engine was lost.
   * @param {number} n Rows of the preview.
   * @returns {Promise<Loaded>}
   */
  async loadFiles(read, n) {
    const { parts, size } = await read();
    const loaded = await this.client.load(parts, size, n);
    this.#reload = async () => {
      const again = await read();
      await this.client.load(again.parts, again.size, 1);
    };
    if (this.catalog) refit(this.catalog, loaded);
    this.choose({ dataset: loaded.dataset });
    return loaded;
  }

  /** Gives another engine the files of this run, if it learns from any. */
  async #withFiles() {
    const dataset = this.catalog && datasetOf(this.catalog, this.current);
    if (dataset?.file) await this.#reload();
  }

  /**
   * Goes on from a snapshot, or with weights; what is refused leaves everything as it is.
   * @param {"restore" | "loadWeights"} type
   * @param {Uint8Array} bytes
   * @param {{config?: Config | null, phase?: string}} [of] What weights are for, if not for the session that is there; a snapshot's phase.
   */
  async load(type, bytes, { config = null, phase } = {}) {
    this.#flush();
    const run = this.run;
    const info = await this.client.ask(type === "restore" ? { type, bytes } : { type, bytes, config });
    if (run !== this.run) return;
    replaced(run, info);
    if (type === "restore" || config) run.phase = ALL_PHASES;
    this.state = "ready";
    this.status = { step: info.step, rate: 0, running: false, target: null };
    this.#settle();
    if (phase && phase !== ALL_PHASES) await this.#set(PHASE, phase);
    this.#listener.opened();
  }

  /** @param {import("./client.js").Question} question @returns {Promise<any>} Undefined if it failed, which is said. */
  async #asking(question) {
    try {
      return await this.client.ask(question);
    } catch (error) {
      if (!(error instanceof Lost)) this.#notice("error", "engine", { message: messageOf(error) });
      return undefined;
    }
  }

  /** @param {Notice["kind"]} kind @param {string} key @param {Notice["vars"]} [vars] @param {Notice["again"]} [again] */
  #notice(kind, key, vars = {}, again) {
    this.#listener.notice({ kind, key, vars, again });
  }

  /** @param {Exclude<Message, {type: "reply"} | {type: "error"} | {type: "wanted"}>} message */
  #hear(message) {
    if (message.type === "trap") {
      void this.#recover(message.message);
      return;
    }
    // What concerns a session that is no longer shown.
    if (message.generation !== (this.#confirmed ?? this.run).generation) return;
    switch (message.type) {
      case "status":
        this.#arrive(message.status);
        break;
      case "frame":
        this.#listener.frame(message);
        break;
      case "snapshot":
        this.#rescue = message;
        break;
      case "applied":
        played(this.#confirmed ?? this.run, message.event, message.info);
        this.#listener.changed();
        break;
      case "scores":
        scored(this.#confirmed ?? this.run, message);
        this.#listener.scored();
        break;
      case "stopped":
        if (message.info) wentBack(this.#confirmed ?? this.run, message.info);
        this.#listener.changed();
        this.#listener.stopped(message.message);
    }
  }

  /** @param {Status} status */
  #arrive(status) {
    const { target } = this.status;
    const turned = status.running !== this.status.running || status.target !== target;
    this.status = status;
    if (status.target === null) this.#settle();
    this.#listener.progress();
    if (turned) this.#listener.changed();
    if (target !== null && status.target === null && status.step >= target) this.#listener.goal(status.step);
  }

  /** Whoever waits for a step waits no longer. */
  #settle() {
    for (const resolve of this.#arrivals) resolve();
    this.#arrivals.clear();
  }

  /** The engine is lost: another one goes on from the last snapshot. @param {string} message */
  async #recover(message) {
    const again = this.#now() - this.#trappedAt < TRAP_AGAIN;
    this.#trappedAt = this.#now();
    const play = this.busy;
    // A configuration that was being opened when it happened is not tried again.
    const run = this.#confirmed ?? this.run;
    this.#confirmed = null;
    const rescue = this.#rescue?.generation === run.generation ? this.#rescue.rescue : null;
    if (again || !this.catalog) {
      this.client.halt();
      this.become(run);
      this.#fail(new Error(message));
      return;
    }
    try {
      await this.client.restart();
      this.#instruct();
      await this.#withFiles();
      if (rescue) {
        const { config, phase, bytes } = rescue;
        await this.open(config);
        // Copied by the message, not transferred: it may be needed again.
        const info = await this.client.ask({ type: "restore", bytes });
        resumed(this.run, run, info);
        if (phase !== ALL_PHASES) await this.#set(PHASE, phase);
        this.#rescue = { generation: this.generation, rescue };
        this.setRunning(play);
      } else {
        await this.open(run.initial, { events: run.events, play });
      }
      this.#notice("info", "trap", { message, step: rescue?.step ?? 0 });
    } catch (error) {
      this.#fail(error);
    }
  }
}
