/** @file The way to the dialog of what can be taken away; its code comes when it is asked for. */

import { messageOf } from "../protocol.js";
import { readLink } from "../state.js";
import { el, setText } from "../views/dom.js";
import { iconOf } from "./icons.js";
import { translator } from "./texts.js";

/**
 * @import {Experiment} from "../experiment.js"
 * @import {Clamp, Link} from "../state.js"
 * @import {LossChart} from "../views/losses.js"
 * @import {Stage} from "../views/stage.js"
 * @import {Translate} from "./texts.js"
 */

/**
 * What can be taken away.
 * @typedef {{experiment: Experiment, stage: Stage, chart: LossChart, link: () => any}} Things
 *
 * What is done with what is brought in.
 * @typedef {object} Listener
 * @property {HTMLElement} home Where the dialog lives.
 * @property {(files: File[]) => void} take
 * @property {(link: Link & {clamped: Clamp[]}) => void} openLink
 * @property {(kind: "error" | "info", text: string) => void} say
 */

export class Taking {
  button = el("button", { type: "button", class: "pill take", "data-group": "take" }, [iconOf("take"), el("span")]);
  #things;
  #listener;
  /** The dialog, once it was asked for. @type {import("./take-away.js").TakeAway | null} */
  #dialog = null;
  #t = translator("");

  /** @param {Things} things @param {Listener} listener */
  constructor(things, listener) {
    this.#things = things;
    this.#listener = listener;
    this.button.addEventListener("click", () => void this.open());
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    setText(/** @type {Element} */ (this.button.lastElementChild), t("ui.takeAway.title"));
    this.button.title = `${t("ui.takeAway.title")} (T)`;
    this.button.setAttribute("aria-label", t("ui.takeAway.title"));
    this.#dialog?.setTexts(t);
  }

  async open() {
    const { experiment } = this.#things;
    if (experiment.state !== "ready") return;
    const { home, take, say } = this.#listener;
    try {
      const { TakeAway } = await import("./take-away.js");
      if (!this.#dialog) {
        this.#dialog = new TakeAway({ ...this.#things, t: () => this.#t }, { take, openLink: (hash) => this.#openHash(hash) });
        this.#dialog.setTexts(this.#t);
        home.append(this.#dialog.element);
      }
      this.#dialog.open();
    } catch (error) {
      say("error", this.#t("ui.takeAway.failed", { message: messageOf(error) }));
    }
  }

  /** @param {string} hash */
  #openHash(hash) {
    const { catalog } = this.#things.experiment;
    if (catalog) this.#listener.openLink(readLink(catalog, hash));
  }

  /** Opens a file of ours; false if it is none. @param {File} file */
  async bring(file) {
    const { bring } = await import("./bring.js");
    return bring(file, { experiment: this.#things.experiment, t: this.#t, say: this.#listener.say });
  }
}
