/** @file The page inside the element: builds its parts, and carries news between the experiment and them. */

import { Experiment } from "../experiment.js";
import { messageOf } from "../protocol.js";
import { datasetOf, drawingKey, modelOf, readLink, specsOf } from "../state.js";
import { el, setText } from "../views/dom.js";
import { LossChart } from "../views/losses.js";
import { Stage } from "../views/stage.js";
import { DataPicker } from "./data-picker.js";
import { FileDrop } from "./file-drop.js";
import { Frames } from "./frames.js";
import { Help } from "./help.js";
import { iconOf } from "./icons.js";
import { ModelCards } from "./model-cards.js";
import { Settings } from "./settings.js";
import { Status } from "./status.js";
import { textOr, translator } from "./texts.js";
import { Toasts } from "./toasts.js";
import { Transport } from "./transport.js";

/**
 * @import {Catalog, Config, Info, Value} from "../protocol.js"
 * @import {Notice} from "../experiment.js"
 * @import {Clamp, Link} from "../state.js"
 */

/** Clamped values that one message lists. */
const MOST_CLAMPS = 4;
/** The square that a drawing can fill, before there are data whose extent could be asked for. */
const SHEET = /** @type {[number, number, number, number]} */ ([-3.3, 3.3, -3.3, 3.3]);

/** @typedef {"data" | "model" | "settings" | "losses"} Group A part of the page with a heading. */

/**
 * What the element hears from its page.
 * @typedef {object} Listener
 * @property {(info: Info) => void} ready A session began.
 * @property {(detail: {step: number, losses: Record<string, number>}) => void} step
 * @property {(message: string) => void} error
 * @property {() => void} change What a link holds is different.
 */

export class Playground {
  experiment;
  #root;
  #listener;
  #t;
  #stage;
  #chart;
  #frames;
  #transport;
  #picker;
  #files;
  #cards;
  #dataSettings;
  #modelSettings;
  #status = new Status();
  #toasts = new Toasts();
  #help = new Help();
  #headings = { data: el("h2"), model: el("h2"), settings: el("h2"), losses: el("h2") };
  #takeAway = el("button", { type: "button", class: "pill take", "data-group": "take" }, [iconOf("take")]);
  /** The dialog, once it was asked for. @type {import("./take-away.js").TakeAway | null} */
  #taking = null;
  #hint = el("p", { class: "draw-hint", hidden: true });
  #veil = el("div", { class: "veil" });
  #element;
  #view = "";
  #defaultView;
  /** Layers that a link asks for, until there is a model that has them. @type {string[] | null} */
  #layers = null;
  #started = false;
  #retry = () => {};
  /** The data set of the last session. @type {import("../protocol.js").DatasetEntry | null} */
  #dataset = null;

  /**
   * @param {ShadowRoot | HTMLElement} root
   * @param {{lang: string, listener: Listener, signal: AbortSignal}} options
   */
  constructor(root, { lang, listener, signal }) {
    this.#root = root;
    this.#listener = listener;
    this.#t = translator(lang);
    this.experiment = new Experiment({
      opened: () => this.#opened(),
      changed: () => this.#changed(),
      progress: () => this.#transport.progress(),
      frame: (frame) => this.#frames.arrive(frame),
      notice: (notice) => this.#notice(notice),
    }, { soon: (callback) => requestAnimationFrame(callback) });
    const clamped = (/** @type {Clamp[]} */ clamps) => this.clamped(clamps);
    const owner = { change: (/** @type {string} */ key, /** @type {Value} */ value) => this.experiment.change({ [key]: value }), clamped };
    this.#transport = new Transport(this.experiment, clamped);
    this.#picker = new DataPicker(this.experiment);
    this.#files = new FileDrop(this.experiment, (kind, text) => this.#say(kind, text), (file) => this.#bring(file));
    this.#takeAway.addEventListener("click", () => void this.openTakeAway());
    this.#transport.element.querySelector(".seeds")?.append(this.#takeAway);
    this.#cards = new ModelCards(this.experiment);
    // The data come first on the page; their numbers should not push the models out of sight.
    this.#dataSettings = new Settings(owner, { folded: true });
    this.#modelSettings = new Settings(owner);

    const group = (/** @type {Group} */ id, /** @type {HTMLElement[]} */ ...parts) => el("section", { "data-group": id }, [this.#headings[id], ...parts]);
    const stage = el("section", { class: "stage" });
    const losses = group("losses");
    this.#element = el("div", { class: "playground", lang, "data-state": "loading" }, [
      this.#transport.element,
      el("div", { class: "columns" }, [
        el("div", { class: "left" }, [
          el("div", { class: "pick" }, [group("data", this.#picker.element, this.#dataSettings.element, this.#files.element), group("model", this.#cards.element)]),
          group("settings", this.#modelSettings.element),
        ]),
        el("div", { class: "right" }, [stage, el("div", { class: "side-column" }, [losses, this.#status.about])]),
      ]),
      this.#status.element,
      this.#toasts.element,
      this.#help.element,
    ]);
    root.append(this.#element);
    this.#files.listen(this.#element, signal);
    this.#stage = new Stage(stage, {
      t: this.#t,
      onLatentMove: () => this.#frames.kick(),
      onLayerChange: () => this.#viewChanged(),
      onViewChange: (view) => {
        this.#view = view;
        this.#viewChanged();
      },
      onDraw: (text) => this.#drawn(text),
    });
    this.#defaultView = this.#stage.view;
    this.#stage.drawEditor.element.append(this.#hint);
    stage.append(this.#veil);
    this.#chart = new LossChart(losses, { t: this.#t });
    this.#frames = new Frames(this.experiment, this.#stage, this.#chart, {
      step: (step) => {
        this.#transport.setStep(step);
        listener.step({ step, losses: this.#frames.losses(this.experiment.info) });
      },
      failed: (message) => this.#notice({ kind: "error", key: "view", vars: { message } }),
    });
    // Whatever is done to the stage may change which views it needs.
    for (const type of ["pointermove", "pointerdown", "click", "keydown", "input", "transitionend"]) {
      stage.addEventListener(type, () => this.#frames.kick(), { signal, passive: true });
    }
    this.setLang(lang);
    this.#changed();
  }

  /**
   * Starts the engine, then the run that `linkOf` reads with the catalogue at hand.
   * @param {(catalog: Catalog) => Link & {clamped: Clamp[]}} linkOf
   */
  async start(linkOf) {
    this.#retry = () => void (this.experiment.catalog ? this.experiment.retry() : this.start(linkOf));
    try {
      const catalog = await this.experiment.start();
      this.#picker.setCatalog(catalog);
      this.#cards.setCatalog(catalog);
      await this.openLink(linkOf(catalog));
    } catch {
      // Said by the experiment's state.
      return;
    }
    void this.#picker.load();
  }

  /** Begins the run that a link describes. @param {Link & {clamped: Clamp[]}} link */
  async openLink({ config, events, step, play, view, layers, clamped }) {
    this.#view = view ?? this.#defaultView;
    this.#stage.view = this.#view;
    this.#layers = layers;
    this.clamped(clamped);
    await this.experiment.open(config, { events, step, play });
  }

  /** What a link to this moment holds, without language and theme. @returns {Omit<Link, "lang" | "theme" | "hide">} */
  link() {
    const { initial, events, status, state } = this.experiment;
    const paused = status.target ?? (status.running ? null : status.step);
    return {
      config: initial,
      events,
      step: state === "ready" ? paused : null,
      play: status.running,
      view: this.#view && this.#view !== this.#defaultView ? this.#view : null,
      layers: this.#layers ?? (this.#stage.layersChanged ? this.#stage.layers : null),
    };
  }

  /** @param {string} lang */
  setLang(lang) {
    const t = translator(lang);
    this.#t = t;
    this.#element.lang = t("lang");
    for (const [id, heading] of Object.entries(this.#headings)) setText(heading, t(`ui.headings.${id}`));
    setText(this.#hint, t("ui.draw.hint"));
    this.#takeAway.title = `${t("ui.takeAway.title")} (T)`;
    this.#takeAway.setAttribute("aria-label", t("ui.takeAway.title"));
    this.#taking?.setTexts(t);
    for (const part of [this.#transport, this.#picker, this.#files, this.#cards, this.#dataSettings, this.#modelSettings, this.#toasts, this.#help, this.#stage, this.#chart]) part.setTexts(t);
    this.#showState();
  }

  /** Reads the colours again. */
  setTheme() {
    this.#stage.setTheme();
    this.#chart.setTheme();
    this.#picker.setTheme();
    this.#files.setTheme();
  }

  /** Hides groups of controls; never a result. @param {string[]} groups */
  setHide(groups) {
    for (const part of this.#root.querySelectorAll("[data-group]")) {
      if (part instanceof HTMLElement) part.classList.toggle("hidden-group", groups.includes(part.dataset.group ?? ""));
    }
  }

  openHelp() {
    this.#help.open();
  }

  /** The dialog with what can be taken away; its code comes when it is asked for. */
  async openTakeAway() {
    if (this.experiment.state !== "ready") return;
    try {
      const { TakeAway } = await import("./take-away.js");
      if (!this.#taking) {
        this.#taking = new TakeAway({
          experiment: this.experiment, stage: this.#stage, chart: this.#chart, link: () => this.link(), t: () => this.#t,
        }, { take: (files) => void this.#files.take(files), openLink: (hash) => void this.#openHash(hash) });
        this.#taking.setTexts(this.#t);
        this.#element.append(this.#taking.element);
      }
      this.#taking.open();
    } catch (error) {
      this.#say("error", this.#t("ui.takeAway.failed", { message: messageOf(error) }));
    }
  }

  /** @param {string} hash */
  async #openHash(hash) {
    const { catalog } = this.experiment;
    if (catalog) await this.openLink(readLink(catalog, hash));
  }

  /** Opens a file of ours; false if it is none. @param {File} file */
  async #bring(file) {
    const { bring } = await import("./bring.js");
    return bring(file, { experiment: this.experiment, t: this.#t, say: (kind, text) => this.#say(kind, text) });
  }

  /** Says which values were moved into their range. @param {Clamp[]} clamps */
  clamped(clamps) {
    if (clamps.length === 0) return;
    const t = this.#t;
    const items = clamps.slice(0, MOST_CLAMPS).map(({ key, got, used }) => t("ui.notice.clamp", { key: textOr(t, `params.${key}.name`, key), got: got || "–", used: used || "–" }));
    if (clamps.length > MOST_CLAMPS) items.push(t("ui.notice.more", { count: clamps.length - MOST_CLAMPS }));
    this.#toasts.show(t("ui.notice.clamped", { list: items.join(t("ui.notice.separator")) }));
  }

  destroy() {
    this.experiment.client.end();
    this.#frames.end();
    this.#stage.destroy();
    this.#chart.destroy();
    this.#toasts.clear();
    this.#element.remove();
  }

  #entries() {
    const { catalog, current } = this.experiment;
    return catalog && current.dataset !== undefined ? { catalog, dataset: datasetOf(catalog, current), model: modelOf(catalog, current) } : null;
  }

  /** A session began, or a drawing is awaited, or the engine failed. */
  #opened() {
    const entries = this.#entries();
    const { state, info, current } = this.experiment;
    if (entries && state !== "failed") {
      const { dataset, model } = entries;
      const shown = info ?? emptyInfo(model, dataset, current);
      this.#stage.setModel({ model, dataset, info: { ...shown, config: current } });
      this.#chart.setModel({ model, info: shown });
      if (this.#layers) this.#stage.layers = this.#layers;
      this.#layers = null;
      // Whoever chooses to draw gets the sheet at once.
      if (state === "empty" || (this.#started && dataset.drawable && dataset !== this.#dataset)) this.#stage.editing = true;
      this.#dataset = dataset;
    }
    this.#changed();
    if (state === "ready" && info) {
      this.#frames.begin();
      this.#started = true;
      this.#listener.ready(info);
    }
    if (state === "failed") this.#listener.error(this.experiment.failure);
  }

  /** The configuration or the play state is different. */
  #changed() {
    const entries = this.#entries();
    if (entries) {
      const { catalog, dataset, model } = entries;
      const { current } = this.experiment;
      const specs = specsOf(dataset, model);
      // What is drawn has the sheet as its control.
      const drawing = drawingKey(dataset);
      this.#dataSettings.setSpecs(specs.data.filter(({ key }) => key !== drawing), this.#t);
      this.#modelSettings.setSpecs(specs.model, this.#t);
      this.#dataSettings.show(current);
      this.#modelSettings.show(current);
      this.#picker.show(dataset, current);
      this.#files.show(dataset);
      this.#cards.show(model, dataset, this.experiment.info?.misfits);
      this.#transport.setModel(catalog, model);
    }
    this.#transport.show();
    this.#showState();
    if (entries) this.#listener.change();
    this.#frames.kick();
  }

  #showState() {
    const t = this.#t;
    const { state, failure } = this.experiment;
    const entries = this.#entries();
    this.#element.dataset.state = state;
    this.#hint.hidden = state !== "empty";
    this.#veil.hidden = state === "ready" || state === "empty";
    if (state === "failed") {
      const again = el("button", { type: "button", class: "pill" }, [t("ui.failed.again")]);
      again.addEventListener("click", () => this.#retry());
      // Without a catalogue it never ran: that is about the browser, not about the settings.
      const text = t(this.experiment.catalog ? "ui.failed.crash" : "ui.failed.start", { message: failure });
      this.#veil.replaceChildren(el("div", { role: "alert" }, [el("b", {}, [t("ui.failed.title")]), el("p", {}, [text]), again]));
    } else if (state === "loading") {
      this.#veil.replaceChildren(el("div", { role: "status" }, [el("span", { class: "flame", "aria-hidden": "true" }), el("p", {}, [t("ui.loading")])]));
    }
    this.#status.show(this.experiment, entries?.model ?? null, entries?.dataset ?? null, t);
  }

  #viewChanged() {
    this.#frames.kick();
    if (this.#started) this.#listener.change();
  }

  /** @param {string} text */
  #drawn(text) {
    const entries = this.#entries();
    const key = entries && drawingKey(entries.dataset);
    if (key) this.experiment.change({ [key]: text });
  }

  /** @param {Notice} notice */
  #notice({ kind, key, vars }) {
    this.#say(kind, this.#t(`ui.notice.${key}`, vars), String(vars.message ?? ""));
  }

  /** @param {Notice["kind"]} kind @param {string} text @param {string} [message] What the engine said of an error. */
  #say(kind, text, message) {
    this.#toasts.show(text, { kind });
    if (kind === "error") this.#listener.error(message || text);
  }
}

/**
 * What a session would say of itself if there were data to learn.
 * @param {import("../protocol.js").ModelEntry} model
 * @param {import("../protocol.js").DatasetEntry} dataset
 * @param {Config} config
 * @returns {Info}
 */
function emptyInfo(model, dataset, config) {
  return {
    step: 0,
    config,
    // What can be drawn are points in the plane.
    shape: { domain: dataset.domain, channels: 1, height: 1, width: 2, vocabulary: 0 },
    extent: SHEET,
    parameters: 0,
    capabilities: model.capabilities,
    dear: [],
    latentDim: null,
    losses: model.losses.map((loss) => ({ ...loss, last: null })),
    references: [],
    classes: 0,
    alphabet: "",
    trainRows: 0,
    misfits: {},
  };
}
