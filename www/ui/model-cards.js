/** @file The models, as cards in two groups: those that have a density, and those that only sample. */

import { el, setText } from "../views/dom.js";
import { textOr } from "./texts.js";

/**
 * @import {Catalog, DatasetEntry, ModelEntry} from "../protocol.js"
 * @import {Experiment} from "../experiment.js"
 * @import {Translate} from "./texts.js"
 */

/** @typedef {{entry: ModelEntry, button: HTMLButtonElement, name: HTMLElement, tagline: HTMLElement}} Card */
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
  /** @type {Record<string, string>} The models that do not take the data that are shown, each with the id of the reason. */
  #misfits = {};

  /** @param {Experiment} experiment */
  constructor(experiment) {
    this.#experiment = experiment;
  }

  /** @param {Catalog} catalog */
  setCatalog(catalog) {
    this.#cards = catalog.models.map((entry) => {
      const [name, tagline] = [el("b"), el("small")];
      const button = el("button", { type: "button", "data-model": entry.id }, [name, tagline]);
      button.addEventListener("click", () => this.#experiment.choose({ model: entry.id }));
      return { entry, button, name, tagline };
    });
    this.#groups = [...new Set(catalog.models.map(({ badge }) => badge))].map((badge) => {
      const heading = el("h3");
      const cards = this.#cards.filter(({ entry }) => entry.badge === badge).map(({ button }) => button);
      return { badge, heading, element: el("div", { class: "model-group" }, [heading, el("div", { class: "cards" }, cards)]) };
    });
    this.element.replaceChildren(...this.#groups.map(({ element }) => element));
    this.setTexts(this.#t);
  }

  /**
   * @param {ModelEntry} model
   * @param {DatasetEntry} dataset
   * @param {Record<string, string>} [misfits] The models that do not take its rows as they are now: they may have outgrown them.
   */
  show(model, dataset, misfits) {
    const always = this.#cards.flatMap(({ entry: { id, misfits } }) => (dataset.id in misfits ? [[id, misfits[dataset.id]]] : []));
    this.#misfits = { ...misfits, ...Object.fromEntries(always) };
    for (const { entry, button } of this.#cards) {
      button.setAttribute("aria-pressed", String(entry === model));
      button.disabled = entry.id in this.#misfits;
      button.title = this.#hint(entry);
    }
  }

  /** In a few words what a model is, or why it is not for the data that are shown. @param {ModelEntry} entry */
  #hint(entry) {
    const misfit = this.#misfits[entry.id];
    if (!misfit) return textOr(this.#t, `models.${entry.id}.tagline`, "");
    return this.#t("ui.model.misfit", { reason: textOr(this.#t, `misfits.${misfit}`, misfit) });
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    this.element.setAttribute("aria-label", t("ui.model.choose"));
    for (const { badge, heading } of this.#groups) {
      setText(heading, textOr(t, `badges.${badge}.name`, badge));
      heading.title = textOr(t, `badges.${badge}.about`, "");
    }
    for (const { entry, button, name, tagline } of this.#cards) {
      setText(name, textOr(t, `models.${entry.id}.name`, entry.id));
      setText(tagline, textOr(t, `models.${entry.id}.tagline`, ""));
      button.title = this.#hint(entry);
    }
  }
}
