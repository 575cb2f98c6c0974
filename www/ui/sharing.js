/** @file The way to the panel that shares a run; its code comes when it is asked for. */

import { messageOf } from "../protocol.js";
import { datasetOf, modelOf } from "../state.js";
import { textOr, translator } from "./texts.js";

/**
 * @import {Experiment} from "../experiment.js"
 * @import {Link} from "../state.js"
 * @import {Appearance} from "./share.js"
 * @import {Translate} from "./texts.js"
 */

export class Sharing {
  #experiment;
  #page;
  /** The panel, once it was asked for. @type {import("./share.js").Share | null} */
  #panel = null;
  #t = translator("");

  /**
   * @param {Experiment} experiment
   * @param {{home: () => HTMLElement, linkWith: (choices: Partial<Link>) => string, say: (kind: "error", text: string) => void}} page
   *   `home` is where the panel lives, `linkWith` the link of now with these choices.
   */
  constructor(experiment, page) {
    this.#experiment = experiment;
    this.#page = page;
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    this.#panel?.setTexts(t);
  }

  /** @param {Appearance} appearance */
  async open(appearance) {
    const { home, linkWith, say } = this.#page;
    try {
      const { Share } = await import("./share.js");
      this.#panel ??= new Share(linkWith);
    } catch (error) {
      say("error", this.#t("share.failed", { message: messageOf(error) }));
      return;
    }
    const { catalog, current, status, run } = this.#experiment;
    if (!catalog || current.dataset === undefined) return;
    const [dataset, model] = [datasetOf(catalog, current), modelOf(catalog, current)];
    const title = `${textOr(this.#t, `models.${model.id}.name`, "")} · ${textOr(this.#t, `datasets.${dataset.id}.name`, "")}`.replaceAll("\u00ad", "");
    this.#panel.setTexts(this.#t);
    home().append(this.#panel.element);
    this.#panel.open({ ...appearance, step: status.step, playing: status.running, title, whole: !run.foreign && !dataset.file });
  }
}
