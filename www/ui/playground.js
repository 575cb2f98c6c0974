/** @file The page inside the element: builds its parts, and carries news between the experiment and them. */

import { siteAddress } from "../address.js";
import { Experiment } from "../experiment.js";
import { missingDirectives } from "../policy.js";
import { configFrom, datasetOf, drawingKey, modelOf, specsOf, textOf, writeLink } from "../state.js";
import { el, setText } from "../views/dom.js";
import { LossChart } from "../views/losses.js";
import { Stage } from "../views/stage.js";
import { DataPicker } from "./data-picker.js";
import { emptyInfo } from "./empty-info.js";
import { FileDrop } from "./file-drop.js";
import { Findings, gentler } from "./findings.js";
import { Frames } from "./frames.js";
import { Gallery } from "./gallery.js";
import { Help } from "./help.js";
import { Invitation } from "./invitation.js";
import { lockable, setLocked } from "./lock.js";
import { ModelCards } from "./model-cards.js";
import { Scores } from "./scores.js";
import { Settings } from "./settings.js";
import { Sharing } from "./sharing.js";
import { Status } from "./status.js";
import { Taking } from "./taking.js";
import { textOr, translator, whenThere } from "./texts.js";
import { Toasts } from "./toasts.js";
import { Transport } from "./transport.js";

/**
 * @import {Catalog, Config, Exhibit, Finding, Info, Notice, Score, Value} from "../protocol.js"
 * @import {Clamp, Link} from "../state.js"
 */

/** Clamped values that one message lists. */
const MOST_CLAMPS = 4;

/** @typedef {"data" | "model" | "settings" | "scores" | "losses"} Group A part of the page with a heading. */

/**
 * What the element hears from its page.
 * @typedef {object} Listener
 * @property {(info: Info) => void} ready A session began.
 * @property {(detail: {step: number, losses: Record<string, number>}) => void} step
 * @property {(step: number) => void} goal The step that was trained to is reached.
 * @property {(detail: {step: number, scores: Score[], findings: Finding[]}) => void} score
 * @property {(message: string) => void} error
 * @property {() => void} change What a link holds is different.
 */

export class Playground {
  experiment;
  #root;
  #listener;
  #lang = "";
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
  #findings;
  #invitation;
  #gallery;
  #scores;
  #sharing;
  #headings = { data: el("h2"), model: el("h2"), settings: el("h2"), scores: el("h2"), losses: el("h2") };
  #taking;
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
      progress: () => {
        this.#transport.progress();
        this.#invitation.show();
      },
      goal: (step) => listener.goal(step),
      frame: (frame) => this.#frames.arrive(frame),
      scored: () => this.#scored(),
      stopped: (message) => {
        const { catalog, current } = this.experiment;
        this.#findings.stopped(message, catalog ? gentler(catalog, current) : {});
        listener.error(message);
      },
      notice: (notice) => this.#notice(notice),
    }, { soon: (callback) => requestAnimationFrame(callback) });
    const clamped = (/** @type {Clamp[]} */ clamps) => this.clamped(clamps);
    const owner = { change: (/** @type {string} */ key, /** @type {Value} */ value) => this.experiment.change({ [key]: value }), clamped };
    this.#transport = new Transport(this.experiment, clamped);
    this.#picker = new DataPicker(this.experiment);
    this.#files = new FileDrop(this.experiment, (kind, text) => this.#say(kind, text), (file) => this.#taking.bring(file));
    this.#cards = new ModelCards(this.experiment);
    this.#gallery = new Gallery((exhibit) => void this.openExhibit(exhibit));
    this.#findings = new Findings({
      apply: (remedy) => this.experiment.change(remedy, { play: true }),
      openGallery: () => this.#gallery.open(),
    });
    this.#invitation = new Invitation(this.experiment);
    this.#findings.element.prepend(this.#invitation.element);
    // The data come first on the page; their numbers should not push the models out of sight.
    this.#dataSettings = new Settings(owner, { folded: true });
    this.#modelSettings = new Settings(owner);

    const group = (/** @type {Group} */ id, /** @type {HTMLElement[]} */ ...parts) => el("section", { "data-group": id }, [this.#headings[id], lockable(parts)]);
    const stage = el("section", { class: "stage" });
    const [scores, losses] = [group("scores"), group("losses")];
    this.#element = el("div", { class: "playground", lang, "data-state": "loading" }, [
      this.#transport.element,
      el("div", { class: "columns" }, [
        el("div", { class: "left" }, [
          el("div", { class: "pick" }, [group("data", this.#picker.element, this.#dataSettings.element, this.#files.element), group("model", this.#cards.element)]),
          group("settings", this.#modelSettings.element),
        ]),
        el("div", { class: "right" }, [stage, el("div", { class: "side-column" }, [scores, losses, this.#status.about])]),
      ]),
      this.#status.element,
      this.#toasts.element,
      this.#help.element,
      this.#gallery.element,
    ]);
    root.append(this.#element);
    // The address of this moment, made when it is wanted: it changes with every step.
    for (const type of ["click", "auxclick", "focus"]) {
      this.#status.way.addEventListener(type, () => (this.#status.way.href = `${siteAddress()}#${this.#linkWith({})}`), { signal });
    }
    this.#files.listen(this.#element, signal);
    this.#stage = new Stage(stage, {
      t: this.#t,
      foot: this.#findings.element,
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
    this.#scores = new Scores(scores, { t: this.#t });
    this.#chart = new LossChart(losses, { t: this.#t });
    this.#sharing = new Sharing(this.experiment, {
      home: () => this.#element, linkWith: (choices) => this.#linkWith(choices), say: (kind, text) => this.#say(kind, text),
    });
    this.#taking = new Taking({ experiment: this.experiment, stage: this.#stage, chart: this.#chart, link: () => this.link() }, {
      home: this.#element,
      take: (files) => void this.#files.take(files),
      openLink: (link) => void this.openLink(link),
      say: (kind, text) => this.#say(kind, text),
    });
    this.#transport.element.querySelector(".seeds")?.append(this.#taking.button);
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
      this.#gallery.setCatalog(catalog);
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

  /** Begins a failure, and trains to where it shows. @param {Exhibit} exhibit */
  async openExhibit({ config, steps, finding }) {
    const { catalog } = this.experiment;
    if (!catalog) return;
    const texts = new Map(Object.entries(config).map(([key, value]) => [key, textOf(value)]));
    // What fails is told by its scores.
    this.experiment.setScoring(true);
    await this.openLink({ ...configFrom(catalog, texts), events: [], step: steps, play: false, view: null, layers: null, lang: null, theme: null, hide: [], lock: [], embed: false });
    this.#findings.prefer(finding);
  }

  /** What a link to this moment holds, without the appearance. @returns {Omit<Link, "lang" | "theme" | "hide" | "lock" | "embed">} */
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
    this.#lang = lang;
    whenThere(lang, () => {
      if (this.#lang === lang) this.setLang(lang);
    });
    const t = translator(lang);
    this.#t = t;
    this.#element.lang = t("lang");
    for (const [id, heading] of Object.entries(this.#headings)) {
      setText(heading, t(`ui.headings.${id}`));
      heading.dataset.locked = t("ui.locked");
    }
    setText(this.#hint, t("ui.draw.hint"));
    for (const part of [this.#transport, this.#picker, this.#files, this.#cards, this.#dataSettings, this.#modelSettings, this.#toasts, this.#help, this.#gallery, this.#sharing, this.#taking, this.#stage, this.#findings, this.#invitation, this.#scores, this.#chart]) part.setTexts(t);
    this.#showState();
  }

  /** Reads the colours again. */
  setTheme() {
    this.#stage.setTheme();
    this.#chart.setTheme();
    this.#scores.setTheme();
    this.#picker.setTheme();
    this.#files.setTheme();
  }

  /** Hides groups of controls, and scores, which are then not computed; and locks groups. @param {string[]} hidden @param {string[]} locked */
  setGroups(hidden, locked) {
    this.experiment.setScoring(!hidden.includes("scores"));
    this.#scored(false);
    for (const part of this.#root.querySelectorAll("[data-group]")) {
      if (!(part instanceof HTMLElement)) continue;
      part.classList.toggle("hidden-group", hidden.includes(part.dataset.group ?? ""));
      setLocked(part, locked.includes(part.dataset.group ?? ""));
    }
    this.#invitation.allow(![...hidden, ...locked].includes("transport"));
    // The sheet is a control of the data, though it lies on the stage.
    this.#stage.drawable = !locked.includes("data");
  }

  /** @param {boolean} embed */
  setEmbed(embed) {
    this.#element.classList.toggle("embed", embed);
    this.#status.way.hidden = !embed || siteAddress() === "";
  }

  openHelp() {
    this.#help.open();
  }

  openGallery() {
    this.#gallery.open();
  }

  /** @param {import("./share.js").Appearance} appearance */
  openShare(appearance) {
    return this.#sharing.open(appearance);
  }

  /** @param {Partial<Link>} choices */
  #linkWith(choices) {
    const { catalog } = this.experiment;
    return catalog ? writeLink(catalog, { ...this.link(), ...choices }) : "";
  }

  openTakeAway() {
    return this.#taking.open();
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
    this.#scores.destroy();
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
      this.#cards.show(model, dataset, current);
      this.#transport.setModel(catalog, model);
      this.#scores.setDomain(catalog, dataset.domain);
      this.#invitation.show(dataset);
    }
    this.#scored(false);
    this.#transport.show();
    this.#showState();
    if (entries) this.#listener.change();
    this.#frames.kick();
  }

  /** The scores are others, or none. @param {boolean} [told] Whether they are new. */
  #scored(told = true) {
    const { scores, scoring, busy } = this.experiment;
    this.#scores.show(scores);
    this.#findings.show(scores, { scoring, busy });
    const { latest, findings, failure } = scores;
    if (told && latest && !failure) this.#listener.score({ step: latest.step, scores: [...latest.scores.values()], findings });
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
      const policy = missingDirectives();
      const { unloaded, catalog } = this.experiment;
      const key = unloaded ? "ui.failed.unloaded" : catalog ? "ui.failed.crash" : policy ? "ui.failed.policy" : "ui.failed.start";
      const text = t(key, { message: failure, policy });
      this.#veil.replaceChildren(el("div", { role: "alert" }, [el("b", {}, [t(unloaded ? "ui.failed.absent" : "ui.failed.title")]), el("p", {}, [text]), again]));
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
  #notice({ kind, key, vars, again }) {
    this.#say(kind, this.#t(`ui.notice.${key}`, vars), String(vars.message ?? ""), again);
  }

  /** @param {Notice["kind"]} kind @param {string} text @param {string} [message] What the engine said of an error. @param {() => void} [again] */
  #say(kind, text, message, again) {
    this.#toasts.show(text, { kind, again });
    if (kind === "error") this.#listener.error(message || text);
  }
}
