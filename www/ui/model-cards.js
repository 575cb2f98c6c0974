/** @file The models, as cards in two groups: those that have a density, and those that only sample. */

import { misfitOf } from "../state.js";
import { el, setText } from "../views/dom.js";
import { textOr } from "./texts.js";

/**
 * @import {Catalog, Config, DatasetEntry, ModelEntry} from "../protocol.js"
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
  /** What keeps each model from the data that are shown. @type {Map<ModelEntry, ReturnType<typeof misfitOf>>} */
  #misfits = new Map();

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

  /** @param {ModelEntry} model @param {DatasetEntry} dataset @param {Config} config */
  show(model, dataset, config) {
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
    for (const { entry, button, name, tagline } of this.#cards) {
      setText(name, textOr(t, `models.${entry.id}.name`, entry.id));
      setText(tagline, textOr(t, `models.${entry.id}.tagline`, ""));
      button.title = this.#hint(entry);
    }
  }
}
