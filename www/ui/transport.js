/** @file The transport: rewind, play, step, which network learns, slow motion, the counters and the seed. */

import { ALL_PHASES } from "../protocol.js";
import { el, setText } from "../views/dom.js";
import { iconOf } from "./icons.js";
import { lockable } from "./lock.js";
import { textOr } from "./texts.js";

/**
 * @import {Catalog, ModelEntry} from "../protocol.js"
 * @import {Experiment} from "../experiment.js"
 * @import {Clamp} from "../state.js"
 * @import {Translate} from "./texts.js"
 */

/** Digits of the step counter: it keeps its width while it runs. */
const DIGITS = 6;

/** A step with zeros before it and thousands apart. @param {number} step */
export function counterText(step) {
  return String(step).padStart(DIGITS, "0").replace(/\B(?=(\d{3})+$)/g, ",");
}

export class Transport {
  element;
  #experiment;
  #clamped;
  /** @type {Translate} */
  #t = (key) => key;
  #rewind = this.#button("rewind");
  #play = el("button", { type: "button", class: "play" });
  #step = this.#button("step", true);
  #phases = el("div", { class: "phases", role: "group" });
  #slow = this.#button("slow", true);
  #counter = el("b");
  #speed = el("small");
  #seedLabel = el("span", { class: "label" });
  #seed = el("input", { type: "text", class: "entry seed", inputmode: "numeric", autocomplete: "off" });
  #dice = this.#button("dice");
  #progress = el("div", { class: "progress", hidden: true });
  #bar = el("progress", { max: "1" });
  #progressText = el("span");
  #cancel = el("button", { type: "button", class: "pill" });
  /** @type {ModelEntry | null} */
  #model = null;
  /** @type {Catalog | null} */
  #catalog = null;
  #playing = false;

  /**
   * @param {Experiment} experiment
   * @param {(clamps: Clamp[]) => void} clamped
   */
  constructor(experiment, clamped) {
    this.#experiment = experiment;
    this.#clamped = clamped;
    this.#play.append(iconOf("play"), iconOf("pause"));
    this.#rewind.addEventListener("click", () => void experiment.rewind());
    this.#play.addEventListener("click", () => (experiment.busy ? experiment.pause() : experiment.play()));
    this.#step.addEventListener("click", () => void experiment.step());
    this.#slow.addEventListener("click", () => experiment.setSlow(!experiment.slow));
    this.#dice.addEventListener("click", () => void experiment.newSeed());
    this.#cancel.addEventListener("click", () => experiment.pause());
    this.#seed.addEventListener("change", () => this.#typeSeed());
    this.#seed.addEventListener("focus", () => this.#seed.select());
    this.#progress.append(this.#progressText, this.#bar, this.#cancel);
    const seed = el("label", { class: "seed-field" }, [this.#seedLabel, this.#seed]);
    this.element = el("div", { class: "transport", role: "toolbar", "data-group": "transport" }, [lockable([
      el("div", { class: "buttons" }, [this.#rewind, this.#play, this.#step, this.#phases, this.#slow]),
      el("div", { class: "count" }, [this.#counter, this.#speed]),
      this.#progress,
      el("div", { class: "seeds" }, [seed, this.#dice]),
    ])]);
    this.progress();
  }

  /** @param {Parameters<typeof iconOf>[0]} name @param {boolean} [worded] */
  #button(name, worded = false) {
    const button = el("button", { type: "button", class: `pill ${name}` }, [iconOf(name)]);
    if (worded) button.append(el("span"));
    return button;
  }

  /** @param {Catalog} catalog @param {ModelEntry} model */
  setModel(catalog, model) {
    this.#catalog = catalog;
    if (this.#model?.id === model.id) return;
    this.#model = model;
    // One network at a time only makes sense where there are several.
    const phases = model.phases.filter((phase) => phase !== ALL_PHASES);
    this.#phases.hidden = phases.length === 0;
    this.#phases.replaceChildren(...phases.map((phase) => {
      const button = el("button", { type: "button", class: "pill", "data-phase": phase }, [el("span")]);
      button.addEventListener("click", () => this.#experiment.setPhase(this.#experiment.phase === phase ? ALL_PHASES : phase));
      return button;
    }));
    this.#label();
  }

  #typeSeed() {
    const { low, high } = this.#catalog?.seed ?? { low: 0, high: 0 };
    const typed = this.#seed.value.trim();
    const got = typed === "" ? NaN : Number(typed);
    const used = Number.isNaN(got) ? Number(this.#experiment.current.seed) : Math.min(Math.max(Math.round(got), low), high);
    if (used !== got) this.#clamped([{ key: "seed", got: typed, used: String(used) }]);
    this.#seed.value = String(used);
    this.#experiment.change({ seed: used });
  }

  /** What follows the configuration and the play state. */
  show() {
    const { state, busy, phase, slow, current, status } = this.#experiment;
    const ready = state === "ready";
    this.#playing = busy;
    this.#play.classList.toggle("playing", busy);
    this.#play.disabled = !ready && state !== "empty";
    for (const button of [this.#rewind, this.#step]) button.disabled = !ready;
    this.#slow.disabled = this.#dice.disabled = this.#seed.disabled = state === "loading" || state === "failed";
    this.#slow.setAttribute("aria-pressed", String(slow));
    for (const button of this.#phases.querySelectorAll("button")) {
      button.disabled = !ready;
      button.setAttribute("aria-pressed", String(button.dataset.phase === phase));
    }
    if (document.activeElement !== this.#seed && current.seed !== undefined) this.#seed.value = String(current.seed);
    this.#progress.hidden = status.target === null;
    this.#labelPlay();
    this.progress();
  }

  /** What follows the run. */
  progress() {
    const { status } = this.#experiment;
    this.setStep(status.step);
    setText(this.#speed, status.rate > 0 ? this.#t("ui.transport.rate", { rate: rateText(status.rate) }) : this.#t("ui.transport.steps"));
    if (status.target !== null) {
      this.#bar.value = status.step / Math.max(status.target, 1);
      setText(this.#progressText, this.#t("ui.transport.training", { target: status.target.toLocaleString("en") }));
    }
  }

  /** @param {number} step */
  setStep(step) {
    setText(this.#counter, counterText(step));
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    this.#label();
    this.progress();
  }

  #label() {
    const t = this.#t;
    /** @param {HTMLElement} button @param {string} key @param {string} shortcut */
    const name = (button, key, shortcut) => {
      const text = t(`ui.transport.${key}`);
      button.title = shortcut ? `${text} (${shortcut})` : text;
      button.setAttribute("aria-label", text);
    };
    this.element.setAttribute("aria-label", t("ui.transport.label"));
    name(this.#rewind, "rewind", "R");
    name(this.#step, "oneStep", "→");
    name(this.#slow, "slowHelp", "");
    name(this.#dice, "newSeed", "N");
    setText(/** @type {Element} */ (this.#step.lastElementChild), t("ui.transport.step"));
    setText(/** @type {Element} */ (this.#slow.lastElementChild), t("ui.transport.slow"));
    setText(this.#seedLabel, t("ui.transport.seed"));
    setText(this.#cancel, t("ui.transport.cancel"));
    this.#bar.setAttribute("aria-label", t("ui.transport.trainingLabel"));
    this.#phases.setAttribute("aria-label", t("ui.transport.phases"));
    for (const button of this.#phases.querySelectorAll("button")) {
      const id = button.dataset.phase ?? "";
      setText(/** @type {Element} */ (button.firstElementChild), textOr(t, `phases.${id}`, id));
      button.title = t("ui.transport.phaseHelp");
    }
    this.#labelPlay();
  }

  #labelPlay() {
    const text = this.#t(this.#playing ? "ui.transport.pause" : "ui.transport.play");
    this.#play.title = `${text} (${this.#t("keys.space")})`;
    this.#play.setAttribute("aria-label", text);
  }
}

/** @param {number} rate */
function rateText(rate) {
  return rate >= 100 ? Math.round(rate).toLocaleString("en") : rate.toPrecision(rate >= 10 ? 3 : 2);
}
