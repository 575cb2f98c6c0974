/** @file A group of settings, generated from their declarations: the usual ones, and the others on request. */

import { shown } from "../state.js";
import { el, setText } from "../views/dom.js";
import { iconOf } from "./icons.js";
import { Control } from "./controls.js";

/**
 * @import {Config, Spec} from "../protocol.js"
 * @import {Owner} from "./controls.js"
 * @import {Translate} from "./texts.js"
 */

export class Settings {
  element = el("div", { class: "settings-list" });
  #owner;
  #usual = el("div");
  #advanced = el("div");
  #summary = el("span");
  #details;
  /** @type {Control[]} */
  #controls = [];
  /** @type {Map<string, Spec>} */
  #specs = new Map();
  #signature = "";
  #folded;

  /** @param {Owner} owner @param {{folded?: boolean}} [options] `folded`: all of them on request. */
  constructor(owner, { folded = false } = {}) {
    this.#owner = owner;
    this.#folded = folded;
    this.#details = el("details", { class: "advanced" }, [el("summary", {}, [iconOf("more"), this.#summary]), this.#advanced]);
    this.element.append(this.#usual, this.#details);
  }

  /**
   * The settings that there are now; the same ones as before keep their controls, and the focus in them.
   * @param {Spec[]} specs
   * @param {Translate} t
   */
  setSpecs(specs, t) {
    const signature = JSON.stringify(specs);
    if (signature === this.#signature) return;
    this.#signature = signature;
    this.#specs = new Map(specs.map((spec) => [spec.key, spec]));
    // What has only one option here leaves nothing to choose.
    this.#controls = specs.filter(({ options }) => options?.length !== 1).map((spec) => new Control(spec, this.#owner));
    const of = (/** @type {boolean} */ advanced) => this.#controls.filter(({ spec }) => (this.#folded || spec.advanced) === advanced).map(({ element }) => element);
    this.#usual.replaceChildren(...of(false));
    this.#advanced.replaceChildren(...of(true));
    this.setTexts(t);
  }

  /** @param {Config} config */
  show(config) {
    let advanced = false;
    for (const control of this.#controls) {
      const value = config[control.spec.key];
      const visible = shown(control.spec, config, this.#specs);
      control.element.hidden = !visible;
      advanced ||= visible && (this.#folded || control.spec.advanced);
      if (value !== undefined) control.show(value);
    }
    this.#details.hidden = !advanced;
    this.element.hidden = this.#controls.length === 0;
  }

  /** @param {Translate} t */
  setTexts(t) {
    setText(this.#summary, t(this.#folded ? "ui.settings.data" : "ui.settings.more"));
    for (const control of this.#controls) control.setTexts(t);
  }
}
