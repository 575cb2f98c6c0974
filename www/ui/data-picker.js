/** @file The data sets, as thumbnails of their own data, with their presets. */

import { same, textOf } from "../state.js";
import { el, setText } from "../views/dom.js";
import { drawThumbnail, rowsShown } from "../views/thumbnail.js";
import { iconOf } from "./icons.js";
import { textOr } from "./texts.js";

/**
 * @import {Catalog, Config, DatasetEntry, Preview} from "../protocol.js"
 * @import {Experiment} from "../experiment.js"
 * @import {Translate} from "./texts.js"
 */

/** @typedef {{entry: DatasetEntry, button: HTMLButtonElement, canvas: HTMLCanvasElement, preview: Preview | null}} Thumb */

export class DataPicker {
  element = el("div", { class: "data-picker" });
  #experiment;
  /** @type {Translate} */
  #t = (key) => key;
  #grid = el("div", { class: "thumbs", role: "group" });
  #name = el("b");
  #about = el("span");
  #presets = el("div", { class: "presets", role: "group" });
  /** @type {Thumb[]} */
  #thumbs = [];
  /** @type {DatasetEntry | null} */
  #dataset = null;

  /** @param {Experiment} experiment */
  constructor(experiment) {
    this.#experiment = experiment;
    this.element.append(this.#grid, el("p", { class: "about-data" }, [this.#name, " ", this.#about]), this.#presets);
  }

  /** @param {Catalog} catalog */
  setCatalog(catalog) {
    // What comes from files has a control of its own.
    this.#thumbs = catalog.datasets.filter(({ file }) => !file).map((entry) => {
      const canvas = el("canvas", { "aria-hidden": "true" });
      const button = el("button", { type: "button", "data-dataset": entry.id }, [canvas]);
      button.addEventListener("click", () => this.#experiment.choose({ dataset: entry.id }));
      return { entry, button, canvas, preview: null };
    });
    this.#grid.replaceChildren(...this.#thumbs.map(({ button }) => button));
    this.setTexts(this.#t);
  }

  /** Fills the thumbnails with rows of the data sets, one after the other so that training hardly waits. */
  async load() {
    for (const thumb of this.#thumbs) {
      try {
        thumb.preview = await this.#experiment.client.preview({ dataset: thumb.entry.id }, rowsShown(thumb.entry.domain));
        this.#draw(thumb);
      } catch {
        // Nothing to show before something is drawn, or an engine that is just being replaced.
        if (thumb.entry.drawable && !thumb.button.querySelector("svg")) thumb.button.append(iconOf("pencil"));
      }
    }
  }

  /** @param {Thumb} thumb */
  #draw({ canvas, preview }) {
    if (preview) drawThumbnail(canvas, preview, new Float32Array(preview.buffer));
  }

  /** Draws the thumbnails again, in the colours of now. */
  setTheme() {
    for (const thumb of this.#thumbs) this.#draw(thumb);
  }

  /** @param {DatasetEntry} dataset @param {Config} config */
  show(dataset, config) {
    for (const { entry, button } of this.#thumbs) button.setAttribute("aria-pressed", String(entry.id === dataset.id));
    if (dataset !== this.#dataset) {
      this.#dataset = dataset;
      this.#presets.replaceChildren(...dataset.presets.map((preset) => {
        const button = el("button", { type: "button", class: "chip", "data-preset": preset.id });
        button.addEventListener("click", () => this.#experiment.change(preset.values));
        return button;
      }));
      this.#label();
    }
    this.#presets.hidden = dataset.presets.length === 0;
    this.#presets.querySelectorAll("button").forEach((button, i) => {
      const chosen = Object.entries(dataset.presets[i].values).every(([key, value]) => same(config[key], value));
      button.setAttribute("aria-pressed", String(chosen));
    });
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    this.#grid.setAttribute("aria-label", t("ui.data.choose"));
    this.#presets.setAttribute("aria-label", t("ui.data.presets"));
    for (const { entry, button } of this.#thumbs) {
      const name = textOr(t, `datasets.${entry.id}.name`, entry.id);
      button.title = name;
      button.setAttribute("aria-label", name);
    }
    this.#label();
  }

  #label() {
    const dataset = this.#dataset;
    if (!dataset) return;
    setText(this.#name, textOr(this.#t, `datasets.${dataset.id}.name`, dataset.id));
    setText(this.#about, textOr(this.#t, `datasets.${dataset.id}.about`, ""));
    this.#presets.querySelectorAll("button").forEach((button, i) => {
      const { id } = dataset.presets[i];
      setText(button, textOr(this.#t, `presets.${dataset.id}.${id}`, id));
      const sets = Object.entries(dataset.presets[i].values).map(([key, value]) => this.#t("ui.findings.setting", { name: textOr(this.#t, `params.${key}.name`, key), value: textOf(value) }));
      button.title = sets.join(this.#t("ui.notice.separator"));
    });
  }
}
