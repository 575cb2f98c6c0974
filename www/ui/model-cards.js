/** @file The models, as cards that say what kind of model each is. */

import { accepts } from "../state.js";
import { el, setText } from "../views/dom.js";
import { textOr } from "./texts.js";

/**
 * @import {Catalog, DatasetEntry, ModelEntry} from "../protocol.js"
 * @import {Experiment} from "../experiment.js"
 * @import {Translate} from "./texts.js"
 */

/** @typedef {{entry: ModelEntry, button: HTMLButtonElement, name: HTMLElement, tagline: HTMLElement, badge: HTMLElement}} Card */

export class ModelCards {
  element = el("div", { class: "models", role: "group" });
  #experiment;
  /** @type {Translate} */
  #t = (key) => key;
  /** @type {Card[]} */
  #cards = [];

  /** @param {Experiment} experiment */
  constructor(experiment) {
    this.#experiment = experiment;
  }

  /** @param {Catalog} catalog */
  setCatalog(catalog) {
    this.#cards = catalog.models.map((entry) => {
      const [name, tagline, badge] = [el("b"), el("small"), el("small", { class: "badge" })];
      const button = el("button", { type: "button", "data-model": entry.id }, [name, tagline, badge]);
      button.addEventListener("click", () => this.#experiment.choose({ model: entry.id }));
      return { entry, button, name, tagline, badge };
    });
    this.element.replaceChildren(...this.#cards.map(({ button }) => button));
    this.setTexts(this.#t);
  }

  /** @param {ModelEntry} model @param {DatasetEntry} dataset */
  show(model, dataset) {
    for (const { entry, button } of this.#cards) {
      button.setAttribute("aria-pressed", String(entry === model));
      button.disabled = !accepts(entry, dataset);
    }
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    this.element.setAttribute("aria-label", t("ui.model.choose"));
    for (const { entry, button, name, tagline, badge } of this.#cards) {
      setText(name, textOr(t, `models.${entry.id}.name`, entry.id));
      setText(tagline, textOr(t, `models.${entry.id}.tagline`, ""));
      setText(badge, textOr(t, `badges.${entry.badge}.name`, entry.badge));
      button.title = textOr(t, `badges.${entry.badge}.about`, "");
    }
  }
}
