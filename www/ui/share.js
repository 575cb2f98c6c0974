/** @file The panel that shares a run: its link, and the code that puts it into other pages. */

import { siteAddress } from "../address.js";
import { embedCode, HOSTS, safeAddress } from "../share.js";
import { el, setText } from "../views/dom.js";
import { iconOf } from "./icons.js";
import { LANGUAGE_NAMES, languages } from "./texts.js";

/**
 * @import {Link} from "../state.js"
 * @import {Host} from "../share.js"
 * @import {Translate} from "./texts.js"
 */

/** How the page looks now. @typedef {{lang: string | null, theme: string, hide: string[], lock: string[]}} Appearance */

/**
 * What is shared: the step and whether it trains, its name, and whether a link can give all of it again.
 * @typedef {Appearance & {step: number, playing: boolean, title: string, whole: boolean}} Shared
 */

/** The groups of controls; what has nothing to change cannot be locked. */
const GROUPS = [["data", true], ["model", true], ["settings", true], ["transport", true], ["scores", false], ["losses", false]];
/** Pixels of an embedded page before its content is known. */
const HEIGHT = { low: 200, high: 4000, usual: 760 };

export class Share {
  element = el("dialog", { class: "sheet-dialog share-dialog", "aria-labelledby": "share-title" });
  #linkWith;
  /** @type {Translate} */
  #t = (key) => key;
  /** @type {Shared | null} */
  #shared = null;
  /** What is chosen, kept while the texts change. */
  #choice = {
    now: true, play: false, lang: "", theme: "", host: /** @type {Host} */ (HOSTS[0]), height: HEIGHT.usual, address: "",
    /** @type {Map<string, string>} */ groups: new Map(),
  };
  #link = el("textarea", { readonly: true, rows: "2", spellcheck: "false", class: "text code" });
  #code = el("textarea", { readonly: true, rows: "5", spellcheck: "false", class: "text code" });
  #length = el("p", { class: "soft" });
  #hint = el("p", { class: "soft" });
  #said = el("p", { class: "said", role: "status" });

  /** @param {(choices: Partial<Link>) => string} linkWith The link of now, with these choices. */
  constructor(linkWith) {
    this.#linkWith = linkWith;
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.element.close();
    });
    for (const area of [this.#link, this.#code]) area.addEventListener("focus", () => area.select());
  }

  /** @param {Shared} shared */
  open(shared) {
    this.#shared = shared;
    const { lang, theme, hide, lock, playing } = shared;
    const groups = new Map(GROUPS.map(([id]) => [String(id), hide.includes(String(id)) ? "hide" : lock.includes(String(id)) ? "lock" : "show"]));
    Object.assign(this.#choice, { now: !playing, play: playing, lang: lang ?? "", theme: theme === "auto" ? "" : theme, groups });
    this.#choice.address ||= siteAddress();
    this.#build();
    if (!this.element.open) this.element.showModal();
  }

  /** @param {Translate} t */
  setTexts(t) {
    this.#t = t;
    if (this.#shared) this.#build();
  }

  #build() {
    const t = this.#t;
    const choice = this.#choice;
    const shared = this.#shared;
    if (!shared) return;
    const close = el("button", { type: "button", class: "icon-button", "aria-label": t("ui.close"), title: t("ui.close") }, [iconOf("close")]);
    close.addEventListener("click", () => this.element.close());
    const update = () => this.#update();
    const step = shared.step.toLocaleString("en");
    const begin = this.#menu("from", [["now", t("share.now", { step })], ["start", t("share.start")]], choice.now ? "now" : "start", (value) => (choice.now = value === "now"));
    const play = el("input", { type: "checkbox", role: "switch", class: "switch", "aria-label": t("share.play") });
    play.checked = choice.play;
    play.addEventListener("change", () => {
      choice.play = play.checked;
      update();
    });
    const lang = this.#menu("lang", [["", t("share.theirs")], ...languages.map((id) => [id, LANGUAGE_NAMES[id].name])], choice.lang, (value) => (choice.lang = value));
    const theme = this.#menu("theme", [["", t("share.theirs")], ["light", t("share.light")], ["dark", t("share.dark")]], choice.theme, (value) => (choice.theme = value));
    const groups = GROUPS.map(([id, lockable]) => {
      const options = [["show", t("share.show")], ...(lockable ? [["lock", t("share.lock")]] : []), ["hide", t("share.hide")]];
      return this.#menu(`group.${id}`, options, choice.groups.get(String(id)) ?? "show", (value) => choice.groups.set(String(id), value), t(id === "transport" ? "ui.transport.label" : `ui.headings.${id}`));
    });
    const host = this.#menu("host", HOSTS.map((id) => [id, t(`share.hosts.${id}`)]), choice.host, (value) => (choice.host = /** @type {Host} */ (value)));
    const height = el("input", { type: "text", inputmode: "numeric", class: "text", value: String(choice.height) });
    height.addEventListener("change", () => {
      const asked = Math.round(Number(height.value));
      choice.height = Number.isFinite(asked) && height.value.trim() !== "" ? Math.min(Math.max(asked, HEIGHT.low), HEIGHT.high) : choice.height;
      height.value = String(choice.height);
      update();
    });
    const address = el("input", { type: "text", inputmode: "url", class: "text", value: choice.address, spellcheck: "false", autocomplete: "off" });
    address.addEventListener("change", () => {
      choice.address = safeAddress(address.value) || siteAddress();
      address.value = choice.address;
      update();
    });
    const labelled = (/** @type {string} */ text, /** @type {HTMLElement} */ field, kind = "") => el("label", { class: `field ${kind}` }, [el("span", {}, [text]), field]);
    this.#link.setAttribute("aria-label", t("share.link"));
    this.#code.setAttribute("aria-label", t("share.code"));
    this.element.replaceChildren(el("div", { class: "sheet" }, [
      el("header", {}, [el("h2", { id: "share-title" }, [t("share.title")]), close]),
      el("p", {}, [t(shared.whole ? "share.about" : "share.partly")]),
      el("div", { class: "copy-row" }, [this.#link, this.#copy(this.#link)]),
      this.#length,
      el("div", { class: "fields" }, [labelled(t("share.from"), begin), labelled(t("share.play"), play, "beside"), labelled(t("share.lang"), lang), labelled(t("share.theme"), theme)]),
      el("h3", {}, [t("share.groups")]),
      el("div", { class: "fields" }, groups),
      el("h3", {}, [t("share.embed")]),
      el("div", { class: "fields" }, [labelled(t("share.host"), host), labelled(t("share.height"), height), labelled(t("share.address"), address, "wide")]),
      el("div", { class: "copy-row" }, [this.#code, this.#copy(this.#code)]),
      this.#hint,
      this.#said,
    ]));
    this.#update();
  }

  /**
   * @param {string} name
   * @param {string[][]} options
   * @param {string} value
   * @param {(value: string) => void} choose
   * @param {string} [label]
   */
  #menu(name, options, value, choose, label) {
    const select = el("select", { "data-choice": name }, options.map(([id, text]) => el("option", { value: id }, [text])));
    select.value = value;
    select.addEventListener("change", () => {
      choose(select.value);
      this.#update();
    });
    const menu = el("div", { class: "menu" }, [select, /** @type {Node} */ (iconOf("more"))]);
    return label === undefined ? menu : el("label", { class: "field" }, [el("span", {}, [label]), menu]);
  }

  /** @param {HTMLTextAreaElement} area */
  #copy(area) {
    const button = el("button", { type: "button", class: "pill" }, [this.#t("share.copy")]);
    button.addEventListener("click", () => void this.#take(area));
    return button;
  }

  /** @param {HTMLTextAreaElement} area */
  async #take(area) {
    let done = true;
    try {
      await navigator.clipboard.writeText(area.value);
    } catch {
      // Where there is no permission, as in a frame, the old way asks for none.
      area.select();
      done = document.execCommand("copy");
    }
    setText(this.#said, this.#t(done ? "share.copied" : "share.selected"));
  }

  #update() {
    const t = this.#t;
    const shared = this.#shared;
    if (!shared) return;
    const { now, play, lang, theme, host, height, address, groups } = this.#choice;
    const those = (/** @type {string} */ what) => [...groups].filter(([, value]) => value === what).map(([id]) => id);
    const choices = { step: now ? shared.step : null, play, lang: lang || null, theme: theme || null, hide: those("hide"), lock: those("lock") };
    this.#link.value = `${address}#${this.#linkWith(choices)}`;
    this.#code.value = embedCode(host, { address, link: this.#linkWith({ ...choices, embed: true }), title: `Tealight: ${shared.title}`, height });
    setText(this.#length, t("share.length", { count: this.#link.value.length }));
    setText(this.#hint, t(`share.hints.${host}`));
    setText(this.#said, "");
  }
}
