/**
 * @file The custom element: `<tealight-playground dataset="…" model="…" play>`.
 *
 * Its attributes are the keys of a link. They say what runs, and follow what is chosen in it. Properties
 * and methods are thin: the page is in `ui/`, the engine in a worker. `docs/api.md` is made from the comments
 * of this class.
 */

import chartSheet from "uplot/dist/uPlot.min.css";
import playgroundSheet from "./playground.css";
import { APPEARANCE, attributeTexts, reflect } from "./attributes.js";
import { setOne } from "./setting.js";
import { readLink, specsByKey, textOf, textsOf, writeLink } from "./state.js";
import { foresee } from "./supply.js";
import { keyActions } from "./ui/keys.js";
import { Playground } from "./ui/playground.js";
import { arrived } from "./ui/sections.js";
import { languageFor } from "./ui/texts.js";
import viewsSheet from "./views/views.css";

/** @import {Catalog, Config, Info, Section, Value} from "./protocol.js" */

/** Properties that may have been set before the element was defined. */
const PROPERTIES = /** @type {const} */ (["datasetId", "model", "seed", "config", "theme", "hide", "lock", "embed", "link", "playing"]);

/**
 * @fires ready A session began. `detail.info`: steps, shapes, parameters, losses, what the model can show.
 * @fires step A picture was drawn. `detail.step`, and `detail.losses`: the last value of each loss.
 * @fires goal The step that was trained to is reached. `detail.step`
 * @fires score Scores were computed. `detail` holds them.
 * @fires change What a link holds is different. `detail.link`
 * @fires error Something failed. `detail.message`
 */
export class TealightPlayground extends HTMLElement {
  /** @type {Playground | null} */
  #page = null;
  /** The button that was pressed last with mouse or finger. @type {Element | null} */
  #pointed = null;
  /** Ends every listener of one life in a document. @type {AbortController | null} */
  #life = null;
  /** @type {MutationObserver} */
  #observer;
  /** A link that was set before the catalogue was there, or that a removed element left behind. @type {string | null} */
  #link = null;
  #changing = false;
  /** Why training waits. @type {Set<string>} */
  #holds = new Set();
  /** @type {{promise: Promise<Info>, resolve: (info: Info) => void}} */
  #ready = deferred();

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [chartSheet, viewsSheet, playgroundSheet].map((text) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      return sheet;
    });
    // Any link key can be an attribute, so there is no fixed list to observe; and several changes in a tick arrive together.
    this.#observer = new MutationObserver((records) => this.#attributesChanged(records));
  }

  connectedCallback() {
    for (const name of PROPERTIES) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      Reflect.deleteProperty(this, name);
      Reflect.set(this, name, value);
    }
    // Moved within a tick: nothing was torn down, and nothing begins.
    if (this.#page) return;
    const life = new AbortController();
    const { signal } = life;
    this.#life = life;
    const page = new Playground(/** @type {ShadowRoot} */ (this.shadowRoot), {
      lang: this.#language(),
      signal,
      listener: {
        ready: (info) => {
          this.#tellHold();
          this.#ready.resolve(info);
          this.#tell("ready", { info });
        },
        step: (detail) => this.#tell("step", detail),
        goal: (step) => this.#tell("goal", { step }),
        score: (detail) => this.#tell("score", detail),
        error: (message) => this.#tell("error", { message }),
        change: () => this.#changed(),
      },
    });
    this.#page = page;
    page.setGroups(this.hide, this.lock);
    page.setEmbed(this.embed);
    this.#observer.observe(this, { attributes: true });
    // Across shadow boundaries, the first of the path is what was pressed.
    this.addEventListener("pointerdown", (event) => (this.#pointed = /** @type {Element} */ (event.composedPath()[0]).closest("button")), { signal });
    this.addEventListener("keydown", (event) => this.handleKey(event), { signal });
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", () => page.setTheme(), { signal });
    // What nobody sees does not train, unless it was asked to reach a step.
    const hold = () => this.hold("hidden page", document.hidden);
    document.addEventListener("visibilitychange", hold, { signal });
    hold();
    const sight = new IntersectionObserver((entries) => this.hold("out of sight", !entries[entries.length - 1].isIntersecting));
    sight.observe(this);
    signal.addEventListener("abort", () => sight.disconnect());
    foresee(textsOf(this.#link ?? "").get("dataset") ?? this.getAttribute("dataset"));
    void page.start((catalog) => {
      const texts = attributeTexts(this);
      for (const [key, text] of textsOf(this.#link ?? "")) texts.set(key, text);
      this.#link = null;
      return readLink(catalog, texts);
    });
  }

  disconnectedCallback() {
    // Out of the document and in again within a tick is a move.
    queueMicrotask(() => {
      if (this.isConnected || !this.#page) return;
      this.#link ??= this.#page.experiment.catalog ? this.link : null;
      this.#observer.disconnect();
      this.#life?.abort();
      this.#page.destroy();
      this.#page = null;
      this.#ready = deferred();
    });
  }

  /** The attribute `dataset`: every element already has a property of that name, for `data-…`. */
  get datasetId() {
    return String(this.#value("dataset") ?? "");
  }
  set datasetId(id) {
    this.setAttribute("dataset", id);
  }

  /** The id of the model. */
  get model() {
    return String(this.#value("model") ?? "");
  }
  set model(id) {
    this.setAttribute("model", id);
  }

  /** The seed of all randomness. */
  get seed() {
    return Number(this.#value("seed") ?? NaN);
  }
  set seed(seed) {
    this.setAttribute("seed", String(seed));
  }

  /** Every setting, with the changes made while running; what is assigned is merged into it. @type {Config} */
  get config() {
    return { ...this.#page?.experiment.current };
  }
  set config(config) {
    for (const [key, value] of Object.entries(config)) this.setAttribute(key, textOf(value));
  }

  /** Whether it trains. */
  get playing() {
    return this.#page?.experiment.busy ?? this.hasAttribute("play");
  }
  set playing(playing) {
    this.toggleAttribute("play", playing);
  }

  /** `auto`, `light` or `dark`. */
  get theme() {
    return this.getAttribute("theme") ?? "auto";
  }
  set theme(theme) {
    this.setAttribute("theme", theme);
  }

  /** Groups that are not shown: data, model, settings, transport, scores (nor computed), losses. @type {string[]} */
  get hide() {
    return (this.getAttribute("hide") ?? "").split(/[\s,]+/).filter(Boolean);
  }
  set hide(groups) {
    this.setAttribute("hide", [...groups].join(","));
  }

  /** Groups of controls that show their values and cannot be changed; links and methods still can. @type {string[]} */
  get lock() {
    return (this.getAttribute("lock") ?? "").split(/[\s,]+/).filter(Boolean);
  }
  set lock(groups) {
    this.setAttribute("lock", [...groups].join(","));
  }

  /** Whether it is part of another page: compact, with a way to the whole page at its foot. */
  get embed() {
    return this.hasAttribute("embed") && this.getAttribute("embed") !== "false";
  }
  set embed(embed) {
    this.toggleAttribute("embed", embed);
  }

  /** Of the engine; empty before there is one. */
  get version() {
    return this.#page?.experiment.catalog?.version ?? "";
  }

  /** The steps that were taken. */
  get steps() {
    return this.#page?.experiment.status.step ?? 0;
  }

  /** The scores of the run against its steps. @type {{steps: number[], values: Record<string, (number | null)[]>}} */
  get scores() {
    const scores = this.#page?.experiment.scores;
    const ids = [...(scores?.latest?.scores.keys() ?? [])];
    return { steps: scores?.steps ?? [], values: Object.fromEntries(ids.map((id) => [id, scores?.values(id) ?? []])) };
  }

  /** What runs, as it stands after the `#` of a link; assigning it begins that run. */
  get link() {
    const page = this.#page;
    const catalog = page?.experiment.catalog;
    if (!page || !catalog || page.experiment.initial.dataset === undefined) return this.#link ?? "";
    return writeLink(catalog, {
      ...page.link(),
      lang: this.#linkLanguage(),
      theme: this.theme === "auto" ? null : this.theme,
      hide: this.hide,
      lock: this.lock,
      embed: this.embed,
    });
  }
  set link(link) {
    const texts = textsOf(link);
    for (const name of APPEARANCE) {
      const text = texts.get(name);
      if (name === "embed" && text !== undefined) this.embed = text !== "false" && text !== "0";
      else if (text !== undefined && text !== this.getAttribute(name)) this.setAttribute(name, text);
    }
    const page = this.#page;
    const catalog = page?.experiment.catalog;
    if (page && catalog) void page.openLink(readLink(catalog, texts));
    else this.#link = link;
  }

  /** Whether what it shows has its shape: a session is there, a drawing is awaited, or the engine failed. */
  get settled() {
    return ![undefined, "loading"].includes(this.#page?.experiment.state);
  }

  /** Resolves when a session is there. @returns {Promise<Info>} */
  get ready() {
    return this.#ready.promise;
  }

  /** Trains until it is paused. */
  play() {
    this.playing = true;
  }
  /** Pauses. */
  pause() {
    this.playing = false;
  }
  /** Takes `n` steps, then pauses. @param {number} [n] @returns {Promise<number>} The step that was reached. */
  async step(n = 1) {
    const { experiment } = await this.#session();
    return n === 1 ? experiment.step() : experiment.trainTo(experiment.status.step + Math.max(0, Math.round(n)));
  }
  /** Back to step 0, with the same weights again. */
  async reset() {
    await (await this.#session()).experiment.rewind();
  }
  /** `n` generated rows. @param {number} [n] @returns {Promise<Section>} */
  async sample(n = 100) {
    const { sections, buffer } = await (await this.#session()).experiment.client.views([{ id: "samples", n }]);
    return /** @type {Section} */ (arrived(sections, buffer).get("samples"));
  }
  /**
   * Changes one setting, `dataset`, `model` or `seed`; refuses what is not allowed, in a sentence.
   * @param {string} key @param {Value} value
   */
  async set(key, value) {
    setOne((await this.#session()).experiment, key, value);
  }
  /** Everything needed to go on from here, bit for bit. @returns {Promise<Uint8Array>} */
  async snapshot() {
    return (await this.#session()).experiment.client.ask({ type: "snapshot" });
  }
  /** Goes on from a snapshot. @param {Uint8Array} bytes */
  async restore(bytes) {
    await (await this.#session()).experiment.load("restore", bytes);
  }
  /** The weights as safetensors. @returns {Promise<Uint8Array>} */
  async exportWeights() {
    return (await this.#session()).experiment.client.ask({ type: "weights" });
  }
  /** Takes weights from safetensors. @param {Uint8Array} bytes */
  async loadWeights(bytes) {
    await (await this.#session()).experiment.load("loadWeights", bytes);
  }
  /** Begins the run of a link, without its `#`. @param {string} link */
  open(link) {
    this.link = link;
  }
  /** Opens the help. */
  showHelp() {
    this.#page?.openHelp();
  }
  /** Opens the gallery of failures. */
  showGallery() {
    this.#page?.openGallery();
  }

  /** Opens the panel with the link and the code to embed it. */
  showShare() {
    void this.#page?.openShare({ lang: this.#linkLanguage(), theme: this.theme, hide: this.hide, lock: this.lock });
  }
  /**
   * Lets training wait while any reason for it holds; what it was asked to reach, it still reaches.
   * @param {string} reason @param {boolean} held
   */
  hold(reason, held) {
    if (held) this.#holds.add(reason);
    else this.#holds.delete(reason);
    this.#tellHold();
  }

  /**
   * Answers a key, if no control has it. A page that is all playground passes its own key events on.
   * @param {KeyboardEvent} event
   */
  handleKey(event) {
    const page = this.#page;
    // Who goes on by keyboard is where the focus is.
    if (event.key === "Tab") this.#pointed = null;
    if (page) keyActions(event, page.experiment, { pointed: this.#pointed, openHelp: () => page.openHelp(), openTakeAway: () => void page.openTakeAway(), locked: this.lock.includes("transport") });
  }

  #tellHold() {
    this.#page?.experiment.client.tell({ type: "hold", held: this.#holds.size > 0 });
  }

  async #session() {
    await this.#ready.promise;
    if (!this.#page) throw new Error("the element is not in a document");
    return this.#page;
  }

  /** @param {string} key */
  #value(key) {
    return this.#page?.experiment.current[key] ?? this.getAttribute(key) ?? undefined;
  }

  #language() {
    const around = this.parentElement?.closest("[lang]")?.getAttribute("lang");
    return languageFor([this.getAttribute("lang"), around, ...navigator.languages]);
  }

  /** What a reader has anyway stands in no link. */
  #linkLanguage() {
    const lang = this.#language();
    return lang === languageFor(navigator.languages) ? null : lang;
  }

  /** @param {string} type @param {object} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** @param {MutationRecord[]} records */
  #attributesChanged(records) {
    const names = new Set(records.map(({ attributeName }) => attributeName ?? ""));
    const page = this.#page;
    if (!page) return;
    if (names.delete("lang")) page.setLang(this.#language());
    if (names.delete("theme")) page.setTheme();
    const groups = [names.delete("hide"), names.delete("lock")];
    if (groups.includes(true)) page.setGroups(this.hide, this.lock);
    if (names.delete("embed")) page.setEmbed(this.embed);
    if (names.size > 0 && page.experiment.catalog && page.experiment.initial.dataset !== undefined) this.#run(page, page.experiment.catalog, names);
    this.#changed();
  }

  /**
   * Follows attributes that say what runs.
   * @param {Playground} page
   * @param {Catalog} catalog
   * @param {Set<string>} names
   */
  #run(page, catalog, names) {
    const { experiment } = page;
    const link = readLink(catalog, attributeTexts(this));
    // Long texts do not stand in attributes unless someone put them there.
    for (const [key, spec] of specsByKey(catalog, link.config)) {
      if (spec.kind === "text" && !this.hasAttribute(key) && experiment.current[key] !== undefined) link.config[key] = experiment.current[key];
    }
    page.clamped(link.clamped.filter(({ key }) => names.has(key.toLowerCase())));
    const { dataset, model } = experiment.current;
    if (link.config.dataset !== dataset || link.config.model !== model) {
      void experiment.open(link.config, { play: names.has("play") ? link.play : experiment.busy });
    } else {
      // Only what was written: the other attributes may be a moment behind.
      experiment.change(Object.fromEntries(Object.entries(link.config).filter(([key]) => names.has(key.toLowerCase()))));
      if (names.has("play") && link.play !== experiment.busy) {
        if (link.play) experiment.play();
        else experiment.pause();
      }
    }
    if (names.has("step") && link.step !== null) void experiment.trainTo(link.step);
  }

  /** Several changes within a tick are told once. */
  #changed() {
    if (this.#changing) return;
    this.#changing = true;
    queueMicrotask(() => {
      this.#changing = false;
      if (!this.#page?.experiment.catalog || !this.isConnected) return;
      this.#reflect(this.#page, this.#page.experiment.catalog);
      this.#tell("change", { link: this.link });
    });
  }

  /**
   * Brings the attributes in line with what runs.
   * @param {Playground} page
   * @param {Catalog} catalog
   */
  #reflect(page, catalog) {
    if (page.experiment.current.dataset === undefined) return;
    // What someone else wrote in this tick comes first.
    const records = this.#observer.takeRecords();
    if (records.length > 0) {
      this.#attributesChanged(records);
      return;
    }
    reflect(this, page.experiment, catalog);
    this.#observer.takeRecords();
  }
}

/** @returns {{promise: Promise<any>, resolve: (value: any) => void}} */
function deferred() {
  /** @type {(value: any) => void} */
  let resolve = () => {};
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

if (!customElements.get("tealight-playground")) customElements.define("tealight-playground", TealightPlayground);
