/** @file The help: what there is to see and do, and the keys. */

import { el } from "../views/dom.js";
import { iconOf } from "./icons.js";

/** @import {Translate} from "./texts.js" */

/** The keys, in the order of the transport; `texts` are keys of the language files. */
const KEYS = [
  { keys: ["keys.space"], text: "keys.play" },
  { keys: ["→"], text: "keys.step" },
  { keys: ["R"], text: "keys.rewind" },
  { keys: ["N"], text: "keys.newSeed" },
  { keys: ["T"], text: "keys.takeAway" },
  { keys: ["?"], text: "keys.help" },
  { keys: ["Tab"], text: "keys.tab" },
  { keys: ["←", "↑", "↓", "→"], text: "keys.arrows" },
  { keys: ["Ctrl+Z", "Ctrl+Y"], text: "keys.undo" },
];

export class Help {
  element = el("dialog", { class: "help-dialog", "aria-labelledby": "help-title" });
  /** @type {Translate} */
  #t = (key) => key;

  constructor() {
    // A click beside the dialog closes it: the backdrop's events arrive at the dialog itself.
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.element.close();
    });
  }

  open() {
    if (!this.element.open) this.element.showModal();
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    const close = el("button", { type: "button", class: "icon-button", "aria-label": t("ui.close"), title: t("ui.close") }, [iconOf("close")]);
    close.addEventListener("click", () => this.element.close());
    const part = (/** @type {string} */ id) => [el("h3", {}, [t(`ui.help.${id}.title`)]), el("p", {}, [t(`ui.help.${id}.text`)])];
    const rows = KEYS.map(({ keys, text }) => el("div", {}, [
      el("dt", {}, keys.map((key) => el("kbd", {}, [t(key)]))),
      el("dd", {}, [t(text)]),
    ]));
    this.element.replaceChildren(el("div", { class: "sheet" }, [
      el("header", {}, [el("h2", { id: "help-title" }, [t("ui.help.title")]), close]),
      ...part("what"),
      ...part("start"),
      ...part("colours"),
      ...part("scores"),
      ...part("link"),
      el("h3", {}, [t("keys.title")]),
      el("dl", {}, rows),
      el("p", { class: "soft" }, [t("ui.help.privacy")]),
    ]));
  }
}
