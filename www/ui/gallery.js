/** @file The failure gallery: a card for each failure, which provokes it at one press. */

import { datasetOf, modelOf } from "../state.js";
import { el } from "../views/dom.js";
import { iconOf } from "./icons.js";
import { textOr } from "./texts.js";

/**
 * @import {Catalog, Exhibit} from "../protocol.js"
 * @import {Translate} from "./texts.js"
 */

export class Gallery {
  element = el("dialog", { class: "gallery-dialog", "aria-labelledby": "gallery-title" });
  #open;
  /** @type {Translate} */
  #t = (key) => key;
  /** @type {Catalog | null} */
  #catalog = null;

  /** @param {(exhibit: Exhibit) => void} open */
  constructor(open) {
    this.#open = open;
    // A click beside the dialog closes it: the backdrop's events arrive at the dialog itself.
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.element.close();
    });
  }

  open() {
    if (!this.element.open && this.#catalog) this.element.showModal();
  }

  /** @param {Catalog} catalog */
  setCatalog(catalog) {
    this.#catalog = catalog;
    this.setTexts(this.#t);
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    const catalog = this.#catalog;
    if (!catalog) return;
    const close = el("button", { type: "button", class: "icon-button", "aria-label": t("ui.close"), title: t("ui.close") }, [iconOf("close")]);
    close.addEventListener("click", () => this.element.close());
    this.element.replaceChildren(el("div", { class: "sheet" }, [
      el("header", {}, [el("h2", { id: "gallery-title" }, [t("ui.gallery.title")]), close]),
      el("p", { class: "soft" }, [t("ui.gallery.about")]),
      el("div", { class: "exhibits" }, catalog.gallery.map((exhibit) => this.#card(catalog, exhibit))),
    ]));
  }

  /** @param {Catalog} catalog @param {Exhibit} exhibit */
  #card(catalog, exhibit) {
    const t = this.#t;
    const { id, config, steps } = exhibit;
    const [model, dataset] = [modelOf(catalog, config).id, datasetOf(catalog, config).id];
    const facts = t("ui.gallery.facts", {
      model: textOr(t, `models.${model}.name`, model),
      dataset: textOr(t, `datasets.${dataset}.name`, dataset),
      steps: steps.toLocaleString("en"),
    });
    const card = el("button", { type: "button", "data-exhibit": id }, [
      el("b", {}, [textOr(t, `gallery.${id}.name`, id)]),
      el("span", {}, [textOr(t, `gallery.${id}.about`, "")]),
      el("small", {}, [facts]),
    ]);
    card.addEventListener("click", () => {
      this.element.close();
      this.#open(exhibit);
    });
    return card;
  }
}
