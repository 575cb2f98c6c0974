/** @file The lines below the charts: what is being trained, on what, and where. */

import { missingDirectives } from "../policy.js";
import { el, setText } from "../views/dom.js";
import { textOr } from "./texts.js";

/**
 * @import {DatasetEntry, ModelEntry} from "../protocol.js"
 * @import {Experiment} from "../experiment.js"
 * @import {Translate} from "./texts.js"
 */

export class Status {
  /** What the model and the data are, in a few sentences. */
  about = el("section", { class: "about" });
  /** One line of facts at the foot of the page. */
  element = el("footer", { class: "facts" });
  #title = el("h2");
  #model = el("p");
  #badge = el("p", { class: "soft" });
  #source = el("p", { class: "soft source" });
  #stepTitle = el("h3");
  #formula = el("p", { class: "formula" });
  #steps = el("ol");
  #oneStep = el("div", { class: "one-step" }, [this.#stepTitle, this.#formula, this.#steps]);
  #shownSteps = "";
  #engine = el("span", { class: "engine" });
  #size = el("span");
  #rows = el("span");
  #can = el("span");
  /** From an embedded playground to the whole page. */
  way = el("a", { class: "way", target: "_blank", rel: "noopener", href: "#", hidden: true });

  constructor() {
    this.about.append(this.#title, this.#model, this.#oneStep, this.#badge, this.#source);
    this.element.append(this.#engine, this.#size, this.#rows, this.#can, this.way);
  }

  /**
   * @param {Experiment} experiment
   * @param {ModelEntry | null} model
   * @param {DatasetEntry | null} dataset
   * @param {Translate} t
   */
  show({ client: { mode }, state, info }, model, dataset, t) {
    const number = (/** @type {number} */ n) => n.toLocaleString("en");
    const policy = mode === "page" ? missingDirectives() : "";
    const engine = policy ? t("ui.engine.policy", { policy }) : t(`ui.engine.${mode}`);
    setText(this.#engine, mode ? engine : t(state === "failed" ? "ui.engine.none" : "ui.engine.starting"));
    this.element.dataset.mode = mode ?? "";
    setText(this.#size, info ? t("ui.facts.parameters", { count: number(info.parameters) }) : "");
    setText(this.#rows, info ? t("ui.facts.rows", { count: number(info.trainRows) }) : "");
    const can = model?.capabilities.map((id) => textOr(t, `capabilities.${id}`, id)) ?? [];
    setText(this.#can, can.length > 0 ? t("ui.facts.can", { list: can.join(t("ui.facts.comma")) }) : "");
    setText(this.way, t("ui.facts.way"));
    setText(this.#title, model ? t("ui.about", { model: textOr(t, `models.${model.id}.name`, model.id) }) : "");
    setText(this.#model, model ? textOr(t, `models.${model.id}.about`, "") : "");
    this.#showStep(model, t);
    setText(this.#badge, model ? textOr(t, `badges.${model.badge}.about`, "") : "");
    const source = dataset?.attribution;
    setText(this.#source, source ? t("ui.facts.source", { source }) : "");
    this.#source.hidden = !source;
  }

  /** What a step of training does, one line after the other. @param {ModelEntry | null} model @param {Translate} t */
  #showStep(model, t) {
    const steps = model ? textOr(t, `models.${model.id}.step`, "") : "";
    this.#oneStep.hidden = steps === "";
    if (steps === this.#shownSteps) return;
    this.#shownSteps = steps;
    setText(this.#stepTitle, t("ui.oneStep"));
    setText(this.#formula, model ? textOr(t, `models.${model.id}.formula`, "") : "");
    this.#steps.replaceChildren(...steps.split("\n").map((step) => el("li", {}, [step])));
  }
}
