/** @file The models, as cards in two groups: those that have a density, and those that only sample. */

import { misfitOf } from "../state.js";
import { el, setText } from "../views/dom.js";
import { textOr } from "./texts.js";

/**
 * @import {Catalog, Config, DatasetEntry, ModelEntry} from "../protocol.js"
 * @import {Experiment} from "../experiment.js"
 * @import {Translate} from "./texts.js"
 */

/** @typedef {{entry: ModelEntry, button: HTMLButtonElement, name: HTMLElement}} Card */
/** @typedef {{badge: string, element: HTMLElement, heading: HTMLElement}} Group */

export class ModelCards {
  element = el("div", { class: "models", role: "group" });
  #experiment;
  /** @type {Translate} */
  #t = (key) => key;
  /** @type {Card[]} */
  #cards = [];
  /** @type {Group[]} */
  #groups = [];
  /** What the chosen model is, below all cards: none of them grows or moves when it is chosen. */
  #chosen = el("p", { class: "about-data" });
  /** @type {ModelEntry | null} */
  #model = null;
  /** What keeps each model from the data that are shown. @type {Map<ModelEntry, ReturnType<typeof misfitOf>>} */
  #misfits = new Map();

  /** @param {Experiment} experiment */
  constructor(experiment) {
    this.#experiment = experiment;
  }

  /** @param {Catalog} catalog */
  setCatalog(catalog) {
    this.#cards = catalog.models.map((entry) => {
      const name = el("b");
      const button = el("button", { type: "button", "data-model": entry.id }, [name]);
      button.addEventListener("click", () => this.#experiment.choose({ model: entry.id }));
      return { entry, button, name };
    });
    this.#groups = [...new Set(catalog.models.map(({ badge }) => badge))].map((badge) => {
      const heading = el("h3");
      const cards = this.#cards.filter(({ entry }) => entry.badge === badge).map(({ button }) => button);
      return { badge, heading, element: el("div", { class: "model-group" }, [heading, el("div", { class: "cards" }, cards)]) };
    });
    // The smaller group first: below the larger one it would be out of sight.
    this.#groups.sort((a, b) => a.element.querySelectorAll("button").length - b.element.querySelectorAll("button").length);
    this.element.replaceChildren(...this.#groups.map(({ element }) => element), this.#chosen);
    this.setTexts(this.#t);
  }

  /** @param {ModelEntry} model @param {DatasetEntry} dataset @param {Config} config */
  show(model, dataset, config) {
    this.#model = model;
    this.#label();
    for (const { entry, button } of this.#cards) {
      const misfit = misfitOf(entry, dataset, config);
      this.#misfits.set(entry, misfit);
      button.setAttribute("aria-pressed", String(entry === model));
      button.disabled = misfit !== null;
      button.title = this.#hint(entry);
    }
  }

  /** In a few words what a model is, or why it is not for the data that are shown. @param {ModelEntry} entry */
  #hint(entry) {
    const found = this.#misfits.get(entry);
    if (!found) return textOr(this.#t, `models.${entry.id}.tagline`, "");
    const { misfit, upTo } = found;
    const reason = textOr(this.#t, `misfits.${misfit}`, misfit);
    if (!upTo) return this.#t("ui.model.misfit", { reason });
    return this.#t("ui.model.upTo", { reason, setting: textOr(this.#t, `params.${upTo.key}.name`, upTo.key), most: upTo.most });
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    this.element.setAttribute("aria-label", t("ui.model.choose"));
    for (const { badge, heading } of this.#groups) {
      setText(heading, textOr(t, `badges.${badge}.name`, badge));
      heading.title = textOr(t, `badges.${badge}.about`, "");
    }
    for (const { entry, button, name } of this.#cards) {
      setText(name, textOr(t, `models.${entry.id}.name`, entry.id));
      button.title = this.#hint(entry);
    }
    this.#label();
  }

  #label() {
    const model = this.#model;
    if (!model) return;
    const [name, tagline] = ["name", "tagline"].map((part) => textOr(this.#t, `models.${model.id}.${part}`, ""));
    this.#chosen.replaceChildren(el("b", {}, [name]), ` ${tagline}`);
  }
}
