/** @file Short messages over the page: what went wrong, what was adjusted. */

import { el } from "../views/dom.js";
import { iconOf } from "./icons.js";

/** @import {Translate} from "./texts.js" */

/** How long a message stays that needs no action, in milliseconds. */
const STAY = 8000;
/** More than these would cover the page. */
const MOST = 3;

export class Toasts {
  element = el("div", { class: "toasts", role: "status", "aria-live": "polite" });
  /** @type {Translate} */
  #t = (key) => key;
  /** @type {Set<ReturnType<typeof setTimeout>>} */
  #timers = new Set();

  /**
   * @param {string} text
   * @param {{kind?: "error" | "info", again?: () => void}} [options] An error stays until it is closed; `again` tries once more.
   */
  show(text, { kind = "info", again } = {}) {
    // The same message again is no news.
    for (const old of this.element.children) if (old.firstElementChild?.textContent === text) old.remove();
    const close = el("button", { type: "button", class: "icon-button", "aria-label": this.#t("ui.close") }, [iconOf("close")]);
    const toast = el("div", { class: `toast ${kind}` }, [el("p", {}, [text]), close]);
    if (again) {
      const button = el("button", { type: "button", class: "pill again" }, [this.#t("ui.failed.again")]);
      button.addEventListener("click", () => (toast.remove(), again()));
      close.before(button);
    }
    close.addEventListener("click", () => toast.remove());
    this.element.append(toast);
    while (this.element.children.length > MOST) this.element.firstElementChild?.remove();
    if (kind === "info") {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        toast.remove();
      }, STAY);
      this.#timers.add(timer);
    }
  }

  clear() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.element.replaceChildren();
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    for (const button of this.element.querySelectorAll(".icon-button")) button.setAttribute("aria-label", t("ui.close"));
    for (const button of this.element.querySelectorAll(".again")) button.textContent = t("ui.failed.again");
  }
}
