/** @file What to do first, at the foot of the stage while nothing has been learnt: what is seen, and a button to begin. */

import { el, setText } from "../views/dom.js";
import { iconOf } from "./icons.js";
import { textOr } from "./texts.js";

/**
 * @import {Experiment} from "../experiment.js"
 * @import {DatasetEntry} from "../protocol.js"
 * @import {Translate} from "./texts.js"
 */

export class Invitation {
  #begin = el("span");
  #text = el("span");
  #button = el("button", { type: "button", class: "pill remedy" }, [iconOf("play"), this.#begin]);
  element = el("p", { class: "invitation", hidden: true }, [this.#button, this.#text]);
  #experiment;
  /** @type {Translate} */
  #t = (key) => key;
  #domain = "";
  #allowed = true;

  /** @param {Experiment} experiment */
  constructor(experiment) {
    this.#experiment = experiment;
    this.#button.addEventListener("click", () => experiment.play());
  }

  /** Whoever may not use the transport is not asked to. @param {boolean} allowed */
  allow(allowed) {
    this.#allowed = allowed;
    this.show();
  }

  /** @param {DatasetEntry} [dataset] What is shown, where that is another. */
  show(dataset) {
    const { state, busy, status } = this.#experiment;
    this.element.hidden = !(this.#allowed && state === "ready" && !busy && status.step === 0);
    if (!dataset || dataset.domain === this.#domain) return;
    this.#domain = dataset.domain;
    this.setTexts(this.#t);
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    setText(this.#begin, t("ui.start.begin"));
    setText(this.#text, textOr(t, `ui.start.${this.#domain}`, ""));
  }
}
